"""A shallow network over sparse rows: one hidden layer, trained in seconds without a framework.

Beside the linear model it understands a point more (docs/decisions/0009): the hidden layer brings together
words that ask for the same thing, and dropping n-grams at random while training teaches it not to lean on a
single one. Plain stochastic gradient descent with a falling rate; a step touches only the columns its
sentences have.

What is random is drawn from each sentence's own key, not from its place: ten more sentences leave the order
and the dropped n-grams of all others as they were, so the network that learns from them is the old one with
ten corrections and not another one (docs/decisions/0015).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools as sparsetools
from scipy.sparse import csr_matrix

from nlu.calibration import softmax

Floats = NDArray[np.float32]
Keys = NDArray[np.uint64]
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
FIRST_BIAS = 0.2
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


def fit_network(
    rows: csr_matrix, right: NDArray[np.int64], classes: int, keys: Keys, seed: int = 20
) -> ShallowNetwork:
    """Train a network; ``right`` holds the column of every row's class, ``keys`` one number a row.

    Deterministic: what is drawn hangs on the seed and the keys (``keys_of``) alone.
    """
    sentences, width = rows.shape
    units = np.arange(HIDDEN, dtype=np.uint64)
    network = ShallowNetwork(
        # All columns begin alike: a new n-gram in the vocabulary changes no other one's beginning. The units
        # differ by their biases and by what comes after them.
        np.zeros((width, HIDDEN), np.float32),
        _uniform(seed, units) * np.float32(FIRST_BIAS),
        _normal(seed + 1, np.arange(HIDDEN * classes, dtype=np.uint64)).reshape(HIDDEN, classes)
        * np.float32(0.1),
        np.zeros(classes, np.float32),
    )
    share = np.bincount(rows.indices, minlength=width).clip(1).astype(np.float32) / sentences
    speed = share ** np.float32(RARITY)
    speed /= speed[rows.indices].mean() if rows.nnz else np.float32(1)
    counts = np.bincount(right, minlength=classes).clip(1)
    weight = ((sentences / classes / counts) ** BALANCE).astype(np.float32)
    weight /= weight[right].mean()
    batches = _batches(sentences)
    for epoch in range(EPOCHS):
        turn = mixed(seed + 2, epoch, keys)
        order = np.argsort(turn, kind="stable")
        shuffled, drawn = rows[order].astype(np.float32), keys[order]
        # Which batch a sentence is in hangs on its own key too: one more changes its own batch only.
        bounds = np.searchsorted(turn[order] / np.float64(2**64), np.arange(batches + 1) / batches)
        places = np.arange(shuffled.nnz, dtype=np.uint64) - np.repeat(
            shuffled.indptr[:-1], np.diff(shuffled.indptr)
        ).astype(np.uint64)
        chances = _uniform(seed + 3, mixed(epoch, np.repeat(drawn, np.diff(shuffled.indptr)), places))
        kept = chances > DROPPED_FEATURES
        starts = np.concatenate([[0], np.cumsum(kept)])[shuffled.indptr].astype(shuffled.indptr.dtype)
        columns = shuffled.indices[kept]
        values = shuffled.data[kept] * (SCALE / np.float32(1 - DROPPED_FEATURES))
        pull = values * speed[columns]
        for number, (start, end) in enumerate(pairwise(bounds)):
            if start == end:
                continue
            low, high = starts[start], starts[end]
            batch = _Batch(
                starts[start : end + 1] - low,
                columns[low:high],
                values[low:high],
                pull[low:high],
                right[order[start:end]],
                weight[right[order[start:end]]],
                _uniform(seed + 4, mixed(epoch, drawn[start:end, None], units)) > DROPPED_HIDDEN,
            )
            _learn(network, batch, RATE * (1 - (epoch + number / batches) / EPOCHS) / BATCH)
    return network


def _batches(sentences: int) -> int:
    """How many batches an epoch has: steps of a twelfth to a sixth, so that it seldom changes."""
    wanted = max(1, sentences // BATCH)
    step = max(1, (1 << wanted.bit_length() - 1) // 8)
    return wanted // step * step


def keys_of(texts: Sequence[str]) -> Keys:
    """Return a number for each text that is the same in every training and on every machine."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def mixed(*parts: int | Keys) -> Keys:
    """Numbers mixed into one that looks random (the finaliser of SplitMix64; Steele, Lea, Flood 2014)."""
    mixed = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            mixed = (mixed ^ np.asarray(part, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray(mixed, np.uint64)


def _uniform(seed: int, numbers: Keys) -> Floats:
    """Numbers from 0 to below 1, one for each of ``numbers``."""
    return np.asarray((mixed(seed, numbers) >> np.uint64(40)) * (0.5**24), np.float32)


def _normal(seed: int, numbers: Keys) -> Floats:
    """Standard normal numbers (Box and Muller 1958), one for each of ``numbers``."""
    radius = np.sqrt(-2 * np.log(1 - _uniform(seed, mixed(1, numbers)).astype(np.float64)))
    return np.asarray(radius * np.cos(2 * np.pi * _uniform(seed, mixed(2, numbers))), np.float32)


@dataclass(frozen=True)
class _Batch:
    """A few rows in compressed form, the pull of every value on its weights, and the right classes.

    ``kept`` says which hidden units each row may use.
    """

    starts: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Floats
    pull: Floats
    right: NDArray[np.int64]
    weight: Floats
    kept: NDArray[np.bool_]


def _learn(network: ShallowNetwork, batch: _Batch, rate: float) -> None:
    count, width = len(batch.right), network.first.shape[0]
    hidden = np.zeros((count, HIDDEN), np.float32)
    # scipy's own kernels add to the array they are given. Its public product would make a new array as
    # large as the whole first layer for every batch.
    sparsetools.csr_matvecs(
        count, width, HIDDEN, batch.starts, batch.columns, batch.values, network.first.ravel(), hidden.ravel()
    )
    hidden += network.first_bias
    passed = ((hidden > 0) & batch.kept) / np.float32(1 - DROPPED_HIDDEN)
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
