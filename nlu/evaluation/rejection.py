"""Out of scope: how well what is not ours is told apart, and what is lost by turning sentences away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from nlu.evaluation.figures import OUT_OF_SCOPE_TOPIC, alternatives, counted_as, share

ALLOWED_FALSE_ACCEPTS = 0.05
_MOST_POINTS = 200


def outside(reading: Mapping[str, Any]) -> float:
    """Return the probability that a text is out of scope.

    A model that does not say (``outside``) is taken at its word: its confidence in out of scope, or what
    its confidence in another topic leaves.
    """
    if reading.get("outside") is not None:
        return float(reading["outside"])
    confidence = float(reading.get("confidence") or 0.0)
    return confidence if reading.get("topic") == OUT_OF_SCOPE_TOPIC else 1.0 - confidence


def rejection_figures(
    rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return AUROC, ROC, the refusals that 5 % false accepts would cost, and the sentences that went wrong.

    A false accept is an out-of-scope row accepted with an in-scope topic; an in-scope row is refused when
    it is not accepted or taken for out of scope. Rows for which both are defensible enter no ROC.
    """
    truths = [row["topic"] == OUT_OF_SCOPE_TOPIC for row in rows]
    clear = [
        not alternatives(row) if truth else OUT_OF_SCOPE_TOPIC not in alternatives(row)
        for truth, row in zip(truths, rows, strict=True)
    ]
    scores = [outside(reading) for reading, sure in zip(readings, clear, strict=True) if sure]
    positives = [truth for truth, sure in zip(truths, clear, strict=True) if sure]
    points = roc(scores, positives)
    return {
        "auroc": auroc(scores, positives),
        "refused_at_5_percent_accepted": _refused_at(points),
        "roc": points,
        **_went_wrong(rows, readings),
    }


def auroc(scores: Sequence[float], positives: Sequence[bool]) -> float | None:
    """Return how often a positive scores above a negative (ties count half); None without both kinds."""
    many = sum(positives)
    few = len(positives) - many
    if not many or not few:
        return None
    ranks = rankdata(scores)
    above = float(ranks[np.asarray(positives, dtype=bool)].sum()) - many * (many + 1) / 2
    return share(above, many * few)


def roc(scores: Sequence[float], positives: Sequence[bool]) -> list[dict[str, float]]:
    """Return the ROC: for falling thresholds the share of in-scope refused and of out-of-scope caught."""
    many = sum(positives)
    few = len(positives) - many
    if not many or not few:
        return []
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ordered = np.asarray(scores, dtype=np.float64)[order]
    caught = np.cumsum(np.asarray(positives, dtype=np.int64)[order])
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    shown = last[np.unique(np.linspace(0, len(last) - 1, min(len(last), _MOST_POINTS)).astype(int))]
    return [{"refused": 0.0, "caught": 0.0, "threshold": 1.0}] + [
        {
            "refused": share(int(index + 1 - caught[index]), few),
            "caught": share(int(caught[index]), many),
            "threshold": round(float(ordered[index]), 4),
        }
        for index in shown
    ]


def _refused_at(points: Sequence[Mapping[str, float]]) -> float | None:
    enough = [point["refused"] for point in points if 1.0 - point["caught"] <= ALLOWED_FALSE_ACCEPTS + 1e-9]
    return min(enough) if enough else None


def _went_wrong(
    rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    false_accepts: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for row, reading, guess in zip(rows, readings, counted_as(rows, readings), strict=True):
        turned_away = guess == OUT_OF_SCOPE_TOPIC or not reading.get("accepted")
        if (row["topic"] == OUT_OF_SCOPE_TOPIC) == turned_away:
            continue
        said = {"text": row.get("text", ""), "topic": row["topic"], "taken_for": reading.get("topic")}
        said |= {"outside": round(outside(reading), 4), "accepted": bool(reading.get("accepted"))}
        (refused if turned_away else false_accepts).append(said)
    false_accepts.sort(key=lambda item: item["outside"])
    refused.sort(key=lambda item: -item["outside"])
    return {"false_accepts": false_accepts, "refused": refused}
