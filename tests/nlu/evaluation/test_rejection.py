"""Out of scope, worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.evaluation import evaluate_predictions, full_report
from nlu.evaluation.rejection import auroc, outside, rejection_figures, roc
from tests.nlu.evaluation.rows import make_reading, make_row

OUT = "talk.out_of_scope"
SCORED = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), st.booleans()), min_size=2, max_size=40
)


def test_the_area_is_how_often_what_is_outside_scores_higher_with_ties_for_half() -> None:
    # Pairs (0.9 and 0.4 against 0.4 and 0.1): above, above, tie, above.
    assert auroc([0.9, 0.4, 0.4, 0.1], [True, True, False, False]) == pytest.approx(3.5 / 4)
    assert auroc([0.9, 0.4], [True, True]) is None


@given(SCORED)
def test_the_area_agrees_with_counting_every_pair(scored: list[tuple[float, bool]]) -> None:
    inside = [score for score, positive in scored if not positive]
    out = [score for score, positive in scored if positive]
    found = auroc([score for score, _ in scored], [positive for _, positive in scored])
    if not inside or not out:
        assert found is None
        return
    wins = sum((a > b) + 0.5 * (a == b) for a in out for b in inside)
    assert found == pytest.approx(wins / len(inside) / len(out), abs=1e-4)


@given(SCORED)
def test_the_curve_climbs_from_nothing_to_everything(scored: list[tuple[float, bool]]) -> None:
    points = roc([score for score, _ in scored], [positive for _, positive in scored])
    if len({positive for _, positive in scored}) < 2:
        assert points == []
        return
    assert (points[0]["refused"], points[0]["caught"]) == (0.0, 0.0)
    assert (points[-1]["refused"], points[-1]["caught"]) == (1.0, 1.0)
    for before, after in pairwise(points):
        assert after["refused"] >= before["refused"]
        assert after["caught"] >= before["caught"]


def test_a_model_that_does_not_say_how_far_outside_a_text_is_is_taken_at_its_word() -> None:
    assert outside(make_reading(OUT, 0.7)) == pytest.approx(0.7)
    assert outside(make_reading("labour.leave", 0.7)) == pytest.approx(0.3)
    assert outside(make_reading("labour.leave", 0.7, outside=0.05)) == 0.05


def test_false_accepts_and_refusals_are_listed_and_agree_with_the_shares() -> None:
    rows = [make_row(OUT), make_row(OUT), make_row(OUT), make_row(), make_row(), make_row(), make_row()]
    readings = [
        make_reading("labour.leave"),  # acted on: a false accept
        make_reading("labour.leave", accepted=False),
        make_reading(OUT),
        make_reading(OUT),  # refused
        make_reading(accepted=False),  # refused
        make_reading(),
        make_reading("labour.overtime"),  # wrong, but not refused
    ]
    figures = rejection_figures(rows, readings)
    assert [item["taken_for"] for item in figures["false_accepts"]] == ["labour.leave"]
    assert len(figures["refused"]) == 2
    shares = evaluate_predictions(rows, readings)["out_of_scope"]
    assert shares["answered_wrongly"] == pytest.approx(1 / 3, abs=1e-4)
    assert shares["in_scope_turned_away"] == pytest.approx(2 / 4)


def test_what_may_be_either_enters_no_curve() -> None:
    rows = [make_row(OUT), make_row(), make_row(alt=OUT), make_row(OUT, alt=["talk.bot"])]
    readings = [make_reading(outside=score) for score in (0.9, 0.1, 0.95, 0.05)]
    assert rejection_figures(rows, readings)["auroc"] == 1.0


def test_the_refusals_that_five_per_cent_false_accepts_cost_are_read_from_the_curve() -> None:
    rows = [make_row(OUT)] * 20 + [make_row()] * 10
    scores = [0.9] * 19 + [0.1] + [0.95] + [0.5] * 9
    readings = [make_reading(outside=score) for score in scores]
    # At 0.9, 19 of 20 are caught (5 % acted on) and one of ten is refused.
    assert rejection_figures(rows, readings)["refused_at_5_percent_accepted"] == pytest.approx(0.1)
    assert full_report(rows, readings)["out_of_scope"]["refused_at_5_percent_accepted"] == pytest.approx(0.1)
