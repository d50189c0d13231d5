"""A shallow network over sparse rows: one hidden layer, trained in seconds without a framework.

Beside the linear model it understands a point more (docs/decisions/0009): the hidden layer brings together
words that ask for the same thing, and dropping n-grams at random while training teaches it not to lean on a
single one. Plain stochastic gradient descent with a falling rate; a step touches only the columns its
sentences have.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools as sparsetools
from scipy.sparse import csr_matrix

from nlu.calibration import softmax

Floats = NDArray[np.float32]
HIDDEN = 64
EPOCHS = 6
BATCH = 16
RATE = 1.0
OUTPUT_RATE = 0.1
"""Share of the rate for the layers every sentence touches."""
DROPPED_FEATURES = 0.3
DROPPED_HIDDEN = 0.3
SCALE = np.float32(6.0)
"""Rows have length 1, which is little for a hidden unit to see."""
BALANCE = 0.5
"""Sentences of small classes count more: (mean size / size)^BALANCE."""
RARITY = 0.25
"""Frequent n-grams learn faster: rate × (share of the sentences they occur in)^RARITY."""


@dataclass
class ShallowNetwork:
    """Shallow network: rows → one hidden layer of rectified units → one score per class."""

    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats

    def scores(self, rows: csr_matrix) -> Floats:
        """Return the logarithm of each class's probability (not calibrated), one line a row."""
        hidden = np.maximum((rows @ self.first) * SCALE + self.first_bias, 0)
        chances = softmax(hidden @ self.second + self.second_bias)
        return np.asarray(np.log(np.maximum(chances, np.float32(1e-9))), dtype=np.float32)

    def write(self, folder: Path) -> None:
        """Store the network as arrays in half precision (no pickles)."""
        np.save(folder / "network_first.npy", self.first.astype(np.float16), allow_pickle=False)
        rest = [self.first_bias, self.second.ravel(), self.second_bias]
        np.save(folder / "network_rest.npy", np.concatenate(rest), allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> ShallowNetwork:
        """Read what ``write`` stored."""
        first = np.load(folder / "network_first.npy", allow_pickle=False).astype(np.float32)
        rest = np.load(folder / "network_rest.npy", allow_pickle=False)
        hidden = first.shape[1]
        classes = (len(rest) - hidden) // (hidden + 1)
        second = rest[hidden : hidden + hidden * classes].reshape(hidden, classes)
        return cls(first, rest[:hidden], second, rest[hidden + hidden * classes :])


def fit_network(rows: csr_matrix, right: NDArray[np.int64], classes: int, seed: int = 20) -> ShallowNetwork:
    """Train a network (seeded); ``right`` holds the column of every row's class."""
    random = np.random.default_rng(seed)
    sentences, width = rows.shape
    network = ShallowNetwork(
        (random.standard_normal((width, HIDDEN), dtype=np.float32) * np.float32(0.05)),
        np.zeros(HIDDEN, np.float32),
        (random.standard_normal((HIDDEN, classes), dtype=np.float32) * np.float32(0.1)),
        np.zeros(classes, np.float32),
    )
    share = np.bincount(rows.indices, minlength=width).clip(1).astype(np.float32) / sentences
    speed = share ** np.float32(RARITY)
    speed /= speed[rows.indices].mean() if rows.nnz else np.float32(1)
    counts = np.bincount(right, minlength=classes).clip(1)
    weight = ((sentences / classes / counts) ** BALANCE).astype(np.float32)
    weight /= weight[right].mean()
    steps, step = EPOCHS * -(-sentences // BATCH), 0
    for _ in range(EPOCHS):
        order = random.permutation(sentences)
        shuffled = rows[order].astype(np.float32)
        kept = random.random(shuffled.nnz, dtype=np.float32) > np.float32(DROPPED_FEATURES)
        values = shuffled.data * kept * (SCALE / np.float32(1 - DROPPED_FEATURES))
        pull = values * speed[shuffled.indices]
        for start in range(0, sentences, BATCH):
            end = min(start + BATCH, sentences)
            low, high = shuffled.indptr[start], shuffled.indptr[end]
            batch = _Batch(
                shuffled.indptr[start : end + 1] - low,
                shuffled.indices[low:high],
                values[low:high],
                pull[low:high],
                right[order[start:end]],
                weight[right[order[start:end]]],
            )
            _learn(network, batch, RATE * (1 - step / steps) / BATCH, random)
            step += 1
    return network


@dataclass(frozen=True)
class _Batch:
    """A few rows in compressed form, the pull of every value on its weights, and the right classes."""

    starts: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Floats
    pull: Floats
    right: NDArray[np.int64]
    weight: Floats


def _learn(network: ShallowNetwork, batch: _Batch, rate: float, random: np.random.Generator) -> None:
    count, width = len(batch.right), network.first.shape[0]
    hidden = np.zeros((count, HIDDEN), np.float32)
    # scipy's own kernels add to the array they are given. Its public product would make a new array as
    # large as the whole first layer for every batch.
    sparsetools.csr_matvecs(
        count, width, HIDDEN, batch.starts, batch.columns, batch.values, network.first.ravel(), hidden.ravel()
    )
    hidden += network.first_bias
    kept = random.random(hidden.shape, dtype=np.float32) > np.float32(DROPPED_HIDDEN)
    passed = ((hidden > 0) & kept) / np.float32(1 - DROPPED_HIDDEN)
    hidden *= passed
    error = softmax(hidden @ network.second + network.second_bias)
    error[np.arange(count), batch.right] -= 1
    error *= batch.weight[:, None]
    back = np.ascontiguousarray((error @ network.second.T) * passed, dtype=np.float32)
    # The output layer sees every sentence: its step is that of a batch of two, whatever the batch's size.
    network.second -= np.float32(rate * OUTPUT_RATE * BATCH / 8) * (hidden.T @ error)
    network.second_bias -= np.float32(rate * OUTPUT_RATE) * error.sum(axis=0)
    network.first_bias -= np.float32(rate * OUTPUT_RATE) * back.sum(axis=0)
    sparsetools.csc_matvecs(
        width,
        count,
        HIDDEN,
        batch.starts,
        batch.columns,
        batch.pull * np.float32(-rate),
        back.ravel(),
        network.first.ravel(),
    )
