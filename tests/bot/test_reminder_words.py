"""One word stops the reminders, whoever speaks; a longer sentence is never taken for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework import conversations, handoff, reminder_sending, reminders
from casework.clock import FixedClock
from casework.database import Database
from casework.reminder_rules import ReminderRules
from casework.tables import Author, Conversation, Owner, ReminderKind
from casework.wording import Wording
from tests.bot.conftest import KNOWLEDGE, Line
from tests.bot.fakes import Script, say
from tests.factories import make_staff

RULES = ReminderRules.load(KNOWLEDGE)


async def with_a_reminder(database: Database, clock: FixedClock, line: Line) -> int:
    """The member agreed and waits for one reminder, due in an hour."""
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await reminders.consent(session, conversation.member_id, clock.now())
        planned = await reminders.plan(
            session, conversation, ReminderKind.SEASON, "season:tuition.aid",
            clock.now() + timedelta(hours=1), "season", {"label": "金秋助学"}, clock.now(), rules=RULES,
        )  # fmt: skip
        return planned.id


async def agreed(database: Database, line: Line) -> bool:
    """Whether the member wants to be reminded."""
    member_id = (await line.conversation()).member_id
    async with database.read() as session:
        return await reminders.agreed(session, member_id)


async def owned(database: Database, line: Line, owner: Owner, clock: FixedClock) -> Conversation:
    """Put the conversation into somebody's hands."""
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        if owner is Owner.QUEUED:
            await handoff.hand_off(session, conversation, "member_asked", clock.now(), actor="member")
        elif owner is not Owner.BOT:
            worker = await make_staff(session)
            await handoff.take_over(session, conversation, worker, clock.now())
            if owner is Owner.WRAP_UP:
                await handoff.finish(session, conversation, worker, clock.now())
        return conversation


@pytest.mark.parametrize("owner", list(Owner))
async def test_the_word_works_whoever_owns_the_conversation(
    database: Database, clock: FixedClock, line: Line, wording: Wording, script: Script, owner: Owner
) -> None:
    await with_a_reminder(database, clock, line)
    await owned(database, line, owner, clock)
    clock.advance(timedelta(minutes=1))
    receipt = await line.say("退订")
    assert [view.text for view in receipt.replies] == [wording.say("reminder.stopped")]
    assert "开启提醒" in receipt.replies[0].text
    assert receipt.replies[0].author == Author.SYSTEM
    assert script.heard == [], "the dialogue never sees it"
    assert not await agreed(database, line)
    assert (await line.conversation()).waiting_since != clock.now(), "nobody waits for more because of it"


async def test_who_gets_no_reminders_is_told_so_and_how_to_begin(
    database: Database, line: Line, wording: Wording
) -> None:
    receipt = await line.say("TD")
    assert [view.text for view in receipt.replies] == [wording.say("reminder.stopped_none")]
    assert not await agreed(database, line)


async def test_another_word_begins_again_and_brings_back_what_was_stopped(
    database: Database, clock: FixedClock, line: Line, wording: Wording
) -> None:
    await with_a_reminder(database, clock, line)
    await line.say("别提醒了")
    receipt = await line.say("“开启提醒”")
    assert receipt.replies[0].text == wording.say("reminder.begun", count=1)
    assert await agreed(database, line)


async def test_who_begins_with_nothing_ahead_is_told_so(
    database: Database, line: Line, wording: Wording
) -> None:
    receipt = await line.say("开启提醒")
    assert receipt.replies[0].text == wording.say("reminder.begun_none")
    assert await agreed(database, line)


@pytest.mark.parametrize("text", ["我想退订单位的保险", "停工了给多少钱", "取消", "停"])
async def test_anything_else_goes_to_the_dialogue(
    database: Database, clock: FixedClock, line: Line, script: Script, text: str
) -> None:
    await with_a_reminder(database, clock, line)
    script.will_say(say("您说的是哪一件？"))
    receipt = await line.say(text)
    assert [view.text for view in receipt.replies] == ["您说的是哪一件？"]
    assert await agreed(database, line)


async def test_a_short_word_counts_within_a_day_of_a_reminder(
    database: Database, clock: FixedClock, line: Line, wording: Wording, script: Script
) -> None:
    reminder_id = await with_a_reminder(database, clock, line)
    clock.advance(timedelta(hours=1))
    async with database.transaction() as session:
        sent = await reminder_sending.send_due(
            session, reminder_id, clock.now(), rules=RULES, wording=wording
        )
    assert sent is not None
    clock.advance(timedelta(hours=24, seconds=1))
    script.will_say(say("停什么？"))
    assert (await line.say("停")).replies[0].text == "停什么？"
    clock.advance(timedelta(seconds=-1))
    assert (await line.say("停。")).replies[0].text == wording.say("reminder.stopped")


async def test_the_word_is_answered_once_however_often_it_is_sent(
    database: Database, clock: FixedClock, line: Line, wording: Wording
) -> None:
    await with_a_reminder(database, clock, line)
    first = await line.say("退订", client_message_id="same")
    again = await line.say("退订", client_message_id="same")
    assert again.duplicate
    assert again.replies == first.replies


async def test_a_button_that_reads_like_the_word_is_a_button(
    database: Database, clock: FixedClock, line: Line, script: Script
) -> None:
    await with_a_reminder(database, clock, line)
    script.will_say(say("要退订什么？", buttons=(("退订", "/deny"),)))
    (asked,) = (await line.say("那个不要了")).replies
    script.will_say(say("好，不办了。"))
    assert (await line.press(asked.buttons[0].payload)).replies[0].text == "好，不办了。"
    assert await agreed(database, line)
