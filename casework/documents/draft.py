"""Drafting: a document's places filled from a claim sheet."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date
from typing import Any

from casework.documents.model import Context, DocumentKind, Item, Person, Pieces
from casework.documents.places import Filling
from casework.documents.words import Block, Book, DocumentWords, book
from casework.errors import NotFound


def names() -> tuple[DocumentKind, ...]:
    """Every document there is, in the order they are offered."""
    return tuple(DocumentKind(one.name, one.label, one.when) for one in book().documents.values())


def suitable(sheet: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the documents a claim sheet (``Sheet.to_json``) gives reason for, in their order."""
    known = book()
    today = date.fromisoformat(sheet["as_of"])
    return tuple(
        one.name
        for one in known.documents.values()
        if one.suits.holds(Filling(one, known.common, sheet, None, today).flags())
    )


def draft_context(name: str, sheet: Mapping[str, Any], person: Person | None, today: date) -> Context:
    """What a document says for a claim sheet (``Sheet.to_json``): for ``to_docx`` and for the printable page.

    Pure. ``today`` is the day in Shanghai. What is not known is a visible blank; amounts are the sheet's.
    Raises NotFound for a document there is not.
    """
    known = book()
    document = find(known, name)
    filling = Filling(document, known.common, sheet, person, today)
    flags = set(filling.flags())
    lines, tables, items = filling.lines(flags), filling.tables(), filling.items()
    flags |= {f"some:{place}" for place, filled in lines.items() if filled}
    places = {place for block in document.blocks for place in _inline(block)}
    return {
        "name": document.name,
        "label": document.label,
        "title": document.title,
        "notice": known.common.said["notice"],
        "flags": sorted(flags),
        "one": {place: filling.one(place) for place in sorted(places)},
        "lines": lines,
        "items": items,
        "tables": tables,
        "blocks": [
            _filled(block, filling, lines, tables, items)
            for block in document.blocks
            if block.condition.holds(flags)
        ],
    }


def find(known: Book, name: str) -> DocumentWords:
    """A document by its name; raises NotFound."""
    document = known.documents.get(name)
    if document is None:
        raise NotFound("no such document")
    return document


def _inline(block: Block) -> Set[str]:
    texts = [block.text] if block.text is not None else []
    texts += [said for row in block.rows for _, said in row]
    return {place for text in texts for place in text.places}


def _filled(
    block: Block,
    filling: Filling,
    lines: Mapping[str, list[Pieces]],
    tables: Mapping[str, list[list[Pieces]]],
    items: list[Item],
) -> dict[str, Any]:
    """A block as the page takes it."""
    made: dict[str, Any] = {"kind": block.kind, "label": block.label}
    if block.text is not None:
        made |= {
            "pieces": filling.write(block.text),
            "align": block.align,
            "indent": block.indent,
            "small": block.small,
            "space": block.space,
            "page": block.page,
        }
    elif block.kind == "fields":
        made["rows"] = [[(label, filling.write(said)) for label, said in row] for row in block.rows]
    elif block.kind == "lines":
        made |= {"lines": lines[block.place or ""], "indent": block.indent}
    elif block.kind == "items":
        made |= {"items": items, "brief": block.brief}
    elif block.kind == "table":
        made |= {
            "columns": block.columns,
            "widths": block.widths,
            "rows": tables[block.place or ""],
        }
    return made
