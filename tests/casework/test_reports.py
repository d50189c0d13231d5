"""Reports: a hand-made week whose every figure was counted by hand, and the edges of periods."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import SHANGHAI
from casework.database import Database
from casework.errors import BadInput
from casework.periods import Period, Preset, preset_period
from casework.privacy import forget_member
from casework.report_figures import Figures, histogram, spread
from casework.reports import ALL, Filters, Grouping, Report, report, worker_labels
from casework.tables import (
    Author,
    CaseState,
    Channel,
    Conversation,
    Handling,
    Handoff,
    Message,
    Owner,
    Staff,
)
from tests.factories import make_case, make_conversation, make_member, make_message, make_staff

WEEK = Period(date(2026, 7, 20), date(2026, 7, 26))


def at(day: int, hour: int = 10, minute: int = 0, month: int = 7, year: int = 2026) -> datetime:
    """A moment by the clock in Jinan."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


async def say(
    session: AsyncSession,
    conversation: Conversation,
    when: datetime,
    *,
    topic: str | None = "labour.wage_arrears",
    answered: bool = True,
    accepted: bool | None = True,
) -> Message:
    """What a member wrote, and what the bot said to it."""
    asked = await make_message(
        session, conversation, created_at=when, topic=topic, accepted=accepted, handling=Handling.DONE
    )
    if answered:
        await make_message(
            session,
            conversation,
            author=Author.BOT,
            in_reply_to=asked.id,
            topic=topic,
            text="可以向劳动监察投诉。",
            created_at=when + timedelta(seconds=1),
        )
    conversation.last_message_at = max(conversation.last_message_at, when)
    return asked


async def talk(session: AsyncSession, begun: datetime, **values: Any) -> Conversation:
    return await make_conversation(session, created_at=begun, last_message_at=begun, **values)


async def serve(
    session: AsyncSession, conversation: Conversation, queued: datetime, **values: Any
) -> Handoff:
    """One stretch of human service, over an hour later unless it is said when."""
    if reply_after := values.pop("reply_after", None):
        values["taken_at"] = values["first_reply_at"] = queued + timedelta(minutes=reply_after)
    defaults: dict[str, Any] = {
        "channel": conversation.channel,
        "reason": "member_asked",
        "topic": "labour.wage_arrears",
        "district": conversation.district,
        "ended_at": queued + timedelta(hours=1),
    }
    handoff = Handoff(conversation_id=conversation.id, queued_at=queued, **defaults | values)
    session.add(handoff)
    await session.flush()
    return handoff


async def a_week(session: AsyncSession) -> Staff:
    """Monday to Sunday, 20 to 26 July 2026.

    | conversation | channel, district | what happened |
    |---|---|---|
    | A | web, 历下区 | Monday: answered by the bot about wages. Wednesday: again, about overtime |
    | B | telegram, 市中区 | Monday: answered, then handed off; first reply after 10 minutes; rated 5 |
    | C | web, 历下区 | Tuesday: not understood (the bot said so) |
    | D | telegram, – | begun the Sunday before, served over midnight; Monday answered by the bot |
    | E | web | Thursday: opened, nothing written |
    """
    staff = await make_staff(session, display_name="李坐席", badge="07", login="li")
    a = await talk(session, at(20), district="历下区", last_topic="labour.overtime")
    await say(session, a, at(20))
    await say(session, a, at(20, 11))
    await say(session, a, at(22), topic="labour.overtime")

    b = await talk(session, at(20), channel=Channel.TELEGRAM, district="市中区")
    b.last_topic = "labour.wage_arrears"
    await say(session, b, at(20))
    await serve(session, b, at(20, 10, 5), reply_after=10, staff_id=staff.id, rating=5)
    await serve(session, b, at(24), reply_after=30, staff_id=staff.id, rating=2, breached=True, priority=1)
    await serve(session, b, at(24, 18), reason="crisis.self_harm")

    c = await talk(session, at(21), district="历下区")
    await say(session, c, at(21), topic=None, accepted=False)

    d = await talk(session, at(19, 20), channel=Channel.TELEGRAM)
    d.owner, d.queued_at = Owner.QUEUED, at(26, 20)
    await say(session, d, at(20, 9))
    await serve(session, d, at(19, 23), ended_at=at(20, 0, 30), reply_after=5, staff_id=staff.id)
    await serve(session, d, at(26, 20), ended_at=None, topic=None, reason="not_understood")

    await talk(session, at(23))

    await make_case(session, a, opened_at=at(20), district="历下区", urged_count=2, reopened_count=1,
                    state=CaseState.RESOLVED, closed_at=at(22), staff_id=staff.id, rating=1)  # fmt: skip
    await make_case(session, b, opened_at=at(20), state=CaseState.ARCHIVED, closed_at=at(20, 20), rating=4)
    await make_case(session, b, opened_at=at(21), topic="heat.report", breached_at=at(25), urged_count=1)
    await make_case(session, b, opened_at=at(21), state=CaseState.WITHDRAWN, closed_at=at(22))
    before = await make_case(session, a, opened_at=at(10), state=CaseState.RESOLVED, closed_at=at(26, 23, 59))
    await make_case(session, a, opened_at=at(10), state=CaseState.ARCHIVED, closed_at=at(24),
                    merged_into_id=before.id)  # fmt: skip
    return staff


async def counted(
    database: Database, grouping: Grouping, period: Period = WEEK, filters: Filters = ALL
) -> Report:
    async with database.read() as session:
        return await report(session, period, grouping, filters)


def figures(found: Report) -> dict[str | None, Figures]:
    return {row.key: row.figures for row in found.rows}


async def test_a_week_adds_up(database: Database) -> None:
    async with database.transaction() as session:
        await a_week(session)
    found = (await counted(database, Grouping.DAY)).totals
    assert (found.started, found.conversations, found.messages) == (4, 4, 6)
    # A was answered and nobody came; B and D were served; C was not understood.
    assert (found.bot_answered, found.deflected, found.deflection) == (3, 1, 1 / 4)
    assert found.handoffs == 4
    assert found.reasons == {"member_asked": 2, "crisis.self_harm": 1, "not_understood": 1}
    assert (found.first_response.count, found.first_response.median, found.first_response.p90) == (2, 20, 30)
    assert (found.still_waiting, found.never_answered, found.breaches) == (1, 1, 1)
    assert (found.ratings.count, found.ratings.mean, found.ratings.low_share) == (2, 3.5, 0.5)
    assert (found.cases_opened, found.urged, found.case_breaches) == (4, 3, 1)
    assert (found.cases_closed_once, found.cases_reopened, found.reopened_share) == (2, 1, 0.5)
    assert (found.case_ratings.count, found.case_ratings.mean) == (2, 2.5)
    assert found.cases_resolved == 3
    assert found.resolution.median == 48
    assert found.resolution.p90 == pytest.approx(16 * 24 + 13 + 59 / 60)


async def test_every_day_has_its_line_and_counts_a_conversation_that_was_written_in(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await a_week(session)
    found = await counted(database, Grouping.DAY)
    assert [row.key for row in found.rows] == [f"2026-07-{day}" for day in range(20, 27)]
    talks = [(row.figures.conversations, row.figures.messages, row.figures.deflected) for row in found.rows]
    # Monday: A, B, D (served until half past midnight); Wednesday: A again.
    assert talks == [(3, 4, 1), (1, 1, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    assert [row.figures.handoffs for row in found.rows] == [1, 0, 0, 0, 2, 0, 1]
    assert [row.figures.cases_resolved for row in found.rows] == [1, 0, 1, 0, 0, 0, 1]
    assert found.rows[3].figures.deflection is None


async def test_a_conversation_deflected_on_one_day_may_be_served_on_another(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, at(20))
        await say(session, conversation, at(20))
        await say(session, conversation, at(21))
        await serve(session, conversation, at(21, 12), ended_at=at(22, 9))
        await say(session, conversation, at(22, 15))
        await say(session, conversation, at(23))
    found = await counted(database, Grouping.DAY)
    assert [row.figures.deflected for row in found.rows] == [1, 0, 0, 1, 0, 0, 0]
    assert found.totals.deflected == 0


async def test_topics_are_those_of_the_messages(database: Database) -> None:
    async with database.transaction() as session:
        await a_week(session)
    found = figures(await counted(database, Grouping.TOPIC))
    assert list(found) == ["labour.wage_arrears", None, "labour.overtime", "heat.report"]
    wages = found["labour.wage_arrears"]
    assert (wages.conversations, wages.messages, wages.deflected) == (3, 4, 1)
    assert (wages.handoffs, wages.cases_opened, wages.cases_resolved) == (3, 3, 3)
    assert (found["labour.overtime"].conversations, found["labour.overtime"].started) == (1, 1)
    assert (found[None].conversations, found[None].bot_answered, found[None].handoffs) == (1, 0, 1)


async def test_channels_and_districts_share_the_work(database: Database) -> None:
    async with database.transaction() as session:
        await a_week(session)
    channels = figures(await counted(database, Grouping.CHANNEL))
    assert {
        key: (one.conversations, one.started, one.handoffs, one.cases_opened)
        for key, one in channels.items()
    } == {
        "web": (2, 3, 0, 1),
        "telegram": (2, 1, 4, 3),
    }  # fmt: skip
    districts = figures(await counted(database, Grouping.DISTRICT))
    assert {key: (one.conversations, one.handoffs, one.cases_opened) for key, one in districts.items()} == {
        "历下区": (2, 0, 1),
        "市中区": (1, 3, 0),
        None: (1, 1, 3),
    }


async def test_a_worker_answers_for_hand_offs_and_cases_but_not_for_the_bot(database: Database) -> None:
    async with database.transaction() as session:
        staff = await a_week(session)
    found = await counted(database, Grouping.WORKER)
    theirs = figures(found)[str(staff.id)]
    assert (theirs.handoffs, theirs.first_response.median, theirs.ratings.count) == (2, 20, 2)
    assert (theirs.cases_opened, theirs.cases_resolved, theirs.conversations, theirs.deflection) == (
        1, 1, None, None,
    )  # fmt: skip
    assert figures(found)[None].handoffs == 2
    assert found.totals.conversations == 4
    async with database.read() as session:
        assert await worker_labels(session, [row.key for row in found.rows]) == {
            str(staff.id): ("李坐席", "07")
        }


async def test_filters_leave_the_rest_out(database: Database) -> None:
    async with database.transaction() as session:
        await a_week(session)
    telegram = (await counted(database, Grouping.DAY, filters=Filters(channel=Channel.TELEGRAM))).totals
    assert (telegram.started, telegram.conversations, telegram.handoffs, telegram.cases_opened) == (
        1,
        2,
        4,
        3,
    )
    here = (await counted(database, Grouping.DAY, filters=Filters(district="历下区"))).totals
    assert (here.conversations, here.handoffs, here.cases_opened, here.deflection) == (2, 0, 1, 0.5)
    heat = (await counted(database, Grouping.WORKER, filters=Filters(topic="heat.report"))).totals
    assert (heat.conversations, heat.handoffs, heat.cases_opened) == (0, 0, 1)


@pytest.mark.parametrize("grouping", Grouping)
async def test_a_period_in_which_nothing_happened_divides_by_nothing(
    database: Database, grouping: Grouping
) -> None:
    found = await counted(database, grouping)
    assert len(found.rows) == {Grouping.DAY: 7, Grouping.WEEK: 1}.get(grouping, 0)
    for one in (found.totals, *(row.figures for row in found.rows)):
        assert (one.deflection, one.reopened_share, one.ratings.mean, one.ratings.low_share) == (None,) * 4
        assert (one.first_response.median, one.resolution.p90, one.handoffs) == (None, None, 0)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (at(20, 0, 0), "2026-07-20"),
        (at(20, 7, 59), "2026-07-20"),
        (at(20, 23, 59), "2026-07-20"),
        (at(19, 23, 59), None),
        (at(27, 0, 0), None),
    ],
)
async def test_a_day_begins_at_midnight_in_shanghai(
    database: Database, moment: datetime, day: str | None
) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, moment)
        await say(session, conversation, moment)
        await serve(session, conversation, moment)
        await make_case(session, conversation, opened_at=moment)
    found = await counted(database, Grouping.DAY)
    full = [row.key for row in found.rows if any(row.figures.weight)]
    assert full == ([] if day is None else [day])
    if day is not None:
        (line,) = [row.figures for row in found.rows if row.key == day]
        assert (line.started, line.conversations, line.handoffs, line.cases_opened) == (1, 1, 1, 1)


async def test_a_week_begins_on_monday_and_runs_over_the_end_of_the_year(database: Database) -> None:
    async with database.transaction() as session:
        for moment in (
            at(27, 23, 59, month=12),
            at(28, 0, 0, month=12),
            at(3, 23, 59, month=1, year=2027),
            at(4, 0, 0, month=1, year=2027),
        ):
            conversation = await talk(session, moment)
            await say(session, conversation, moment)
            await serve(session, conversation, moment, ended_at=None)
    found = await counted(database, Grouping.WEEK, Period(date(2026, 12, 27), date(2027, 1, 4)))
    assert [(row.key, row.figures.conversations, row.figures.handoffs) for row in found.rows] == [
        ("2026-12-21", 1, 1),
        ("2026-12-28", 2, 2),
        ("2027-01-04", 1, 1),
    ]


async def test_members_who_had_their_data_erased_still_count(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="王师傅", phone="13800001234")
        conversation = await talk(session, at(20), member=member)
        await say(session, conversation, at(20))
        await make_case(session, conversation, opened_at=at(20))
    async with database.transaction() as session:
        await forget_member(session, member.id, at(21), withdraw_open=True)
    totals = (await counted(database, Grouping.DAY)).totals
    assert (totals.conversations, totals.deflected, totals.cases_opened) == (1, 1, 1)


def test_a_period_is_whole_days_and_not_endless() -> None:
    day = Period(date(2026, 7, 20), date(2026, 7, 20))
    assert (day.begins, day.over, day.length) == (at(20, 0), at(21, 0), 1)
    for start, end in [
        (date(2026, 7, 21), date(2026, 7, 20)),
        (date(2020, 1, 1), date(2026, 1, 1)),
        (date(1, 1, 1), date(1, 1, 2)),
        (date(9999, 12, 31), date(9999, 12, 31)),
    ]:
        with pytest.raises(BadInput):
            Period(start, end)


@pytest.mark.parametrize(
    ("preset", "today", "start", "end"),
    [
        (Preset.TODAY, date(2026, 7, 22), date(2026, 7, 22), date(2026, 7, 22)),
        (Preset.YESTERDAY, date(2027, 1, 1), date(2026, 12, 31), date(2026, 12, 31)),
        (Preset.THIS_WEEK, date(2026, 7, 22), date(2026, 7, 20), date(2026, 7, 22)),
        (Preset.THIS_WEEK, date(2026, 7, 20), date(2026, 7, 20), date(2026, 7, 20)),
        (Preset.LAST_WEEK, date(2027, 1, 3), date(2026, 12, 21), date(2026, 12, 27)),
        (Preset.THIS_MONTH, date(2026, 7, 22), date(2026, 7, 1), date(2026, 7, 22)),
        (Preset.LAST_MONTH, date(2026, 3, 31), date(2026, 2, 1), date(2026, 2, 28)),
        (Preset.LAST_MONTH, date(2027, 1, 15), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_periods_by_name_end_where_the_calendar_says(
    preset: Preset, today: date, start: date, end: date
) -> None:
    assert preset_period(preset, today) == Period(start, end)


def test_nine_in_ten_durations_do_not_exceed_the_ninetieth_percentile() -> None:
    assert spread([7]).p90 == 7
    assert (spread(range(1, 11)).median, spread(range(1, 11)).p90) == (5.5, 9)
    assert spread(range(1, 12)).p90 == 10


def test_a_histogram_loses_no_duration() -> None:
    assert histogram([0, 1, 1.5, 5, 61, 600], [1, 5, 60]) == [2, 2, 0, 2]
    assert histogram([], [1, 5]) == [0, 0, 0]
