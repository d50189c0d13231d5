"""A linear model over sparse rows with calibrated probabilities: training, held-out folds, temperature.

Plain numpy and scikit-learn, no Rasa. A trained model is three arrays and the class names, so serving
needs neither scikit-learn nor pickles.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

Kind = Literal["svm", "logistic"]
Floats = NDArray[np.float32]
_ABSENT = np.float32(-30.0)
"""Score of a class that a fold's training part does not contain."""


@dataclass
class LinearModel:
    """Linear model: one weight column per class, and the sharpness that makes its softmax honest."""

    classes: list[str]
    weights: Floats
    intercept: Floats
    sharpness: float = 1.0

    def scores(self, rows: csr_matrix) -> Floats:
        """Return one score per row and class."""
        return np.asarray(rows @ self.weights + self.intercept, dtype=np.float32)

    def probabilities(self, rows: csr_matrix) -> Floats:
        """Return calibrated class probabilities, one line per row."""
        return softmax(self.scores(rows) * self.sharpness)

    def write(self, folder: Path) -> None:
        """Store the model in a folder (JSON and arrays)."""
        content = {"classes": self.classes, "sharpness": self.sharpness}
        (folder / "linear.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        np.save(folder / "weights.npy", self.weights, allow_pickle=False)
        np.save(folder / "intercept.npy", self.intercept, allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> LinearModel:
        """Read what ``write`` stored."""
        content = json.loads((folder / "linear.json").read_text("utf-8"))
        return cls(
            content["classes"],
            np.load(folder / "weights.npy", allow_pickle=False),
            np.load(folder / "intercept.npy", allow_pickle=False),
            content["sharpness"],
        )


def softmax(scores: Floats) -> Floats:
    """Return the softmax of every line."""
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def fit(
    rows: csr_matrix, labels: Sequence[str], kind: Kind = "svm", c: float = 1.0, seed: int = 20
) -> LinearModel:
    """Train a balanced one-against-rest linear model (seeded; raises ``ValueError`` below two classes)."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (serving needs no scikit-learn)
    from sklearn.svm import LinearSVC  # noqa: PLC0415  (as above)

    common: dict[str, Any] = {"C": c, "class_weight": "balanced", "random_state": seed, "max_iter": 300}
    estimator = (
        LinearSVC(**common) if kind == "svm" else LogisticRegression(solver="liblinear", dual=True, **common)
    )
    estimator.fit(rows, np.asarray(labels))
    weights, intercept = estimator.coef_.T, estimator.intercept_
    if weights.shape[1] == 1:  # two classes: liblinear keeps the second one only
        weights, intercept = np.hstack([-weights, weights]), np.concatenate([-intercept, intercept])
    return LinearModel(
        [str(name) for name in estimator.classes_],
        np.ascontiguousarray(weights, dtype=np.float32),
        np.asarray(intercept, dtype=np.float32),
    )


def held_out_scores(
    rows: csr_matrix,
    labels: Sequence[str],
    classes: Sequence[str],
    *,
    folds: int = 5,
    min_count: int = 2,
    kind: Kind = "svm",
    c: float = 1.0,
    seed: int = 20,
) -> Floats:
    """Return the score every sentence gets from a model that has not seen it (stratified folds).

    The rows' n-grams were counted over all sentences; a fold drops those its training part would not
    have kept (``min_count``) and brings the rows back to length 1, as if it had counted by itself.
    """
    fold_of = assign_folds(labels, folds, seed)
    column_of = {name: column for column, name in enumerate(classes)}
    scores = np.full((rows.shape[0], len(classes)), _ABSENT, dtype=np.float32)
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        rest = np.flatnonzero(fold_of != fold)
        if not len(held_out) or len({labels[i] for i in rest}) < 2:
            continue
        training = rows[rest]
        kept = np.bincount(training.indices, minlength=rows.shape[1]) >= min_count
        model = fit(_restricted(training, kept), [labels[i] for i in rest], kind, c, seed)
        columns = [column_of[name] for name in model.classes]
        scores[held_out[:, None], columns] = model.scores(_restricted(rows[held_out], kept))
    return scores


def assign_folds(labels: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal the sentences of every class to folds in turn, after a seeded shuffle."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt: dict[str, int] = {}
    fold_of = np.zeros(len(labels), dtype=np.int64)
    for index in shuffled:
        turn = dealt.get(labels[index], 0)
        fold_of[index] = turn % folds
        dealt[labels[index]] = turn + 1
    return fold_of


def _restricted(rows: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    restricted = rows @ diags(kept.astype(np.float32))
    lengths = np.sqrt(np.asarray(restricted.multiply(restricted).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return csr_matrix(diags((1 / lengths).astype(np.float32)) @ restricted)


def fit_sharpness(scores: Floats, labels: Sequence[str], classes: Sequence[str]) -> float:
    """Return the factor on held-out scores whose softmax is best calibrated (least log loss).

    It is one over the temperature; searched between 0.2 and 15 by golden section (a handful of sentences that
    are all told apart would ask for infinity).
    """
    column_of = {name: column for column, name in enumerate(classes)}
    right = np.asarray([column_of[label] for label in labels])
    lines = np.arange(len(labels))

    def loss(log_sharpness: float) -> float:
        probabilities = softmax(scores * np.float32(np.exp(log_sharpness)))
        return float(-np.log(np.maximum(probabilities[lines, right], 1e-9)).mean())

    low, high = float(np.log(0.2)), float(np.log(15.0))
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, middle = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(middle):
            high = middle
        else:
            low = left
    return float(np.exp((low + high) / 2))
