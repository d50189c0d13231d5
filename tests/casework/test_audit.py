"""The audit trail: who did what, and nothing of what it said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from casework import audit
from casework.audit import AuditDetailRefused, AuditQuery
from casework.database import Database
from casework.periods import Period
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


# ---- reading it

DAY = Period(date(2026, 7, 20), date(2026, 7, 20))


async def test_pages_of_the_trail_give_every_entry_once_the_newest_first(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for step in range(7):
            audit.record(session, "system", f"deed{step}", "case", step, now=now + timedelta(hours=step // 3))
        await session.flush()
    seen: list[str] = []
    before: int | None = None
    async with database.read() as session:
        while True:
            page = await audit.list_entries(session, AuditQuery(DAY), before=before, limit=3)
            seen += [entry.deed for entry in page.entries]
            if (before := page.older) is None:
                break
    assert seen == [f"deed{step}" for step in reversed(range(7))]


async def test_what_is_recorded_meanwhile_moves_no_page(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for step in range(4):
            audit.record(session, "system", f"deed{step}", "case", step, now=now)
            await session.flush()
    async with database.transaction() as session:
        first = await audit.list_entries(session, AuditQuery(DAY), limit=2)
        audit.record(session, "system", "later", "case", 9, now=now + timedelta(minutes=1))
        second = await audit.list_entries(session, AuditQuery(DAY), before=first.older, limit=2)
        none = await audit.list_entries(session, AuditQuery(DAY), before=10**9, limit=2)
    assert [entry.deed for entry in second.entries] == ["deed1", "deed0"]
    assert (second.older, none.entries) == (None, ())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["unmasked", "case.assign", "case.urge"]),
        ({"actor": "staff:li"}, ["unmasked", "case.assign"]),
        ({"deed": "case.*"}, ["case.assign", "case.urge"]),
        ({"deed": "case.urge"}, ["case.urge"]),
        ({"deed": "%*"}, []),
        ({"subject_kind": "conversation"}, ["unmasked"]),
        ({"subject_id": "c2"}, ["case.urge"]),
    ],
)
async def test_the_trail_is_asked_by_day_actor_deed_and_subject(
    database: Database, now: datetime, asked: dict[str, str], expected: list[str]
) -> None:
    async with database.transaction() as session:
        for actor, deed, kind, ref, when in (
            ("member", "case.urge", "case", "c2", now),
            ("staff:li", "case.assign", "case", "c1", now),
            ("staff:li", "unmasked", "conversation", "v1", now),
            ("staff:li", "unmasked", "conversation", "v2", now - timedelta(days=1)),
        ):
            audit.record(session, actor, deed, kind, ref, now=when)
            await session.flush()
    async with database.read() as session:
        page = await audit.list_entries(session, AuditQuery(DAY, **asked))
        actors, deeds = await audit.actors_and_deeds(session, DAY)
    assert [entry.deed for entry in page.entries] == expected
    assert (actors, deeds) == (["member", "staff:li"], ["case.assign", "case.urge", "unmasked"])
