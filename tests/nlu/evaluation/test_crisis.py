"""Crises noticed and missed, by the rules, the model and both."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.evaluation.crisis import crisis_figures
from tests.nlu.evaluation.rows import heard_by_model, heard_by_rule, make_reading, make_row

HARM = "crisis.self_harm"
ROWS = [
    make_row(HARM, source="crisis"),
    make_row(HARM, source="crisis"),
    make_row(HARM, source="crisis"),
    make_row(HARM, source="crisis"),
    make_row("labour.overtime", source="crisis"),  # a near-miss
    make_row("labour.overtime", source="crisis"),
    make_row("labour.overtime", source="labour"),
    make_row("labour.overtime", source="labour", topics=["labour.overtime", HARM]),  # defensibly a crisis
]
READINGS = [
    heard_by_rule("violence", make_reading("labour.leave")),  # another kind is noticed all the same
    heard_by_model(topic=HARM),
    heard_by_model(topic="labour.leave", topics=[{"topic": "labour.leave"}, {"topic": HARM}]),
    heard_by_model(topic="labour.leave"),
    heard_by_rule("self_harm", make_reading("labour.overtime")),
    heard_by_model(topic="labour.overtime"),
    heard_by_model(topic=HARM),
    heard_by_rule("self_harm", make_reading("labour.overtime")),
]


@pytest.fixture
def figures() -> dict[str, Any]:
    return crisis_figures(ROWS, READINGS)


def test_either_ear_notices_and_any_kind_counts(figures: dict[str, Any]) -> None:
    assert figures["sentences"] == 4
    assert figures["together"]["recall"] == 0.75
    assert figures["rules"]["recall"] == 0.25
    assert figures["model"]["recall"] == 0.5
    assert [item["taken_for"] for item in figures["wrong_kind"]] == ["crisis.violence", "labour.leave"]
    assert [item["taken_for"] for item in figures["missed"]] == ["labour.leave"]


def test_advice_before_an_answer_is_noticed_but_not_counted_as_instead_of_one(
    figures: dict[str, Any],
) -> None:
    assert figures["instead"]["recall"] == 0.5
    assert figures["instead"]["missed"] == 2


def test_false_alarms_are_counted_on_near_misses_and_on_everything_harmless(figures: dict[str, Any]) -> None:
    assert (figures["near_misses"], figures["others"]) == (2, 1)
    assert figures["together"]["false_alarms_on_near_misses"] == 0.5
    assert figures["together"]["false_alarms"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["rules"]["false_alarms"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["model"]["false_alarms_on_near_misses"] == 0.0
    assert len(figures["false_alarms"]) == 2


def test_plain_predictions_know_of_no_rules() -> None:
    figures = crisis_figures([make_row(HARM), make_row()], [make_reading(HARM), make_reading()])
    assert figures["together"]["recall"] == 1.0
    assert "rules" not in figures
    assert figures["near_misses"] == 0, "without a source nothing stands beside a crisis"


def test_no_crises_give_noughts_and_no_division() -> None:
    assert crisis_figures([make_row()], [make_reading()])["together"]["recall"] == 0.0
    assert crisis_figures([], [])["sentences"] == 0
