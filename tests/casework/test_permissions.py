"""Permissions: the whole table of roles and rights, and nothing for anybody else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casework.errors import NotAllowed
from casework.permissions import RIGHTS, Right, may, require
from casework.tables import Staff, StaffRole

# A column a role: agent, supervisor, admin, auditor.
TABLE = {
    Right.LOOK: "yes yes yes yes",
    Right.ANSWER: "yes yes yes no",
    Right.WORK_CASES: "yes yes yes no",
    Right.UNMASK: "yes yes yes no",
    Right.SUGGEST: "yes yes yes no",
    Right.BLOCK: "yes yes yes no",
    Right.DIRECT: "no yes yes no",
    Right.WATCH: "no yes yes yes",
    Right.REPORT: "no yes yes yes",
    Right.EXPORT: "no yes yes no",
    Right.EDIT_CANNED: "no yes yes no",
    Right.EDIT_KNOWLEDGE: "no yes yes no",
    Right.APPROVE_KNOWLEDGE: "no yes yes no",
    Right.EDIT_DESK: "no yes yes no",
    Right.TEACH: "no yes yes no",
    Right.RELEASE: "no yes yes no",
    Right.OVERRIDE_GATE: "no yes yes no",
    Right.EDIT_STAFF: "no no yes no",
    Right.AUDIT: "no no yes yes",
}
ROLES = (StaffRole.AGENT, StaffRole.SUPERVISOR, StaffRole.ADMIN, StaffRole.AUDITOR)


def person(role: StaffRole, *, active: bool = True) -> Staff:
    return Staff(
        login="x", display_name="x", role=role, active=active, created_at=datetime(2026, 7, 20, tzinfo=UTC)
    )


def test_every_right_and_every_role_is_in_the_table() -> None:
    assert set(TABLE) == set(Right)
    assert set(ROLES) == set(StaffRole) == set(RIGHTS)


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(role: StaffRole, right: Right) -> None:
    allowed = TABLE[right].split()[ROLES.index(role)] == "yes"
    assert may(person(role), right) == allowed
    if allowed:
        require(person(role), right)
        return
    with pytest.raises(NotAllowed) as caught:
        require(person(role), right)
    assert caught.value.values == {"right": right.value}


@pytest.mark.parametrize("right", list(Right))
def test_a_closed_account_and_an_unknown_role_may_nothing(right: Right) -> None:
    for role in ROLES:
        assert not may(person(role, active=False), right)
    assert not may(person("visitor"), right)  # type: ignore[arg-type]
    assert not may(Staff(login="x", display_name="x"), right)
