"""Reminders: planned only with consent, for what is still ahead, stopped at once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from casework import reminders
from casework.database import Database
from casework.errors import BadInput
from casework.reminders import NoReminderConsent
from casework.tables import (
    Message,
    ReminderConsent,
    ReminderKind,
)
from tests.casework.reminding import (
    DAY,
    DEADLINE,
    HOUR,
    LABEL,
    RULES,
    SEVERANCE,
    WORDING,
    agreeing,
    jinan,
    limitation,
    one_at,
    round_at,
    states,
    waiting_days,
)
from tests.factories import make_conversation

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
