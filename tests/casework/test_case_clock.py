"""The case clock: deadlines in working time, a warning before, an escalation after, and standing still."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_clock
from casework.case_life import Deed
from casework.clock import SHANGHAI
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.errors import TransitionRefused
from casework.tables import (
    Alert,
    AlertKind,
    Audience,
    AuditEntry,
    Author,
    Case,
    CaseEvent,
    CaseState,
    Conversation,
    Priority,
)
from tests.factories import make_case, make_conversation, make_staff

RULES = load_desk_rules(Path(__file__).parents[2] / "data" / "knowledge")


def at(text: str) -> datetime:
    """A moment of Jinan's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


OPENED = at("2026-11-16 10:00")
"""A Monday."""
WARNED = at("2026-11-20 10:00")
"""When a normal case opened then has used four of its five working days."""
DUE = at("2026-11-23 10:00")


async def make_open(session: AsyncSession, conversation: Conversation | None = None, **values: Any) -> Case:
    """A normal case opened on that Monday."""
    return await make_case(session, conversation, **{"opened_at": OPENED, "updated_at": OPENED} | values)


async def keep(database: Database, now: datetime, limit: int = 200) -> int:
    async with database.transaction() as session:
        return await case_clock.keep_cases(session, RULES, now, limit)


async def read(database: Database, case: Case) -> Case:
    async with database.read() as session:
        return await session.get_one(Case, case.id)


async def alerts(database: Database) -> list[tuple[AlertKind, int | None, str | None]]:
    async with database.read() as session:
        found = await session.scalars(select(Alert).order_by(Alert.id))
        return [(alert.kind, alert.staff_id, alert.case_id) for alert in found]


# ---- deadlines


@pytest.mark.parametrize(
    ("priority", "due"),
    [
        (Priority.CRITICAL, "2026-11-18 10:00"),
        (Priority.HIGH, "2026-11-19 10:00"),
        (Priority.NORMAL, "2026-11-23 10:00"),
    ],
)
async def test_a_case_gets_its_deadline_in_working_days_by_its_priority(
    database: Database, priority: Priority, due: str
) -> None:
    async with database.transaction() as session:
        case = await make_open(session, priority=priority.value)
    assert await keep(database, OPENED + timedelta(minutes=1)) == 1
    assert (await read(database, case)).due_at == at(due)
    assert await keep(database, OPENED + timedelta(minutes=2)) == 0
    assert await alerts(database) == []


async def test_a_deadline_that_somebody_set_is_kept(database: Database) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=at("2026-12-31 18:00"))
    assert await keep(database, WARNED) == 0
    assert (await read(database, case)).due_at == at("2026-12-31 18:00")


async def test_a_reopened_case_counts_from_its_reopening(database: Database) -> None:
    reopened = at("2026-11-27 10:00")
    async with database.transaction() as session:
        case = await make_open(session, reopened_count=2, warned_at=WARNED, breached_at=DUE)
        for moment in (at("2026-11-24 10:00"), reopened):
            session.add(
                CaseEvent(
                    case_id=case.id,
                    deed=Deed.REOPEN.value,
                    audience=Audience.MEMBER,
                    author=Author.MEMBER,
                    created_at=moment,
                )
            )
    assert await keep(database, reopened) == 1
    case = await read(database, case)
    assert (case.due_at, case.warned_at, case.breached_at) == (at("2026-12-04 10:00"), None, None)


@pytest.mark.parametrize(
    "values",
    [
        {"state": CaseState.RESOLVED, "closed_at": OPENED},
        {"waiting_for_member_since": OPENED},
        {"state": CaseState.RESOLVED, "closed_at": OPENED, "due_at": DUE},
        {"waiting_for_member_since": OPENED, "due_at": DUE},
    ],
    ids=["closed", "waiting", "closed with a deadline", "waiting with a deadline"],
)
async def test_a_case_that_is_closed_or_waits_for_its_member_is_left_alone(
    database: Database, values: dict[str, Any]
) -> None:
    async with database.transaction() as session:
        case = await make_open(session, **values)
    assert await keep(database, DUE + timedelta(days=30)) == 0
    case = await read(database, case)
    assert (case.due_at, case.breached_at) == (values.get("due_at"), None)
    assert await alerts(database) == []


async def test_a_case_merged_into_another_is_left_alone(database: Database) -> None:
    async with database.transaction() as session:
        other = await make_open(session, due_at=at("2027-12-31 10:00"))
        await make_open(session, merged_into_id=other.id)
    assert await keep(database, DUE) == 0


# ---- warning and breach


async def test_whoever_works_the_case_is_warned_once_before_it_is_late(database: Database) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        case = await make_open(session, staff_id=worker.id, due_at=DUE)
    assert await keep(database, WARNED - timedelta(minutes=1)) == 0
    assert await alerts(database) == []
    assert await keep(database, WARNED) == 1
    assert await keep(database, WARNED + timedelta(hours=1)) == 0
    assert await alerts(database) == [(AlertKind.WARNING, worker.id, case.id)]
    assert (await read(database, case)).warned_at == WARNED


async def test_the_warning_comes_when_the_rules_say_it_does(database: Database) -> None:
    assert RULES.warn_at("resolve", Priority.NORMAL, OPENED) == WARNED
    assert RULES.due("resolve", Priority.NORMAL, OPENED) == DUE


@pytest.mark.parametrize("values", [{}, {"active": False}], ids=["nobody", "a closed account"])
async def test_supervisors_are_warned_of_a_case_nobody_works(
    database: Database, values: dict[str, bool]
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, **values)
        case = await make_open(session, staff_id=worker.id if values else None, due_at=DUE)
    await keep(database, WARNED)
    assert await alerts(database) == [(AlertKind.WARNING, None, case.id)]


async def test_a_pressing_case_is_warned_of_later_than_a_normal_one_with_the_same_deadline(
    database: Database,
) -> None:
    async with database.transaction() as session:
        normal = await make_open(session, due_at=DUE)
        critical = await make_open(session, due_at=DUE, priority=Priority.CRITICAL.value)
    await keep(database, WARNED)
    assert [case_id for _, _, case_id in await alerts(database)] == [normal.id]
    # A fifth of its two days is 180 minutes of work: 90 on Friday, 90 on Monday.
    await keep(database, at("2026-11-20 15:59"))
    assert len(await alerts(database)) == 1
    await keep(database, at("2026-11-20 16:00"))
    assert [case_id for _, _, case_id in await alerts(database)] == [normal.id, critical.id]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Priority.NORMAL, Priority.HIGH),
        (Priority.HIGH, Priority.CRITICAL),
        (Priority.CRITICAL, Priority.CRITICAL),
    ],
)
async def test_a_late_case_goes_to_supervisors_once_and_rises_a_step(
    database: Database, before: Priority, after: Priority
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        case = await make_open(
            session, staff_id=worker.id, due_at=DUE, warned_at=WARNED, priority=before.value
        )
    assert await keep(database, DUE - timedelta(seconds=1)) == 0
    assert await keep(database, DUE) == 1
    assert await keep(database, DUE + timedelta(days=3)) == 0
    assert await alerts(database) == [(AlertKind.BREACH, None, case.id)]
    case = await read(database, case)
    assert (case.priority, case.breached_at, case.due_at) == (after.value, DUE, DUE)
    async with database.read() as session:
        [entry] = await session.scalars(select(AuditEntry))
    assert (entry.actor, entry.deed, entry.subject_id) == ("system", "case.breached", case.id)
    assert entry.detail == {"before": before.value, "after": after.value}


async def test_a_case_found_late_is_not_warned_of_as_well(database: Database) -> None:
    async with database.transaction() as session:
        case = await make_open(session)
    assert await keep(database, DUE + timedelta(days=1)) == 2
    assert await alerts(database) == [(AlertKind.BREACH, None, case.id)]


async def test_more_cases_than_the_limit_are_done_in_rounds_the_latest_first(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        made = [
            await make_open(session, conversation, due_at=DUE + timedelta(minutes=n), warned_at=WARNED)
            for n in (3, 1, 2)
        ]
    now = DUE + timedelta(hours=1)
    assert [await keep(database, now, limit=2) for _ in range(3)] == [2, 1, 0]
    assert [case_id for _, _, case_id in await alerts(database)] == [made[n].id for n in (1, 2, 0)]


# ---- standing still


async def run(database: Database, case: Case, paused: datetime, resumed: datetime) -> Case:
    async with database.transaction() as session:
        await case_clock.pause(session, await session.get_one(Case, case.id), paused)
    async with database.transaction() as session:
        await case_clock.resume(session, await session.get_one(Case, case.id), RULES, resumed)
    return await read(database, case)


@pytest.mark.parametrize(
    ("paused", "resumed", "due"),
    [
        ("2026-11-17 09:00", "2026-11-17 10:00", "2026-11-23 11:00"),
        ("2026-11-17 09:00", "2026-11-17 11:30", "2026-11-23 14:00"),
        ("2026-11-17 17:00", "2026-11-18 09:00", "2026-11-23 11:00"),
        ("2026-11-17 18:00", "2026-11-18 08:00", "2026-11-23 10:00"),
        ("2026-11-20 17:30", "2026-11-23 08:30", "2026-11-23 10:00"),
        ("2026-11-17 10:00", "2026-11-24 10:00", "2026-11-30 10:00"),
    ],
    ids=["an hour", "into the afternoon", "over night", "at night only", "over a weekend", "a week"],
)
async def test_a_deadline_moves_by_the_working_time_the_clock_stood_still(
    database: Database, paused: str, resumed: str, due: str
) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=DUE)
    case = await run(database, case, at(paused), at(resumed))
    assert (case.due_at, case.waiting_for_member_since) == (at(due), None)


async def test_a_paused_case_never_runs_late_and_runs_on_afterwards(database: Database) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=DUE)
        await case_clock.pause(session, case, at("2026-11-19 10:00"))
    assert await keep(database, DUE + timedelta(days=1)) == 0
    async with database.transaction() as session:
        await case_clock.resume(session, await session.get_one(Case, case.id), RULES, at("2026-11-30 10:00"))
    assert (await read(database, case)).due_at == at("2026-12-02 10:00")
    assert await keep(database, at("2026-12-01 09:59")) == 0
    assert await keep(database, at("2026-12-01 10:00")) == 1
    assert await keep(database, at("2026-12-02 10:00")) == 1
    assert [kind for kind, _, _ in await alerts(database)] == [AlertKind.WARNING, AlertKind.BREACH]


async def test_pausing_twice_counts_from_the_first_time(database: Database) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=DUE)
        await case_clock.pause(session, case, at("2026-11-17 09:00"))
        await case_clock.pause(session, case, at("2026-11-17 11:00"))
    assert (await read(database, case)).waiting_for_member_since == at("2026-11-17 09:00")


async def test_resuming_a_running_clock_changes_nothing(database: Database) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=DUE, warned_at=WARNED)
        await case_clock.resume(session, case, RULES, WARNED + timedelta(hours=1))
    case = await read(database, case)
    assert (case.due_at, case.warned_at) == (DUE, WARNED)


async def test_a_case_warned_of_before_its_pause_is_warned_of_anew(database: Database) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        case = await make_open(session, due_at=DUE, staff_id=worker.id)
    await keep(database, WARNED)
    case = await run(database, case, at("2026-11-20 11:00"), at("2026-11-25 11:00"))
    assert case.warned_at is None
    await keep(database, at("2026-11-25 11:00"))
    assert [kind for kind, _, _ in await alerts(database)] == [AlertKind.WARNING, AlertKind.WARNING]


async def test_a_case_that_was_late_before_its_pause_stays_late_and_is_not_reported_again(
    database: Database,
) -> None:
    async with database.transaction() as session:
        case = await make_open(session, due_at=DUE, warned_at=WARNED)
    await keep(database, DUE)
    case = await run(database, case, at("2026-11-23 11:00"), at("2026-11-25 11:00"))
    assert (case.due_at, case.breached_at) == (at("2026-11-25 10:00"), DUE)
    assert await keep(database, at("2026-11-26 11:00")) == 0
    assert len(await alerts(database)) == 1


async def test_a_case_paused_before_it_had_a_deadline_gets_one_that_allows_for_the_pause(
    database: Database,
) -> None:
    async with database.transaction() as session:
        case = await make_open(session)
    case = await run(database, case, OPENED, at("2026-11-18 10:00"))
    assert case.due_at == at("2026-11-25 10:00")


async def test_a_closed_case_is_not_paused_and_resuming_it_sets_no_deadline(database: Database) -> None:
    async with database.transaction() as session:
        closed = await make_open(session, state=CaseState.RESOLVED, closed_at=OPENED)
        with pytest.raises(TransitionRefused):
            await case_clock.pause(session, closed, DUE)
        waiting = await make_open(
            session, state=CaseState.RESOLVED, closed_at=OPENED, waiting_for_member_since=OPENED
        )
        await case_clock.resume(session, waiting, RULES, DUE)
    case = await read(database, waiting)
    assert (case.due_at, case.waiting_for_member_since) == (None, None)


@pytest.mark.parametrize(("later", "forgotten"), [(1, True), (-1, False), (0, False)])
async def test_a_deadline_put_off_forgets_that_it_was_missed(
    database: Database, later: int, forgotten: bool
) -> None:
    async with database.transaction() as session:
        case = await make_open(
            session, due_at=DUE + timedelta(minutes=later), warned_at=WARNED, breached_at=DUE
        )
    case_clock.deadline_moved(case, DUE)
    assert (case.warned_at, case.breached_at) == ((None, None) if forgotten else (WARNED, DUE))


@pytest.mark.postgres
async def test_the_keeper_leaves_a_case_that_is_held_elsewhere_for_the_next_time(
    postgres_database: Database,
) -> None:
    database = postgres_database  # SQLite has one writer at a time
    async with database.transaction() as session:
        held = await make_open(session, due_at=DUE)
        free = await make_open(session, due_at=DUE)
    async with database.transaction() as session:
        await session.execute(select(Case.id).where(Case.id == held.id).with_for_update())
        async with database.transaction() as keeper:
            assert await case_clock.keep_cases(keeper, RULES, DUE) == 1
    assert (await read(database, free)).breached_at == DUE
    assert (await read(database, held)).breached_at is None
    assert await keep(database, DUE) == 1
