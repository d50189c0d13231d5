"""Permissions: what each role of staff may do; what is not written here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from casework.errors import NotAllowed
from casework.tables import Staff, StaffRole


class Right(StrEnum):
    """One thing a member of staff may be allowed to do at the desk."""

    LOOK = "look"  # queue, conversations, cases, knowledge: masked
    ANSWER = "answer"  # take over, reply, note, hold, hand back their own
    WORK_CASES = "work_cases"  # the deeds of a case that its life gives to staff
    UNMASK = "unmask"  # ask to see a name and a phone, with a reason
    SUGGEST = "suggest"  # 应为…: what the bot should have understood
    BLOCK = "block"  # keep a member from being handed to humans for a while
    DIRECT = "direct"  # reassign, transfer others' conversations, supervise cases
    WATCH = "watch"  # the live wall
    REPORT = "report"  # reports and their CSV
    EXPORT = "export"  # take cases out as a file, masked
    EDIT_CANNED = "edit_canned"
    EDIT_KNOWLEDGE = "edit_knowledge"  # write and propose what members are told
    APPROVE_KNOWLEDGE = "approve_knowledge"  # let another's proposal be served, or take one out of use
    TEACH = "teach"  # work the training inbox, change training sentences, train a model
    RELEASE = "release"  # let a model version answer members, or take it back
    OVERRIDE_GATE = "override_gate"  # release one the gate refused, with a written reason
    EDIT_DESK = "edit_desk"  # teams, working hours, promised times
    EDIT_STAFF = "edit_staff"  # accounts and roles
    AUDIT = "audit"  # the audit trail


_AGENT = frozenset({Right.LOOK, Right.ANSWER, Right.WORK_CASES, Right.UNMASK, Right.SUGGEST, Right.BLOCK})
_SUPERVISOR = _AGENT | {
    Right.DIRECT,
    Right.WATCH,
    Right.REPORT,
    Right.EXPORT,
    Right.EDIT_CANNED,
    Right.EDIT_KNOWLEDGE,
    Right.APPROVE_KNOWLEDGE,
    Right.TEACH,
    Right.RELEASE,
    Right.OVERRIDE_GATE,
    Right.EDIT_DESK,
}
RIGHTS: Mapping[StaffRole, frozenset[Right]] = {
    StaffRole.AGENT: _AGENT,
    StaffRole.SUPERVISOR: _SUPERVISOR,
    StaffRole.ADMIN: _SUPERVISOR | {Right.EDIT_STAFF, Right.AUDIT},
    StaffRole.AUDITOR: frozenset({Right.LOOK, Right.WATCH, Right.REPORT, Right.AUDIT}),
}


def may(staff: Staff, right: Right) -> bool:
    """Whether a member of staff has a right; a closed account and an unknown role have none."""
    return bool(staff.active) and right in RIGHTS.get(staff.role, frozenset())


def require(staff: Staff, right: Right) -> None:
    """Raise NotAllowed unless the member of staff has the right."""
    if not may(staff, right):
        raise NotAllowed(f"{staff.role} may not {right}", right=right.value)
