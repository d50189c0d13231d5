"""The audit trail: who did what, and nothing of what it said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from casework import audit
from casework.audit import AuditDetailRefused
from casework.database import Database
from casework.tables import AuditEntry, new_id
from tests.factories import make_staff


async def test_a_deed_is_kept_with_who_when_and_what(database: Database, now: datetime) -> None:
    case_id = new_id()
    async with database.transaction() as session:
        staff = await make_staff(session, login="xiaoli")
        audit.record(
            session, audit.staff_actor(staff), "case.assigned", "case", case_id, now=now, to="legal", urged=2
        )
    async with database.read() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.actor, entry.deed, entry.subject_kind, entry.subject_id, entry.at) == (
        "staff:xiaoli", "case.assigned", "case", case_id, now,
    )  # fmt: skip
    assert entry.detail == {"to": "legal", "urged": 2}


@pytest.mark.parametrize(
    "value",
    [
        "13800138000",
        "打他手机 138 0013 8000",
        13800138000,
        ["ok", "13800138000"],
        {"contact": {"phone": "13800138000"}},
        {"13800138000": 1},
        "37010219900307123X",
        "6222021234567890123",
        "a.b@qq.com",
        "x" * 121,
        ["x" * 121],
    ],
)
async def test_personal_data_cannot_creep_into_the_audit_trail(
    database: Database, now: datetime, value: Any
) -> None:
    async with database.transaction() as session:
        with pytest.raises(AuditDetailRefused, match="'note'") as caught:
            audit.record(session, "bot", "case.noted", "case", new_id(), now=now, note=value)
        assert "138" not in str(caught.value)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 0


async def test_ids_numbers_and_codes_are_welcome(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for _ in range(200):
            detail = {
                "conversation": new_id(),
                "number": "JN-20261122-0031-9",
                "sha256": "a1" * 32,
                "until": now.isoformat(),
                "note": "x" * 120,
                "nothing": None,
            }
            audit.record(session, "bot", "case.opened", "case", new_id(), now=now, **detail)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 200
