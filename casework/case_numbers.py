"""Case numbers: ``JN-20261122-0031-9``, which a person can read over the phone and we can check.

The day in Shanghai, that day's serial, and a Luhn check digit over those twelve digits. Luhn catches every
single wrong digit and every swap of neighbours except 09 with 90.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import BadCaseNumber, Refusal
from casework.tables import CaseSerial

LAST_SERIAL = 9999
MAX_INPUT = 60
"""Characters looked at: what is longer is no case number."""

_SEPARATORS = re.compile(r"[\s.,，。·_/\u2010-\u2015\u2212~—-]+")
_NUMBER = re.compile(r"(?:JN|工单号?|单号|编号)?[:：#]?(?:JN)?(\d{13})", re.ASCII)
# Case numbers inside a sentence: the prefix, or thirteen digits that begin like a date of this century.
_IN_TEXT = re.compile(
    r"(?<![A-Z0-9])(?:JN[\s:：-]*\d{8}[\s-]*\d{4}[\s-]*\d|20\d{6}[\s-]*\d{4}[\s-]*\d)(?!\d)", re.ASCII
)
_LOOKS_MEANT = re.compile(r"(?<![A-Z])JN[\s:：-]*\d[\d\s-]{3,}", re.ASCII)


class SerialsUsedUp(Refusal):
    """All 9,999 numbers of one day are given."""

    code = "serials_used_up"


def check_digit(digits: str) -> int:
    """The Luhn check digit (0–9) for a string of digits."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        digit = int(character)
        if position % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return -total % 10


def format_number(day: date, serial: int) -> str:
    """The case number of a Shanghai day and its serial (1–9999); raises ValueError for another serial."""
    if not 1 <= serial <= LAST_SERIAL:
        raise ValueError(f"a serial is 1 to {LAST_SERIAL}, not {serial}")
    digits = f"{day:%Y%m%d}{serial:04d}"
    return f"JN-{digits[:8]}-{digits[8:]}-{check_digit(digits)}"


def parse_number(text: str) -> str:
    """A case number as a person wrote it, in its one official form.

    Hyphens, blanks, case, full-width characters and a missing ``JN`` do not matter. Raises BadCaseNumber for
    another shape, a day that does not exist, or a wrong check digit.
    """
    if len(text) > MAX_INPUT:
        raise BadCaseNumber("too long for a case number")
    narrow = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).upper())
    match = _NUMBER.fullmatch(narrow)
    if match is None:
        raise BadCaseNumber("not the shape of a case number")
    digits = match[1]
    if check_digit(digits[:12]) != int(digits[12]):
        raise BadCaseNumber("wrong check digit")
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        return format_number(day, int(digits[8:12]))
    except ValueError as error:
        raise BadCaseNumber("no such day or serial") from error


def find_in_text(text: str) -> str | None:
    """The first case number in a sentence, in its official form, or None when there is nothing like one.

    Raises BadCaseNumber when something meant as a case number is there but wrong.
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    found = [match[0] for match in _IN_TEXT.finditer(folded)]
    for candidate in found:
        try:
            return parse_number(candidate)
        except BadCaseNumber:
            continue
    if found or _LOOKS_MEANT.search(folded):
        raise BadCaseNumber("a case number is in the text, but not a right one")
    return None


async def issue_number(session: AsyncSession, day: date) -> str:
    """The next case number of a Shanghai day; raises SerialsUsedUp after the 9,999th.

    One statement takes the serial, so that two processes at once never get the same; a transaction that is
    undone gives its serial back. On PostgreSQL the day's row stays locked until the transaction ends.
    """
    dialect = session.get_bind().dialect.name
    # The two dialects share on_conflict_do_update but not a base class that declares it.
    if dialect == "postgresql":
        insert = postgresql.insert(CaseSerial).values(day=day, last=1)
        statement = insert.on_conflict_do_update(
            index_elements=[CaseSerial.day],
            set_={"last": CaseSerial.last + 1},
            where=CaseSerial.last < LAST_SERIAL,
        ).returning(CaseSerial.last)
        serial = await session.scalar(statement)
    else:
        insert_lite = sqlite.insert(CaseSerial).values(day=day, last=1)
        statement_lite = insert_lite.on_conflict_do_update(
            index_elements=[CaseSerial.day],
            set_={"last": CaseSerial.last + 1},
            where=CaseSerial.last < LAST_SERIAL,
        ).returning(CaseSerial.last)
        serial = await session.scalar(statement_lite)
    if serial is None:
        raise SerialsUsedUp(f"all numbers of {day.isoformat()} are given")
    return format_number(day, serial)
