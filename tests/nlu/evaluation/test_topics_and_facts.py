"""Several topics and facts, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.evaluation.facts import facts_figures, same_value
from nlu.evaluation.topics import topics_figures
from tests.nlu.evaluation.rows import make_reading, make_row


def named(*topics: str) -> dict[str, Any]:
    return make_reading(topics[0], topics=[{"topic": topic, "confidence": 0.5} for topic in topics])


def test_topics_are_counted_over_all_messages() -> None:
    rows = [make_row("a", topics=["a", "b", "c"]), make_row("a", topics=["a"]), make_row("a")]
    figures = topics_figures(rows, [named("a", "b", "d"), named("a", "b"), named("z")])
    # Found five, right three, asked four; the third row names no topics and does not count.
    assert figures["messages"] == 2
    assert figures["precision"] == pytest.approx(3 / 5)
    assert figures["recall"] == pytest.approx(3 / 4)
    assert figures["f1"] == pytest.approx(6 / 9, abs=1e-4)
    assert figures["exact"] == 0.0
    assert figures["several"]["messages"] == 1
    assert figures["several"]["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["one_taken_for_several"] == 1.0


def test_a_second_defensible_topic_stands_for_the_first_and_is_never_wrong() -> None:
    rows = [make_row("a", alt="b", topics=["a"])] * 2
    figures = topics_figures(rows, [named("b"), named("a", "b")])
    assert (figures["precision"], figures["recall"], figures["exact"]) == (1.0, 1.0, 1.0)


def test_an_alternative_that_is_asked_as_well_is_no_stand_in() -> None:
    figures = topics_figures([make_row("a", alt="b", topics=["a", "b"])], [named("b")])
    assert (figures["precision"], figures["recall"]) == (1.0, 0.5)


def test_facts_are_right_only_with_their_exact_value() -> None:
    rows = [
        make_row(facts={"monthly_wage": "5800", "district": "章丘区"}),
        make_row(facts={"phone": "13800000000"}),
        make_row(facts={}),
        make_row(),  # says nothing of facts: does not count
    ]
    readings = [
        make_reading(facts={"monthly_wage": "5800.00", "district": "历城区"}),
        make_reading(facts={}),
        make_reading(facts={"temperature": "40"}),
        make_reading(facts={"temperature": "40"}),
    ]
    figures = facts_figures(rows, readings)
    assert figures["sentences"] == 3
    assert (figures["stated"], figures["found"], figures["right"]) == (3, 3, 1)
    assert figures["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["per_kind"]["district"]["precision"] == 0.0
    assert figures["per_kind"]["temperature"]["stated"] == 0
    assert [(one["fact"], one["stated"], one["found"]) for one in figures["mistakes"]] == [
        ("district", "章丘区", "历城区"),
        ("phone", "13800000000", None),
        ("temperature", None, "40"),
    ]


def test_numbers_are_compared_by_worth_and_nothing_else_is() -> None:
    assert same_value("tenure_years", "3.5", "3.50")
    assert not same_value("tenure_years", "3.5", "3.6")
    assert not same_value("phone", "0531", "531")
    assert not same_value("amount_owed", "两万", "20000")
    assert not same_value("hired_on", "2026-01-01", "2026-1-1")
