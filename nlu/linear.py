"""A linear model over sparse rows with calibrated probabilities: training and held-out folds.

Plain numpy and scikit-learn, no Rasa. A trained model is a few arrays and the class names, so serving
needs neither scikit-learn nor pickles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from nlu.calibration import Calibration

Kind = Literal["svm", "logistic"]
Floats = NDArray[np.float32]
_ABSENT = np.float32(-3.0)
"""Score of a class that a fold's training part does not contain."""
_WORTH_PROCESSES = 2000
"""From this many rows on, folds are trained by processes side by side (starting those takes two seconds)."""


@dataclass
class LinearModel:
    """Linear model: one weight column per class, and the calibration that makes its probabilities honest."""

    classes: list[str]
    weights: Floats
    intercept: Floats
    calibration: Calibration

    def scores(self, rows: csr_matrix) -> Floats:
        """Return one score per row and class."""
        return np.asarray(rows @ self.weights + self.intercept, dtype=np.float32)

    def write(self, folder: Path) -> None:
        """Store the model in a folder: JSON and arrays, the weights in half precision (no pickles)."""
        content = {
            "classes": self.classes,
            "scale": self.calibration.scale,
            "power": self.calibration.power,
            "lengths": self.calibration.lengths,
        }
        (folder / "linear.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        np.save(folder / "weights.npy", self.weights.astype(np.float16), allow_pickle=False)
        per_class = np.vstack([self.intercept, self.calibration.bias, self.calibration.slope])
        np.save(folder / "classes.npy", per_class, allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> LinearModel:
        """Read what ``write`` stored."""
        content = json.loads((folder / "linear.json").read_text("utf-8"))
        intercept, bias, slope = np.load(folder / "classes.npy", allow_pickle=False)
        return cls(
            content["classes"],
            np.load(folder / "weights.npy", allow_pickle=False).astype(np.float32),
            intercept,
            Calibration(content["scale"], content["power"], bias, slope, tuple(content["lengths"])),
        )


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
        Calibration.plain(len(estimator.classes_)),
    )


def fit_with_folds(
    rows: csr_matrix,
    labels: Sequence[str],
    *,
    folds: int = 3,
    min_count: int = 3,
    kind: Kind = "svm",
    c: float = 1.0,
    seed: int = 20,
) -> tuple[LinearModel, Floats]:
    """Return the model trained on all rows, and the score every row gets from a model that has not seen it.

    The rows' n-grams were counted over all sentences; a (stratified) fold drops those its training part
    would not have kept (``min_count``) and brings the rows back to length 1, as if it had counted by itself.
    """
    fold_of = assign_folds(labels, folds, seed)
    rows.sort_indices()  # processes share the rows read-only, and scikit-learn would sort them in place
    jobs = [None, *range(folds)]
    settings = (kind, c, seed)
    if rows.shape[0] < _WORTH_PROCESSES:
        done = [_fit_fold(rows, labels, fold_of, fold, min_count, settings) for fold in jobs]
    else:
        from joblib import Parallel, delayed  # noqa: PLC0415  (serving needs no joblib)

        done = Parallel(n_jobs=min(len(jobs), os.cpu_count() or 1))(
            delayed(_fit_fold)(rows, labels, fold_of, fold, min_count, settings) for fold in jobs
        )
    model, _ = done[0]
    column_of = {name: column for column, name in enumerate(model.classes)}
    scores = np.full((rows.shape[0], len(model.classes)), _ABSENT, dtype=np.float32)
    for fold, (fold_model, fold_scores) in enumerate(done[1:]):
        if fold_model is not None:
            held_out = np.flatnonzero(fold_of == fold)
            scores[held_out[:, None], [column_of[name] for name in fold_model.classes]] = fold_scores
    return model, scores


def _fit_fold(
    rows: csr_matrix,
    labels: Sequence[str],
    fold_of: NDArray[np.int64],
    fold: int | None,
    min_count: int,
    settings: tuple[Kind, float, int],
) -> tuple[Any, Any]:
    """Fit all rows (``fold`` None), or all but a fold's and score that one; (None, None) where impossible."""
    if fold is None:
        return fit(rows, labels, *settings), None
    held_out, rest = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
    if not len(held_out) or len({labels[i] for i in rest}) < 2:
        return None, None
    training = rows[rest]
    kept = np.bincount(training.indices, minlength=rows.shape[1]) >= min_count
    model = fit(_restricted(training, kept), [labels[i] for i in rest], *settings)
    scores = model.scores(_restricted(rows[held_out], kept))
    model.weights = model.weights[:0]  # only the class names travel back
    return model, scores


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
