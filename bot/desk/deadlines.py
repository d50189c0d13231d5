"""Deadlines: how much working time a case has left, or by how much it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from casework.desk_rules import DeskRules

FAR = timedelta(days=60)
"""Beyond it calendar days are counted: nobody plans in working hours there, and counting them costs."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Deadline: when a case must be dealt with, and what that is in working time from now."""

    at: datetime
    over: bool
    standing: bool
    """It stands still: the member was asked for something."""
    near: bool
    """So little is left that staff are warned of it."""
    days: int
    hours: int
    minutes: int
    by_calendar: bool
    """The days are calendar days, not working days."""


def deadline_of(
    due_at: datetime | None, priority: int, now: datetime, rules: DeskRules, *, standing: bool = False
) -> Deadline | None:
    """The deadline of an open case of this priority (0 to 2), in the working time of ``rules``.

    None for a case that has none yet.
    """
    if due_at is None:
        return None
    over = due_at < now
    if abs(due_at - now) > FAR:
        return Deadline(due_at, over, standing, near=False, days=abs(due_at - now).days, hours=0, minutes=0,
                        by_calendar=True)  # fmt: skip
    left = rules.hours.between(*sorted((now, due_at)))
    near = not over and left <= rules.spare_minutes("resolve", priority)
    days, rest = divmod(left, rules.hours.minutes_per_day)
    hours, minutes = divmod(rest, 60)
    return Deadline(due_at, over, standing, near, days, hours, minutes, by_calendar=False)
