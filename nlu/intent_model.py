"""The intent model: a linear model and a shallow network on the same rows, calibrated together.

Plain numpy and scikit-learn, no Rasa. Trained once on everything, and once per held-out fold: what the
folds say of every sentence calibrates the model and teaches the rejector.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from nlu.calibration import Calibration, fit_calibration
from nlu.linear import Kind, LinearModel, fit
from nlu.network import Keys, ShallowNetwork, fit_network, keys_of, mixed

Floats = NDArray[np.float32]
_ABSENT = np.float32(-3.0)
"""Score of a class that a fold's training part does not contain."""
_WORTH_DRAWING = 20
"""From this many sentences a fold on, chance gives every fold its share of a class."""
_WORTH_PROCESSES = 2000
"""From this many rows on, folds are trained by processes side by side (starting those takes two seconds)."""


@dataclass(frozen=True)
class Settings:
    """How to train: the linear model's ``kind`` and cost ``c``, held-out ``folds``, ``min_count`` of n-grams.

    ``network_weight`` is how much a unit of the network's log probability counts beside a unit of the
    linear score; 0 leaves the network out.
    """

    kind: Kind = "svm"
    c: float = 1.0
    folds: int = 3
    min_count: int = 3
    network_weight: float = 0.1
    seed: int = 20


@dataclass
class IntentModel:
    """Intent model: scores of a linear model and (unless None) a network, and their calibration."""

    linear: LinearModel
    network: ShallowNetwork | None
    network_weight: float
    calibration: Calibration

    @property
    def classes(self) -> list[str]:
        """The intents, in the order of the columns."""
        return self.linear.classes

    def scores(self, rows: csr_matrix) -> Floats:
        """Return one score per row and class."""
        scores = self.linear.scores(rows)
        if self.network is not None:
            scores += np.float32(self.network_weight) * self.network.scores(rows)
        return scores

    def write(self, folder: Path) -> None:
        """Store the model in a folder: JSON and arrays (no pickles)."""
        self.linear.write(folder)
        if self.network is not None:
            self.network.write(folder)
        content = {
            "network_weight": self.network_weight if self.network is not None else 0.0,
            "scale": self.calibration.scale,
            "power": self.calibration.power,
            "lengths": self.calibration.lengths,
        }
        (folder / "calibration.json").write_text(json.dumps(content), "utf-8")
        np.save(
            folder / "calibration.npy",
            np.vstack([self.calibration.bias, self.calibration.slope]),
            allow_pickle=False,
        )

    @classmethod
    def read(cls, folder: Path) -> IntentModel:
        """Read what ``write`` stored."""
        content = json.loads((folder / "calibration.json").read_text("utf-8"))
        bias, slope = np.load(folder / "calibration.npy", allow_pickle=False)
        shortest, longest = content["lengths"]
        return cls(
            LinearModel.read(folder),
            ShallowNetwork.read(folder) if content["network_weight"] else None,
            content["network_weight"],
            Calibration(content["scale"], content["power"], bias, slope, (shortest, longest)),
        )


def train(
    rows: csr_matrix,
    labels: Sequence[str],
    lengths: Sequence[int],
    settings: Settings,
    texts: Sequence[str] | None = None,
) -> tuple[IntentModel, Floats]:
    """Return the calibrated model, and the score every row gets from a model that has not seen it.

    What is dealt or drawn hangs on each row's text (its place, where there are no ``texts``), so that a few
    sentences more change little for all others.

    The rows' n-grams were counted over all sentences; a (stratified) fold drops those its training part
    would not have kept and brings the rows back to length 1, as if it had counted by itself.
    """
    keys = keys_of(list(map(str, range(len(labels)))) if texts is None else texts)
    fold_of = assign_folds(labels, settings.folds, settings.seed, keys)
    rows.sort_indices()  # processes share the rows read-only, and scikit-learn would sort them in place
    parts = ["linear", "network"] if settings.network_weight else ["linear"]
    # The longest first, so that no process waits long for another at the end.
    jobs = [(fold, part) for fold in (None, *range(settings.folds)) for part in parts]
    done = dict(zip(jobs, _side_by_side(rows, labels, keys, fold_of, jobs, settings), strict=True))
    classes = sorted(set(labels))
    model = IntentModel(
        done[None, "linear"],
        done.get((None, "network")),
        settings.network_weight,
        Calibration.plain(len(classes)),
    )
    column_of = {name: column for column, name in enumerate(classes)}
    scores = np.full((rows.shape[0], len(classes)), _ABSENT, dtype=np.float32)
    for fold in range(settings.folds):
        if done[fold, "linear"] is None:
            continue
        of_fold, fold_scores = done[fold, "linear"]
        if settings.network_weight:
            fold_scores += np.float32(settings.network_weight) * done[fold, "network"][1]
        held_out = np.flatnonzero(fold_of == fold)
        scores[held_out[:, None], [column_of[name] for name in of_fold]] = fold_scores
    model.calibration = fit_calibration(scores, [column_of[label] for label in labels], lengths)
    return model, scores


_Job = tuple[int | None, str]


def _side_by_side(
    rows: csr_matrix,
    labels: Sequence[str],
    keys: Keys,
    fold_of: NDArray[np.int64],
    jobs: Sequence[_Job],
    settings: Settings,
) -> list[Any]:
    if rows.shape[0] < _WORTH_PROCESSES:
        return [_fit(rows, labels, keys, fold_of, job, settings) for job in jobs]
    from joblib import Parallel, delayed  # noqa: PLC0415  (serving needs no joblib)

    done: list[Any] = Parallel(n_jobs=min(len(jobs), os.cpu_count() or 1))(
        delayed(_fit)(rows, labels, keys, fold_of, job, settings) for job in jobs
    )
    return done


def _fit(
    rows: csr_matrix,
    labels: Sequence[str],
    keys: Keys,
    fold_of: NDArray[np.int64],
    job: _Job,
    settings: Settings,
) -> Any:
    """Fit a part on all rows: the model. On all but a fold's: (its classes, scores of the fold), or None."""
    fold, part = job
    if fold is None:
        return _fit_part(part, rows, labels, keys, settings)
    held_out, rest = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
    of_rest = [labels[i] for i in rest]
    if not len(held_out) or len(set(of_rest)) < 2:
        return None
    training = rows[rest]
    kept = np.bincount(training.indices, minlength=rows.shape[1]) >= settings.min_count
    model = _fit_part(part, _restricted(training, kept), of_rest, keys[rest], settings)
    return sorted(set(of_rest)), model.scores(_restricted(rows[held_out], kept))


def _fit_part(
    part: str, rows: csr_matrix, labels: Sequence[str], keys: Keys, settings: Settings
) -> LinearModel | ShallowNetwork:
    if part == "linear":
        return fit(rows, labels, settings.kind, settings.c, settings.seed)
    column_of = {name: column for column, name in enumerate(sorted(set(labels)))}
    right = np.asarray([column_of[label] for label in labels])
    return fit_network(rows, right, len(column_of), keys, settings.seed)


def assign_folds(labels: Sequence[str], folds: int, seed: int, keys: Keys) -> NDArray[np.int64]:
    """Deal sentences to folds by their keys; those of small classes in turn, so that every fold has some."""
    drawn = mixed(seed, keys)
    fold_of = (drawn % np.uint64(folds)).astype(np.int64)
    of_class: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        of_class.setdefault(label, []).append(index)
    for members in of_class.values():
        if len(members) < _WORTH_DRAWING * folds:
            members.sort(key=lambda index: int(drawn[index]))
            fold_of[members] = np.arange(len(members)) % folds
    return fold_of


def _restricted(rows: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    restricted = rows @ diags(kept.astype(np.float32))
    lengths = np.sqrt(np.asarray(restricted.multiply(restricted).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return csr_matrix(diags((1 / lengths).astype(np.float32)) @ restricted)
