"""The whole report: every figure of an evaluation in one plain structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlu.evaluation.aims import judge
from nlu.evaluation.calibration import calibration, risk_coverage
from nlu.evaluation.crisis import crisis_figures
from nlu.evaluation.facts import facts_figures
from nlu.evaluation.figures import (
    alternatives,
    confusion_matrix,
    evaluate_predictions,
    is_right,
    share,
)
from nlu.evaluation.rejection import rejection_figures
from nlu.evaluation.topics import topics_figures

WORST = 20
Rows = Sequence[Mapping[str, Any]]


def full_report(
    rows: Rows,
    readings: Rows,
    *,
    fact_rows: Rows = (),
    fact_readings: Rows = (),
    robustness: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return all figures: those of ``evaluate_predictions`` and everything measured beside them.

    ``fact_rows`` count for facts alone. Calibration, risk–coverage and the worst mistakes are the model's
    own (``model`` of a reading, where crisis rules may have spoken first), everything else is what the
    house makes of a text.
    Raises ``ValueError`` when rows and readings do not pair up.
    """
    report = evaluate_predictions(rows, readings)
    report["out_of_scope"] |= rejection_figures(rows, readings)
    model = [reading.get("model") or reading for reading in readings]
    right = [is_right(reading.get("topic"), row) for row, reading in zip(rows, model, strict=True)]
    sure = [float(reading.get("confidence") or 0.0) for reading in model]
    report |= {
        "model_alone": {"accuracy": share(sum(right), len(right))},
        "by_source": _by_source(rows, readings),
        "topics": topics_figures(rows, readings),
        "calibration": calibration(right, sure),
        "risk_coverage": risk_coverage(right, sure),
        "crisis": crisis_figures(rows, readings),
        "facts": facts_figures([*rows, *fact_rows], [*readings, *fact_readings]),
        "worst": worst_mistakes(rows, model),
        "confusion_matrix": confusion_matrix(rows, readings),
    }
    if robustness is not None:
        report["robustness"] = dict(robustness)
    if about is not None:
        report["about"] = dict(about)
    report["aims"] = judge(report)
    return report


def worst_mistakes(rows: Rows, readings: Rows, most: int = WORST) -> list[dict[str, Any]]:
    """Return the wrong guesses, the most confident first: what a better model has to unlearn."""
    wrong = [
        {
            "text": row.get("text", ""),
            "topic": row["topic"],
            "alt": alternatives(row),
            "taken_for": reading.get("topic"),
            "confidence": float(reading.get("confidence") or 0.0),
            "accepted": bool(reading.get("accepted")),
        }
        for row, reading in zip(rows, readings, strict=True)
        if not is_right(reading.get("topic"), row)
    ]
    wrong.sort(key=lambda item: (-item["confidence"], item["text"]))
    return wrong[:most]


def _by_source(rows: Rows, readings: Rows) -> dict[str, dict[str, float | int]]:
    groups: dict[str, list[bool]] = {}
    for row, reading in zip(rows, readings, strict=True):
        groups.setdefault(str(row.get("source") or "rows"), []).append(is_right(reading.get("topic"), row))
    return {
        source: {"sentences": len(right), "accuracy": share(sum(right), len(right))}
        for source, right in groups.items()
    }
