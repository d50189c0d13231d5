"""Facts: how many stated ones are found with exactly the right value, and how many found are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from nlu.evaluation.figures import precision_recall

NUMBERS = frozenset({"monthly_wage", "amount_owed", "months_owed", "tenure_years", "temperature"})
"""Facts that are numbers: 5800 and 5800.00 are the same wage (a phone number is none)."""


def facts_figures(rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the facts found with the rows' ``facts`` (name → value), over the rows that state theirs.

    A wrong value is both a fact found wrongly and one not found. Returns the figures over all facts
    (micro), per kind, and every mistake.
    """
    stated: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    mistakes: list[dict[str, Any]] = []
    sentences = 0
    for row, reading in zip(rows, readings, strict=True):
        if row.get("facts") is None:
            continue
        sentences += 1
        wanted, got = dict(row["facts"]), dict(reading.get("facts") or {})
        stated.update(wanted.keys())
        found.update(got.keys())
        for name in sorted({*wanted, *got}):
            if name in wanted and name in got and same_value(name, wanted[name], got[name]):
                right[name] += 1
            else:
                values = {"stated": wanted.get(name), "found": got.get(name)}
                mistakes.append({"text": row.get("text", ""), "fact": name, **values})
    return {
        "sentences": sentences,
        **_figures(sum(right.values()), sum(found.values()), sum(stated.values())),
        "per_kind": {
            name: _figures(right[name], found[name], stated[name]) for name in sorted({*stated, *found})
        },
        "mistakes": mistakes,
    }


def same_value(name: str, wanted: object, got: object) -> bool:
    """Say whether two values of a fact are the same, numbers by what they are worth."""
    if str(wanted) == str(got):
        return True
    if name not in NUMBERS:
        return False
    try:
        return Decimal(str(wanted)) == Decimal(str(got))
    except InvalidOperation:
        return False


def _figures(right: int, found: int, stated: int) -> dict[str, Any]:
    return {**precision_recall(right, found, stated), "stated": stated, "found": found, "right": right}
