"""The figures of an evaluation, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.evaluation import evaluate_predictions, format_report


def make_row(topic: str, *alt: str) -> dict[str, Any]:
    return {"text": "…", "topic": topic, "alt": list(alt)}


def make_guess(topic: str | None, accepted: bool = True) -> dict[str, Any]:
    return {"topic": topic, "accepted": accepted}


ROWS = [
    make_row("labour.overtime"),
    make_row("labour.overtime"),
    make_row("labour.leave"),
    make_row("labour.leave", "labour.overtime"),
    make_row("talk.out_of_scope"),
    make_row("talk.out_of_scope"),
]
GUESSES = [
    make_guess("labour.overtime"),
    make_guess("labour.leave", accepted=False),
    make_guess("labour.leave"),
    make_guess("labour.overtime"),
    make_guess("talk.out_of_scope"),
    make_guess("labour.leave"),
]


def test_accuracy_counts_alternatives_as_right_and_acceptance_apart() -> None:
    report = evaluate_predictions(ROWS, GUESSES)
    assert report["sentences"] == 6
    assert report["accuracy"] == pytest.approx(4 / 6, abs=1e-4)
    assert report["coverage"] == pytest.approx(5 / 6, abs=1e-4)
    assert report["accuracy_of_accepted"] == pytest.approx(4 / 5)


def test_each_topic_has_its_precision_recall_and_f1() -> None:
    topics = evaluate_predictions(ROWS, GUESSES)["per_topic"]
    # The alternative at row four counts as the row's own topic.
    assert topics["labour.leave"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3, abs=1e-4),
        "support": 2,
    }
    assert topics["labour.overtime"]["precision"] == 1.0
    assert topics["labour.overtime"]["recall"] == 0.5
    assert topics["talk.out_of_scope"]["recall"] == 0.5
    macro = evaluate_predictions(ROWS, GUESSES)["macro_f1"]
    assert macro == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3, abs=1e-3)


def test_what_is_out_of_scope_is_turned_away_by_its_own_topic_or_by_not_being_accepted() -> None:
    outside = evaluate_predictions(ROWS, GUESSES)["out_of_scope"]
    assert outside == {
        "sentences": 2,
        "turned_away": 0.5,
        "answered_wrongly": 0.5,
        "in_scope_turned_away": 0.25,
    }


def test_confusions_are_counted_and_the_commonest_come_first() -> None:
    rows = [make_row("labour.leave")] * 3 + [make_row("labour.overtime")]
    guesses = [make_guess("labour.contract")] * 3 + [make_guess(None, accepted=False)]
    confusions = evaluate_predictions(rows, guesses)["confusions"]
    assert confusions[0] == {"topic": "labour.leave", "taken_for": "labour.contract", "times": 3}
    assert confusions[1]["taken_for"] == "None"


def test_a_topic_guessed_but_never_meant_does_not_enter_the_mean() -> None:
    report = evaluate_predictions([make_row("labour.leave")], [make_guess("labour.contract")])
    assert report["macro_f1"] == 0.0
    assert report["per_topic"]["labour.contract"]["support"] == 0


def test_an_alternative_may_be_a_single_key_and_no_rows_give_zeroes() -> None:
    row = {"text": "…", "topic": "labour.leave", "alt": "labour.maternity"}
    assert evaluate_predictions([row], [make_guess("labour.maternity")])["accuracy"] == 1.0
    assert evaluate_predictions([], [])["accuracy"] == 0.0


def test_rows_without_a_prediction_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evaluate_predictions(ROWS, GUESSES[:-1])


def test_the_table_names_the_figures_and_every_topic() -> None:
    text = format_report(evaluate_predictions(ROWS, GUESSES))
    assert "accuracy              0.6667" in text
    assert "labour.overtime" in text
    assert "talk.out_of_scope → labour.leave: 1" in text
