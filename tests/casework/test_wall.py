"""The wall: who waits, for whom, since when, and which promises are about to break."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from casework import handoff, staff_talk
from casework.database import Database
from casework.desk_rules import DeskRules, load_desk_rules
from casework.tables import CaseState, Channel, Owner, Presence, Priority, StaffRole, Team
from casework.wall import Wall, reassignable, wall
from tests.factories import make_case, make_conversation, make_message, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"


@pytest.fixture(scope="session")
def rules() -> DeskRules:
    return load_desk_rules(KNOWLEDGE)


async def seen(database: Database, rules: DeskRules, now: datetime) -> Wall:
    async with database.read() as session:
        return await wall(session, rules, now)


def ago(now: datetime, minutes: int) -> datetime:
    return now - timedelta(minutes=minutes)


async def test_a_wall_of_an_empty_hotline_shows_nothing(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    found = await seen(database, rules, now)
    assert found.waiting == {Priority.CRITICAL: 0, Priority.HIGH: 0, Priority.NORMAL: 0}
    assert (found.queued, found.longest_since, found.workers, found.queue) == (0, None, (), ())
    assert (found.cases_due_today, found.cases_overdue, found.late_cases) == (0, 0, ())
    assert (found.today.conversations, found.today.ratings.mean) == (0, None)


async def test_the_queue_is_counted_by_priority_and_its_longest_wait_is_shown(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    async with database.transaction() as session:
        for priority, minutes in ((0, 2), (2, 40), (2, 3)):
            await make_conversation(
                session, owner=Owner.QUEUED, queued_at=ago(now, minutes), priority=priority
            )
        await make_conversation(session)
    found = await seen(database, rules, now)
    assert found.waiting == {Priority.CRITICAL: 1, Priority.HIGH: 0, Priority.NORMAL: 2}
    assert found.longest_since == ago(now, 40)


async def test_a_promise_is_kept_then_at_risk_then_broken(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    async with database.transaction() as session:
        queued = await make_conversation(
            session, owner=Owner.QUEUED, queued_at=now, waiting_since=now, priority=Priority.HIGH
        )
    minutes = rules.minutes("first_reply", Priority.HIGH)
    for passed, at_risk, broken in (
        (0, 0, 0),
        (minutes - rules.spare_minutes("first_reply", Priority.HIGH), 1, 0),
        (minutes, 0, 1),
    ):
        found = await seen(database, rules, now + timedelta(minutes=passed))
        assert (len(found.at_risk), len(found.broken)) == (at_risk, broken), passed
        assert found.queue[0].conversation_id == queued.id


async def test_after_the_first_reply_the_next_one_is_promised(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, display_name="李坐席")
        conversation = await make_conversation(session)
        await make_message(session, conversation, created_at=now)
        await handoff.hand_off(session, conversation, "member_asked", now)
    before = await seen(database, rules, now)
    assert [(one.promised, one.owner) for one in before.queue] == [("first_reply", Owner.QUEUED)]
    async with database.transaction() as session:
        await staff_talk.reply(session, conversation.id, staff, "您好，我是工会的。", now)
    answered = await seen(database, rules, now)
    assert (answered.queue, answered.open_to_humans) == ((), 1)


async def test_workers_are_shown_with_their_load_and_who_waits_on_them(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    async with database.transaction() as session:
        team = Team(name="劳动维权组", created_at=now)
        session.add(team)
        await session.flush()
        here = {"presence": Presence.ONLINE, "seen_at": now}
        busy = await make_staff(session, display_name="李坐席", badge="07", team_id=team.id, **here)
        idle = await make_staff(session, display_name="王坐席", **here)
        lost = await make_staff(session, presence=Presence.ONLINE, seen_at=ago(now, 60))
        await make_staff(session, presence=Presence.OFFLINE, seen_at=now)
        await make_staff(session, role=StaffRole.AUDITOR, **here)
        await make_staff(session, active=False, **here)
        for waits in (5, 9, None):
            since = None if waits is None else ago(now, waits)
            await make_conversation(session, owner=Owner.HUMAN, staff_id=busy.id, waiting_since=since)
        await make_conversation(session, owner=Owner.WRAP_UP, staff_id=lost.id, wrap_up_at=now)
    found = await seen(database, rules, now)
    assert [worker.staff_id for worker in found.workers] == [busy.id, idle.id, lost.id]
    first, second, third = found.workers
    assert (first.name, first.badge, first.team) == ("李坐席", "07", "劳动维权组")
    assert (first.owned, first.waiting_on, first.oldest_since) == (3, 2, ago(now, 9))
    assert (second.owned, second.oldest_since) == (0, None)
    assert (third.presence, third.wrapping_up, third.owned) == (Presence.OFFLINE, 1, 0)
    assert {one.worker for one in found.queue} == {"李坐席"}


async def test_who_was_asked_for_patience_is_not_late_until_then(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        await make_conversation(
            session,
            owner=Owner.HUMAN,
            staff_id=staff.id,
            waiting_since=ago(now, 600),
            priority=Priority.CRITICAL,
            held_until=now + timedelta(minutes=10),
        )
    assert (await seen(database, rules, now)).broken == ()
    assert len((await seen(database, rules, now + timedelta(minutes=15))).broken) == 1


async def test_cases_are_due_today_or_overdue_and_those_that_wait_for_their_member_are_not(
    database: Database, rules: DeskRules, now: datetime
) -> None:
    tonight = now.replace(hour=15, minute=59)
    async with database.transaction() as session:
        staff = await make_staff(session, display_name="李坐席")
        await make_case(session, due_at=tonight)
        await make_case(session, due_at=tonight + timedelta(minutes=1))
        late = await make_case(session, due_at=ago(now, 60), staff_id=staff.id, priority=Priority.HIGH)
        await make_case(session, due_at=ago(now, 60), waiting_for_member_since=ago(now, 90))
        await make_case(session, due_at=ago(now, 60), state=CaseState.RESOLVED, closed_at=now)
        await make_case(session)
    found = await seen(database, rules, now)
    assert (found.cases_due_today, found.cases_overdue) == (1, 1)
    (shown,) = found.late_cases
    assert (shown.number, shown.worker, shown.priority) == (late.number, "李坐席", Priority.HIGH)


async def test_today_is_the_day_in_shanghai(database: Database, rules: DeskRules, now: datetime) -> None:
    midnight = now.replace(hour=16, minute=0) - timedelta(days=1)
    async with database.transaction() as session:
        for moment in (midnight - timedelta(minutes=1), midnight, now):
            conversation = await make_conversation(session, created_at=moment, last_message_at=moment)
            await make_message(session, conversation, created_at=moment)
    found = await seen(database, rules, now)
    assert (found.today.started, found.today.conversations) == (2, 2)


async def test_a_wall_names_no_member(database: Database, rules: DeskRules, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(
            session, owner=Owner.QUEUED, channel=Channel.TELEGRAM, last_topic="labour.wage_arrears"
        )
        await make_message(session, conversation, text="我叫王小明，电话 13800001234")
    shown = repr(await seen(database, rules, now))
    assert "labour.wage_arrears" in shown
    assert "13800001234" not in shown
    assert "王小明" not in shown


async def test_conversations_are_given_to_staff_who_answer_and_to_active_teams(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        await make_staff(session, role=StaffRole.AUDITOR)
        await make_staff(session, active=False)
        session.add_all(
            [Team(name="法援组", created_at=now), Team(name="旧组", active=False, created_at=now)]
        )
    async with database.read() as session:
        staff, teams = await reassignable(session)
    assert [one.id for one in staff] == [worker.id]
    assert [team.name for team in teams] == ["法援组"]
