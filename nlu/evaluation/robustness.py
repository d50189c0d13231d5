"""Robustness: how many points of accuracy each kind of noise costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nlu.evaluation.crisis import is_crisis, noticed
from nlu.evaluation.figures import SEED, is_right, share
from nlu.evaluation.noise import KINDS, Noise

Reader = Callable[[list[str]], Sequence[Mapping[str, Any]]]
_EXAMPLES = 4
RUNS = 3
"""Times each kind of noise that leaves something to chance is tried, with seeds that follow one another."""


def robustness_figures(
    rows: Sequence[Mapping[str, Any]],
    clean: Sequence[Mapping[str, Any]],
    read: Reader,
    *,
    kinds: Mapping[str, Noise] = KINDS,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return for every kind of noise the accuracy under it and the drop in points against ``clean``.

    ``read`` makes readings of texts, as ``clean`` was made of the rows'. Points are percentage points, the
    mean over the runs; ``drops`` are those of the single runs. ``crisis_recall_drop_points`` is the same
    for crises noticed.
    """
    figures = {}
    for name, noise in kinds.items():
        progress(f"{name}, {RUNS if noise.by_chance else 1} times over {len(rows)} sentences")
        figures[name] = _under(rows, clean, read, noise, seed)
    return figures


def _under(
    rows: Sequence[Mapping[str, Any]],
    clean: Sequence[Mapping[str, Any]],
    read: Reader,
    noise: Noise,
    seed: int,
) -> dict[str, Any]:
    runs = RUNS if noise.by_chance else 1
    before, heard_before = _accuracy(rows, clean), _crisis_recall(rows, clean)
    accuracies, heard = [], []
    changed = 0
    examples: list[dict[str, str]] = []
    for run in range(runs):
        texts = [noise(str(row["text"]), seed + run) for row in rows]
        readings = read(texts)
        accuracies.append(_accuracy(rows, readings))
        heard.append(_crisis_recall(rows, readings))
        before_after = zip((str(row["text"]) for row in rows), texts, strict=True)
        pairs = [(text, noisy) for text, noisy in before_after if text != noisy]
        changed += len(pairs)
        if run == 0:
            short = [pair for pair in pairs if 8 <= len(pair[0]) <= 30] or pairs
            step = max(1, len(short) // _EXAMPLES)
            examples = [{"text": text, "noisy": noisy} for text, noisy in short[::step][:_EXAMPLES]]
    drops = [round(100 * (before - accuracy), 2) for accuracy in accuracies]
    return {
        "accuracy": round(sum(accuracies) / runs, 4),
        "drop_points": round(100 * (before - sum(accuracies) / runs), 2),
        "drops": drops,
        "crisis_recall_drop_points": round(100 * (heard_before - sum(heard) / runs), 2),
        "changed": share(changed, runs * len(rows)),
        "examples": examples,
    }


def _accuracy(rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]) -> float:
    right = [is_right(reading.get("topic"), row) for row, reading in zip(rows, readings, strict=True)]
    return sum(right) / len(right) if right else 0.0


def _crisis_recall(rows: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]]) -> float:
    heard = [noticed(reading) for row, reading in zip(rows, readings, strict=True) if is_crisis(row["topic"])]
    return sum(heard) / len(heard) if heard else 0.0
