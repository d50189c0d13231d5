"""``python -m tests.nlu.planted_labels --seeds 3``: how many planted wrong labels the lint finds.

Fifty sentences of the real training set are moved to another intent drawn at random, and the ranking, which
is not told which, is asked for its first hundred suggestions. Beside it stand cleanlab's own rankings on the
same held-out readings, for comparison.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from casework import confirmed_labels
from casework.sample_files import plain
from nlu import label_errors
from nlu.network import keys_of
from nlu.ngrams import NgramVectoriser
from nlu.validation import MARK, sentences

ROOT = Path(__file__).parents[2]
DICTIONARY = ROOT / "data" / "knowledge" / "dictionary" / "union.txt"


@dataclass(frozen=True)
class Sentences:
    """The training sentences as the models see them."""

    texts: list[str]
    labels: list[str]
    rows: csr_matrix


def read(intents: Collection[str] | None = None, every: int = 1) -> Sentences:
    """Read the real set, or every n-th sentence of some of its intents."""
    pairs = [
        (MARK.sub(r"\1", text), intent)
        for intent, texts in sentences(ROOT / "data" / "nlu").items()
        if intents is None or intent in intents
        for text in texts[::every]
    ]
    samples = label_errors.samples_of([text for text, _ in pairs], DICTIONARY)
    kept = [(pair, sample) for pair, sample in zip(pairs, samples, strict=True) if sample is not None]
    known = [sample for _, sample in kept]
    rows = NgramVectoriser(label_errors.WEIGHTS, 3).fit(known).transform(known)
    return Sentences([pair[0] for pair, _ in kept], [pair[1] for pair, _ in kept], rows)


def plant(labels: Sequence[str], number: int, seed: int) -> tuple[list[str], set[int]]:
    """Move random sentences to a random other intent; return the labels and which were moved."""
    chance = np.random.default_rng(seed)
    names = sorted(set(labels))
    changed = list(labels)
    moved = {int(row) for row in chance.choice(len(labels), number, replace=False)}
    for row in sorted(moved):
        changed[row] = str(chance.choice([name for name in names if name != labels[row]]))
    return changed, moved


def unconfirmed(rows: Sequence[int], labels: Sequence[str], texts: Sequence[str]) -> list[int]:
    """The rows in this order without those whose label somebody confirmed, as the lint leaves them out."""
    confirmed = confirmed_labels.read(ROOT / "data")
    return [row for row in rows if (labels[row], plain(texts[row])) not in confirmed]


def found(rows: Sequence[int], moved: set[int], most: int = 100) -> int:
    """How many of the moved sentences are among the first suggestions."""
    return len(moved & set(rows[:most]))


def _cleanlab(method: str) -> Callable[[NDArray[np.int64], NDArray[np.float64]], list[int]]:
    from cleanlab.rank import get_label_quality_scores

    return lambda given, view: [
        int(row) for row in np.argsort(get_label_quality_scores(given, view, method=method), kind="stable")
    ]


def main() -> None:
    """Print one line a seed and ranking."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--planted", type=int, default=50)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    started = time.monotonic()
    real = read()
    print(f"{len(real.labels)} sentences read in {time.monotonic() - started:.0f} s", flush=True)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        labels, moved = plant(real.labels, chosen.planted, seed)
        names = sorted(set(labels))
        given = np.asarray([names.index(label) for label in labels])
        started = time.monotonic()
        views = label_errors.held_out_views(real.rows, given, len(names), keys_of(real.texts))
        ranked = np.argsort(-label_errors.suspicion(views, given), kind="stable")
        rows = unconfirmed([int(row) for row in ranked], labels, real.texts)
        line = f"{found(rows, moved)} of {chosen.planted}, in the first 200 {found(rows, moved, 200)} "
        line += f"({time.monotonic() - started:.0f} s) | confirmed ones among them "
        line += f"{found([int(row) for row in ranked], moved)}"
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            line += f" | cleanlab {method} {found(_cleanlab(method)(given, views[0]), moved)}"
        print(f"seed {seed}: {line}", flush=True)


if __name__ == "__main__":
    main()
