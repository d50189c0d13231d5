"""Appointments: told at once, remembered before they come, only with consent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import reminders
from casework.appointments import arrange
from casework.database import Database
from casework.errors import BadInput
from casework.reminder_rules import ReminderRules
from casework.tables import Author, Case, Conversation, Message, Reminder, ReminderState, Staff
from casework.wording import Wording
from tests.factories import make_case, make_conversation, make_staff

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
RULES = ReminderRules.load(ROOT)
WORDING = Wording.load(ROOT)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
AT = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as session:
        yield session


async def a_case(session: AsyncSession) -> tuple[Conversation, Case, Staff]:
    conversation = await make_conversation(session)
    return conversation, await make_case(session, conversation=conversation), await make_staff(session)


async def told(session: AsyncSession) -> str:
    return str(await session.scalar(select(Message.text).where(Message.author == Author.SYSTEM)))


async def states(session: AsyncSession) -> list[tuple[datetime, ReminderState]]:
    rows = await session.scalars(select(Reminder).order_by(Reminder.due_at))
    return [(one.due_at, one.state) for one in rows]


async def test_who_agreed_is_told_and_reminded_twice(session: AsyncSession) -> None:
    conversation, case, staff = await a_case(session)
    await reminders.consent(session, conversation.member_id, NOW)
    await arrange(session, case, staff, at=AT, text="带上身份证。", now=NOW, rules=RULES, wording=WORDING)
    assert "2026年12月1日 09:30" in await told(session)
    assert "开启提醒" not in await told(session)
    assert await states(session) == [
        (AT - timedelta(hours=24), ReminderState.WAITING),
        (AT - timedelta(hours=2), ReminderState.WAITING),
    ]


async def test_without_consent_the_reminders_sleep_until_it_is_given(session: AsyncSession) -> None:
    conversation, case, staff = await a_case(session)
    await arrange(session, case, staff, at=AT, text="带上身份证。", now=NOW, rules=RULES, wording=WORDING)
    assert "开启提醒" in await told(session)
    assert {state for _, state in await states(session)} == {ReminderState.STOPPED}
    assert await reminders.consent(session, conversation.member_id, NOW) == 2


async def test_a_new_time_takes_the_place_of_the_old(session: AsyncSession) -> None:
    conversation, case, staff = await a_case(session)
    await reminders.consent(session, conversation.member_id, NOW)
    for days in (0, 3):
        later = AT + timedelta(days=days)
        await arrange(
            session, case, staff, at=later, text="改时间了。", now=NOW, rules=RULES, wording=WORDING
        )
    waiting = await reminders.waiting(session, conversation.member_id)
    assert [one.due_at for one in waiting] == [AT + timedelta(days=2), AT + timedelta(days=3, hours=-2)]


@pytest.mark.parametrize(
    "at", [NOW, NOW - timedelta(days=1), NOW + timedelta(days=400), AT.replace(tzinfo=None)]
)
async def test_an_appointment_lies_ahead_within_a_year(session: AsyncSession, at: datetime) -> None:
    _, case, staff = await a_case(session)
    with pytest.raises(BadInput) as impossible:
        await arrange(session, case, staff, at=at, text="来吧。", now=NOW, rules=RULES, wording=WORDING)
    assert impossible.value.values["field"] == "at"
