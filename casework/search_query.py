"""Search query: what a person typed, as words and the ways that may lead to records holding them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from casework.crypto import current_cipher
from casework.errors import BadInput
from casework.search_fields import Field
from casework.search_terms import LONGEST_NUMBER_TAIL, LONGEST_PHONE, SHORTEST_TAIL, Kind, Use, fold
from casework.tables import Case

MAX_QUERY = 60
MAX_WORDS = 6
Choices = tuple[int, ...]
"""One term, under each key it may have been made with."""
Route = tuple[Choices, ...]
"""The terms that a record found this way has, all of them."""
_NUMBER_LIKE = re.compile(rf"(?:jn)?([0-9]{{{SHORTEST_TAIL},13}})")
_WHOLE = re.compile(r"(?:(?:00)?86)?(1[3-9][0-9]{9})|jn([0-9]{13})|(20[0-9]{11})")


@dataclass(frozen=True, slots=True)
class Word:
    """Word: one part of a query; a record must hold every one of them."""

    text: str
    digits: str = ""
    """What may be (the end of) a phone or a case number: four digits or more."""

    def in_field(self, field: Field) -> bool:
        """Whether a record's field holds it; phones are matched at their end, numbers at either end."""
        if field.part == "phone":
            return bool(self.digits) and field.text.endswith(self.digits)
        if field.part == "number":
            at_start = field.text.startswith(self.digits) and len(self.digits) >= _DAY_DIGITS
            return bool(self.digits) and (at_start or field.text.endswith(self.digits))
        return self.text in field.text

    def routes(self, kind: Kind) -> list[Route]:
        """The ways that may lead to a record of this kind; none for a single character."""
        text = _TEXTS[kind]
        ways = [_route(text, [self.text[at : at + 2] for at in range(len(self.text) - 1)])]
        if self.digits and kind in _PHONES and len(self.digits) <= LONGEST_PHONE:
            ways.append(_route(_PHONES[kind], [self.digits]))
        if self.digits and kind is Kind.CASE:
            ways.append(_route(Use.CASE_NUMBER, [self.digits[-LONGEST_NUMBER_TAIL:]]))
        return [way for way in ways if way]

    def numbered(self) -> ColumnElement[bool] | None:
        """The cases whose number begins like this; None when no number does."""
        if len(self.digits) < _DAY_DIGITS or not self.digits.startswith("20"):
            return None
        day, serial, check = self.digits[:8], self.digits[8:12], self.digits[12:]
        written = "-".join(part for part in ("JN", day, serial, check) if part)
        return Case.number == written if check else Case.number.startswith(written)


_DAY_DIGITS = 8
_TEXTS = {
    Kind.MEMBER: Use.MEMBER_NAME,
    Kind.CONVERSATION: Use.CONVERSATION_TEXT,
    Kind.CASE: Use.CASE_TEXT,
}
_PHONES = {Kind.MEMBER: Use.MEMBER_PHONE, Kind.CASE: Use.CASE_PHONE}


def read_query(query: str) -> list[Word]:
    """The words of a query; raises BadInput as ``find`` does."""
    if len(query) > MAX_QUERY:
        raise BadInput("query too long", field="query", reason="long", limit=MAX_QUERY)
    parts = [folded for part in query.split() if (folded := fold(part))]
    whole = _WHOLE.fullmatch("".join(parts))
    if whole is not None:
        # A phone or a case number is often written in groups.
        parts = [next(group for group in whole.groups() if group)]
    elif all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]
    if not any(len(part) >= 2 for part in parts):
        raise BadInput("two characters at least", field="query", reason="short")
    if len(parts) > MAX_WORDS:
        raise BadInput("too many words", field="query", reason="many", limit=MAX_WORDS)
    return [_word(part) for part in dict.fromkeys(parts)]


def _word(folded: str) -> Word:
    like = _NUMBER_LIKE.fullmatch(folded)
    return Word(folded, like[1] if like else "")


def _route(use: Use, values: Sequence[str]) -> Route:
    cipher = current_cipher()
    return tuple(cipher.terms(use, value) for value in dict.fromkeys(values))
