"""Draft: what a document is filled with, as plain data for the template and the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypedDict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters an XML document may not hold (XML 1.0, 2.2)."""


class Piece(TypedDict):
    """A stretch of a line: words, or a blank with the name of what belongs there."""

    text: str
    blank: bool
    hint: str | None


Pieces = list[Piece]


class Item(TypedDict):
    """One thing that is asked for, how it was reckoned, and what it is a choice between."""

    lead: Pieces
    lines: list[Pieces]
    choices: list[Item]


Context = dict[str, Any]
"""``name``, ``label``, ``title``, ``notice``, ``flags``; ``one`` (pieces by place), ``lines``, ``items`` and
``tables`` as the template takes them; ``blocks`` with the same pieces in order, as the page takes them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who the draft is for, as far as it is known."""

    name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A document there is: its name, what it is called and when it is used, in members' words."""

    name: str
    label: str
    when: str


def words(text: str) -> Piece:
    """Fixed words."""
    return {"text": text, "blank": False, "hint": None}


def clean(text: object) -> str:
    """What somebody said, on one line and without characters no document can hold."""
    return " ".join(_NOT_XML.sub("", str(text)).split())
