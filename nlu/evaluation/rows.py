"""Labelled rows: one JSON object a line, checked so that a slip of the pen is named and not measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_MOST_NAMED = 10


class BadRows(ValueError):
    """A file of labelled rows cannot be read; names the lines and what is wrong with each."""


def read_rows(file: Path, *, topics_needed: bool = True) -> list[dict[str, Any]]:
    """Read a file of ``{"text", "topic", "alt"?, "topics"?, "facts"?}`` lines; empty lines are left out.

    ``alt`` is null, a topic or a list of topics; ``topics`` a list; ``facts`` maps a name to its value.
    Every row gets ``source``, the file's name without its ending. A row of facts only (``topics_needed``
    false) may leave its topic out. Raises ``BadRows``.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRows(f"cannot read {file}: {error}") from error
    rows, wrong = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            wrong.append(f"line {number}: not JSON ({error})")
            continue
        complaints = list(_complaints(row, topics_needed))
        if complaints:
            wrong.append(f"line {number}: {'; '.join(complaints)}")
        else:
            rows.append({**row, "source": file.stem})
    if wrong:
        more = f"\n  and {len(wrong) - _MOST_NAMED} more lines" if len(wrong) > _MOST_NAMED else ""
        raise BadRows(f"{file} has bad lines:\n  " + "\n  ".join(wrong[:_MOST_NAMED]) + more)
    if not rows:
        raise BadRows(f"{file} has no rows")
    return rows


def _complaints(row: Any, topics_needed: bool) -> Iterator[str]:
    if not isinstance(row, Mapping):
        yield f"expected an object with text and topic, not {type(row).__name__}"
        return
    for name, needed in (("text", True), ("topic", topics_needed)):
        if name not in row:
            if needed:
                yield f"{name} is missing"
        elif not isinstance(row[name], str) or not row[name].strip():
            yield f"{name} must be a text that is not empty, not {row[name]!r}"
    alt = row.get("alt")
    if alt is not None and not isinstance(alt, str) and not _is_texts(alt):
        yield f"alt must be a topic, a list of topics or null, not {alt!r}"
    if row.get("topics") is not None and not _is_texts(row["topics"]):
        yield f"topics must be a list of topics, not {row['topics']!r}"
    facts = row.get("facts")
    if facts is None:
        if not topics_needed:
            yield "facts is missing"
    elif not isinstance(facts, dict) or not all(isinstance(one, str | int | float) for one in facts.values()):
        yield f"facts must map names to values, not {facts!r}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
