"""Topic figures: accuracy with its interval, macro-F1, per topic, coverage, confusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

OUT_OF_SCOPE_TOPIC = "talk.out_of_scope"
SEED = 20261122
"""Seed of every resampling and of every noise, unless another one is asked for."""
_RESAMPLES = 10_000
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
    guesses = counted_as(rows, predictions)
    accepted = [bool(guess.get("accepted")) for guess in predictions]
    right = [guess == label for guess, label in zip(guesses, labels, strict=True)]
    per_topic = _per_topic(labels, guesses)
    taken = sum(accepted)
    return {
        "sentences": len(labels),
        "accuracy": share(sum(right), len(labels)),
        "accuracy_interval": accuracy_interval(sum(right), len(labels)),
        "macro_f1": _mean([figures["f1"] for figures in per_topic.values() if figures["support"]]),
        "coverage": share(taken, len(labels)),
        "accuracy_of_accepted": share(sum(r and a for r, a in zip(right, accepted, strict=True)), taken),
        "out_of_scope": _out_of_scope(labels, guesses, accepted),
        "per_topic": per_topic,
        "confusions": _confusions(labels, guesses),
    }


def alternatives(row: Mapping[str, Any]) -> list[str]:
    """Return the other topics that are defensible for a row (``alt``: nothing, a key or a list of keys)."""
    named = row.get("alt") or []
    return [named] if isinstance(named, str) else [str(topic) for topic in named]


def is_right(guess: object, row: Mapping[str, Any]) -> bool:
    """Say whether a topic is the row's own or another defensible one."""
    return guess is not None and (guess == row["topic"] or guess in alternatives(row))


def counted_as(rows: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the topic every prediction counts as: the row's own where it is right, else the guess."""
    return [
        str(row["topic"]) if is_right(guess.get("topic"), row) else str(guess.get("topic"))
        for row, guess in zip(rows, predictions, strict=True)
    ]


def accuracy_interval(right: int, total: int, seed: int = SEED) -> list[float]:
    """Return the 95 % bootstrap interval of an accuracy, ``[low, high]``.

    Drawing ``total`` sentences with replacement and counting the right ones is drawing from a binomial
    distribution, so that is what is drawn.
    """
    if not total:
        return [0.0, 0.0]
    drawn = np.random.default_rng(seed).binomial(total, right / total, size=_RESAMPLES) / total
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(float(low), _DIGITS), round(float(high), _DIGITS)]


def confusion_matrix(
    rows: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return ``{"topics", "counts"}``: a line per labelled topic, a column per topic it was taken for."""
    labels, guesses = [str(row["topic"]) for row in rows], counted_as(rows, predictions)
    topics = sorted({*labels, *guesses})
    pairs = Counter(zip(labels, guesses, strict=True))
    return {"topics": topics, "counts": [[pairs[(label, guess)] for guess in topics] for label in topics]}


def _per_topic(labels: Sequence[str], guesses: Sequence[str]) -> dict[str, dict[str, float | int]]:
    support, guessed = Counter(labels), Counter(guesses)
    hits = Counter(label for label, guess in zip(labels, guesses, strict=True) if label == guess)
    return {
        topic: {
            **precision_recall(hits[topic], guessed[topic], support[topic]),
            "support": support[topic],
        }
        for topic in sorted(support | guessed)
    }


def precision_recall(right: int, found: int, wanted: int) -> dict[str, float]:
    """Return precision, recall and their harmonic mean ``f1`` (0 where there is nothing to divide by)."""
    precision, recall = share(right, found), share(right, wanted)
    return {"precision": precision, "recall": recall, "f1": share(2 * right, found + wanted)}


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
        "turned_away": share(caught, sum(outside)),
        "answered_wrongly": share(sum(outside) - caught, sum(outside)),
        "in_scope_turned_away": share(lost, len(labels) - sum(outside)),
    }


def _confusions(labels: Sequence[str], guesses: Sequence[str]) -> list[dict[str, Any]]:
    pairs = Counter((label, guess) for label, guess in zip(labels, guesses, strict=True) if label != guess)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"topic": label, "taken_for": guess, "times": times}
        for (label, guess), times in ordered[:_MOST_CONFUSIONS]
    ]


def share(part: float, whole: float) -> float:
    """Return ``part / whole`` to four digits; 0 of nothing."""
    return round(part / whole, _DIGITS) if whole else 0.0


def _mean(values: Sequence[float | int]) -> float:
    return round(sum(values) / len(values), _DIGITS) if values else 0.0
