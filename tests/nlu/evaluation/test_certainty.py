"""Calibration and risk–coverage, worked out by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.evaluation.calibration import calibration, risk_coverage

SENTENCES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.1, 0.35, 0.5, 0.72, 0.9, 1.0])), min_size=1, max_size=60
)


def test_the_error_is_the_gap_between_confidence_and_what_is_right_weighted_by_bin() -> None:
    figures = calibration([True, False, True, True], [0.6, 0.4, 0.9, 0.7], bins=2)
    # Bin one: 0.4 wrong, 0.6 right: |0.5 - 0.5| = 0; bin two: 0.7 and 0.9 right: |0.8 - 1| = 0.2.
    assert figures["ece"] == pytest.approx(0.1)
    assert figures["bins"] == [
        {"confidence": 0.5, "accuracy": 0.5, "sentences": 2},
        {"confidence": 0.8, "accuracy": 1.0, "sentences": 2},
    ]


def test_the_brier_score_is_the_mean_squared_gap_of_every_sentence() -> None:
    figures = calibration([True, False], [0.8, 0.4])
    assert figures["brier"] == pytest.approx((0.04 + 0.16) / 2)


def test_bins_hold_equally_many_sentences() -> None:
    counts = [one["sentences"] for one in calibration([True] * 31, [n / 31 for n in range(31)])["bins"]]
    assert len(counts) == 15
    assert sorted(counts) == [2] * 14 + [3]


def test_few_or_no_sentences_are_no_error() -> None:
    assert len(calibration([True, False], [0.8, 0.4])["bins"]) == 2
    assert calibration([], []) == {"ece": 0.0, "brier": 0.0, "bins": []}
    assert risk_coverage([], [])["aurc"] == 0.0


def test_the_surest_are_kept_first_and_the_area_is_the_mean_risk() -> None:
    figures = risk_coverage([False, True, True, False], [0.2, 0.9, 0.8, 0.5])
    # Kept one by one: right, right, wrong, wrong: risks 0, 0, 1/3, 1/2.
    assert figures["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4, abs=1e-4)
    assert [(point["coverage"], point["risk"]) for point in figures["points"]] == [
        (0.25, 0.0),
        (0.5, 0.0),
        (0.75, 0.3333),
        (1.0, 0.5),
    ]
    assert figures["at"]["100%"] == 0.5


def test_equally_sure_sentences_come_together() -> None:
    figures = risk_coverage([True, False], [0.7, 0.7])
    assert [point["coverage"] for point in figures["points"]] == [1.0]
    assert figures["aurc"] == 0.5


def test_outcomes_without_confidences_are_refused() -> None:
    with pytest.raises(ValueError, match="1 confidences"):
        calibration([True, False], [0.5])
    with pytest.raises(ValueError, match="1 confidences"):
        risk_coverage([True, False], [0.5])


@given(SENTENCES, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(
    sentences: list[tuple[bool, float]], rng: random.Random
) -> None:
    right, sure = [one[0] for one in sentences], [one[1] for one in sentences]
    shuffled = list(sentences)
    rng.shuffle(shuffled)
    again_right, again_sure = [one[0] for one in shuffled], [one[1] for one in shuffled]
    assert calibration(right, sure) == calibration(again_right, again_sure)
    assert risk_coverage(right, sure) == risk_coverage(again_right, again_sure)


@given(SENTENCES)
def test_figures_stay_between_nought_and_one_and_full_coverage_is_the_error_rate(
    sentences: list[tuple[bool, float]],
) -> None:
    right, sure = [one[0] for one in sentences], [one[1] for one in sentences]
    figures, curve = calibration(right, sure), risk_coverage(right, sure)
    assert 0 <= figures["ece"] <= 1
    assert 0 <= figures["brier"] <= 1
    assert 0 <= curve["aurc"] <= 1
    assert curve["at"]["100%"] == pytest.approx(1 - sum(right) / len(right), abs=1e-4)
    assert sum(one["sentences"] for one in figures["bins"]) == len(right)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_knowing_exactly_what_is_right_costs_no_calibration_error(right: list[bool]) -> None:
    sure = [1.0 if one else 0.0 for one in right]
    assert calibration(right, sure)["brier"] == 0.0
    assert calibration(right, sure)["ece"] == 0.0
