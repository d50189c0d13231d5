"""Figures of a side: what its readings are worth on each test set, and how two sides differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlu.evaluation.figures import accuracy_interval, evaluate_predictions, is_right
from tests.bench.nlu.sides import Side

_RESAMPLES = 10_000
Row = Mapping[str, Any]
TopicOf = Callable[[str | None], str | None]


@dataclass(frozen=True)
class TestSet:
    """Test set: its name, its rows (``text``, ``topic``, ``alt``), whether it knows what is out of scope."""

    __test__ = False  # pytest would collect it by its name
    name: str
    rows: Sequence[Row]
    knows_out_of_scope: bool = True


def side_figures(
    side: Side, found: Mapping[str, Any], tests: Sequence[TestSet], topic_of: TopicOf, seed: int
) -> dict[str, Any]:
    """Return every figure of a measured side (seconds, ms, MB; quality per test set).

    ``found`` has a reading for every row of every test set, in order. ``topic_of`` turns the name of an
    intent into the topic (or label) it stands for.
    """
    times = np.asarray(found["milliseconds"])
    quality: dict[str, Any] = {}
    right: dict[str, list[bool]] = {}
    start = 0
    for test in tests:
        readings = found["readings"][start : start + len(test.rows)]
        start += len(test.rows)
        guesses = [{"topic": topic_of(one["intent"]), "accepted": one["accepted"]} for one in readings]
        right[test.name] = [
            is_right(guess["topic"], row) for guess, row in zip(guesses, test.rows, strict=True)
        ]
        quality[test.name] = _quality(test, guesses, sum(right[test.name]), seed)
    return {
        "name": side.name,
        "side": side.kind,
        "digest": found["digest"],
        "training_sentences": len(side.sentences),
        "classes": len({sentence.label for sentence in side.sentences}),
        "training_s": round(found["training_s"], 1),
        "trained": found["when"],
        "load": {"training": found["load"], "measuring": found["measuring_load"]},
        "loading_s": round(found["loading_s"], 2),
        "parse_ms": {
            "p50": round(float(np.quantile(times, 0.5)), 2),
            "p99": round(float(np.quantile(times, 0.99)), 2),
            "sentences": len(times),
        },
        "memory_mb": {name: round(value, 1) for name, value in found["memory_mb"].items()},
        "model_mb": round(found["model_mb"], 2),
        "quality": quality,
        "right": right,
    }


def _quality(test: TestSet, guesses: Sequence[Row], right: int, seed: int) -> dict[str, Any]:
    report = evaluate_predictions(test.rows, guesses)
    report["accuracy_interval"] = accuracy_interval(right, len(test.rows), seed)
    if not test.knows_out_of_scope:
        del report["out_of_scope"]
    return report


def difference(ours: Sequence[bool], theirs: Sequence[bool], seed: int) -> dict[str, Any]:
    """Return how much more often ``ours`` is right, in points, with its paired 95 % bootstrap interval.

    Both were asked the same sentences, so sentences are drawn, and with each what both made of it: a draw
    from the multinomial distribution of (only ours right, only theirs, both or neither).
    """
    if len(ours) != len(theirs):
        raise ValueError("both sides must have read the same sentences")
    total = len(ours)
    gained = sum(a and not b for a, b in zip(ours, theirs, strict=True))
    lost = sum(b and not a for a, b in zip(ours, theirs, strict=True))
    shares = [gained / total, lost / total, (total - gained - lost) / total]
    drawn = np.random.default_rng(seed).multinomial(total, shares, _RESAMPLES)
    low, high = _interval((drawn[:, 0] - drawn[:, 1]) / total)
    return {
        "points": round(100 * (gained - lost) / total, 2),
        "interval": [round(100 * low, 2), round(100 * high, 2)],
        "only_ours_right": gained,
        "only_theirs_right": lost,
    }


def comparison(ours: Mapping[str, Any], theirs: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return ``theirs`` against ``ours``: ratios of what they cost (theirs/ours), points of accuracy."""
    return {
        "ours": ours["name"],
        "theirs": theirs["name"],
        "ratios": {name: ratio(get(theirs), get(ours)) for name, get in COSTS.items()},
        "accuracy": {
            name: difference(ours["right"][name], theirs["right"][name], seed) for name in ours["right"]
        },
    }


COSTS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "training_s": lambda side: float(side["training_s"]),
    "parse_p50_ms": lambda side: float(side["parse_ms"]["p50"]),
    "parse_p99_ms": lambda side: float(side["parse_ms"]["p99"]),
    "memory_mb": lambda side: float(side["memory_mb"]["loaded"]),
    "model_mb": lambda side: float(side["model_mb"]),
}
"""What a side costs, each with where to find it."""


def ratio(theirs: float, ours: float) -> float | None:
    """Return ``theirs / ours``; None where ours is nothing."""
    return round(theirs / ours, 2) if ours else None


def _interval(values: Any) -> list[float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return [round(float(low), 4), round(float(high), 4)]
