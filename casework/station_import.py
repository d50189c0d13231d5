"""Station import: a CSV file of stations, checked line by line and taken whole or not at all.

The header names the columns as ``wording.yml`` (``station_column``) or in English, in any order:
``code, name, kind, district, is_sample, source, checked_on`` must be there; ``address, phone, hours,
latitude, longitude`` may be. UTF-8 (with or without BOM) and GBK are read.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.districts import Districts
from casework.knowledge import Knowledge
from casework.tables import Station
from casework.wording import Wording

REQUIRED = ("code", "name", "kind", "district", "is_sample", "source", "checked_on")
OPTIONAL = ("address", "phone", "hours", "latitude", "longitude")
COLUMNS = (*REQUIRED, *OPTIONAL)
KINDS = ("legal_aid", "service_center", "arbitration", "rest_station", "union_office")
MAX_ROWS = 5000
MAX_LENGTH = {"code": 40, "name": 120, "address": 200, "phone": 40, "hours": 120, "source": 200}
DEFAULT_MAX_LENGTH = 60

JINAN_LATITUDE = (35.9, 37.6)
JINAN_LONGITUDE = (116.1, 118.1)
"""A rough box around Jinan (the former Laiwu included), in degrees."""

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CODE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be taken; ``line`` counts the file's lines from 1, the header's included."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file: its problems, or how many stations were added, changed and left as they were."""

    problems: tuple[Problem, ...] = ()
    added: int = 0
    changed: int = 0
    unchanged: int = 0


async def import_stations(
    session: AsyncSession, content: bytes | str, today: date, knowledge: Knowledge
) -> ImportReport:
    """Add or change the stations of a CSV file, by their code; with any problem nothing is imported.

    ``today`` is the day in Shanghai: nothing can have been checked after it. Stations the file does not
    name stay as they are.
    """
    reader = _Reader(knowledge.wording, knowledge.districts, today)
    rows = reader.read(content)
    if reader.problems:
        return ImportReport(problems=tuple(reader.problems))
    known = {station.code: station for station in await session.scalars(select(Station))}
    added = changed = 0
    for values in rows:
        station = known.get(values["code"])
        if station is None:
            session.add(Station(**values))
            added += 1
        elif any(getattr(station, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(station, name, value)
            changed += 1
    await session.flush()
    return ImportReport(added=added, changed=changed, unchanged=len(rows) - added - changed)


def in_jinan(latitude: float, longitude: float) -> bool:
    """Whether a position in degrees lies in the rough box around Jinan."""
    return (
        JINAN_LATITUDE[0] <= latitude <= JINAN_LATITUDE[1]
        and JINAN_LONGITUDE[0] <= longitude <= JINAN_LONGITUDE[1]
    )


class _Refused(Exception):
    """A line cannot be taken, for this reason."""


class _Reader:
    """Reads one file and collects its problems."""

    def __init__(self, wording: Wording, districts: Districts, today: date) -> None:
        self._wording = wording
        self._districts = districts
        self._today = today
        self._shown = {column: wording.say(f"station_column.{column}") for column in COLUMNS}
        self._kinds = {wording.say(f"station_kind.{kind}"): kind for kind in KINDS} | {k: k for k in KINDS}
        self._flags = {
            wording.say("station_flag.yes"): True,
            wording.say("station_flag.no"): False,
            "yes": True,
            "no": False,
        }
        self._sample_prefix = wording.say("station_flag.sample_prefix")
        self.problems: list[Problem] = []

    def read(self, content: bytes | str) -> list[dict[str, Any]]:
        """The stations of a file; look at ``problems`` before using them."""
        text = content if isinstance(content, str) else _decoded(content)
        if text is None:
            self._note(1, "encoding")
            return []
        lines = _records(text.removeprefix("\ufeff"))
        rows: list[dict[str, Any]] = []
        first_line: dict[str, int] = {}
        columns: list[str] | None = None
        for line, cells in lines:
            if cells is None:
                self._note(line, "csv")
                break
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = self._header(line, cells)
                if columns is None:
                    return []
                continue
            if len(first_line) + len(self.problems) >= MAX_ROWS:
                self._note(line, "too_many", limit=MAX_ROWS)
                break
            try:
                values = self._row(columns, cells)
                before = first_line.setdefault(values["code"], line)
                if before != line:
                    raise self._refused("duplicate", code=values["code"], line=before)
                rows.append(values)
            except _Refused as refused:
                self.problems.append(Problem(line, str(refused)))
        if not rows and not self.problems:
            self._note(1, "no_rows")
        return rows

    def _header(self, line: int, cells: list[str]) -> list[str] | None:
        names = {shown: column for column, shown in self._shown.items()} | {name: name for name in COLUMNS}
        given = [unicodedata.normalize("NFKC", cell).strip() for cell in cells]
        columns = [names.get(cell.lower(), names.get(cell, "")) for cell in given]
        unknown = [cell for cell, column in zip(given, columns, strict=True) if not column]
        missing = [self._shown[column] for column in REQUIRED if column not in columns]
        twice = sorted({self._shown[column] for column in columns if column and columns.count(column) > 1})
        for key, found in (
            ("unknown_columns", unknown),
            ("missing_columns", missing),
            ("twice_columns", twice),
        ):
            if found:
                self._note(line, key, columns=" ".join(found))
        return None if self.problems else columns

    def _row(self, columns: list[str], cells: list[str]) -> dict[str, Any]:
        if len(cells) != len(columns):
            raise self._refused("cells", cells=len(cells), columns=len(columns))
        raw = {column: self._cell(column, cell) for column, cell in zip(columns, cells, strict=True)}
        for column in REQUIRED:
            if not raw[column]:
                raise self._refused("required", column=self._shown[column])
        latitude, longitude = self._position(raw)
        values = {
            "code": raw["code"],
            "name": raw["name"],
            "kind": self._kind(raw["kind"]),
            "district": raw["district"],
            "address": raw.get("address") or None,
            "phone": raw.get("phone") or None,
            "hours": raw.get("hours") or None,
            "latitude": latitude,
            "longitude": longitude,
            "is_sample": self._flag(raw["is_sample"]),
            "source": raw["source"],
            "checked_on": self._checked_on(raw["checked_on"]),
        }
        if not _CODE.fullmatch(raw["code"]):
            raise self._refused("code", column=self._shown["code"])
        if raw["district"] not in self._districts:
            raise self._refused("district", value=raw["district"], districts=" ".join(self._districts.names))
        self._check_sample(values)
        return values

    def _cell(self, column: str, cell: str) -> str:
        text = cell.strip()
        if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in text):
            raise self._refused("control", column=self._shown[column])
        # A spreadsheet that opens this record again must not run it.
        if text.startswith(_FORMULA):
            raise self._refused("formula", column=self._shown[column])
        limit = MAX_LENGTH.get(column, DEFAULT_MAX_LENGTH)
        if len(text) > limit:
            raise self._refused("too_long", column=self._shown[column], limit=limit)
        return text

    def _position(self, raw: Mapping[str, str]) -> tuple[float | None, float | None]:
        given = [raw.get("latitude") or "", raw.get("longitude") or ""]
        if not any(given):
            return None, None
        if not all(given):
            raise self._refused("coordinate_pair")
        degrees = []
        for column, text in zip(("latitude", "longitude"), given, strict=True):
            if not re.fullmatch(r"\d{1,3}(?:\.\d{1,12})?", text, re.ASCII):
                raise self._refused("coordinate", column=self._shown[column])
            degrees.append(float(text))
        if not in_jinan(*degrees):
            raise self._refused("outside")
        return degrees[0], degrees[1]

    def _kind(self, text: str) -> str:
        if text not in self._kinds:
            kinds = " ".join(self._wording.say(f"station_kind.{kind}") for kind in KINDS)
            raise self._refused("kind", column=self._shown["kind"], kinds=kinds)
        return self._kinds[text]

    def _flag(self, text: str) -> bool:
        if text.lower() not in self._flags:
            allowed = " ".join(list(self._flags)[:2])
            raise self._refused("flag", column=self._shown["is_sample"], allowed=allowed)
        return self._flags[text.lower()]

    def _checked_on(self, text: str) -> date:
        shown = self._shown["checked_on"]
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise self._refused("date", column=shown)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise self._refused("date", column=shown) from None
        if day > self._today:
            raise self._refused("future", column=shown)
        return day

    def _check_sample(self, values: Mapping[str, Any]) -> None:
        named_so = str(values["name"]).startswith(self._sample_prefix)
        if values["is_sample"] and not named_so:
            raise self._refused("sample_name")
        if values["is_sample"] and (values["address"] or values["phone"]):
            raise self._refused("sample_contact")
        if named_so and not values["is_sample"]:
            raise self._refused("real_name")

    def _refused(self, key: str, **values: object) -> _Refused:
        return _Refused(self._wording.say(f"station_import.{key}", **values))

    def _note(self, line: int, key: str, **values: object) -> None:
        self.problems.append(Problem(line, self._wording.say(f"station_import.{key}", **values)))


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # GB 18030 takes almost any bytes; what it makes of UTF-16 is full of control characters.
        return None if "\x00" in text else text
    return None


def _records(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """The records of a CSV text with the line each begins on; None for one that cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            return
        yield line, cells
        line = reader.line_num + 1
