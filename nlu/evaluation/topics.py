"""Several topics in one message: how many of those that are asked are found, and how many found are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlu.evaluation.figures import alternatives, precision_recall, share

Pair = tuple[frozenset[str], frozenset[str]]


def topics_figures(
    rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Compare the ``topics`` found with the row's ``topics``, over all rows that name theirs.

    Counted over all topics of all messages (micro). ``several`` are the same figures over the messages
    that name two topics or more, ``exact`` the share where both sets are the same. A second defensible
    topic (``alt``) stands for the row's own where that was not found, and is never wrong.
    """
    pairs = [
        (frozenset(map(str, row["topics"])), _found(row, reading))
        for row, reading in zip(rows, readings, strict=True)
        if row.get("topics")
    ]
    several = [pair for pair in pairs if len(pair[0]) > 1]
    single = [pair for pair in pairs if len(pair[0]) == 1]
    return {
        **_figures(pairs),
        "several": _figures(several),
        "one_taken_for_several": share(sum(len(found) > 1 for _, found in single), len(single)),
    }


def _found(row: Mapping[str, Any], reading: Mapping[str, Any]) -> frozenset[str]:
    found = {str(item["topic"]) for item in reading.get("topics") or []}
    wanted = {str(topic) for topic in row["topics"]}
    beside = {topic for topic in alternatives(row) if topic in found} - wanted
    if beside and row["topic"] not in found:
        found.add(str(row["topic"]))
    return frozenset(found - beside)


def _figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    right = sum(len(wanted & found) for wanted, found in pairs)
    return {
        "messages": len(pairs),
        **precision_recall(right, sum(len(found) for _, found in pairs), sum(len(w) for w, _ in pairs)),
        "exact": share(sum(wanted == found for wanted, found in pairs), len(pairs)),
    }
