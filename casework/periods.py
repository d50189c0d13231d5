"""Periods: stretches of whole days in Shanghai, and how the databases name the day of a moment.

Shanghai keeps UTC+8 all year since 1991, so a day there is 24 hours in UTC, shifted by eight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from casework.clock import SHANGHAI
from casework.errors import BadInput

MAX_DAYS = 1100
"""Three years: nobody reads a longer table, and a year 1 to 9999 would be one."""
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""Shanghai kept summer time before 1992; the end is arbitrary."""


@dataclass(frozen=True, slots=True)
class Period:
    """Period: whole days in Shanghai, the first and the last included.

    Raises BadInput (field ``period``) when it ends before it starts or is longer than 1,100 days.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start.year < FIRST_YEAR or self.end.year > LAST_YEAR:
            raise BadInput(f"the years {FIRST_YEAR} to {LAST_YEAR}", field="period", limit=MAX_DAYS)
        if self.end < self.start or self.length > MAX_DAYS:
            raise BadInput(f"a period is 1 to {MAX_DAYS} days", field="period", limit=MAX_DAYS)

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def begins(self) -> datetime:
        """Its first moment, in UTC."""
        return _midnight(self.start)

    @property
    def over(self) -> datetime:
        """The first moment after it, in UTC."""
        return _midnight(self.end) + timedelta(days=1)

    def days(self) -> Iterator[date]:
        """Each of its days."""
        return (self.start + timedelta(days=step) for step in range(self.length))

    def weeks(self) -> Iterator[date]:
        """The Monday of each week it touches; the first may lie before it."""
        monday = self.start - timedelta(days=self.start.weekday())
        while monday <= self.end:
            yield monday
            monday += timedelta(days=7)


class Preset(StrEnum):
    """A period people ask for by name."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


def preset_period(preset: Preset, today: date) -> Period:
    """The period a name means on a day; weeks begin on Monday, those and months still running end today."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    match preset:
        case Preset.TODAY:
            return Period(today, today)
        case Preset.YESTERDAY:
            return Period(today - timedelta(days=1), today - timedelta(days=1))
        case Preset.THIS_WEEK:
            return Period(monday, today)
        case Preset.LAST_WEEK:
            return Period(monday - timedelta(days=7), monday - timedelta(days=1))
        case Preset.THIS_MONTH:
            return Period(first, today)
        case Preset.LAST_MONTH:
            last = first - timedelta(days=1)
            return Period(last.replace(day=1), last)


class shanghai_day(FunctionElement[str]):  # a SQL function, named as one
    """The day in Shanghai of a stored moment, as ``2026-07-20``; for grouping."""

    type = Text()
    name = "shanghai_day"
    inherit_cache = True


class shanghai_week(FunctionElement[str]):  # a SQL function, named as one
    """The Monday (in Shanghai) of the week of a stored moment, as ``2026-07-20``; for grouping."""

    type = Text()
    name = "shanghai_week"
    inherit_cache = True


@compiles(shanghai_day, "sqlite")
def _day_on_sqlite(element: shanghai_day, compiler: Any, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(shanghai_day, "postgresql")
def _day_on_postgresql(element: shanghai_day, compiler: Any, **options: Any) -> str:
    return (
        f"to_char({compiler.process(element.clauses, **options)} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
    )


@compiles(shanghai_week, "sqlite")
def _week_on_sqlite(element: shanghai_week, compiler: Any, **options: Any) -> str:
    # The Sunday that ends the week (a Sunday stays where it is), and six days back.
    return f"date({compiler.process(element.clauses, **options)}, '+8 hours', 'weekday 0', '-6 days')"


@compiles(shanghai_week, "postgresql")
def _week_on_postgresql(element: shanghai_week, compiler: Any, **options: Any) -> str:
    moment = f"{compiler.process(element.clauses, **options)} AT TIME ZONE 'Asia/Shanghai'"
    return f"to_char(date_trunc('week', {moment}), 'YYYY-MM-DD')"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=SHANGHAI).astimezone(UTC)
