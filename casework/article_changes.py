"""What changed between two states of an article, field by field, as staff read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

FIELDS = (
    "title", "label", "short", "mark", "sections", "sections.mark", "questions", "season", "season.aspects",
    "related", "sources", "sources.mark", "district", "case_type", "valid_from", "valid_to", "reviewer",
    "reviewed_on",
)  # fmt: skip
"""In the order they are shown."""
WHOLE = frozenset(
    {"mark", "sections.mark", "sources.mark", "case_type", "valid_from", "valid_to", "reviewed_on"}
)
"""Codes and days: shown as one and the other, not character by character."""
ORDER = "order"
"""The part of a change that only moved what is there; its pieces are the names in their new order."""
_LEAST_KEPT = 0.3
"""Texts that have less than this in common are shown as one taken out and one put in."""


class Kind(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters, and what became of them."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """Change: one field that is not what it was; ``part`` names the section, source or place within it."""

    field: str
    part: str
    pieces: tuple[Piece, ...]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every field that differs, in the order they are shown; both are data as ``article_data`` has them."""
    found: list[Change] = []
    for field in FIELDS:
        old, new = _parts(field, before), _parts(field, after)
        for part in dict.fromkeys([*new, *old]):
            gone_or_new = part not in old or part not in new
            if old.get(part) != new.get(part) and not (field.endswith(".mark") and gone_or_new):
                both = old.get(part, ""), new.get(part, "")
                found.append(Change(field, part, _whole(*both) if field in WHOLE else compare(*both)))
        if field == "sections" and list(old) != list(new) and sorted(old) == sorted(new):
            found.append(Change(field, ORDER, tuple(Piece(Kind.IN, name) for name in new)))
    return found


def _whole(old: str, new: str) -> tuple[Piece, ...]:
    return tuple(Piece(kind, text) for kind, text in ((Kind.OUT, old), (Kind.IN, new)) if text)


def compare(old: str, new: str) -> tuple[Piece, ...]:
    """One text beside another, character by character; unlike texts are not picked to pieces."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if old and new and matcher.ratio() < _LEAST_KEPT:
        return _whole(old, new)
    pieces: list[Piece] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece(Kind.KEPT, old[a:b]))
            continue
        if b > a:
            pieces.append(Piece(Kind.OUT, old[a:b]))
        if d > c:
            pieces.append(Piece(Kind.IN, new[c:d]))
    return tuple(pieces)


def _parts(field: str, data: Mapping[str, Any]) -> dict[str, str]:
    """A field's value as texts by part: sections by aspect, sources by title, topics each by itself."""
    name, _, inner = field.partition(".")
    value = data.get(name)
    if not value:
        return {}
    if name == "sections":
        return _rows(value, "aspect", ("mark",) if inner else ("text",))
    if name == "sources":
        return _rows(value, "title", ("mark",) if inner else ("issuer", "article", "as_of"))
    if name == "season":
        if inner:
            return {one: one for one in value.get(inner) or ()}
        return {part: str(value[part]) for part in ("opens", "closes", "closed_note") if value.get(part)}
    if name == "related":
        return {one: one for one in value}
    return {"": "\n".join(map(str, value)) if isinstance(value, list) else str(value)}


def _rows(rows: Sequence[Mapping[str, Any]], key: str, said: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        name = str(row.get(key) or "")
        # The same law may be cited twice, and a draft may hold an aspect twice.
        times = sum(1 for known in found if known == name or known.startswith(f"{name}（"))
        text = "，".join(str(row[one]) for one in said if row.get(one))
        found[f"{name}（{times + 1}）" if times else name] = text
    return found
