"""Aside: patience asked for, conversations out of sight, members left to the bot; each within its limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import aside, messages, waiting
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.errors import BadInput, NotAllowed
from casework.tables import AuditEntry, Conversation, Handoff, Owner, Staff, StaffRole
from casework.wording import Wording
from tests.factories import make_conversation, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = load_desk_rules(KNOWLEDGE)
WORDING = Wording.load(KNOWLEDGE)
Deed = Callable[[AsyncSession, Conversation, Staff, datetime], Awaitable[Conversation]]


async def of(session: AsyncSession, worker: Staff, **values: object) -> Conversation:
    """A conversation this worker speaks in."""
    return await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id, **values)


async def hold(s: AsyncSession, c: Conversation, w: Staff, now: datetime) -> Conversation:
    return await aside.hold(s, c, w, 10, now, wording=WORDING)


async def snooze(s: AsyncSession, c: Conversation, w: Staff, now: datetime) -> Conversation:
    return await aside.snooze(s, c, w, now + timedelta(hours=1), now)


async def block(s: AsyncSession, c: Conversation, w: Staff, now: datetime) -> Conversation:
    return await aside.block(s, c, w, 2, "辱骂坐席", now, wording=WORDING)


@pytest.mark.parametrize("deed", [hold, aside.unhold, snooze, aside.unsnooze, block])
async def test_nobody_does_it_to_what_a_colleague_speaks_in(
    database: Database, now: datetime, deed: Deed
) -> None:
    async with database.transaction() as session:
        owner, colleague = await make_staff(session), await make_staff(session)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        for nobody in (colleague, auditor):
            with pytest.raises(NotAllowed):
                await deed(session, await of(session, owner), nobody, now)
        with pytest.raises(NotAllowed):
            await deed(session, await make_conversation(session), owner, now)


async def test_the_promise_runs_from_the_end_of_the_patience_asked_for(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker, waiting_since=now - timedelta(minutes=10), warned_at=now)
        held = await aside.hold(session, conversation, worker, 30, now, wording=WORDING)
        assert waiting.counts_from(held) == now + timedelta(minutes=30)
        assert (held.warned_at, held.breached_at) == (None, None)
        said = await messages.transcript(session, conversation.id)
    assert [one.text for one in said] == [WORDING.say("handoff.hold", minutes=30)]


@pytest.mark.parametrize("minutes", [0, -1, 31])
async def test_patience_has_limits(database: Database, now: datetime, minutes: int) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        with pytest.raises(BadInput):
            await aside.hold(session, await of(session, worker), worker, minutes, now, wording=WORDING)


async def test_going_on_early_does_not_break_the_promise_at_once(database: Database, now: datetime) -> None:
    """The member was asked for 30 minutes; the worker is back after 25 and has the usual time to answer."""
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker, waiting_since=now - timedelta(minutes=10))
        await aside.hold(session, conversation, worker, 30, now, wording=WORDING)
        back = now + timedelta(minutes=25)
        assert waiting.counts_from(await aside.unhold(session, conversation, worker, back)) == back
    async with database.transaction() as session:
        assert not await waiting.attend(session, conversation.id, back, RULES, WORDING)
        late = back + timedelta(minutes=30)
        assert await waiting.attend(session, conversation.id, late, RULES, WORDING)


async def test_going_on_after_the_time_is_up_buys_none(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker)
        await aside.hold(session, conversation, worker, 5, now, wording=WORDING)
        await aside.unhold(session, conversation, worker, now + timedelta(minutes=20))
        assert waiting.counts_from(conversation) == now + timedelta(minutes=5)


async def test_what_is_put_out_of_sight_comes_back_when_the_member_writes(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker)
        assert (await snooze(session, conversation, worker, now)).snoozed_until is not None
        await messages.record_incoming(session, conversation, "m1", text="在吗", now=now)
        assert (conversation.snoozed_until, conversation.waiting_since) == (None, now)
        with pytest.raises(BadInput):
            await snooze(session, conversation, worker, now)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=-1), timedelta(days=7, seconds=1)])
async def test_out_of_sight_is_not_for_ever(database: Database, now: datetime, ahead: timedelta) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        with pytest.raises(BadInput):
            await aside.snooze(session, await of(session, worker), worker, now + ahead, now)


async def test_a_blocked_member_is_told_and_the_bot_goes_on(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker, waiting_since=now)
        blocked = await block(session, conversation, worker, now)
        assert (blocked.owner, blocked.staff_id) == (Owner.BOT, None)
        assert blocked.blocked_until == now + timedelta(hours=2)
        said = await messages.transcript(session, conversation.id)
        assert [one.text for one in said] == [WORDING.say("handoff.blocked", hours=2)]
        service = (await session.scalars(select(Handoff))).one()
        assert (service.outcome, service.ended_at) == ("blocked", now)
        colleague = await make_staff(session)
        assert (await aside.unblock(session, blocked, colleague, now)).blocked_until is None
        deeds = await session.scalars(select(AuditEntry.deed).where(AuditEntry.deed.like("%blocked")))
        assert sorted(deeds) == ["conversation.blocked", "conversation.unblocked"]


@pytest.mark.parametrize(("hours", "reason"), [(0, "辱骂坐席"), (25, "辱骂坐席"), (2, ""), (2, "长" * 61)])
async def test_a_block_has_hours_and_a_reason(
    database: Database, now: datetime, hours: int, reason: str
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await of(session, worker)
        with pytest.raises(BadInput):
            await aside.block(session, conversation, worker, hours, reason, now, wording=WORDING)
        assert conversation.owner is Owner.HUMAN
