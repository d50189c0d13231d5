"""Whether confidence means what it says, and what answering only the surer sentences would buy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
_MOST_POINTS = 200
_COVERAGES = (0.7, 0.8, 0.9, 1.0)
Floats = NDArray[np.float64]


def calibration(right: Sequence[bool], confidences: Sequence[float], bins: int = BINS) -> dict[str, Any]:
    """Return expected calibration error, Brier score and the points of the reliability picture.

    Bins hold equally many sentences each (by confidence), so that no bin is an accident. Both scores
    are between 0 (perfect) and 1. Raises ``ValueError`` when the lengths differ.
    """
    outcome, sure = _arrays(right, confidences)
    points = []
    # In one order whatever that of the rows: sums of floats depend on it in the last digits.
    order = np.lexsort((outcome, sure))
    outcome, sure = outcome[order], sure[order]
    for chosen in np.array_split(np.arange(len(order)), bins):
        if len(chosen):
            points.append((float(sure[chosen].mean()), float(outcome[chosen].mean()), len(chosen)))
    gaps = sum(count * abs(confidence - accuracy) for confidence, accuracy, count in points)
    return {
        "ece": round(gaps / len(outcome), 4) if len(outcome) else 0.0,
        "brier": round(float(((sure - outcome) ** 2).mean()), 4) if len(outcome) else 0.0,
        "bins": [
            {"confidence": round(confidence, 4), "accuracy": round(accuracy, 4), "sentences": count}
            for confidence, accuracy, count in points
        ],
    }


def risk_coverage(right: Sequence[bool], confidences: Sequence[float]) -> dict[str, Any]:
    """Return what share is wrong (risk) among the surest share (coverage), and the area under that curve.

    Sentences of equal confidence come together: inside such a group the errors are spread evenly, so the
    order of the rows does not matter. ``aurc`` is the mean risk over all coverages, ``at`` the risk at 70,
    80, 90 and 100 % coverage. Raises ``ValueError`` when the lengths differ.
    """
    outcome, sure = _arrays(right, confidences)
    if not len(outcome):
        return {"aurc": 0.0, "at": {}, "points": []}
    order = np.argsort(-sure, kind="stable")
    errors, levels = 1.0 - outcome[order], sure[order]
    last = np.append(np.flatnonzero(np.diff(levels)), len(levels) - 1)
    counts = np.arange(1, len(errors) + 1)
    known = np.concatenate(([0.0], np.cumsum(errors)[last]))
    risk = np.interp(counts, np.concatenate(([0], last + 1)), known) / counts
    shown = last[np.unique(np.linspace(0, len(last) - 1, min(len(last), _MOST_POINTS)).astype(int))]
    return {
        "aurc": round(float(risk.mean()), 4),
        "at": {
            f"{coverage:.0%}": round(float(risk[max(1, round(coverage * len(risk))) - 1]), 4)
            for coverage in _COVERAGES
        },
        "points": [
            {
                "coverage": round(float(counts[index] / len(counts)), 4),
                "risk": round(float(risk[index]), 4),
                "confidence": round(float(levels[index]), 4),
            }
            for index in shown
        ],
    }


def _arrays(right: Sequence[bool], confidences: Sequence[float]) -> tuple[Floats, Floats]:
    if len(right) != len(confidences):
        raise ValueError(f"{len(right)} outcomes but {len(confidences)} confidences")
    return np.asarray(right, dtype=np.float64), np.asarray(confidences, dtype=np.float64)
