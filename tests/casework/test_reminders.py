"""Reminders: only with consent, only by day, once, and never into a talk between people."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import cases, conversations, handoff, members, messages, reminder_sending, reminders
from casework.case_life import Actor, Deed, move
from casework.clock import SHANGHAI
from casework.database import Database
from casework.errors import BadInput
from casework.privacy import forget_member
from casework.reminder_rules import ReminderRules
from casework.reminders import NoReminderConsent
from casework.tables import (
    Author,
    Case,
    Channel,
    ChannelIdentity,
    Conversation,
    Message,
    OutboxEntry,
    Owner,
    Reminder,
    ReminderConsent,
    ReminderKind,
    ReminderState,
)
from casework.wording import Wording
from tests.factories import make_case, make_conversation, make_staff

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


# ---- consent


async def test_nothing_is_planned_without_consent(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(NoReminderConsent) as refused:
            await limitation(session, conversation, now)
        assert "开启提醒" in WORDING.refuse(refused.value)
        await reminders.consent(session, conversation.member_id, now)
        await reminders.stop(session, conversation.member_id, now)
        with pytest.raises(NoReminderConsent):
            await limitation(session, conversation, now)
    assert await states(database) == []


async def test_consent_counts_at_the_moment_of_sending(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, now + HOUR, now)
        consent = await session.get_one(ReminderConsent, conversation.member_id)
        consent.stopped_at = now  # withdrawn by a way that touched no reminder
    assert await round_at(database, now + HOUR) == []
    assert await states(database) == ["stopped"]


async def test_agreeing_again_keeps_the_first_moment_and_what_it_was_said_with(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await reminders.consent(session, conversation.member_id, now + HOUR)
        consent = await session.get_one(ReminderConsent, conversation.member_id, populate_existing=True)
        assert (consent.given_at, consent.stopped_at) == (now, None)


async def test_stopping_stops_everything_that_waits_and_twice_is_once(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        other = await agreeing(session, now)
        await limitation(session, conversation, now)
        await one_at(session, other, now + HOUR, now)
        assert await reminders.stop(session, conversation.member_id, now) == 3
        assert await reminders.stop(session, conversation.member_id, now + HOUR) == 0
        assert not await reminders.agreed(session, conversation.member_id)
        consent = await session.get_one(ReminderConsent, conversation.member_id, populate_existing=True)
        assert consent.stopped_at == now
        assert await reminders.agreed(session, other.member_id)
    assert await waiting_days(database, conversation.member_id) == []
    assert await states(database) == ["stopped"] * 3 + ["waiting"]


async def test_who_never_agreed_may_stop_too(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        assert await reminders.stop(session, conversation.member_id, now) == 0
        assert await session.get(ReminderConsent, conversation.member_id) is None


async def test_who_begins_again_gets_back_what_is_still_ahead(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
        await reminders.stop(session, conversation.member_id, now)
        assert await reminders.consent(session, conversation.member_id, jinan(11, 10, "12:00")) == 2
    assert await waiting_days(database, conversation.member_id) == ["11-23 09:00", "11-29 09:00"]


# ---- planning


async def test_a_limitation_is_told_thirty_seven_and_one_days_before(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
    assert await waiting_days(database, conversation.member_id) == [
        "10-31 09:00", "11-23 09:00", "11-29 09:00",
    ]  # fmt: skip
    assert await round_at(database, jinan(10, 31, "08:59")) == []
    (said,) = await round_at(database, jinan(10, 31, "09:00"))
    assert f"“{LABEL}”最晚要在 2026年11月30日 提出，还有 30 天" in said
    assert "别等到最后一天" in said
    assert said.endswith("回复“退订”就行。")
    assert "还有 7 天" in (await round_at(database, jinan(11, 23, "09:00")))[0]
    assert "还有 1 天" in (await round_at(database, jinan(11, 29, "09:00")))[0]
    assert await round_at(database, jinan(11, 30, "09:00")) == []


async def test_only_what_is_still_ahead_is_planned(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, jinan(11, 23, "09:00"))
        planned = await limitation(session, conversation, jinan(11, 23, "09:00"))
        assert [one.due_at for one in planned] == [jinan(11, 29, "09:00")]
        assert await limitation(session, conversation, jinan(11, 30, "10:00")) == []
        with pytest.raises(BadInput, match="past"):
            await limitation(session, conversation, jinan(12, 1, "00:00"))


async def test_a_new_date_takes_the_place_of_the_old_one(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
        await one_at(session, conversation, now + 200 * DAY, now)
        await limitation(session, conversation, now, date(2026, 12, 31))
        await limitation(session, conversation, now, date(2026, 12, 31))
    assert await waiting_days(database, conversation.member_id) == [
        "12-01 09:00", "12-24 09:00", "12-30 09:00", "02-05 09:30",
    ]  # fmt: skip


async def test_going_back_to_the_first_date_plans_it_again(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        for deadline in (DEADLINE, date(2026, 12, 31), DEADLINE):
            await limitation(session, conversation, now, deadline)
    assert (await waiting_days(database, conversation.member_id))[0] == "10-31 09:00"
    assert sorted(await states(database)) == ["dropped"] * 3 + ["waiting"] * 3


async def test_the_past_and_what_tells_a_story_are_refused(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        with pytest.raises(BadInput, match="ahead"):
            await one_at(session, conversation, now, now)
        for subject in ("severance", "claim:", "claim:" + "x" * 80, "claim:两个 字"):
            with pytest.raises(BadInput, match="subject"):
                await reminders.plan_limitation(
                    session, conversation, subject, LABEL, DEADLINE, now, rules=RULES
                )
        for label in ("", " ", "老板在工地上欠了我三个月的工资，打电话也不接人也找不到了"):
            with pytest.raises(BadInput, match="label"):
                await reminders.plan_limitation(
                    session, conversation, SEVERANCE, label, DEADLINE, now, rules=RULES
                )
        with pytest.raises(BadInput, match="ahead"):
            await reminders.plan_appointment(
                session, conversation, "case:1", "法律援助", now - HOUR, now, rules=RULES
            )
    assert await states(database) == []


async def test_an_appointment_is_told_the_day_before_and_two_hours_before(
    database: Database, now: datetime
) -> None:
    at = jinan(7, 23, "14:30")
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await reminders.plan_appointment(
            session, conversation, "case:1", "法律援助咨询", at, now, rules=RULES
        )
    assert "明天 14:30 有“法律援助咨询”" in (await round_at(database, at - DAY))[0]
    assert "今天 14:30 有“法律援助咨询”" in (await round_at(database, at - 2 * HOUR))[0]


async def test_nobody_is_reminded_of_an_appointment_that_is_over(database: Database, now: datetime) -> None:
    at = jinan(7, 23, "14:30")
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await reminders.plan_appointment(session, conversation, "case:1", "咨询", at, now, rules=RULES)
    assert await round_at(database, at) == []
    assert await states(database) == ["dropped", "dropped"]


async def test_a_season_is_told_on_the_day_it_usually_opens(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await reminders.plan_season(
            session, conversation, "tuition.aid", "金秋助学", date(2026, 8, 1), now, rules=RULES
        )
    (said,) = await round_at(database, jinan(8, 1, "09:00"))
    assert "金秋助学" in said
    assert "以当年官方公布为准" in said


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


# ---- what is kept


async def test_what_a_reminder_says_is_encrypted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await limitation(session, conversation, now)
    async with database.engine.connect() as connection:
        raw = (await connection.exec_driver_sql("SELECT details FROM reminders")).scalars().all()
    assert len(raw) == 3
    assert not any(LABEL.encode() in bytes(stored) or b"label" in bytes(stored) for stored in raw)


async def test_every_kind_has_a_sentence_that_says_how_to_stop(database: Database, now: datetime) -> None:
    """Whatever ``plan_…`` gives the sentence is all it needs, and it names no more than the label."""
    details = {
        "limitation": {"label", "day", "days"},
        "limitation_today": {"label", "day", "days"},
        "appointment": {"label", "when"},
        "season": {"label"},
        "promised_reply": {"number", "when"},
    }
    assert {kind.value for kind in ReminderKind} <= details.keys()
    for key, names in details.items():
        assert WORDING.placeholders(f"reminder.{key}") <= names
    async with database.transaction() as session:
        conversation = await agreeing(session, now)
        await one_at(session, conversation, now + HOUR, now)
    (said,) = await round_at(database, now + HOUR)
    assert said.splitlines()[-1] == WORDING.say("reminder.how_to_stop")
    async with database.read() as session:
        (message,) = await session.scalars(select(Message))
        assert message.created_at == (now + HOUR).astimezone(UTC)
