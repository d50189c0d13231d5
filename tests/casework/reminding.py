"""What the tests of reminders share: a member who agreed, what waits for them, and a keeper's round."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import reminder_sending, reminders
from casework.clock import SHANGHAI
from casework.database import Database
from casework.reminder_rules import ReminderRules
from casework.tables import (
    Author,
    Conversation,
    Reminder,
    ReminderKind,
)
from casework.wording import Wording
from tests.factories import make_conversation

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = ReminderRules.load(KNOWLEDGE)
WORDING = Wording.load(KNOWLEDGE)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SEVERANCE = "claim:severance"
LABEL = "经济补偿"
DEADLINE = date(2026, 11, 30)


def jinan(month: int, day: int, clock: str) -> datetime:
    """A moment of 2026 in Jinan."""
    return datetime.combine(date(2026, month, day), time.fromisoformat(clock), SHANGHAI)


async def agreeing(session: AsyncSession, now: datetime, **values: Any) -> Conversation:
    """A conversation of a member who wants to be reminded."""
    conversation = await make_conversation(session, **values)
    await reminders.consent(session, conversation.member_id, now)
    return conversation


async def limitation(
    session: AsyncSession, conversation: Conversation, now: datetime, deadline: date = DEADLINE
) -> list[Reminder]:
    """The reminders before the end of a limitation period."""
    return await reminders.plan_limitation(
        session, conversation, SEVERANCE, LABEL, deadline, now, rules=RULES
    )


async def one_at(session: AsyncSession, conversation: Conversation, due: datetime, now: datetime) -> Reminder:
    """One reminder that helps for two weeks."""
    return await reminders.plan(
        session, conversation, ReminderKind.SEASON, "season:tuition.aid", due, "season",
        {"label": "金秋助学"}, now, rules=RULES,
    )  # fmt: skip


async def round_at(database: Database, now: datetime) -> list[str]:
    """A keeper's round: what was said, each in a transaction of its own."""
    async with database.read() as session:
        due = await reminder_sending.due(session, now)
    said = []
    for reminder_id in due:
        async with database.transaction() as session:
            message = await reminder_sending.send_due(session, reminder_id, now, rules=RULES, wording=WORDING)
        if message is not None:
            assert message.author is Author.SYSTEM
            said.append(message.text or "")
    return said


async def states(database: Database) -> list[str]:
    """The state of every reminder, in order."""
    async with database.read() as session:
        return [found.state.value for found in await session.scalars(select(Reminder).order_by(Reminder.id))]


async def waiting_days(database: Database, member_id: str) -> list[str]:
    """When the member's waiting reminders are due, in Jinan."""
    async with database.read() as session:
        return [
            f"{one.due_at.astimezone(SHANGHAI):%m-%d %H:%M}"
            for one in await reminders.waiting(session, member_id)
        ]
