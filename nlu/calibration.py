"""Calibration: scores of a linear model into probabilities that mean what they say, for every length of text.

Vector scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2) with one addition:
scale and bias may change with the logarithm of the text's length. A long story shares its row's length among
hundreds of n-grams, so its scores are smaller than a keyword's although it says more; and small classes
(trained with a weight that makes up for their size) would win where nothing speaks for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Exact = NDArray[np.float64]
_USUAL_LOG_LENGTH = 3.0
"""Logarithm of a usual text's length (20 characters): there the slopes add nothing."""
_PENALTY = 1e-3
"""Weight of the mean square of the biases and slopes beside the log loss."""
_FIRST_SCALE = 4.0
_SCALES = (0.2, 15.0)
_MOST_POWER = 0.6
_MOST_BIAS = 5.0
_ITERATIONS = 100
_USUAL_PERCENTILES = (1, 99)


@dataclass
class Calibration:
    """Calibration: scores are scaled by ``scale`` × (length/20)^``power``, then class biases are added.

    A text longer or shorter than ``lengths`` (characters) counts as that long: what was learnt holds there.
    """

    scale: float
    power: float
    bias: Floats
    slope: Floats
    lengths: tuple[int, int] = (1, 300)

    @classmethod
    def plain(cls, classes: int, scale: float = _FIRST_SCALE) -> Calibration:
        """Return a calibration that only scales."""
        return cls(scale, 0.0, np.zeros(classes, np.float32), np.zeros(classes, np.float32))

    def probabilities(self, scores: Floats, lengths: Sequence[int]) -> Floats:
        """Return class probabilities for ``scores`` (one line a text) of texts of ``lengths`` characters."""
        logs = _logs(np.clip(lengths, *self.lengths)).astype(np.float32)
        scale = np.float32(self.scale) * np.exp(np.float32(self.power) * logs)
        return softmax(scale[:, None] * scores + self.bias + logs[:, None] * self.slope)


def softmax(scores: Floats) -> Floats:
    """Return the softmax of every line."""
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def fit_calibration(scores: Floats, right: Sequence[int], lengths: Sequence[int]) -> Calibration:
    """Return the calibration with the least log loss on scores of sentences the model has not seen.

    ``right`` holds the column of every sentence's class, ``lengths`` its characters. Biases and slopes are
    penalised; the scale stays between 0.2 and 15 (a handful of sentences that are all told apart would ask
    for infinity).
    """
    from scipy.optimize import minimize  # noqa: PLC0415  (serving needs no optimiser)

    classes = scores.shape[1]
    shortest, longest = (int(bound) for bound in np.percentile(lengths, _USUAL_PERCENTILES))
    logs = _logs(np.clip(lengths, shortest, longest))
    exact = scores.astype(np.float64)
    columns = np.asarray(right)
    lines = np.arange(len(columns))

    def loss(values: Exact) -> tuple[float, Exact]:
        bias, slope = values[2 : 2 + classes], values[2 + classes :]
        scale = np.exp(values[0] + values[1] * logs)
        raw = scale[:, None] * exact + bias + logs[:, None] * slope
        raw -= raw.max(axis=1, keepdims=True)
        exponents = np.exp(raw)
        sums = exponents.sum(axis=1)
        log_loss = float((np.log(sums) - raw[lines, columns]).mean())
        residual = exponents / sums[:, None]
        residual[lines, columns] -= 1.0
        residual /= len(columns)
        by_scale = (residual * exact).sum(axis=1) * scale
        weight = 2 * _PENALTY / classes
        gradient = np.concatenate(
            [
                [by_scale.sum(), (by_scale * logs).sum()],
                residual.sum(axis=0) + weight * bias,
                (residual * logs[:, None]).sum(axis=0) + weight * slope,
            ]
        )
        return log_loss + _PENALTY / classes * float((values[2:] ** 2).sum()), gradient

    start = np.zeros(2 + 2 * classes)
    start[0] = np.log(_FIRST_SCALE)
    scales = (float(np.log(_SCALES[0])), float(np.log(_SCALES[1])))
    bounds = [scales, (-_MOST_POWER, _MOST_POWER), *[(-_MOST_BIAS, _MOST_BIAS)] * (2 * classes)]
    best = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _ITERATIONS}
    ).x
    return Calibration(
        float(np.exp(best[0])),
        float(best[1]),
        best[2 : 2 + classes].astype(np.float32),
        best[2 + classes :].astype(np.float32),
        (shortest, longest),
    )


def _logs(lengths: NDArray[np.int64]) -> Exact:
    logs: Exact = np.log(np.asarray(lengths, dtype=np.float64) + 1.0) - _USUAL_LOG_LENGTH
    return logs
