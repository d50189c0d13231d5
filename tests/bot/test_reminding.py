"""The keeper of reminders in the running house: the web hears at once, and one that fails stops no other."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.house import House
from bot.reminding import keep_reminding, remind_once
from bot.views import MessageView
from casework import conversations, messages, reminder_sending, reminders
from casework.clock import FixedClock
from casework.tables import Conversation, OutboxEntry, Reminder, ReminderKind, ReminderState
from tests.bot.api import conftest as api
from tests.factories import make_case, make_conversation

app, house, knowledge_is_read_once = api.app, api.house, api.knowledge_is_read_once
HOUR = timedelta(hours=1)


async def reminded(house: House, conversation_id: str | None = None) -> Reminder:
    """A reminder due in an hour, in a new conversation unless one is given."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        if conversation_id is None:
            conversation = await make_conversation(session)
        else:
            conversation = await conversations.get(session, conversation_id)
        await reminders.consent(session, conversation.member_id, now)
        return await reminders.plan(
            session, conversation, ReminderKind.SEASON, "season:tuition.aid", now + HOUR, "season",
            {"label": "金秋助学"}, now, rules=house.reminder_rules,
        )  # fmt: skip


async def heard(house: House, conversation_id: str) -> list[str]:
    """What the member can read."""
    async with house.database.read() as session:
        return [one.text or "" for one in await messages.transcript(session, conversation_id)]


async def test_whoever_has_the_page_open_sees_a_reminder_come(house: House, clock: FixedClock) -> None:
    reminder = await reminded(house)
    stream = house.switchboard.watch(reminder.conversation_id, 0)
    assert not isinstance(await anext(stream), MessageView)
    clock.advance(HOUR)
    coming = asyncio.create_task(anext(stream))
    assert await remind_once(house) == 1
    async with asyncio.timeout(5):
        event = await coming
    assert isinstance(event, MessageView)
    assert "金秋助学" in event.text
    await stream.aclose()
    assert await remind_once(house) == 0


async def test_one_that_fails_is_logged_without_its_words_and_tried_again(
    house: House, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = await reminded(house), await reminded(house)
    send_due = reminder_sending.send_due

    async def send_unless_broken(session, reminder_id, *rest, **named):  # type: ignore[no-untyped-def]
        sent = await send_due(session, reminder_id, *rest, **named)
        if reminder_id == broken.id:
            raise RuntimeError("张三 13800138000")
        return sent

    clock.advance(HOUR)
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr("casework.reminder_sending.send_due", send_unless_broken)
        assert await remind_once(house) == 1
    assert await heard(house, broken.conversation_id) == [], "its half was undone"
    assert len(await heard(house, sound.conversation_id)) == 1
    assert f"reminder {broken.id}" in caplog.text
    assert await remind_once(house) == 0, "the others have their turn first"
    clock.advance(timedelta(minutes=10))
    assert await remind_once(house) == 1
    async with house.database.read() as session:
        found = await session.get_one(Reminder, broken.id)
        assert found.state is ReminderState.SENT
        assert await session.get(OutboxEntry, 1) is None, "the web is not pushed to"


async def test_a_round_plans_the_promised_day_of_a_case(house: House, clock: FixedClock) -> None:
    async with house.database.transaction() as session:
        conversation: Conversation = await make_conversation(session)
        await reminders.consent(session, conversation.member_id, clock.now())
        case = await make_case(session, conversation, due_at=clock.now() + HOUR)
    assert await remind_once(house) == 0
    clock.advance(HOUR)
    assert await remind_once(house, promises_too=False) == 1
    assert case.number in (await heard(house, conversation.id))[0]


async def test_a_round_that_fails_is_followed_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    stopping = asyncio.Event()

    async def fail(*_: object, **__: object) -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            stopping.set()
        raise RuntimeError("the database is away")

    monkeypatch.setattr("bot.reminding.remind_once", fail)
    async with asyncio.timeout(5):
        await keep_reminding(house, stopping, every_s=0.01)
    assert rounds == 3
