"""How well topics are understood: plain figures from labelled sentences and what was made of them.

No clock, no files, no Rasa: the command line, the tests and the retraining gate all call these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

OUT_OF_SCOPE_TOPIC = "talk.out_of_scope"
_MOST_CONFUSIONS = 15
_DIGITS = 4


def evaluate_predictions(
    rows: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Compare labelled rows (``topic``, optionally ``alt``) with predictions (``topic``, ``accepted``).

    A prediction is right when it is the row's topic or one of its ``alt`` topics (a key or a list of
    keys); it then counts as the row's own topic everywhere. Coverage is the share accepted; risk is
    the share of wrong among the accepted. Raises ``ValueError`` when the lengths differ.
    """
    labels = [str(row["topic"]) for row in rows]
    guesses = [
        label if _is_right(guess.get("topic"), row) else str(guess.get("topic"))
        for row, guess, label in zip(rows, predictions, labels, strict=True)
    ]
    accepted = [bool(guess.get("accepted")) for guess in predictions]
    right = [guess == label for guess, label in zip(guesses, labels, strict=True)]
    per_topic = _per_topic(labels, guesses)
    taken = sum(accepted)
    return {
        "sentences": len(labels),
        "accuracy": _share(sum(right), len(labels)),
        "macro_f1": _mean([figures["f1"] for figures in per_topic.values() if figures["support"]]),
        "coverage": _share(taken, len(labels)),
        "accuracy_of_accepted": _share(sum(r and a for r, a in zip(right, accepted, strict=True)), taken),
        "out_of_scope": _out_of_scope(labels, guesses, accepted),
        "per_topic": per_topic,
        "confusions": _confusions(labels, guesses),
    }


def _is_right(guess: object, row: Mapping[str, Any]) -> bool:
    alternatives = row.get("alt") or []
    if isinstance(alternatives, str):
        alternatives = [alternatives]
    return guess is not None and (guess == row["topic"] or guess in alternatives)


def _per_topic(labels: Sequence[str], guesses: Sequence[str]) -> dict[str, dict[str, float | int]]:
    support, guessed = Counter(labels), Counter(guesses)
    hits = Counter(label for label, guess in zip(labels, guesses, strict=True) if label == guess)
    figures: dict[str, dict[str, float | int]] = {}
    for topic in sorted(support | guessed):
        precision, recall = _share(hits[topic], guessed[topic]), _share(hits[topic], support[topic])
        total = precision + recall
        figures[topic] = {
            "precision": precision,
            "recall": recall,
            "f1": round(2 * precision * recall / total, _DIGITS) if total else 0.0,
            "support": support[topic],
        }
    return figures


def _out_of_scope(
    labels: Sequence[str], guesses: Sequence[str], accepted: Sequence[bool]
) -> dict[str, float | int]:
    """Figures about what is not ours: a sentence counts as turned away when labelled so, or not accepted."""
    turned_away = [
        guess == OUT_OF_SCOPE_TOPIC or not taken for guess, taken in zip(guesses, accepted, strict=True)
    ]
    outside = [label == OUT_OF_SCOPE_TOPIC for label in labels]
    caught = sum(away and out for away, out in zip(turned_away, outside, strict=True))
    lost = sum(away and not out for away, out in zip(turned_away, outside, strict=True))
    return {
        "sentences": sum(outside),
        "turned_away": _share(caught, sum(outside)),
        "answered_wrongly": _share(sum(outside) - caught, sum(outside)),
        "in_scope_turned_away": _share(lost, len(labels) - sum(outside)),
    }


def _confusions(labels: Sequence[str], guesses: Sequence[str]) -> list[dict[str, Any]]:
    pairs = Counter((label, guess) for label, guess in zip(labels, guesses, strict=True) if label != guess)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"topic": label, "taken_for": guess, "times": times}
        for (label, guess), times in ordered[:_MOST_CONFUSIONS]
    ]


def format_report(report: Mapping[str, Any]) -> str:
    """Return the figures of ``evaluate_predictions`` as a text table."""
    outside = report["out_of_scope"]
    lines = [
        f"sentences             {report['sentences']}",
        f"accuracy              {report['accuracy']:.4f}",
        f"macro-F1              {report['macro_f1']:.4f}",
        f"coverage (accepted)   {report['coverage']:.4f}",
        f"accuracy of accepted  {report['accuracy_of_accepted']:.4f}",
        f"out of scope          {outside['sentences']} sentences, {outside['turned_away']:.4f} turned away; "
        f"{outside['in_scope_turned_away']:.4f} of the rest turned away too",
        "",
        f"{'topic':<26}{'precision':>10}{'recall':>8}{'f1':>8}{'support':>9}",
    ]
    for topic, figures in report["per_topic"].items():
        lines.append(
            f"{topic:<26}{figures['precision']:>10.3f}{figures['recall']:>8.3f}"
            f"{figures['f1']:>8.3f}{figures['support']:>9}"
        )
    if report["confusions"]:
        lines += ["", "taken for something else, most often first:"]
        lines += [
            f"  {pair['topic']} → {pair['taken_for']}: {pair['times']}" for pair in report["confusions"]
        ]
    return "\n".join(lines)


def _share(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0


def _mean(values: Sequence[float | int]) -> float:
    return round(sum(values) / len(values), _DIGITS) if values else 0.0
