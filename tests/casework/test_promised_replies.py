"""The promised day of a case: told once, on the day it has now, unless the case is closed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from casework import cases, reminder_sending
from casework.case_life import Actor, Deed, move
from casework.database import Database
from casework.tables import (
    Case,
)
from tests.casework.reminding import (
    DAY,
    HOUR,
    RULES,
    agreeing,
    jinan,
    round_at,
    states,
)
from tests.factories import make_case, make_staff

# ---- promised days of cases


async def promised_case(session: AsyncSession, now: datetime, due_at: datetime | None) -> Case:
    """An open case of a member who wants to be reminded."""
    conversation = await agreeing(session, now)
    return await make_case(session, conversation, opened_at=now, updated_at=now, due_at=due_at)


async def keep(database: Database, now: datetime) -> int:
    """A keeper's look at the promised days."""
    async with database.transaction() as session:
        return await reminder_sending.keep_promises(session, now, RULES)


async def test_the_promised_day_of_a_case_is_told_once_with_its_number(
    database: Database, now: datetime
) -> None:
    due_at = jinan(7, 24, "17:30")
    async with database.transaction() as session:
        case = await promised_case(session, now, due_at)
        await make_case(session, due_at=due_at)  # its member did not agree
    assert await keep(database, now) == 1
    assert await keep(database, now) == 0
    (said,) = await round_at(database, due_at)
    assert case.number in said
    assert "今天 17:30" in said
    assert "催办" in said
    assert await keep(database, due_at + HOUR) == 0


async def test_a_case_that_is_closed_before_is_told_nothing(database: Database, now: datetime) -> None:
    due_at = jinan(7, 24, "17:30")
    async with database.transaction() as session:
        one = await promised_case(session, now, due_at)
        other = await promised_case(session, now, due_at)
    assert await keep(database, now) == 2
    async with database.transaction() as session:
        await cases.withdraw(session, await session.get_one(Case, one.id), now + HOUR)
    assert await keep(database, now + HOUR) == 1
    async with database.transaction() as session:
        await cases.withdraw(session, await session.get_one(Case, other.id), now + 2 * HOUR)
    assert await round_at(database, due_at) == [], "closed since the keeper looked"
    assert await states(database) == ["dropped", "dropped"]


async def test_a_promise_that_was_moved_is_told_on_its_new_day(database: Database, now: datetime) -> None:
    first, second = jinan(7, 24, "17:30"), jinan(7, 28, "17:30")
    async with database.transaction() as session:
        case = await promised_case(session, now, first)
    await keep(database, now)
    async with database.transaction() as session:
        (await session.get_one(Case, case.id)).due_at = second
    await keep(database, now)
    assert await round_at(database, first) == []
    assert len(await round_at(database, second)) == 1


async def test_while_we_wait_for_the_member_we_do_not_say_we_are_late(
    database: Database, now: datetime
) -> None:
    due_at = jinan(7, 24, "17:30")
    async with database.transaction() as session:
        case = await promised_case(session, now, due_at)
    await keep(database, now)
    async with database.transaction() as session:
        worker = await make_staff(session)
        held = await session.get_one(Case, case.id)
        await move(session, held, Deed.ASK, Actor.of_staff(worker), reason="请发工资条", now=now)
    assert await round_at(database, due_at) == []
    async with database.transaction() as session:
        held = await session.get_one(Case, case.id)
        await cases.add_supplement(session, held, text="发了", message_id=None, now=due_at)
    await keep(database, due_at)
    assert await round_at(database, due_at + HOUR) == []
    async with database.read() as session:
        moved = (await session.get_one(Case, case.id)).due_at
    assert moved is not None
    assert moved > due_at
    assert len(await round_at(database, RULES.goes_at(moved, "") + HOUR)) == 1


async def test_a_case_without_a_conversation_or_a_promise_is_left_alone(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await promised_case(session, now, None)
        conversation = await agreeing(session, now)
        await make_case(session, conversation, conversation_id=None, due_at=now + DAY)
    assert await keep(database, now) == 0
