"""Probabilities mean what they say, for keywords and for long stories alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.calibration import Calibration, fit_calibration, softmax


def make_scores(seed: int, sentences: int, sharpness: float) -> tuple[np.ndarray, np.ndarray, list[int]]:  # type: ignore[type-arg]  # shapes differ
    """Scores of three classes whose true probabilities are softmax(sharpness × score × (length/20)^0.3)."""
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 250, sentences)
    scores = random.normal(0, 0.5, (sentences, 3)).astype(np.float32)
    power = np.exp(0.3 * (np.log(lengths + 1.0) - 3.0))
    truth = softmax((scores * (sharpness * power)[:, None]).astype(np.float32))
    right = np.asarray([random.choice(3, p=line / line.sum()) for line in truth.astype(np.float64)])
    return scores, right, [int(length) for length in lengths]


def test_the_fit_finds_the_scale_that_made_the_labels() -> None:
    scores, right, lengths = make_scores(seed=5, sentences=6000, sharpness=5.0)
    found = fit_calibration(scores, right.tolist(), lengths)
    assert found.scale == pytest.approx(5.0, rel=0.08)
    assert found.power == pytest.approx(0.3, abs=0.06)


def test_what_is_eighty_per_cent_sure_is_right_four_times_in_five_whatever_its_length() -> None:
    scores, right, lengths = make_scores(seed=6, sentences=8000, sharpness=4.0)
    fitted = fit_calibration(scores[:4000], right[:4000].tolist(), lengths[:4000])
    probabilities = fitted.probabilities(scores[4000:], lengths[4000:])
    hit = probabilities.argmax(axis=1) == right[4000:]
    sure = probabilities.max(axis=1)
    long = np.asarray(lengths[4000:]) > 80
    for part in (long, ~long):
        band = part & (sure > 0.7) & (sure < 0.9)
        assert band.sum() > 150
        assert hit[band].mean() == pytest.approx(sure[band].mean(), abs=0.07)


def test_a_class_the_scores_favour_without_reason_is_held_back() -> None:
    scores, right, lengths = make_scores(seed=7, sentences=4000, sharpness=4.0)
    pushed = scores + np.asarray([0.6, 0, 0], dtype=np.float32)
    fitted = fit_calibration(pushed, right.tolist(), lengths)
    chosen = fitted.probabilities(pushed, lengths).argmax(axis=1)
    assert (chosen == 0).mean() == pytest.approx((right == 0).mean(), abs=0.05)


def test_few_sentences_that_are_all_told_apart_do_not_ask_for_infinity() -> None:
    scores = np.asarray([[1, -1], [-1, 1]] * 4, dtype=np.float32)
    fitted = fit_calibration(scores, [0, 1] * 4, [10] * 8)
    assert fitted.scale <= 15.01
    assert np.isfinite(fitted.probabilities(scores, [0] * 8)).all()


@given(
    st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3),
    st.integers(0, 4000),
    st.floats(0.2, 15),
    st.floats(-0.6, 0.6),
)
def test_probabilities_add_up_for_every_score_and_length(
    scores: list[float], length: int, scale: float, power: float
) -> None:
    calibration = Calibration(scale, power, np.ones(3, np.float32), np.zeros(3, np.float32))
    found = calibration.probabilities(np.asarray([scores], dtype=np.float32), [length])
    assert found.sum() == pytest.approx(1.0, abs=1e-4)
    assert (found >= 0).all()
