"""The form of an article: what was typed as data, rows added, moved and taken away without a script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import FormData

TEXTS = ("title", "label", "mark", "district", "reviewer", "reviewed_on", "valid_from", "valid_to")
SECTION = ("aspect", "mark", "text")
SOURCE = ("title", "issuer", "article", "as_of", "mark")
ROWS = {"sections": SECTION, "sources": SOURCE}
MOST_ROWS = 20
NOTE = "note"


def typed_article(form: FormData, topic: str, *, keep_empty: bool = False) -> dict[str, Any]:
    """What was typed, as the data of an article; whatever is wrong with it stays as it was typed.

    ``keep_empty``: rows in which nothing was typed stay, as they do while rows are moved.
    """
    data: dict[str, Any] = {"topic": topic}
    for name in TEXTS:
        data[name] = _text(form.get(name))
    data["short"] = _text(form.get("short"))
    data["case_type"] = _text(form.get("case_type"))
    data["sections"] = _rows(form, "section", SECTION, keep_empty)
    data["sources"] = _rows(form, "source", SOURCE, keep_empty)
    data["questions"] = _lines(form.get("questions"))
    data["related"] = [_text(one) for one in form.getlist("related") if _text(one)]
    season = {name: _text(form.get(f"season_{name}")) for name in ("opens", "closes", "closed_note")}
    if any(season.values()):
        data["season"] = season | {"aspects": [_text(one) for one in form.getlist("season_aspects")]}
    return {name: value for name, value in data.items() if value not in ("", [])}


def do_row_deed(data: dict[str, Any], deed: str) -> str | None:
    """Add, move or take away a row (``sections:add``, ``sources:up:2`` …); the field to go on with, or None.

    Anything else than such a deed changes nothing.
    """
    kind, _, rest = deed.partition(":")
    if kind not in ROWS:
        return None
    rows: list[dict[str, Any]] = data.setdefault(kind, [])
    action, _, at = rest.partition(":")
    if action == "add" and len(rows) < MOST_ROWS:
        rows.append(dict.fromkeys(ROWS[kind], "") | {"mark": "V+"})
        return f"{kind}.{len(rows) - 1}"
    index = int(at) if at.isascii() and at.isdecimal() and len(at) < 4 else -1
    if not 0 <= index < len(rows):
        return None
    if action == "remove":
        rows.pop(index)
        return f"{kind}.{min(index, len(rows) - 1)}" if rows else None
    other = index + {"up": -1, "down": 1}.get(action, 0)
    if 0 <= other < len(rows):
        rows[index], rows[other] = rows[other], rows[index]
        return f"{kind}.{other}"
    return f"{kind}.{index}"


def is_row_deed(deed: str) -> bool:
    """Whether a button asks for a row to be added, moved or taken away."""
    return deed.partition(":")[0] in ROWS


def _rows(form: FormData, prefix: str, names: Iterable[str], keep_empty: bool) -> list[dict[str, Any]]:
    columns = {name: [_text(one) for one in form.getlist(f"{prefix}_{name}")] for name in names}
    count = min((len(column) for column in columns.values()), default=0)
    rows = [{name: column[at] for name, column in columns.items()} for at in range(min(count, MOST_ROWS))]
    return [row for row in rows if keep_empty or any(value for name, value in row.items() if name != "mark")]


def _lines(value: object) -> list[str]:
    return [line.strip() for line in _text(value).splitlines() if line.strip()]


def _text(value: object) -> str:
    return value.strip().replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else ""
