"""Desk rules: when the hotline is staffed, what is promised to members, and how a handoff runs.

They ship in ``desk.yml``; what supervisors changed stands in the table ``desk_settings``, one row for each of
``shifts``, ``promises`` and ``handoff``, in the same shape as the file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, KnowledgeError
from casework.knowledge_files import Entry, read_knowledge
from casework.permissions import Right, require
from casework.tables import DeskSetting, Priority, Staff
from casework.work_calendar import FILE as CALENDAR_FILE
from casework.work_calendar import Hours, Shift, WorkCalendar, check_shifts

FILE = "desk.yml"
AROUND_THE_CLOCK = "around_the_clock"
WORKING_TIME = "working_time"
MAX_REPLY_MINUTES = 1440
MAX_RESOLVE_DAYS = 60
MAX_LABEL = 20
"""Characters of an outcome's label."""

Promised = Literal["first_reply", "next_reply", "resolve"]
Key = Literal["shifts", "promises", "handoff"]
KEYS: tuple[Key, ...] = ("shifts", "promises", "handoff")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Promise:
    """Promise: what members of one priority are promised; replies in minutes, cases in working days."""

    first_reply_minutes: int
    next_reply_minutes: int
    resolve_days: int
    around_the_clock: bool
    """Replies count nights and holidays too; a case's days are working days always."""


@dataclass(frozen=True, slots=True)
class HandoffRules:
    """Handoff rules: how long each thing may take, and what may come of a conversation."""

    notice_every_minutes: int
    offline_after_seconds: int
    unanswered_after_minutes: int
    wrap_up_minutes: int
    hold_minutes_max: int
    block_hours_max: int
    outcomes: Mapping[str, str]
    """Code → label, in the order they are offered."""


_HANDOFF_LIMITS: Mapping[str, int] = {
    "notice_every_minutes": 120,
    "offline_after_seconds": 3600,
    "unanswered_after_minutes": 480,
    "wrap_up_minutes": 120,
    "hold_minutes_max": 480,
    "block_hours_max": 168,
}
"""The most each may be set to; the least is 1."""


@dataclass(frozen=True, slots=True)
class DeskRules:
    """Desk rules: everything of ``desk.yml`` with what supervisors changed, and the times it leads to."""

    hours: Hours
    promises: Mapping[Priority, Promise]
    warn_share: float
    """The share of a promised time after which staff are warned."""
    handoff: HandoffRules

    def minutes(self, kind: Promised, priority: int) -> int:
        """How many minutes are promised: working ones, unless ``counts_clock``."""
        promise = self.promises[Priority(priority)]
        if kind == "first_reply":
            return promise.first_reply_minutes
        if kind == "next_reply":
            return promise.next_reply_minutes
        return promise.resolve_days * self.hours.minutes_per_day

    def counts_clock(self, kind: Promised, priority: int) -> bool:
        """Whether the promise runs at night and on holidays too."""
        return kind != "resolve" and self.promises[Priority(priority)].around_the_clock

    def due(self, kind: Promised, priority: int, since: datetime) -> datetime:
        """When the promise runs out that began at a moment, in UTC; raises ValueError for a naive one."""
        return self._later(kind, priority, since, self.minutes(kind, priority))

    def warn_at(self, kind: Promised, priority: int, since: datetime) -> datetime:
        """When staff are to be warned of it, in UTC; raises ValueError for a naive moment."""
        minutes = self.minutes(kind, priority)
        return self._later(kind, priority, since, minutes - self.spare_minutes(kind, priority))

    def spare_minutes(self, kind: Promised, priority: int) -> int:
        """How many minutes are left when staff are warned, at least 1."""
        minutes = self.minutes(kind, priority)
        return minutes - int(minutes * self.warn_share)

    def answers_at(self, now: datetime) -> datetime:
        """When somebody will answer: now when the hotline is staffed, else the next opening."""
        return self.hours.next_opening(now)

    def as_setting(self, key: Key) -> dict[str, Any]:
        """What is in force now, in the shape ``set_shifts``, ``set_promises`` and ``set_handoff`` take."""
        if key == "shifts":
            return {
                str(weekday): [shift.as_texts() for shift in shifts]
                for weekday, shifts in self.hours.shifts.items()
            }
        if key == "promises":
            return {"warn_at": self.warn_share} | {
                priority.name.lower(): {
                    "first_reply_minutes": promise.first_reply_minutes,
                    "next_reply_minutes": promise.next_reply_minutes,
                    "resolve_days": promise.resolve_days,
                    "counts": AROUND_THE_CLOCK if promise.around_the_clock else WORKING_TIME,
                }
                for priority, promise in self.promises.items()
            }
        limits = {name: getattr(self.handoff, name) for name in _HANDOFF_LIMITS}
        return limits | {"outcomes": dict(self.handoff.outcomes)}

    def _later(self, kind: Promised, priority: int, since: datetime, minutes: int) -> datetime:
        if self.counts_clock(kind, priority):
            if since.tzinfo is None:
                raise ValueError("a moment needs its time zone: got a naive datetime")
            return since + timedelta(minutes=minutes)
        return self.hours.add(since, minutes)


def load_desk_rules(root: Path) -> DeskRules:
    """Read ``desk.yml`` and ``work_calendar.yml`` of a knowledge folder; raises KnowledgeError."""
    calendar = WorkCalendar.load(root / CALENDAR_FILE)
    top = Entry(FILE, "(top)", read_knowledge(root / FILE))
    promises, warn_share = _read_promises(top.entry("promises"))
    rules = DeskRules(
        hours=Hours(calendar, _read_shifts(top.entry("shifts"))),
        promises=promises,
        warn_share=warn_share,
        handoff=_read_handoff(top.entry("handoff")),
    )
    top.done()
    return rules


async def read_desk_rules(session: AsyncSession, shipped: DeskRules) -> DeskRules:
    """The rules in force: what ships, with what supervisors changed.

    A row that cannot be read (written by another version) is logged and what ships holds in its place.
    """
    rules = shipped
    rows = await session.execute(select(DeskSetting.key, DeskSetting.value).where(DeskSetting.key.in_(KEYS)))
    for row in rows:
        key: Key = row.key
        try:
            rules = _with(rules, key, row.value)
        except KnowledgeError as error:
            _log.error("a desk setting cannot be used, what ships holds instead: %s", error)
    return rules


async def set_shifts(session: AsyncSession, staff: Staff, shifts: Mapping[str, Any], now: datetime) -> None:
    """Set when the hotline is staffed: weekday ("0" Monday to "6" Sunday) → ``[["08:30", "12:00"], …]``.

    A weekday that is absent has no shifts. Audited. Raises NotAllowed without the right EDIT_DESK, BadInput
    (field ``shifts``) for times that are none, shifts that overlap, or none at all.
    """
    await _set(session, staff, "shifts", {str(day): listed for day, listed in shifts.items()}, now)


async def set_promises(
    session: AsyncSession, staff: Staff, promises: Mapping[str, Any], now: datetime
) -> None:
    """Set what is promised, whole, in the shape of ``desk.yml`` (``rules.as_setting("promises")``).

    Audited. Raises NotAllowed without the right EDIT_DESK, BadInput (field ``promises``) for what is missing,
    unknown or out of range.
    """
    await _set(session, staff, "promises", dict(promises), now)


async def set_handoff(session: AsyncSession, staff: Staff, handoff: Mapping[str, Any], now: datetime) -> None:
    """Set how a handoff runs, whole, in the shape of ``desk.yml``; as ``set_promises``, field ``handoff``."""
    await _set(session, staff, "handoff", dict(handoff), now)


async def reset_setting(session: AsyncSession, staff: Staff, key: Key, now: datetime) -> bool:
    """Go back to what ships for one key; returns whether anything had been changed. Audited.

    Raises NotAllowed without the right EDIT_DESK.
    """
    require(staff, Right.EDIT_DESK)
    setting = await session.get(DeskSetting, key, with_for_update=True)
    if setting is None:
        return False
    await session.delete(setting)
    await session.flush()
    audit.record(session, audit.staff_actor(staff), "desk.reset", "desk_setting", key, now=now)
    return True


async def _set(session: AsyncSession, staff: Staff, key: Key, value: dict[str, Any], now: datetime) -> None:
    require(staff, Right.EDIT_DESK)
    try:
        _READERS[key](Entry("desk_settings", key, value))
    except KnowledgeError as error:
        raise BadInput(str(error), field=key) from error
    setting = await session.get(DeskSetting, key, with_for_update=True)
    if setting is None:
        try:
            async with session.begin_nested():
                session.add(DeskSetting(key=key, value=value, updated_at=now, updated_by_id=staff.id))
        except IntegrityError:
            # On PostgreSQL a colleague may have set it first; the last word counts.
            setting = await session.get_one(DeskSetting, key, with_for_update=True)
    if setting is not None:
        setting.value, setting.updated_at, setting.updated_by_id = value, now, staff.id
        await session.flush()
    audit.record(session, audit.staff_actor(staff), "desk.set", "desk_setting", key, now=now, value=value)


def _read_shifts(entry: Entry) -> dict[int, list[Shift]]:
    shifts: dict[int, list[Shift]] = {}
    for weekday in entry.names():
        if weekday not in {"0", "1", "2", "3", "4", "5", "6"}:
            raise entry.error(f"{weekday} is no weekday (0 Monday to 6 Sunday)")
        listed = entry.raw(weekday)
        if not isinstance(listed, list):
            raise entry.error(f"{weekday} must be a list of shifts")
        for pair in listed:
            if (
                not isinstance(pair, (list, tuple))
                or len(pair) != 2
                or any(not isinstance(t, str) for t in pair)
            ):
                raise entry.error(f'{weekday}: a shift is ["08:30", "12:00"], not {pair!r}')
            try:
                shifts.setdefault(int(weekday), []).append(Shift.parse(pair[0], pair[1]))
            except ValueError as error:
                raise entry.error(f"{weekday}: {error}") from error
    try:
        check_shifts(shifts)
    except ValueError as error:
        raise entry.error(str(error)) from error
    return shifts


def _read_promises(entry: Entry) -> tuple[dict[Priority, Promise], float]:
    warn_share = entry.number("warn_at")
    if not 0 < warn_share < 1:
        raise entry.error("warn_at is a share between 0 and 1")
    promises: dict[Priority, Promise] = {}
    for priority in Priority:
        part = entry.entry(priority.name.lower())
        promises[priority] = Promise(
            first_reply_minutes=_whole(part, "first_reply_minutes", MAX_REPLY_MINUTES),
            next_reply_minutes=_whole(part, "next_reply_minutes", MAX_REPLY_MINUTES),
            resolve_days=_whole(part, "resolve_days", MAX_RESOLVE_DAYS),
            around_the_clock=part.choice("counts", (AROUND_THE_CLOCK, WORKING_TIME)) == AROUND_THE_CLOCK,
        )
        part.done()
    entry.done()
    return promises, warn_share


def _read_handoff(entry: Entry) -> HandoffRules:
    limits = {name: _whole(entry, name, most) for name, most in _HANDOFF_LIMITS.items()}
    labels = entry.entry("outcomes")
    outcomes = {code: labels.text(code) for code in labels.names()}
    entry.done()
    if not outcomes:
        raise labels.error("must have at least one outcome")
    for code, label in outcomes.items():
        if not code.isidentifier() or len(code) > 40 or len(label) > MAX_LABEL:
            raise labels.error(f"{code}: a code is a_word_like_this, a label at most {MAX_LABEL} characters")
    return HandoffRules(**limits, outcomes=outcomes)


def _whole(entry: Entry, field: str, most: int) -> int:
    value = entry.raw(field)
    if type(value) is not int or not 1 <= value <= most:
        raise entry.error(f"{field} must be a whole number from 1 to {most}")
    return value


def _with(rules: DeskRules, key: Key, value: object) -> DeskRules:
    entry = Entry("desk_settings", key, value)
    if key == "shifts":
        return replace(rules, hours=Hours(rules.hours.calendar, _read_shifts(entry)))
    if key == "handoff":
        return replace(rules, handoff=_read_handoff(entry))
    promises, warn_share = _read_promises(entry)
    return replace(rules, promises=promises, warn_share=warn_share)


_READERS: Mapping[Key, Callable[[Entry], object]] = {
    "shifts": _read_shifts,
    "promises": _read_promises,
    "handoff": _read_handoff,
}
