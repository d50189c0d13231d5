"""Rates: every number a right hangs on that changes by year or place, and the days the law counts otherwise.

Where no row is in force on a day, nothing takes its place: ``NoRate`` says so and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from casework.districts import Districts
from casework.errors import CaseworkError, KnowledgeError
from casework.rate_files import (
    FOLDER,
    STATUTORY_DAYS,
    YEAR,
    Row,
    StatutoryYear,
    Table,
    load_statutory_days,
    load_tables,
)
from casework.work_calendar import FILE as CALENDAR_FILE
from casework.work_calendar import WorkCalendar

__all__ = ["LOOK_AHEAD_DAYS", "Ending", "NoRate", "Rates", "Row", "StatutoryYear", "Table"]

Reason = Literal["missing", "expired", "not_yet"]
LOOK_AHEAD_DAYS = 60
"""How long before a row ends it is spoken of."""
_DAY = timedelta(days=1)


class NoRate(CaseworkError):
    """No row of a table is in force for a key on a day.

    ``reason`` is ``expired`` when all its rows ended before (``last`` is the newest, to be spoken of and
    never used), ``not_yet`` when all begin later, else ``missing``.
    """

    def __init__(self, table: str, key: Mapping[str, str], on: date, rows: tuple[Row, ...]) -> None:
        """``rows`` are all of this key, the oldest first."""
        super().__init__(f"{table}: nothing in force on {on} for {', '.join(key.values())}")
        self.table = table
        self.key = dict(key)
        self.on = on
        self.last: Row | None = None
        self.reason: Reason = "missing"
        if rows and rows[0].valid_from > on:
            self.reason = "not_yet"
        elif rows and rows[-1].valid_from <= on:
            self.reason, self.last = "expired", rows[-1]


@dataclass(frozen=True, slots=True)
class Ending:
    """Ending: a row that ends, or is to be looked at again, and that nothing follows yet."""

    row: Row
    on: date
    """Its last day, or the last day before it is to be looked at again."""
    kind: Literal["valid_to", "review_by"]
    overdue: bool
    """Whether that day is over."""


class Rates:
    """Every rate table, the work calendar and the statutory holidays of one knowledge folder."""

    def __init__(
        self, tables: Mapping[str, Table], statutory: Mapping[int, StatutoryYear], calendar: WorkCalendar
    ) -> None:
        self.tables = dict(tables)
        """Tables by name."""
        self.statutory = dict(statutory)
        """The statutory holidays of each year that is known."""
        self.calendar = calendar
        """Holidays (放假) and worked weekend days (调休)."""

    @classmethod
    def load(cls, root: Path) -> Rates:
        """Read a knowledge folder's rates; raises KnowledgeError naming the file and entry at fault."""
        calendar = WorkCalendar.load(root / CALENDAR_FILE)
        statutory = load_statutory_days(root)
        for year, known in statutory.items():
            worked = [day for day in known.days if calendar.certain(day) and calendar.holiday(day) is None]
            if worked:
                raise KnowledgeError(
                    f"{FOLDER}/{STATUTORY_DAYS}: years.{year}: {CALENDAR_FILE} has no holiday on {worked[0]}"
                )
        tables = load_tables(root, Districts.load(root / "districts.yml").names)
        return cls(tables, statutory, calendar)

    def find(self, table: str, on: date, **key: str) -> Row:
        """The row of a key in force on a day; raises NoRate, and KeyError for no such table or key field."""
        known = self.tables[table]
        if set(key) != set(known.keys):
            raise KeyError(
                f"{table} is found by {', '.join(known.keys)}, not by {', '.join(key) or 'nothing'}"
            )
        rows = tuple(row for row in known.rows if row.key == key)
        for row in rows:
            if row.in_force(on):
                return row
        raise NoRate(table, key, on, rows)

    def rows(self, table: str) -> tuple[Row, ...]:
        """Every row of a table, by key, the oldest first; raises KeyError for no such table."""
        return self.tables[table].rows

    def ending(self, today: date, days: int = LOOK_AHEAD_DAYS) -> tuple[Ending, ...]:
        """What ends or is to be looked at again within so many days, or already was, the earliest first.

        A row that another follows is not among them; where the key names a year, next year's row follows.
        """
        horizon = today + days * _DAY
        found = []
        for table in self.tables.values():
            newest: dict[tuple[str, ...], Row] = {}
            for row in sorted(table.rows, key=lambda row: row.valid_from):
                newest[tuple(value for name, value in row.key.items() if name != YEAR)] = row
            for row in newest.values():
                if row.valid_to is not None and row.valid_to <= horizon:
                    found.append(Ending(row, row.valid_to, "valid_to", overdue=row.valid_to < today))
                elif row.review_by is not None and row.review_by <= horizon:
                    found.append(Ending(row, row.review_by, "review_by", overdue=row.review_by < today))
        return tuple(sorted(found, key=lambda ending: (ending.on, ending.row.table)))

    def is_statutory_holiday(self, day: date) -> bool | None:
        """Whether work on a day is paid threefold (劳动法 第四十四条第三项); None: that year is not known."""
        known = self.statutory.get(day.year)
        return None if known is None else day in known.days

    def unknown_statutory_year(self, today: date, days: int = LOOK_AHEAD_DAYS) -> int | None:
        """The first year without statutory holidays that begins or runs within so many days, or None."""
        years = range(today.year, (today + days * _DAY).year + 1)
        return next((year for year in years if year not in self.statutory), None)

    def roll_forward(self, day: date) -> tuple[date, bool]:
        """The last day of a time limit, moved off days of rest to the next working day (民法典 第二百零三条).

        Worked weekend days (调休) count as working. The second says whether it is certain: the notices of the
        years it falls in are known.
        """
        last = day
        while not self.calendar.is_workday(last):
            last += _DAY
        return last, self.calendar.certain(day) and self.calendar.certain(last)
