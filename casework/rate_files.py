"""Rate files: ``data/knowledge/rates/*.yml`` read strictly, one table a file, and the statutory holidays.

A file says by itself which key and which values its rows have, so a new table is a new file and no code.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from casework.articles import Mark
from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge

FOLDER = "rates"
STATUTORY_DAYS = "statutory_holidays.yml"
DISTRICT, YEAR = "district", "year"
"""The kinds of key beside a list of choices: an official district name, and a year of four digits."""
_UNVERIFIED = re.compile(r"V\s*0|【", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DECIMAL = re.compile(r"\d{1,9}(?:\.\d{1,4})?")
_NAME = re.compile(r"[a-z][a-z_]*")
_DAY = timedelta(days=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """Rate row: the values of one key in force from ``valid_from`` to ``valid_to``, both days included."""

    table: str
    key: Mapping[str, str]
    values: Mapping[str, Decimal]
    valid_from: date
    valid_to: date | None
    """None: in force until another row replaces it."""
    review_by: date | None
    """After this day it is still the last that is known, and the answer says so."""
    source: str
    checked_on: date
    mark: Mark

    def in_force(self, on: date) -> bool:
        """Whether the row is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def source_json(self) -> dict[str, Any]:
        """As messages store a source and the API shows it."""
        return {"title": self.source, "article": None, "as_of": self.checked_on.isoformat()}


@dataclass(frozen=True, slots=True)
class Table:
    """Rate table: rows of one kind; ``keys`` are what a row is found by, ``units`` what its values are in."""

    name: str
    title: str
    keys: tuple[str, ...]
    units: Mapping[str, str]
    rows: tuple[Row, ...]
    """By key, the oldest first."""


@dataclass(frozen=True, slots=True)
class StatutoryYear:
    """The 法定节假日 of one year by day, and where they are from (全国年节及纪念日放假办法)."""

    days: Mapping[date, str]
    source: str
    checked_on: date
    mark: Mark


def load_tables(root: Path, districts: Collection[str]) -> dict[str, Table]:
    """Every rate table of ``root`` (data/knowledge) by name; raises KnowledgeError naming file and row."""
    tables = {}
    for path in sorted((root / FOLDER).glob("*.yml")):
        if path.name != STATUTORY_DAYS:
            tables[path.stem] = _read_table(path, districts)
    if not tables:
        raise KnowledgeError(f"{FOLDER}: there is no rate table")
    return tables


def load_statutory_days(root: Path) -> dict[int, StatutoryYear]:
    """Read the statutory holidays by year; raises KnowledgeError naming file and entry."""
    top = _top(root / FOLDER / STATUTORY_DAYS)
    top.text("title")
    years = {}
    for name, entry in top.named_entries("years").items():
        if not _YEAR.fullmatch(name):
            raise entry.error("is not a year")
        years[int(name)] = _read_statutory_year(int(name), entry)
    top.done()
    return years


def _top(path: Path) -> Entry:
    """The file's mapping; a mark of the facts file anywhere in it, comments too, is refused."""
    top = Entry(f"{FOLDER}/{path.name}", "(top)", read_knowledge(path))
    if found := _UNVERIFIED.search(path.read_text(encoding="utf-8")):
        raise top.error(f"a mark of the facts file is in the text: {found[0]}")
    return top


def _read_table(path: Path, districts: Collection[str]) -> Table:
    top = _top(path)
    title = top.text("title")
    allowed = _read_keys(top.entry("keys"), districts)
    units = _read_units(top.entry("values"))
    if both := allowed.keys() & units.keys():
        raise top.error(f"both key and value: {', '.join(sorted(both))}")
    rows: list[Row] = []
    for entry in top.entries("rows"):
        rows += _read_rows(path.stem, entry, allowed, units)
    top.done()
    if not rows:
        raise top.error("there must be at least one row")
    return Table(path.stem, title, tuple(allowed), MappingProxyType(units), _in_order(top, rows))


def _read_keys(entry: Entry, districts: Collection[str]) -> dict[str, Collection[str] | None]:
    """What each key field may hold; None is any year."""
    allowed: dict[str, Collection[str] | None] = {}
    for name in entry.names():
        kind = entry.raw(name)
        if kind == DISTRICT:
            allowed[name] = tuple(districts)
        elif kind == YEAR:
            allowed[name] = None
        elif isinstance(kind, list) and kind and len(set(entry.texts(name))) == len(kind):
            allowed[name] = entry.texts(name)
        else:
            raise entry.error(f"{name} must be {DISTRICT}, {YEAR}, or a list of different texts")
    return _named(entry, allowed)


def _read_units(entry: Entry) -> dict[str, str]:
    return _named(entry, {name: entry.text(name) for name in entry.names()})


def _named(entry: Entry, found: dict[str, T]) -> dict[str, T]:
    """What was found, when every name is a word and there is one."""
    if not found or not all(_NAME.fullmatch(name) for name in found):
        raise entry.error("must be a mapping of words_like_this with something in it")
    return found


def _read_rows(
    table: str, entry: Entry, allowed: Mapping[str, Collection[str] | None], units: Mapping[str, str]
) -> list[Row]:
    """The rows of one entry: one for each combination where a key field lists several."""
    keys = [[(name, value) for value in _read_key(entry, name, choices)] for name, choices in allowed.items()]
    values = {name: _read_amount(entry, name) for name in units}
    first = entry.day("valid_from")
    last = entry.optional_day("valid_to")
    review = entry.optional_day("review_by")
    row = Row(
        table=table,
        key={},
        values=MappingProxyType(values),
        valid_from=first,
        valid_to=last,
        review_by=review,
        source=entry.text("source"),
        checked_on=entry.day("checked_on"),
        mark=Mark(entry.choice("mark", tuple(Mark))),
    )
    entry.done()
    if last is not None and last < first:
        raise entry.error("valid_to is before valid_from")
    if review is not None and (review < first or (last is not None and review > last)):
        raise entry.error("review_by is no day the row is in force")
    return [replace(row, key=MappingProxyType(dict(key))) for key in itertools.product(*keys)]


def _read_key(entry: Entry, name: str, choices: Collection[str] | None) -> tuple[str, ...]:
    given = entry.texts(name) if isinstance(entry.raw(name), list) else (entry.text(name),)
    for value in given:
        if not (_YEAR.fullmatch(value) if choices is None else value in choices):
            raise entry.error(f"{name} cannot be {value!r}")
    if not given or len(set(given)) != len(given):
        raise entry.error(f"{name} is empty or names one twice")
    return given


def _read_amount(entry: Entry, name: str) -> Decimal:
    """A number that is exact: a whole one, or a text such as "21.75" (YAML would make it a binary float)."""
    value = entry.raw(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not _DECIMAL.fullmatch(str(value)):
        raise entry.error(f"{name} must be a whole number or a decimal in quotes, not less than 0")
    return Decimal(value)


def _in_order(top: Entry, rows: list[Row]) -> tuple[Row, ...]:
    """The rows by key and day, an open one ended where the next begins; raises for an overlap."""
    ordered = sorted(rows, key=lambda row: (tuple(row.key.items()), row.valid_from))
    for index, (row, after) in enumerate(itertools.pairwise(ordered)):
        if row.key != after.key:
            continue
        ends = row.valid_from if row.valid_to is None else row.valid_to
        if ends >= after.valid_from:
            named = ", ".join(row.key.values())
            raise top.error(f"rows of {named} overlap: {row.valid_from} and {after.valid_from}")
        if row.valid_to is None:
            ordered[index] = replace(row, valid_to=after.valid_from - _DAY)
    return tuple(ordered)


def _read_statutory_year(year: int, entry: Entry) -> StatutoryYear:
    days: dict[date, str] = {}
    for item in entry.entries("days"):
        name = item.text("name")
        for day in item.raw("days") or ():
            if type(day) is not date or day.year != year or day in days:
                raise item.error(f"{day} is no day of {year}, or there twice")
            days[day] = name
        item.done()
    found = StatutoryYear(
        days=MappingProxyType(days),
        source=entry.text("source"),
        checked_on=entry.day("checked_on"),
        mark=Mark(entry.choice("mark", tuple(Mark))),
    )
    entry.done()
    if not days:
        raise entry.error("names no day")
    return found
