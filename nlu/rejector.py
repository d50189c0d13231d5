"""The rejector: how likely it is that a text is none of the union's business, as a model of its own.

A logistic regression on what held-out folds showed: the score for out of scope and those of the two best
topics inside, their probabilities, the text's length, how much of it was ever seen, and how many classes
claim it at all. Trained on what held-out models said of every training sentence, so it learns how the
classifier behaves on text it does not know (measured: docs/benchmarks.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Exact = NDArray[np.float64]
OUT_OF_SCOPE_SHARE = 0.2
"""Share of messages that are out of scope in daily use; training gives them this weight, however many
there are in the data."""
_CLAIMED = -0.5
_TINY = 1e-4


@dataclass
class Rejector:
    """Rejector: standardised signals, one weight each, a logistic at the end."""

    mean: Exact
    spread: Exact
    weights: Exact
    intercept: float

    def probabilities(self, signals: Exact) -> Exact:
        """Return the probability of being out of scope for every line of ``signals``."""
        raw = (signals - self.mean) / self.spread @ self.weights + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(raw, -30, 30))))

    def write(self, file: Path) -> None:
        """Store the rejector as JSON."""
        content = {
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept,
        }
        file.write_text(json.dumps(content), "utf-8")

    @classmethod
    def read(cls, file: Path) -> Rejector:
        """Read what ``write`` stored."""
        content = json.loads(file.read_text("utf-8"))
        mean, spread, weights = (
            np.asarray(content[name], dtype=np.float64) for name in ("mean", "spread", "weights")
        )
        return cls(mean, spread, weights, content["intercept"])


def signals_of(
    scores: Floats,
    probabilities: Floats,
    outside_column: int,
    topic_of: NDArray[np.int64],
    lengths: Sequence[int],
    known: Sequence[float],
) -> Exact:
    """Return what the rejector looks at, one line a text.

    ``topic_of`` gives the number of each class's topic (their probabilities are added up), ``lengths`` the
    characters, ``known`` the share of neighbouring characters seen in training.
    """
    inside = np.delete(scores, outside_column, axis=1).astype(np.float64)
    best = np.sort(inside, axis=1)[:, -2:]
    outside = scores[:, outside_column].astype(np.float64)
    by_topic = np.zeros((len(scores), int(topic_of.max()) + 1))
    np.add.at(by_topic.T, topic_of, probabilities.T.astype(np.float64))
    by_topic[:, topic_of[outside_column]] = 0.0
    log_length = np.log(np.asarray(lengths, dtype=np.float64) + 1)
    return np.column_stack(
        [
            outside,
            best[:, -1],
            best[:, -2],
            outside - best[:, -1],
            np.log(probabilities[:, outside_column].astype(np.float64) + _TINY),
            np.log(by_topic.max(axis=1) + _TINY),
            log_length,
            np.asarray(known, dtype=np.float64),
            log_length * outside,
            log_length * best[:, -1],
            (inside > _CLAIMED).sum(axis=1),
        ]
    )


def fit_rejector(signals: Exact, outside: NDArray[np.bool_]) -> Rejector:
    """Train the rejector on signals of sentences held-out models have judged (deterministic)."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (serving needs no scikit-learn)

    mean, spread = signals.mean(axis=0), signals.std(axis=0)
    spread[spread == 0] = 1.0
    weight = np.where(
        outside, OUT_OF_SCOPE_SHARE / outside.mean(), (1 - OUT_OF_SCOPE_SHARE) / (~outside).mean()
    )
    model = LogisticRegression(C=1.0, max_iter=500).fit(
        (signals - mean) / spread, outside, sample_weight=weight
    )
    return Rejector(mean, spread, model.coef_[0].astype(np.float64), float(model.intercept_[0]))
