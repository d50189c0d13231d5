"""Rating: only who was served rates a service, and a bad one reaches a supervisor, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import handoff, waiting
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.errors import BadInput, NotAllowed, NotFound
from casework.tables import (
    Alert,
    AlertKind,
    Conversation,
    Handoff,
    Owner,
    Presence,
    Priority,
    Staff,
    StaffRole,
    Team,
)
from casework.wording import Wording
from tests.factories import make_conversation, make_member, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = load_desk_rules(KNOWLEDGE)
WORDING = Wording.load(KNOWLEDGE)


async def served(session: AsyncSession, worker: Staff, now: datetime) -> tuple[Conversation, int]:
    """A conversation the bot has again after a human answered in it, and that service's id."""
    conversation = await make_conversation(session)
    await handoff.take_over(session, conversation, worker, now)
    await handoff.note_answered(session, conversation, now)
    service = await handoff.open_handoff(session, conversation.id)
    assert service is not None
    await handoff.hand_back(session, conversation, worker, now)
    return conversation, service.id


async def complaints(database: Database) -> int:
    """How often supervisors were told of a bad rating."""
    async with database.read() as session:
        counted = await session.scalar(
            select(func.count()).select_from(Alert).where(Alert.kind == AlertKind.BAD_RATING)
        )
    return counted or 0


async def test_a_bad_rating_waits_for_a_supervisor_whom_no_agent_forestalls(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation, service = await served(session, worker, now)
        await handoff.rate(session, service, conversation.member_id, 2, now, comment="态度不好")
        assert (conversation.owner, conversation.for_supervisor) == (Owner.QUEUED, True)
        assert conversation.priority == Priority.HIGH
        with pytest.raises(NotAllowed):
            await handoff.take_over(session, conversation, worker, now)
        taken = await handoff.take_over(session, conversation, supervisor, now)
        assert (taken.staff_id, taken.for_supervisor) == (supervisor.id, False)
        rated = await session.get_one(Handoff, service)
        assert (rated.rating, rated.rated_at, rated.comment) == (2, now, "态度不好")
    assert await complaints(database) == 1


@pytest.mark.parametrize("rating", [3, 4, 5])
async def test_a_fair_rating_moves_nothing(database: Database, now: datetime, rating: int) -> None:
    async with database.transaction() as session:
        conversation, service = await served(session, await make_staff(session), now)
        await handoff.rate(session, service, conversation.member_id, rating, now)
        assert conversation.owner is Owner.BOT
    assert await complaints(database) == 0


@pytest.mark.parametrize("rating", [0, 6, -1])
async def test_there_is_no_other_rating(database: Database, now: datetime, rating: int) -> None:
    async with database.transaction() as session:
        conversation, service = await served(session, await make_staff(session), now)
        with pytest.raises(BadInput):
            await handoff.rate(session, service, conversation.member_id, rating, now)


async def test_nobody_rates_what_is_not_theirs_or_not_over(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation, service = await served(session, worker, now)
        stranger = await make_member(session)
        with pytest.raises(NotFound):
            await handoff.rate(session, service, stranger.id, 5, now)
        with pytest.raises(NotFound):
            await handoff.rate(session, 999_999, conversation.member_id, 5, now)
        await handoff.take_over(session, conversation, worker, now)
        under_way = await handoff.open_handoff(session, conversation.id)
        assert under_way is not None
        with pytest.raises(NotFound):
            await handoff.rate(session, under_way.id, conversation.member_id, 5, now)
        assert under_way.rating is None


async def test_thinking_better_and_worse_of_it_alarms_once(database: Database, now: datetime) -> None:
    """A good rating taken back is a complaint too; taking it back again and again is one complaint."""
    async with database.transaction() as session:
        conversation, service = await served(session, await make_staff(session), now)
        for rating in (5, 1, 4, 2):
            await handoff.rate(session, service, conversation.member_id, rating, now)
        assert (conversation.owner, conversation.for_supervisor) == (Owner.QUEUED, True)
        assert (await session.get_one(Handoff, service)).rating == 2
    assert await complaints(database) == 1


async def test_two_presses_at_once_are_one_complaint(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation, service = await served(session, await make_staff(session), now)
    another = Database(database.url)

    async def press(through: Database) -> None:
        async with through.transaction() as session:
            await handoff.rate(session, service, conversation.member_id, 1, now)

    await asyncio.gather(*(press(through) for through in [database, another] * 3))
    await another.close()
    assert await complaints(database) == 1


async def test_a_second_service_rated_badly_is_a_second_complaint(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation, service = await served(session, supervisor, now)
        await handoff.rate(session, service, conversation.member_id, 1, now)
        later = now + timedelta(hours=1)
        await handoff.take_over(session, conversation, supervisor, later)
        again = await handoff.open_handoff(session, conversation.id)
        assert again is not None
        await handoff.hand_back(session, conversation, supervisor, later)
        await handoff.rate(session, again.id, conversation.member_id, 1, later)
    assert await complaints(database) == 2


async def test_rating_badly_is_no_way_around_a_block(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation, service = await served(session, await make_staff(session), now)
        conversation.blocked_until = now + timedelta(hours=1)
        await handoff.rate(session, service, conversation.member_id, 1, now)
        assert conversation.owner is Owner.BOT
    assert await complaints(database) == 1


async def test_a_complaint_stays_with_supervisors_when_theirs_is_gone(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        supervisor = await make_staff(
            session, role=StaffRole.SUPERVISOR, presence=Presence.ONLINE, seen_at=now
        )
        conversation, service = await served(session, supervisor, now)
        await handoff.rate(session, service, conversation.member_id, 1, now)
        await handoff.take_over(session, conversation, supervisor, now)
    later = now + timedelta(minutes=3)
    async with database.transaction() as session:
        assert await waiting.attend(session, conversation.id, later, RULES, WORDING)
    async with database.read() as session:
        found = await session.get_one(Conversation, conversation.id)
    assert (found.owner, found.for_supervisor) == (Owner.QUEUED, True)


async def test_a_supervisor_may_give_a_complaint_to_an_agent_who_can_take_it(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = Team(name="维权组", topics=[], created_at=now)
        session.add(team)
        await session.flush()
        for to in (
            {"to": colleague},
            {"team": team},
        ):
            conversation, service = await served(session, worker, now)
            await handoff.rate(session, service, conversation.member_id, 1, now)
            await handoff.transfer(session, conversation, supervisor, now, **to)  # type: ignore[arg-type]
            assert (await handoff.take_over(session, conversation, colleague, now)).staff_id == colleague.id
        conversation, service = await served(session, worker, now)
        await handoff.rate(session, service, conversation.member_id, 1, now)
        kept = await handoff.transfer(session, conversation, supervisor, now, to=supervisor)
        assert kept.for_supervisor
