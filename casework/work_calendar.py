"""Work calendar: which days are worked in China, and working time counted along the hotline's shifts.

Days come from a dated table (``work_calendar.yml``); a year whose notice is not out yet is only known as
Monday to Friday without the fixed holidays. Moments go in aware and come out in UTC; shifts are Shanghai
wall time.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from casework.clock import SHANGHAI, shanghai_day
from casework.knowledge_files import Entry, read_knowledge

FILE = "work_calendar.yml"
MONDAY = 0
_SATURDAY = 5
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MIDNIGHT = time(0)


class WorkCalendar:
    """Work calendar: holidays and worked weekend days (调休), and from which year on nothing is certain."""

    def __init__(
        self,
        *,
        holidays: Mapping[date, str],
        workdays: Collection[date],
        years: Mapping[int, str],
        every_year: Mapping[tuple[int, int], str],
        as_of: date,
    ) -> None:
        self._holidays = dict(holidays)
        self._workdays = frozenset(workdays)
        self._every_year = dict(every_year)
        self.years = dict(years)
        """The years with a table, and the notice each was taken from."""
        self.as_of = as_of
        """The day the table was last checked."""

    @classmethod
    def load(cls, path: Path) -> WorkCalendar:
        """Read ``work_calendar.yml``; raises KnowledgeError naming the entry that breaks a rule."""
        top = Entry(path.name, "(top)", read_knowledge(path))
        holidays: dict[date, str] = {}
        workdays: set[date] = set()
        years: dict[int, str] = {}
        for name, entry in top.named_entries("years").items():
            if not name.isdecimal():
                raise entry.error("is not a year")
            years[int(name)] = entry.text("source")
            _read_year(int(name), entry, holidays, workdays)
        if both := workdays & holidays.keys():
            raise top.error(f"both holiday and workday: {', '.join(map(str, sorted(both)))}")
        calendar = cls(
            holidays=holidays,
            workdays=workdays,
            years=years,
            every_year=_read_every_year(top.entry("every_year")),
            as_of=top.day("as_of"),
        )
        top.done()
        return calendar

    def holiday(self, day: date) -> str | None:
        """The name of the holiday a day belongs to, or None."""
        if day in self._holidays:
            return self._holidays[day]
        return None if self.certain(day) else self._every_year.get((day.month, day.day))

    def is_moved_workday(self, day: date) -> bool:
        """Whether a day is a weekend day that is worked (调休上班)."""
        return day in self._workdays

    def is_workday(self, day: date) -> bool:
        """Whether a day is worked, as far as is known (see ``certain``)."""
        if self.is_moved_workday(day):
            return True
        return day.weekday() < _SATURDAY and self.holiday(day) is None

    def certain(self, day: date) -> bool:
        """Whether the year's notice is in the table; without it moving holidays and 调休 are unknown."""
        return day.year in self.years

    def unknown_year(self, start: date, days: int = 60) -> int | None:
        """The first year without a table that begins or runs within so many days of a day, or None."""
        return next(
            (year for year in range(start.year, (start + days * _DAY).year + 1) if year not in self.years),
            None,
        )


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """Shift: staffed from ``opens`` until before ``closes``, Shanghai time; closing at 00:00 is midnight.

    One that runs past midnight is written as two. Raises ValueError when it closes before it opens.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if (
            self.closes not in (_MIDNIGHT, max(self.opens, self.closes))
            or self.opens == self.closes != _MIDNIGHT
        ):
            raise ValueError(f"a shift closes after it opens: {self}")

    @classmethod
    def parse(cls, opens: str, closes: str) -> Shift:
        """A shift from ``HH:MM`` and ``HH:MM`` (or ``24:00``); raises ValueError for anything else."""
        return cls(_parse_time(opens), _MIDNIGHT if closes == "24:00" else _parse_time(closes))

    def on(self, day: date) -> tuple[datetime, datetime]:
        """When it opens and closes on a day, in UTC."""
        closing_day = day + _DAY if self.closes == _MIDNIGHT else day
        return _at(day, self.opens), _at(closing_day, self.closes)

    @property
    def minutes(self) -> int:
        """How long it is."""
        start, end = self.on(date(2026, 1, 1))
        return (end - start) // _MINUTE

    def as_texts(self) -> list[str]:
        """As ``parse`` takes it: ``["08:30", "12:00"]``."""
        return [f"{self.opens:%H:%M}", "24:00" if self.closes == _MIDNIGHT else f"{self.closes:%H:%M}"]


def check_shifts(shifts: Mapping[int, Sequence[Shift]]) -> None:
    """Raises ValueError for shifts that overlap, an unknown weekday (0 to 6), or no shift at all."""
    if unknown := shifts.keys() - set(range(7)):
        raise ValueError(f"no such weekday: {unknown}")
    if not any(shifts.values()):
        raise ValueError("without any shift nobody would ever answer")
    for listed in map(sorted, shifts.values()):
        for earlier, later in itertools.pairwise(listed):
            if earlier.closes == _MIDNIGHT or later.opens < earlier.closes:
                raise ValueError(f"shifts overlap: {earlier} and {later}")


class Hours:
    """Hours: when the hotline is staffed, and working time counted along it."""

    def __init__(self, calendar: WorkCalendar, shifts: Mapping[int, Sequence[Shift]]) -> None:
        """Shifts by weekday (0 Monday to 6 Sunday); a weekday that is absent has none.

        Raises ValueError as ``check_shifts`` does.
        """
        check_shifts(shifts)
        self.calendar = calendar
        self.shifts = {weekday: tuple(sorted(shifts.get(weekday, ()))) for weekday in range(7)}
        """Shifts of each weekday, the earliest first."""

    @property
    def minutes_per_day(self) -> int:
        """How long a usual working day is: the median of the weekdays that have shifts."""
        return statistics.median_low(
            sum(shift.minutes for shift in day) for day in self.shifts.values() if day
        )

    def shifts_on(self, day: date) -> tuple[Shift, ...]:
        """The shifts of one day: none on a holiday, Monday's on a worked weekend day, else the weekday's.

        Where nobody works on Mondays, a worked weekend day keeps its own.
        """
        if self.calendar.is_moved_workday(day):
            return self.shifts[MONDAY] or self.shifts[day.weekday()]
        return () if self.calendar.holiday(day) is not None else self.shifts[day.weekday()]

    def is_working(self, moment: datetime) -> bool:
        """Whether somebody is there; at the opening yes, at the closing no. Raises ValueError for naive."""
        return self.next_opening(moment) == moment

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself when open, else the next opening. Raises ValueError for a naive moment."""
        return next(self._stretches(moment))[0]

    def closes_at(self, moment: datetime) -> datetime:
        """When the present stretch of open time ends, or the next one where it is closed now.

        Shifts that meet, also at midnight, are one stretch. Raises ValueError for a naive moment.
        """
        stretches = self._stretches(moment)
        closes = next(stretches)[1]
        for start, end in stretches:
            if start != closes:
                break
            closes = end
        return closes

    def add(self, moment: datetime, minutes: int) -> datetime:
        """The moment so many working minutes later, counting from the next opening when closed.

        Time that runs out with a shift ends at its closing, not at the next opening; zero minutes give
        the next working moment. Raises ValueError for a naive moment or fewer than zero minutes.
        """
        if minutes < 0:
            raise ValueError(f"working time is counted forward: got {minutes} minutes")
        left = minutes * _MINUTE
        stretches = self._stretches(moment)
        start, end = next(stretches)
        while left > end - start:
            left -= end - start
            start, end = next(stretches)
        return start + left

    def between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from one moment to another, 0 when it is earlier.

        Raises ValueError for naive moments.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("a moment needs its time zone: got a naive datetime")
        total = timedelta(0)
        if end <= start:
            return 0
        for opens, closes in self._stretches(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total // _MINUTE

    def _stretches(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is left of every shift that closes after a moment, in order, without end."""
        day = shanghai_day(moment)
        moment = moment.astimezone(UTC)
        while True:
            for shift in self.shifts_on(day):
                opens, closes = shift.on(day)
                if closes > moment:
                    yield max(opens, moment), closes
            day += _DAY


def _at(day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, SHANGHAI).astimezone(UTC)


def _parse_time(text: str) -> time:
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()):
        raise ValueError(f"a time is HH:MM, not {text!r}")
    return time(int(hours), int(minutes))


def _read_year(year: int, entry: Entry, holidays: dict[date, str], workdays: set[date]) -> None:
    """Add one notice's days. A notice may begin in the last days of the December before."""

    def check(day: date, seen: Collection[date]) -> None:
        if day in seen:
            raise entry.error(f"{day} is there twice")
        if not date(year - 1, 12, 25) <= day <= date(year, 12, 31):
            raise entry.error(f"{day} is not in {year}")

    for item in entry.entries("holidays"):
        name, first, last = item.text("name"), item.day("from"), item.day("to")
        item.done()
        if last < first:
            raise item.error("ends before it begins")
        for offset in range((last - first).days + 1):
            day = first + offset * _DAY
            check(day, holidays)
            holidays[day] = name
    for day in entry.raw("workdays") or ():
        if type(day) is not date or day.weekday() < _SATURDAY:
            raise entry.error(f"workdays holds {day}, which is no Saturday or Sunday (YYYY-MM-DD)")
        check(day, workdays)
        workdays.add(day)
    entry.done()


def _read_every_year(entry: Entry) -> dict[tuple[int, int], str]:
    entry.text("source")
    found: dict[tuple[int, int], str] = {}
    for item in entry.entries("holidays"):
        name = item.text("name")
        for text in item.texts("days"):
            try:
                day = date.fromisoformat(f"2000-{text}")
            except ValueError:
                raise item.error(f"{text!r} is not MM-DD") from None
            found[day.month, day.day] = name
        item.done()
    entry.done()
    return found
