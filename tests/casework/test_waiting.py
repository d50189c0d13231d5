"""Waiting: an honest place, notices in time, promises watched, and nobody stays with a worker who is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import aside, conversations, handoff, messages, waiting
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.tables import (
    Alert,
    AlertKind,
    Author,
    Conversation,
    Handoff,
    Owner,
    Presence,
    Priority,
    Staff,
    StaffRole,
)
from casework.wording import Wording
from tests.factories import make_conversation, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = load_desk_rules(KNOWLEDGE)
WORDING = Wording.load(KNOWLEDGE)
MINUTE = timedelta(minutes=1)
MONDAY_EVENING = datetime(2026, 7, 20, 10, 0, tzinfo=UTC)
"""18:00 in Jinan: the hotline closed at 17:30 and opens on Tuesday at 8:30."""
TUESDAY_OPENING = datetime(2026, 7, 21, 0, 30, tzinfo=UTC)


async def queued(session: AsyncSession, since: datetime, **values: Any) -> Conversation:
    """A conversation in the queue whose member waits since then."""
    return await make_conversation(
        session, owner=Owner.QUEUED, queued_at=since, waiting_since=since, **values
    )


async def taken(session: AsyncSession, now: datetime, minutes: int, reason: str = "member_asked") -> None:
    """A wait of so many minutes that ended now."""
    conversation = await make_conversation(session)
    session.add(
        Handoff(
            conversation_id=conversation.id,
            channel=conversation.channel,
            reason=reason,
            queued_at=now - minutes * MINUTE,
            taken_at=now,
            ended_at=now,
            requeued=0,
        )
    )
    await session.flush()


async def here(session: AsyncSession, now: datetime, **values: Any) -> Staff:
    """A worker whose browser was just heard of."""
    return await make_staff(session, **{"presence": Presence.ONLINE, "seen_at": now} | values)


async def round_at(database: Database, conversation_id: str, now: datetime) -> bool:
    """The keeper's round as it comes to one conversation; both of its questions must agree."""
    async with database.read() as session:
        due = conversation_id in await waiting.attention(session, now, RULES)
    async with database.transaction() as session:
        done = await waiting.attend(session, conversation_id, now, RULES, WORDING)
    assert due == done
    return done


async def heard(database: Database, conversation_id: str) -> list[str]:
    """What the member can read of what we said."""
    async with database.read() as session:
        said = await messages.transcript(session, conversation_id)
        return [one.text or "" for one in said if one.author is not Author.MEMBER]


async def now_is(database: Database, conversation_id: str) -> Conversation:
    """The conversation as it is now."""
    async with database.read() as session:
        return await conversations.get(session, conversation_id)


async def alerts(database: Database) -> list[tuple[AlertKind, int | None]]:
    """Every alert and whom it is for, in order."""
    async with database.read() as session:
        found = await session.scalars(select(Alert).order_by(Alert.id))
        return [(alert.kind, alert.staff_id) for alert in found]


async def test_the_place_counts_the_more_pressing_and_the_longer_waiting(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        mine = await queued(session, now - 5 * MINUTE)
        await queued(session, now - 9 * MINUTE)
        await queued(session, now, priority=Priority.CRITICAL.value)
        await queued(session, now - 4 * MINUTE)
        assert (await waiting.place(session, mine, now)).ahead == 2


async def test_who_comes_back_into_the_queue_stands_where_their_wait_puts_them(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        back = await queued(session, now - 20 * MINUTE)
        back.queued_at = now
        await queued(session, now - 10 * MINUTE)
        assert (await waiting.place(session, back, now)).ahead == 0


async def test_an_estimate_is_the_upper_quartile_of_waits_that_ended_lately(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        mine = await queued(session, now)
        await here(session, now)
        for minutes in (2, 4, 6, 8):
            await taken(session, now, minutes)
        assert (await waiting.place(session, mine, now)).minutes is None, "four waits tell nothing"
        await taken(session, now - 5 * 60 * MINUTE, 1)
        assert (await waiting.place(session, mine, now)).minutes is None, "that one was long ago"
        for _ in range(5):
            await taken(session, now, 0, reason=handoff.STAFF_TOOK_OVER)
        assert (await waiting.place(session, mine, now)).minutes is None, "nobody waited for those"
        await taken(session, now, 300)
        assert (await waiting.place(session, mine, now)).minutes == 154


async def test_who_has_many_ahead_is_told_how_long_those_take(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await here(session, now)
        for _ in range(6):
            await taken(session, now - 10 * MINUTE, 2)
        for _ in range(30):
            await queued(session, now - 5 * MINUTE)
        last = await queued(session, now)
        found = await waiting.place(session, last, now)
        assert (found.ahead, found.minutes) == (30, 300), "six an hour are served, thirty stand before"


@pytest.mark.parametrize(
    "who",
    [
        {"presence": Presence.AWAY},
        {"presence": Presence.OFFLINE},
        {"active": False},
        {"role": StaffRole.AUDITOR},
    ],
)
async def test_nothing_is_estimated_while_nobody_is_there_to_answer(
    database: Database, now: datetime, who: dict[str, Any]
) -> None:
    async with database.transaction() as session:
        mine = await queued(session, now)
        for minutes in range(1, 9):
            await taken(session, now, minutes)
        await here(session, now, **who)
        assert (await waiting.place(session, mine, now)).minutes is None
        await here(session, now)
        assert (await waiting.place(session, mine, now)).minutes is not None


async def test_a_queued_member_hears_at_once_and_every_ten_minutes(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        mine = await queued(session, now)
    for minutes, done in ((0, True), (0, False), (9, False), (10, True), (10, False), (20, True)):
        assert await round_at(database, mine.id, now + minutes * MINUTE) == done
    next_one = WORDING.say("handoff.still_queued_next")
    assert await heard(database, mine.id) == [WORDING.say("handoff.queued_next"), next_one, next_one]


async def test_the_notice_says_how_many_stand_before_and_how_long_when_that_is_known(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await queued(session, now - MINUTE, told_waiting_at=now)
        unsure = await queued(session, now)
    await round_at(database, unsure.id, now)
    async with database.transaction() as session:
        await here(session, now)
        for _ in range(5):
            await taken(session, now, 7)
        sure = await queued(session, now + MINUTE)
    await round_at(database, sure.id, now + MINUTE)
    assert await heard(database, unsure.id) == [WORDING.say("handoff.queued_unsure", ahead=1)]
    assert await heard(database, sure.id) == [WORDING.say("handoff.queued", ahead=2, minutes=7)]


async def test_out_of_hours_the_opening_is_said_once_and_the_place_when_it_comes(database: Database) -> None:
    async with database.transaction() as session:
        mine = await queued(session, MONDAY_EVENING)
    assert await round_at(database, mine.id, MONDAY_EVENING)
    for minutes in (10, 60, 600):
        assert not await round_at(database, mine.id, MONDAY_EVENING + minutes * MINUTE)
    assert await round_at(database, mine.id, TUESDAY_OPENING)
    assert await heard(database, mine.id) == [
        WORDING.say("handoff.closed", when="明天 08:30"),
        WORDING.say("handoff.still_queued_next"),
    ]


async def test_who_was_told_of_the_queue_hears_of_the_closing(database: Database) -> None:
    noon = datetime(2026, 7, 20, 4, 0, tzinfo=UTC)
    async with database.transaction() as session:
        mine = await queued(session, noon - MINUTE)
    for moment in (noon - MINUTE, noon):
        assert await round_at(database, mine.id, moment)
    assert (await heard(database, mine.id))[1] == WORDING.say("handoff.closed", when="今天 13:30")


async def test_an_opening_that_nobody_kept_is_not_left_standing(database: Database) -> None:
    """Told at lunch that it goes on at 13:30; nobody kept watch all afternoon."""
    lunch = datetime(2026, 7, 20, 4, 30, tzinfo=UTC)
    async with database.transaction() as session:
        mine = await queued(session, lunch, told_waiting_at=lunch, breached_at=lunch)
    assert await round_at(database, mine.id, MONDAY_EVENING)
    assert await heard(database, mine.id) == [WORDING.say("handoff.closed", when="明天 08:30")]


async def test_who_is_in_danger_gets_numbers_to_call_out_of_hours(database: Database) -> None:
    async with database.transaction() as session:
        mine = await queued(session, MONDAY_EVENING, priority=Priority.CRITICAL.value)
    await round_at(database, mine.id, MONDAY_EVENING)
    (said,) = await heard(database, mine.id)
    assert said == WORDING.say("handoff.closed_urgent", when="明天 08:30")
    assert "12356" in said


async def test_a_broken_promise_is_warned_of_then_raised_once_and_the_member_hears(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        mine = await make_conversation(session)
        await handoff.hand_off(session, mine, "member_asked", now)
    for minutes in (0, 10, 20, 23, 24, 25, 30, 31):
        await round_at(database, mine.id, now + minutes * MINUTE)
    assert await alerts(database) == [(AlertKind.WARNING, None), (AlertKind.BREACH, None)]
    found = await now_is(database, mine.id)
    assert (found.warned_at, found.breached_at) == (now + 24 * MINUTE, now + 30 * MINUTE)
    assert (found.priority, found.risks) == (Priority.HIGH, [waiting.OVERDUE])
    assert found.told_waiting_at == now + 30 * MINUTE
    async with database.read() as session:
        service = await handoff.open_handoff(session, mine.id)
    assert service is not None
    assert (service.breached, service.priority) == (True, Priority.HIGH)


async def test_the_worker_is_warned_first_and_the_supervisors_after(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        mine = await make_conversation(session)
        await handoff.take_over(session, mine, worker, now)
    rules_let_it = now + 24 * MINUTE
    async with database.transaction() as session:
        # The unanswered one would go back before: only the alarm is looked at here.
        conversation = await conversations.lock(session, mine.id)
        conversation.told_waiting_at = rules_let_it
    assert await round_at(database, mine.id, rules_let_it)
    async with database.transaction() as session:
        (await conversations.lock(session, mine.id)).told_waiting_at = now + 30 * MINUTE
    assert await round_at(database, mine.id, now + 30 * MINUTE)
    assert await alerts(database) == [(AlertKind.WARNING, worker.id), (AlertKind.BREACH, None)]


@pytest.mark.parametrize(
    ("priority", "minutes", "broken"),
    [
        (Priority.NORMAL, 600, False),
        (Priority.HIGH, 600, False),
        (Priority.CRITICAL, 4, False),
        (Priority.CRITICAL, 5, True),
    ],
)
async def test_nights_count_for_who_is_in_danger_only(
    database: Database, priority: Priority, minutes: int, broken: bool
) -> None:
    async with database.transaction() as session:
        mine = await queued(session, MONDAY_EVENING, priority=priority.value, told_waiting_at=MONDAY_EVENING)
    await round_at(database, mine.id, MONDAY_EVENING + minutes * MINUTE)
    assert ((await now_is(database, mine.id)).breached_at is not None) == broken


@pytest.mark.parametrize(
    ("worker", "goes_back"),
    [
        ({"presence": Presence.ONLINE, "heard": 1}, False),
        ({"presence": Presence.AWAY, "heard": 1}, False),
        ({"presence": Presence.ONLINE, "heard": 3}, True),
        ({"presence": Presence.OFFLINE, "heard": 0}, True),
        ({"presence": Presence.ONLINE, "heard": 0, "active": False}, True),
        ({"presence": Presence.OFFLINE}, False),  # only ever used the command line
    ],
)
async def test_a_conversation_leaves_a_worker_who_is_gone(
    database: Database, now: datetime, worker: dict[str, Any], goes_back: bool
) -> None:
    minutes = worker.get("heard")
    async with database.transaction() as session:
        seen_at = None if minutes is None else now - minutes * MINUTE
        person = await make_staff(
            session, seen_at=seen_at, **{k: v for k, v in worker.items() if k != "heard"}
        )
        mine = await make_conversation(session, owner=Owner.HUMAN, staff_id=person.id)
    assert await round_at(database, mine.id, now) == goes_back
    assert not await round_at(database, mine.id, now)
    found = await now_is(database, mine.id)
    if not goes_back:
        assert found.staff_id == person.id
        return
    assert (found.owner, found.staff_id, found.waiting_since) == (Owner.QUEUED, None, now)
    assert await heard(database, mine.id) == [WORDING.say("handoff.worker_gone")]


async def test_a_worker_who_goes_home_leaves_the_member_with_the_next_opening(database: Database) -> None:
    async with database.transaction() as session:
        worker = await here(session, MONDAY_EVENING, presence=Presence.OFFLINE)
        mine = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
    assert await round_at(database, mine.id, MONDAY_EVENING)
    assert not await round_at(database, mine.id, MONDAY_EVENING + MINUTE)
    assert await heard(database, mine.id) == [
        WORDING.say("handoff.worker_gone"),
        WORDING.say("handoff.closed", when="明天 08:30"),
    ]


async def test_who_is_not_answered_goes_back_with_all_the_time_they_waited(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        mine = await make_conversation(session)
        await handoff.take_over(session, mine, await make_staff(session), now)
    assert not await round_at(database, mine.id, now + 14 * MINUTE)
    assert await round_at(database, mine.id, now + 15 * MINUTE)
    found = await now_is(database, mine.id)
    assert (found.owner, found.waiting_since) == (Owner.QUEUED, now)
    assert found.queued_at == found.told_waiting_at == now + 15 * MINUTE
    assert await heard(database, mine.id) == [WORDING.say("handoff.nobody_answered")]


async def test_who_takes_over_a_long_wait_has_time_to_answer(database: Database, now: datetime) -> None:
    """The member waited 20 minutes in the queue: that is not the worker's silence."""
    async with database.transaction() as session:
        worker = await make_staff(session)
        mine = await queued(session, now - 20 * MINUTE)
        await handoff.take_over(session, mine, worker, now)
    assert not await round_at(database, mine.id, now + MINUTE)
    assert (await now_is(database, mine.id)).staff_id == worker.id
    # The promise to the member counts from their own word all the same.
    assert await round_at(database, mine.id, now + 10 * MINUTE)
    assert (AlertKind.BREACH, None) in await alerts(database)
    assert await round_at(database, mine.id, now + 15 * MINUTE)
    assert (await now_is(database, mine.id)).owner is Owner.QUEUED


async def test_patience_asked_for_moves_the_promise(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        mine = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id, waiting_since=now)
        await aside.hold(session, mine, worker, 20, now, wording=WORDING)
    for minutes in (15, 19, 34):
        assert not await round_at(database, mine.id, now + minutes * MINUTE)
    assert await round_at(database, mine.id, now + 35 * MINUTE)


async def test_wrap_up_ends_by_itself_and_asks_how_it_was(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        mine = await make_conversation(session)
        await handoff.take_over(session, mine, worker, now)
        await handoff.note_answered(session, mine, now)
        await handoff.finish(session, mine, worker, now)
    assert not await round_at(database, mine.id, now + 4 * MINUTE)
    assert await round_at(database, mine.id, now + 5 * MINUTE)
    assert not await round_at(database, mine.id, now + 6 * MINUTE)
    found = await now_is(database, mine.id)
    assert (found.owner, found.staff_id) == (Owner.BOT, None)
    asked = f"{WORDING.say('handoff.handed_back')}\n{WORDING.say('handoff.ask_rating')}"
    assert await heard(database, mine.id) == [asked]


async def test_who_was_queued_before_waits_were_kept_is_watched_over_all_the_same(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        old = await make_conversation(
            session, owner=Owner.QUEUED, queued_at=now - 31 * MINUTE, told_waiting_at=now
        )
    assert await round_at(database, old.id, now)
    assert await alerts(database) == [(AlertKind.BREACH, None)]


async def test_only_who_was_not_heard_of_is_signed_off(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        gone = [
            await make_staff(session, presence=presence, seen_at=now - 3 * MINUTE)
            for presence in (Presence.ONLINE, Presence.AWAY)
        ]
        there = await here(session, now - MINUTE)
        by_command = await make_staff(session, presence=Presence.ONLINE)
    async with database.transaction() as session:
        assert set(await waiting.gone_staff(session, now, RULES)) == {one.id for one in gone}
        assert await waiting.sign_off_the_gone(session, now, RULES) == 2
        assert await waiting.sign_off_the_gone(session, now, RULES) == 0
    async with database.read() as session:
        online = await session.scalars(select(Staff.id).where(Staff.presence != Presence.OFFLINE))
        assert set(online) == {there.id, by_command.id}


async def test_two_keepers_at_once_tell_a_member_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        members = [await queued(session, now - 40 * MINUTE) for _ in range(4)]
    another = Database(database.url)

    async def go_round(through: Database) -> None:
        async with through.read() as session:
            due = await waiting.attention(session, now, RULES)
        for conversation_id in due:
            async with through.transaction() as session:
                await waiting.attend(session, conversation_id, now, RULES, WORDING)

    await asyncio.gather(*(go_round(through) for through in [database, another] * 2))
    await another.close()
    for mine in members:
        assert len(await heard(database, mine.id)) == 1
    assert await alerts(database) == [(AlertKind.BREACH, None)] * 4


@pytest.mark.parametrize(
    ("days", "words"), [(0, "今天 13:30"), (1, "明天 13:30"), (2, "后天 13:30"), (3, "7月23日 13:30")]
)
def test_a_coming_moment_is_said_as_people_say_it(now: datetime, days: int, words: str) -> None:
    coming = datetime(2026, 7, 20, 5, 30, tzinfo=UTC) + timedelta(days=days)
    assert waiting.moment_in_words(coming, now, WORDING) == words
