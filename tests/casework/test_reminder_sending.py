"""Sending reminders: by day, once, to who is still there, and never into a talk between people."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select

from casework import conversations, handoff, members, messages, reminder_sending, reminders
from casework.database import Database
from casework.privacy import forget_member
from casework.tables import (
    Channel,
    ChannelIdentity,
    Conversation,
    OutboxEntry,
    Owner,
    Reminder,
    ReminderConsent,
    ReminderState,
)
from tests.casework.reminding import (
    HOUR,
    RULES,
    WORDING,
    agreeing,
    jinan,
    limitation,
    one_at,
    round_at,
    states,
)
from tests.factories import make_staff

# ---- quiet


async def test_a_night_passes_in_silence(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, jinan(7, 21, "21:00"), now)
    for clock in ((21, "21:00"), (21, "23:59"), (22, "00:00"), (22, "07:59")):
        assert await round_at(database, jinan(7, *clock)) == []
    assert len(await round_at(database, jinan(7, 22, "08:30"))) == 1


async def test_what_was_due_by_day_but_comes_late_does_not_go_at_night(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, jinan(7, 21, "20:59"), now)
    assert await round_at(database, jinan(7, 21, "21:00")) == []
    assert await states(database) == ["waiting"]
    assert await round_at(database, jinan(7, 22, "07:59")) == []
    assert len(await round_at(database, jinan(7, 22, "08:30"))) == 1


# ---- sending


async def test_on_telegram_it_also_goes_into_the_outbox(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        pushed = await agreeing(session, now, channel=Channel.TELEGRAM)
        asked = await agreeing(session, now)
        for conversation in (pushed, asked):
            await one_at(session, conversation, now + HOUR, now)
    assert len(await round_at(database, now + HOUR)) == 2
    async with database.read() as session:
        (entry,) = await session.scalars(select(OutboxEntry))
        (message,) = await messages.transcript(session, pushed.id)
        assert (entry.message_id, entry.conversation_id) == (message.id, pushed.id)
        (reminder,) = await session.scalars(select(Reminder).where(Reminder.conversation_id == pushed.id))
        assert (reminder.state, reminder.sent_at, reminder.sent_message_id) == (
            ReminderState.SENT, now + HOUR, message.id,
        )  # fmt: skip


async def test_two_keepers_say_it_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        ids = [
            (await limitation(session, conversation, now))[0].id,
            (await one_at(session, conversation, now + HOUR, now)).id,
        ]
    later = jinan(10, 31, "09:00")

    async def keeper() -> int:
        said = 0
        for reminder_id in ids:
            async with database.transaction() as session:
                sent = await reminder_sending.send_due(
                    session, reminder_id, later, rules=RULES, wording=WORDING
                )
            said += sent is not None
        return said

    assert sum(await asyncio.gather(*(keeper() for _ in range(4)))) == 1, "the season's is over by then"
    async with database.read() as session:
        assert len(await messages.transcript(session, conversation.id)) == 1


async def test_a_member_who_stops_while_it_is_being_said_hears_it_at_most_once(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        reminder = await one_at(session, conversation, now + HOUR, now)

    async def stop() -> None:
        async with database.transaction() as session:
            await reminders.stop(session, conversation.member_id, now + HOUR)

    async def keeper() -> None:
        async with database.transaction() as session:
            await reminder_sending.send_due(session, reminder.id, now + HOUR, rules=RULES, wording=WORDING)

    await asyncio.gather(stop(), keeper(), stop(), keeper())
    said = await round_at(database, now + 2 * HOUR)
    assert said == []
    assert (await states(database))[0] in ("sent", "stopped")


async def test_of_several_that_came_late_only_the_latest_is_said(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
    (said,) = await round_at(database, jinan(11, 24, "10:00"))
    assert "还有 6 天" in said
    assert await states(database) == ["dropped", "sent", "waiting"]


async def test_on_the_last_day_itself_it_says_so_and_after_it_nothing(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one = await agreeing(session, now)
        await limitation(session, one, now)
    (said,) = await round_at(database, jinan(11, 30, "08:30"))
    assert "今天（2026年11月30日）是最后一天" in said
    async with database.transaction() as session:
        other = await agreeing(session, now)
        await limitation(session, other, now)
    assert await round_at(database, jinan(12, 1, "09:00")) == []


async def test_one_that_failed_lets_the_others_go_first(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        reminder = await one_at(session, conversation, now + HOUR, now)
        await reminder_sending.put_off(session, reminder.id, now + HOUR)
    assert await round_at(database, now + HOUR) == []
    assert len(await round_at(database, now + 2 * HOUR)) == 1


async def test_the_late_ones_are_counted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, now + HOUR, now)
        await limitation(session, conversation, now)
    async with database.read() as session:
        assert await reminders.counts(session, now + HOUR) == reminders.Counts(4, 0)
        assert await reminders.counts(session, now + 2 * HOUR) == reminders.Counts(4, 1)


# ---- who is not reminded


async def test_a_member_who_was_erased_hears_nothing_and_leaves_nothing(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now, channel=Channel.TELEGRAM)
        reminder = await one_at(session, conversation, now + HOUR, now)
        await forget_member(session, conversation.member_id, now)
    async with database.transaction() as session:
        assert await session.get(Reminder, reminder.id) is None
        assert await session.get(ReminderConsent, conversation.member_id) is None
        assert (
            await reminder_sending.send_due(session, reminder.id, now + HOUR, rules=RULES, wording=WORDING)
            is None
        )


async def test_a_consent_older_than_the_erasure_counts_for_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, now + HOUR, now)
        member = await members.get(session, conversation.member_id)
        member.erased_at = now
    assert await round_at(database, now + HOUR) == []
    assert await states(database) == ["dropped"]


async def test_who_was_erased_and_agrees_anew_is_reminded(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await forget_member(session, conversation.member_id, now)
        await reminders.consent(session, conversation.member_id, now + HOUR)
        await one_at(session, conversation, now + 3 * HOUR, now + HOUR)
    assert len(await round_at(database, now + 3 * HOUR)) == 1


@pytest.mark.parametrize("how", ["blocked", "gone"])
async def test_who_is_out_of_reach_is_not_written_to(database: Database, now: datetime, how: str) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now, channel=Channel.TELEGRAM)
        await one_at(session, conversation, now + HOUR, now)
        identity = (
            await session.scalars(
                select(ChannelIdentity).where(ChannelIdentity.member_id == conversation.member_id)
            )
        ).one()
        if how == "gone":
            await session.delete(identity)
        else:
            await members.mark_blocked(session, Channel.TELEGRAM, str(identity.external_id), now)
    assert await round_at(database, now + HOUR) == []
    assert await states(database) == ["dropped"]


# ---- while a human speaks


async def taken_over(database: Database, conversation: Conversation, now: datetime) -> None:
    """A worker speaks with the member."""
    async with database.transaction() as session:
        await handoff.take_over(session, conversation, await make_staff(session), now)


async def test_a_reminder_does_not_talk_into_a_conversation_between_people(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, now + HOUR, now)
    await taken_over(database, conversation, now)
    assert await round_at(database, now + HOUR) == []
    assert await round_at(database, now + 2 * HOUR) == []
    async with database.transaction() as session:
        thread = await conversations.lock(session, conversation.id)
        thread.owner, thread.staff_id = Owner.BOT, None
    assert len(await round_at(database, now + 3 * HOUR)) == 1


async def test_it_waits_for_no_human_past_the_last_day(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
    await taken_over(database, conversation, now)
    assert await round_at(database, jinan(10, 31, "09:00")) == []
    assert await round_at(database, jinan(11, 29, "20:00")) == []
    (said,) = await round_at(database, jinan(11, 30, "08:00"))
    assert "今天" in said
    assert await states(database) == ["dropped", "dropped", "sent"]


async def test_a_member_in_the_queue_is_left_alone_too(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now, owner=Owner.QUEUED)
        await one_at(session, conversation, now + HOUR, now)
    assert await round_at(database, now + HOUR) == []
