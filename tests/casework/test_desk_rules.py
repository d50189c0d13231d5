"""Desk rules: what ships, what supervisors may change, and the times that are promised."""

from __future__ import annotations

import asyncio
import copy
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from casework import desk_rules
from casework.clock import SHANGHAI
from casework.database import Database
from casework.desk_rules import Key, load_desk_rules, read_desk_rules
from casework.errors import BadInput, KnowledgeError, NotAllowed
from casework.permissions import RIGHTS, Right
from casework.tables import AuditEntry, DeskSetting, Priority, StaffRole
from casework.wording import Wording
from tests.factories import make_staff

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
SHIPPED = load_desk_rules(ROOT)
WORDING = Wording.load(ROOT)
SETTERS = {
    "shifts": desk_rules.set_shifts,
    "promises": desk_rules.set_promises,
    "handoff": desk_rules.set_handoff,
}
SATURDAYS = {"5": [["09:00", "11:00"]]}


def at(text: str) -> datetime:
    """A moment of Jinan's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def changed(key: Key, path: str, value: object) -> dict[str, Any]:
    """What ships for a key with one thing in it replaced, or taken out by None."""
    setting = copy.deepcopy(SHIPPED.as_setting(key))
    *way, last = path.split(".")
    part = setting
    for name in way:
        part = part[name]
    part[last] = value
    if value is None:
        del part[last]
    return setting


# ---- what ships


def test_the_hotline_ships_with_office_hours() -> None:
    hours = SHIPPED.hours
    assert hours.is_working(at("2026-11-23 08:30"))
    assert not hours.is_working(at("2026-11-23 12:00"))
    assert not hours.is_working(at("2026-11-22 09:00"))
    assert hours.minutes_per_day == 450


@pytest.mark.parametrize(
    ("priority", "reply", "days"),
    [(Priority.CRITICAL, 5, 2), (Priority.HIGH, 15, 3), (Priority.NORMAL, 30, 5)],
)
def test_the_more_pressing_is_promised_sooner(priority: Priority, reply: int, days: int) -> None:
    assert SHIPPED.minutes("first_reply", priority) == SHIPPED.minutes("next_reply", priority) == reply
    assert SHIPPED.minutes("resolve", priority) == days * 450


def test_a_normal_reply_counts_working_time_and_a_critical_one_the_clock() -> None:
    friday = at("2026-11-20 17:20")
    assert SHIPPED.due("first_reply", Priority.NORMAL, friday) == at("2026-11-23 08:50")
    assert SHIPPED.due("first_reply", Priority.HIGH, friday) == at("2026-11-23 08:35")
    assert SHIPPED.due("first_reply", Priority.CRITICAL, friday) == at("2026-11-20 17:25")
    assert SHIPPED.due("next_reply", Priority.CRITICAL, at("2026-02-17 03:00")) == at("2026-02-17 03:05")


def test_a_case_counts_working_days_whatever_its_priority() -> None:
    opened = at("2026-11-20 10:00")
    assert SHIPPED.due("resolve", Priority.CRITICAL, opened) == at("2026-11-24 10:00")
    assert SHIPPED.due("resolve", Priority.HIGH, opened) == at("2026-11-25 10:00")
    assert SHIPPED.due("resolve", Priority.NORMAL, opened) == at("2026-11-27 10:00")


def test_staff_are_warned_when_four_fifths_are_gone() -> None:
    opened = at("2026-11-16 10:00")
    assert SHIPPED.warn_at("resolve", Priority.NORMAL, opened) == at("2026-11-20 10:00")
    assert SHIPPED.spare_minutes("resolve", Priority.NORMAL) == 450
    assert SHIPPED.warn_at("first_reply", Priority.CRITICAL, opened) == at("2026-11-16 10:04")
    assert SHIPPED.warn_at("first_reply", Priority.NORMAL, opened) == at("2026-11-16 10:24")


def test_somebody_answers_now_or_at_the_next_opening() -> None:
    assert SHIPPED.answers_at(at("2026-11-20 09:00")) == at("2026-11-20 09:00")
    assert SHIPPED.answers_at(at("2026-11-20 18:00")) == at("2026-11-23 08:30")
    assert SHIPPED.answers_at(at("2026-02-14 18:00")) == at("2026-02-24 08:30")


def test_a_naive_moment_is_promised_nothing() -> None:
    naive = datetime(2026, 11, 20, 9)  # noqa: DTZ001  # what is being refused
    for priority in Priority:
        with pytest.raises(ValueError, match="naive"):
            SHIPPED.due("first_reply", priority, naive)


def test_the_ways_a_conversation_ends_are_named_in_their_order() -> None:
    assert list(SHIPPED.handoff.outcomes) == [
        "answered",
        "case_opened",
        "referred",
        "cannot_help",
        "no_response",
        "other",
    ]
    assert SHIPPED.handoff.outcomes["cannot_help"] == "不属工会职责已告知"
    assert SHIPPED.handoff.offline_after_seconds == 120


def test_a_broken_desk_file_is_named(tmp_path: Path) -> None:
    for name in ("desk.yml", "work_calendar.yml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    path = tmp_path / "desk.yml"
    good = path.read_text(encoding="utf-8")
    for old, new, complaint in (
        ("warn_at: 0.8", "warn_at: 1.8", "warn_at is a share"),
        ('["08:30", "12:00"]', '["08:30", "14:00"]', "overlap"),
        ('["08:30", "12:00"]', "[08:30, 12:00]", "a shift is"),
        ("wrap_up_minutes: 5", "wrap_up_minutes: 5.5", "wrap_up_minutes must be a whole number"),
        ("handoff:\n", "handoff:\n  patience: 3\n", "unknown field patience"),
    ):
        assert old in good
        path.write_text(good.replace(old, new), encoding="utf-8")
        with pytest.raises(KnowledgeError, match=f"desk.yml.*{complaint}"):
            load_desk_rules(tmp_path)


# ---- what supervisors change


async def test_without_changes_what_ships_is_in_force(database: Database) -> None:
    async with database.read() as session:
        assert await read_desk_rules(session, SHIPPED) is SHIPPED


async def test_changed_shifts_are_in_force_until_they_are_reset(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        await desk_rules.set_shifts(session, boss, SATURDAYS, now)
    async with database.read() as session:
        rules = await read_desk_rules(session, SHIPPED)
    assert rules.answers_at(at("2026-11-16 09:00")) == at("2026-11-21 09:00")
    assert rules.hours.minutes_per_day == 120
    assert rules.promises == SHIPPED.promises
    async with database.transaction() as session:
        assert await desk_rules.reset_setting(session, boss, "shifts", now)
        assert await read_desk_rules(session, SHIPPED) is SHIPPED
        assert not await desk_rules.reset_setting(session, boss, "shifts", now)


async def test_changed_promises_and_handoff_rules_are_in_force(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.ADMIN)
        await desk_rules.set_promises(session, boss, changed("promises", "normal.resolve_days", 7), now)
        await desk_rules.set_handoff(session, boss, changed("handoff", "outcomes.escalated", "已上报"), now)
    async with database.read() as session:
        rules = await read_desk_rules(session, SHIPPED)
    assert rules.minutes("resolve", Priority.NORMAL) == 7 * 450
    assert list(rules.handoff.outcomes.values())[-1] == "已上报"
    assert rules.hours is SHIPPED.hours


@pytest.mark.parametrize("key", desk_rules.KEYS)
async def test_what_is_in_force_can_be_set_again_as_it_is(
    database: Database, now: datetime, key: Key
) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        await SETTERS[key](session, boss, SHIPPED.as_setting(key), now)
        rules = await read_desk_rules(session, SHIPPED)
    assert rules.as_setting(key) == SHIPPED.as_setting(key)
    assert (rules.hours.shifts, rules.promises, rules.warn_share, rules.handoff) == (
        SHIPPED.hours.shifts,
        SHIPPED.promises,
        SHIPPED.warn_share,
        SHIPPED.handoff,
    )


async def test_a_second_change_replaces_the_first_and_both_are_audited(
    database: Database, now: datetime
) -> None:
    later = now + timedelta(hours=1)
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR, login="wang")
        other = await make_staff(session, role=StaffRole.SUPERVISOR, login="zhao")
        await desk_rules.set_shifts(session, boss, SATURDAYS, now)
        await desk_rules.set_shifts(session, other, {6: [("09:00", "24:00")]}, later)
        await desk_rules.reset_setting(session, boss, "promises", later)
    async with database.transaction() as session:
        await desk_rules.reset_setting(session, boss, "shifts", later)
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(entry.actor, entry.deed, entry.subject_id) for entry in entries] == [
        ("staff:wang", "desk.set", "shifts"),
        ("staff:zhao", "desk.set", "shifts"),
        ("staff:wang", "desk.reset", "shifts"),
    ]
    assert entries[0].detail == {"value": SATURDAYS}
    assert entries[1].detail == {"value": {"6": [["09:00", "24:00"]]}}


async def test_a_setting_says_who_changed_it_and_when(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        first, second = [await make_staff(session, role=StaffRole.SUPERVISOR) for _ in range(2)]
        await desk_rules.set_shifts(session, first, SATURDAYS, now)
        await desk_rules.set_shifts(session, second, SATURDAYS, now + timedelta(minutes=5))
    async with database.read() as session:
        setting = await session.get_one(DeskSetting, "shifts")
    assert (setting.updated_by_id, setting.updated_at) == (second.id, now + timedelta(minutes=5))


@pytest.mark.postgres
async def test_two_supervisors_who_set_the_same_thing_at_once_both_succeed_and_the_last_counts(
    postgres_database: Database, now: datetime
) -> None:
    database = postgres_database  # SQLite has one writer at a time
    async with database.transaction() as session:
        first, second = [await make_staff(session, role=StaffRole.SUPERVISOR) for _ in range(2)]

    async def set_sundays() -> None:
        async with database.transaction() as session:
            await desk_rules.set_shifts(session, second, {"6": [["09:00", "11:00"]]}, now)

    async with database.transaction() as session:
        await desk_rules.set_shifts(session, first, SATURDAYS, now)
        waiting = asyncio.create_task(set_sundays())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    await waiting
    async with database.read() as session:
        setting = await session.get_one(DeskSetting, "shifts")
        assert (await session.scalar(select(func.count()).select_from(AuditEntry))) == 2
    assert (setting.updated_by_id, list(setting.value)) == (second.id, ["6"])


@pytest.mark.parametrize("role", [role for role in StaffRole if Right.EDIT_DESK not in RIGHTS[role]])
async def test_who_may_not_edit_the_desk_changes_nothing(
    database: Database, now: datetime, role: StaffRole
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, role=role)
        for key in desk_rules.KEYS:
            with pytest.raises(NotAllowed):
                await SETTERS[key](session, worker, SHIPPED.as_setting(key), now)
            with pytest.raises(NotAllowed):
                await desk_rules.reset_setting(session, worker, key, now)
        assert (await session.scalars(select(DeskSetting))).all() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shifts", {}),
        ("shifts", {"0": []}),
        ("shifts", {"7": [["08:00", "12:00"]]}),
        ("shifts", {"一": [["08:00", "12:00"]]}),
        ("shifts", {"0": "08:00-12:00"}),
        ("shifts", {"0": ["08:00"]}),
        ("shifts", {"0": [["08:00", "12:00", "13:00"]]}),
        ("shifts", {"0": [[8, 12]]}),
        ("shifts", {"0": [["12:00", "08:00"]]}),
        ("shifts", {"0": [["08:00", "8:30"]]}),
        ("shifts", {"0": [["08:00", "12:00"], ["11:00", "13:00"]]}),
        ("promises", {}),
        ("promises", changed("promises", "warn_at", 0)),
        ("promises", changed("promises", "warn_at", "0.8")),
        ("promises", changed("promises", "high", None)),
        ("promises", changed("promises", "urgent", {})),
        ("promises", changed("promises", "high.first_reply_minutes", 0)),
        ("promises", changed("promises", "high.first_reply_minutes", "15")),
        ("promises", changed("promises", "high.first_reply_minutes", True)),
        ("promises", changed("promises", "high.next_reply_minutes", 1441)),
        ("promises", changed("promises", "high.resolve_days", 61)),
        ("promises", changed("promises", "high.counts", "sometimes")),
        ("promises", changed("promises", "high.counts", None)),
        ("handoff", changed("handoff", "wrap_up_minutes", 0)),
        ("handoff", changed("handoff", "block_hours_max", 169)),
        ("handoff", changed("handoff", "wrap_up_minutes", None)),
        ("handoff", changed("handoff", "outcomes", {})),
        ("handoff", changed("handoff", "outcomes.answered", "")),
        ("handoff", changed("handoff", "outcomes.answered", "长" * 21)),
        ("handoff", changed("handoff", "outcomes", {"not a code": "其他"})),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence_and_changes_nothing(
    database: Database, now: datetime, key: Key, value: dict[str, Any]
) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        with pytest.raises(BadInput) as refused:
            await SETTERS[key](session, boss, value, now)
        assert refused.value.values["field"] == key
        assert "有误" in WORDING.refuse(refused.value)
        assert await read_desk_rules(session, SHIPPED) is SHIPPED
        assert (await session.scalars(select(AuditEntry))).all() == []


async def test_a_row_of_another_version_is_logged_and_does_not_close_the_desk(
    database: Database, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        await desk_rules.set_shifts(session, boss, SATURDAYS, now)
        session.add(DeskSetting(key="promises", value={"soon": True}, updated_at=now))
        session.add(DeskSetting(key="something_else", value={}, updated_at=now))
    with caplog.at_level(logging.ERROR, logger="casework.desk_rules"):
        async with database.read() as session:
            rules = await read_desk_rules(session, SHIPPED)
    assert rules.promises == SHIPPED.promises
    assert rules.hours.minutes_per_day == 120
    assert "promises" in caplog.text
