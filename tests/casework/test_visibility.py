"""Visibility: masked unless all is as it must be, and only for a quarter of an hour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import visibility
from casework.database import Database
from casework.errors import BadInput, NotAllowed
from casework.tables import AuditEntry, Case, Conversation, Owner, Staff, StaffRole, Unmasking
from casework.visibility import MASKED, Subject
from tests.factories import make_case, make_conversation, make_staff

Make = Callable[[AsyncSession, Staff], Awaitable[Subject]]


async def conversation_of(session: AsyncSession, worker: Staff) -> Conversation:
    return await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)


async def case_of(session: AsyncSession, worker: Staff) -> Case:
    return await make_case(session, staff_id=worker.id)


both = pytest.mark.parametrize("make", [conversation_of, case_of])


@both
async def test_a_reason_opens_ones_own_record_for_a_quarter_of_an_hour(
    database: Database, now: datetime, make: Make
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        subject, other = await make(session, worker), await make(session, worker)
        assert await visibility.sight_of(session, worker, subject, now) == MASKED
        until = await visibility.unmask(session, worker, subject, " 回访\n核实 ", now)
        assert until == now + timedelta(minutes=15)
        almost = until - timedelta(seconds=1)
        seen = await visibility.sight_of(session, worker, subject, almost)
        assert (seen.open, seen.until) == (True, until)
        assert await visibility.sight_of(session, worker, subject, until) == MASKED
        assert await visibility.sight_of(session, worker, other, now) == MASKED


@both
async def test_a_colleagues_record_is_open_to_who_directs_others_only(
    database: Database, now: datetime, make: Make
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        gone = await make_staff(session, role=StaffRole.ADMIN, active=False)
        subject = await make(session, worker)
        for nobody in (colleague, auditor, gone):
            with pytest.raises(NotAllowed):
                await visibility.unmask(session, nobody, subject, "回访", now)
            # Not even with leave that is somehow there.
            leave(session, nobody, subject, now)
            assert await visibility.sight_of(session, nobody, subject, now) == MASKED
        await visibility.unmask(session, supervisor, subject, "督办", now)
        assert (await visibility.sight_of(session, supervisor, subject, now)).open
        assert await visibility.sight_of(session, worker, subject, now) == MASKED, "leave is one's own"


def leave(session: AsyncSession, staff: Staff, subject: Subject, now: datetime) -> None:
    """Leave as the database would hold it."""
    session.add(
        Unmasking(
            staff_id=staff.id,
            subject_kind="case" if isinstance(subject, Case) else "conversation",
            subject_id=subject.id,
            reason="回访",
            created_at=now,
            until=now + timedelta(minutes=15),
        )
    )


async def test_an_unknown_role_sees_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        subject = await conversation_of(session, worker)
        leave(session, worker, subject, now)
        assert (await visibility.sight_of(session, worker, subject, now)).open
        visitor = Staff(id=worker.id, login="x", display_name="x", role="visitor", active=True)
        assert await visibility.sight_of(session, visitor, subject, now) == MASKED


async def test_what_was_given_away_is_masked_again(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        conversation = await conversation_of(session, worker)
        await visibility.unmask(session, worker, conversation, "回访", now)
        conversation.staff_id = colleague.id
        assert await visibility.sight_of(session, worker, conversation, now) == MASKED
        conversation.owner, conversation.staff_id = Owner.BOT, None
        assert await visibility.sight_of(session, worker, conversation, now) == MASKED


async def test_leave_to_see_a_conversation_is_none_to_see_a_case(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await conversation_of(session, worker)
        case = await make_case(session, conversation, staff_id=worker.id, id=conversation.id)
        await visibility.unmask(session, worker, conversation, "回访", now)
        assert await visibility.sight_of(session, worker, case, now) == MASKED


@pytest.mark.parametrize(
    "reason",
    ["", "  ", "长" * 61, "打 13800138000 核实", "身份证 370102199003070012", "回 zhang@example.com"],
)
async def test_a_reason_is_short_and_holds_nothing_personal(
    database: Database, now: datetime, reason: str
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        subject = await conversation_of(session, worker)
        with pytest.raises(BadInput):
            await visibility.unmask(session, worker, subject, reason, now)
        assert list(await session.scalars(select(Unmasking))) == []
        assert list(await session.scalars(select(AuditEntry))) == []


async def test_every_look_is_in_the_audit_trail_and_says_who_what_and_why(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, login="xiaoli")
        subject = await conversation_of(session, worker)
        await visibility.unmask(session, worker, subject, "回访核实", now)
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.actor, entry.deed, entry.subject_kind, entry.subject_id) == (
        "staff:xiaoli",
        "unmasked",
        "conversation",
        subject.id,
    )
    assert entry.detail == {"reason": "回访核实"}


def test_what_is_masked_shows_neither_name_nor_phone() -> None:
    facts = {"person_name": "张三丰", "phone": "13800138000", "story": "我叫张三丰，电话 13800138000"}
    masked, opened = MASKED.facts(facts), visibility.Sight(open=True).facts(facts)
    assert opened == facts
    assert masked["person_name"] == "张**"
    assert "138001" not in masked["phone"] + masked["story"]
    assert (MASKED.name(None), MASKED.phone(None), MASKED.text(None)) == (None, None, "")
