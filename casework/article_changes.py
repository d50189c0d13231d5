"""What changed between two states of an article, field by field, as staff read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

FIELDS = (
    "title", "label", "short", "mark", "sections", "questions", "season", "related", "sources", "district",
    "case_type", "valid_from", "valid_to", "reviewer", "reviewed_on",
)  # fmt: skip
"""In the order they are shown."""
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
    part: str | None
    pieces: tuple[Piece, ...]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every field that differs, in the order they are shown; both are data as ``article_data`` has them."""
    found: list[Change] = []
    for field in FIELDS:
        old, new = _parts(field, before.get(field)), _parts(field, after.get(field))
        for part in dict.fromkeys([*new, *old]):
            if old.get(part) != new.get(part):
                found.append(Change(field, part, compare(old.get(part, ""), new.get(part, ""))))
        if list(old) != list(new) and sorted(map(str, old)) == sorted(map(str, new)):
            found.append(Change(field, "order", compare(_listed(old), _listed(new))))
    return found


def compare(old: str, new: str) -> tuple[Piece, ...]:
    """One text beside another, character by character; unlike texts are not picked to pieces."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if old and new and matcher.ratio() < _LEAST_KEPT:
        return (Piece(Kind.OUT, old), Piece(Kind.IN, new))
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


def _parts(field: str, value: Any) -> dict[str | None, str]:
    """A field's value as texts by part: sections by aspect, sources by title, everything else whole."""
    if value in (None, "", [], {}):
        return {}
    if field == "sections":
        return _rows(value, "aspect", lambda row: f"{row.get('text', '')}〔{row.get('mark', '')}〕")
    if field == "sources":
        return _rows(value, "title", _source)
    if field == "season":
        return {name: _plain(one) for name, one in value.items() if one}
    return {None: _plain(value)}


def _rows(rows: Any, key: str, say: Any) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for row in rows:
        name = str(row.get(key) or "")
        # The same law may be cited twice, and a draft may hold an aspect twice.
        times = sum(1 for known in found if known == name or str(known).startswith(f"{name}（"))
        found[f"{name}（{times + 1}）" if times else name] = say(row)
    return found


def _source(row: Mapping[str, Any]) -> str:
    said = [str(row.get(name) or "") for name in ("issuer", "article", "as_of")]
    return f"{'，'.join(one for one in said if one)}〔{row.get('mark', '')}〕"


def _listed(parts: Mapping[str | None, str]) -> str:
    return "、".join(str(part) for part in parts)


def _plain(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
