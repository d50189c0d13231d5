"""What the drafted documents say: ``data/documents/*.yml``."""

from __future__ import annotations

import string
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from casework.knowledge_files import Entry, read_knowledge

ROOT = Path(__file__).parents[2] / "data" / "documents"
COMMON = "common.yml"
KINDS = ("heading", "text", "fields", "lines", "items", "table")
ALIGNMENTS = ("left", "center", "right")
LINES = ("story", "advice", "assumptions", "warnings", "elsewhere", "missing")
"""Places that are several paragraphs."""
TABLES = ("held", "wanted", "deadlines", "quotes")
"""Places that are rows of a table."""
SAID = (
    "notice",
    "page",
    "blank",
    "blank_in_table",
    "hint",
    "amount",
    "no_amount",
    "part",
    "choose",
    "tick",
    "step",
    "step_articles",
    "quote",
    "by_button",
    "fact",
    "deadline_unknown",
    "nearest",
    "not_asked",
    "to_ask",
    "held_source",
    "serves",
    "original",
    "proof_number",
)  # fmt: skip
"""The sentences of ``common.yml`` by key."""
CERTAIN = ("as_of", "confirm_year")
"""Places that are never blank where they stand."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When something is said: one of ``any_of`` (if any), all of ``all_of``, none of ``none_of``."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def holds(self, flags: Set[str]) -> bool:
        """Whether it is so, for what is known of a sheet."""
        return (
            (not self.any_of or any(one in flags for one in self.any_of))
            and all(one in flags for one in self.all_of)
            and not any(one in flags for one in self.none_of)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence: fixed words, and the names of places between them."""

    parts: tuple[tuple[str, str | None], ...]
    """Words, and the place that follows them."""

    @property
    def places(self) -> tuple[str, ...]:
        """The names of its places."""
        return tuple(place for _, place in self.parts if place is not None)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with its condition."""

    text: Text
    condition: Condition


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a document, from top to bottom."""

    kind: str
    condition: Condition
    text: Text | None = None
    """Of ``heading`` and ``text``."""
    rows: tuple[tuple[tuple[str, Text], ...], ...] = ()
    """Of ``fields``: one or two pairs of a label and what belongs beside it."""
    place: str | None = None
    """Of ``lines``, ``items`` and ``table``: where they come from."""
    label: str | None = None
    columns: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    """Of a table's columns, in hundredths of its width."""
    align: str = "left"
    indent: bool = False
    small: bool = False
    space: bool = False
    """Some room above it."""
    page: bool = False
    """It begins a page."""
    brief: bool = False
    """Of ``items``: without how each was reckoned."""


@dataclass(frozen=True, slots=True)
class DocumentWords:
    """Everything one document says."""

    name: str
    order: int
    label: str
    when: str
    suits: Condition
    title: str
    items: Mapping[str, Text]
    """What is asked for, by right."""
    choices: Mapping[str, tuple[str, ...]]
    """What may be chosen instead of a right, beside its alternatives."""
    elsewhere: Mapping[str, str]
    """Why a right is not asked for here, by right."""
    blocks: tuple[Block, ...]
    advice: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CommonWords:
    """What the documents share."""

    said: Mapping[str, str]
    """Sentences by key: ``notice``, ``hint``, ``no_amount`` …"""
    numerals: tuple[str, ...]
    blanks: Mapping[str, str]
    story: tuple[Line, ...]
    proof: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Book:
    """All documents in their order, and what they share."""

    common: CommonWords
    documents: Mapping[str, DocumentWords]


@cache
def book(root: Path = ROOT) -> Book:
    """The documents as they ship, read once; raises KnowledgeError naming the entry at fault."""
    top = Entry(COMMON, "(top)", read_knowledge(root / COMMON))
    blanks = top.texts_by_key("blanks")
    checks = _blocks(top, "checks", blanks)
    common = CommonWords(
        said={key: top.text(key) for key in SAID},
        numerals=top.texts("numerals"),
        blanks=blanks,
        story=_lines(top, "story", blanks),
        proof=top.texts_by_key("proof"),
    )
    top.done()
    found = [
        _document(Entry(path.name, path.stem, read_knowledge(path)), path.stem, blanks, checks)
        for path in sorted(root.glob("*.yml"))
        if path.name != COMMON
    ]
    found.sort(key=lambda document: document.order)
    return Book(common, {document.name: document for document in found})


def _document(entry: Entry, name: str, blanks: Mapping[str, str], checks: tuple[Block, ...]) -> DocumentWords:
    document = DocumentWords(
        name=name,
        order=int(entry.number("order")),
        label=entry.text("label"),
        when=entry.text("when"),
        suits=_suits(entry.entry("suits")),
        title=entry.text("title"),
        items={
            right: _text(entry, said, blanks, "amount") for right, said in entry.texts_by_key("items").items()
        },
        choices={
            right: tuple(str(one) for one in said) for right, said in (entry.raw("choices") or {}).items()
        },
        elsewhere=entry.texts_by_key("elsewhere"),
        blocks=_blocks(entry, "blocks", blanks) + checks,
        advice=_lines(entry, "advice", blanks),
    )
    entry.done()
    return document


def _blocks(entry: Entry, field: str, blanks: Mapping[str, str]) -> tuple[Block, ...]:
    return tuple(_block(one, blanks) for one in entry.entries(field))


def _block(entry: Entry, blanks: Mapping[str, str]) -> Block:
    kinds = [kind for kind in KINDS if entry.has(kind)]
    if len(kinds) != 1:
        raise entry.error(f"is one of {', '.join(KINDS)}")
    kind = kinds[0]
    columns, widths = entry.texts("columns"), tuple(entry.raw("widths") or ())
    block = Block(
        kind=kind,
        condition=_condition(entry),
        text=_text(entry, entry.text(kind), blanks) if kind in ("heading", "text") else None,
        rows=_rows(entry, blanks) if kind == "fields" else (),
        place=_place(entry, kind),
        label=entry.optional_text("label"),
        columns=columns,
        widths=widths,
        align=entry.choice("align", ALIGNMENTS) if entry.has("align") else "left",
        indent=entry.flag("indent", default=False),
        small=entry.flag("small", default=False),
        space=entry.flag("space", default=False),
        page=entry.flag("page", default=False),
        brief=entry.flag("brief", default=False),
    )
    entry.raw("align")
    entry.done()
    if kind == "table" and (len(columns) != len(widths) or sum(widths) != 100):
        raise entry.error("has one width for each column, 100 together")
    return block


def _place(entry: Entry, kind: str) -> str | None:
    allowed = {"lines": LINES, "items": ("items",), "table": TABLES}.get(kind)
    return None if allowed is None else entry.choice(kind, allowed)


def _rows(entry: Entry, blanks: Mapping[str, str]) -> tuple[tuple[tuple[str, Text], ...], ...]:
    rows = []
    for row in entry.raw("fields"):
        if len(row) not in (1, 2):
            raise entry.error("a row is one or two pairs")
        rows.append(tuple((str(label), _text(entry, str(said), blanks)) for label, said in row))
    return tuple(rows)


def _lines(entry: Entry, field: str, blanks: Mapping[str, str]) -> tuple[Line, ...]:
    lines = []
    for one in entry.entries(field):
        lines.append(Line(_text(one, one.text("text"), blanks), _condition(one)))
        one.done()
    return tuple(lines)


def _condition(entry: Entry) -> Condition:
    return Condition(any_of=entry.texts("when"), none_of=entry.texts("unless"))


def _suits(entry: Entry) -> Condition:
    condition = Condition(entry.texts("any"), entry.texts("all"), entry.texts("unless"))
    entry.done()
    return condition


def _text(entry: Entry, said: str, blanks: Mapping[str, str], *also: str) -> Text:
    try:
        parts = tuple((words, place) for words, place, _, _ in string.Formatter().parse(said))
    except ValueError as error:
        raise entry.error(f"{error}: {said}") from error
    text = Text(parts)
    for place in text.places:
        if place not in blanks and place not in CERTAIN and place not in also:
            raise entry.error(f"no blank is called {place}")
    return text
