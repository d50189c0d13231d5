"""A linear model over sparse rows: one weight column per class.

Plain numpy and scikit-learn, no Rasa. A trained model is a few arrays and the class names, so serving
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
from scipy.sparse import csr_matrix

Kind = Literal["svm", "logistic"]
Floats = NDArray[np.float32]


@dataclass
class LinearModel:
    """Linear model: the classes' names, one weight column and one intercept for each."""

    classes: list[str]
    weights: Floats
    intercept: Floats

    def scores(self, rows: csr_matrix) -> Floats:
        """Return one score per row and class."""
        return np.asarray(rows @ self.weights + self.intercept, dtype=np.float32)

    def write(self, folder: Path) -> None:
        """Store the model in a folder: JSON and arrays, the weights in half precision (no pickles)."""
        (folder / "classes.json").write_text(json.dumps(self.classes, ensure_ascii=False), "utf-8")
        np.save(folder / "weights.npy", self.weights.astype(np.float16), allow_pickle=False)
        np.save(folder / "intercept.npy", self.intercept, allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> LinearModel:
        """Read what ``write`` stored."""
        return cls(
            json.loads((folder / "classes.json").read_text("utf-8")),
            np.load(folder / "weights.npy", allow_pickle=False).astype(np.float32),
            np.load(folder / "intercept.npy", allow_pickle=False),
        )


def fit(
    rows: csr_matrix, labels: Sequence[str], kind: Kind = "svm", c: float = 1.0, seed: int = 20
) -> LinearModel:
    """Train a balanced one-against-rest linear model (seeded; raises ``ValueError`` below two classes)."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (serving needs no scikit-learn)
    from sklearn.svm import LinearSVC  # noqa: PLC0415  (as above)

    common: dict[str, Any] = {
        "C": c,
        "class_weight": "balanced",
        "random_state": seed,
        "max_iter": 300,
        "tol": 1e-2,
    }
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
