"""The single-award line, the hardship pre-check and the legal-aid pre-check."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from casework.entitlements.base import Status
from casework.entitlements.registry import Entitlements

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(("district", "line"), [("历下区", 28800), ("商河县", 26520)])
def test_the_line_is_twelve_minimum_wages(entitlements: Entitlements, district: str, line: int) -> None:
    inputs = {"district": district, "amounts": [str(line), f"{line}.01", "100"]}
    result = entitlements.calculate("single_award", inputs, TODAY)
    assert (result.amount, result.figures["within"], result.figures["above"]) == (line, 2, 1)


def test_a_day_without_a_minimum_wage_gives_no_line(entitlements: Entitlements) -> None:
    inputs = {"district": "历下区", "asked_on": "2024-01-01", "amounts": ["100"]}
    result = entitlements.calculate("single_award", inputs, TODAY)
    assert (result.status, result.amount) == (Status.CANNOT, None)


@pytest.mark.parametrize(
    ("income", "rigid", "people", "kind"),
    [
        ("36000", "0", 3, "relative"),  # exactly the line is not below it
        ("35999", "0", 3, "deep"),
        ("71999", "0", 3, "relative"),
        ("72000", "0", 3, "none"),
        ("60000", "80000", 3, "deep"),
    ],
)
def test_hardship_by_the_line(
    entitlements: Entitlements, income: str, rigid: str, people: int, kind: str
) -> None:
    inputs = {"income": income, "rigid_expenses": rigid, "people": people, "low_income_line": "1000"}
    result = entitlements.calculate("hardship_precheck", inputs, TODAY)
    assert result.figures["kind"] == kind
    assert any("以工会审核为准" in warning for warning in result.warnings)
    assert result.confirm_year == 2026


@pytest.mark.parametrize(("cost", "kind"), [("48000", "none"), ("48000.01", "misfortune")])
def test_a_misfortune_counts_above_four_fifths_of_the_income(
    entitlements: Entitlements, cost: str, kind: str
) -> None:
    inputs: dict[str, Any] = {
        "income": "60000",
        "rigid_expenses": "0",
        "people": 1,
        "low_income_line": "1000",
        "misfortune_cost": cost,
    }
    assert entitlements.calculate("hardship_precheck", inputs, TODAY).figures["kind"] == kind


def test_jinans_low_income_line_is_asked_for_and_never_filled_in(entitlements: Entitlements) -> None:
    inputs = {"income": "60000", "rigid_expenses": "0", "people": 3}
    result = entitlements.calculate("hardship_precheck", inputs, TODAY)
    assert result.status is Status.INCOMPLETE
    assert [one.name for one in result.missing] == ["low_income_line"]


@pytest.mark.parametrize(
    ("matter", "migrant", "relief", "verdict"),
    [
        ("wages", True, False, "free"),
        ("injury", True, False, "free"),
        ("dismissal", True, False, "means"),
        ("wages", False, False, "means"),
        ("dismissal", False, True, "free"),
    ],
)
def test_who_is_asked_about_means(
    entitlements: Entitlements, matter: str, migrant: bool, relief: bool, verdict: str
) -> None:
    inputs = {"matter": matter, "migrant_worker": migrant, "on_relief": relief}
    assert entitlements.calculate("legal_aid_precheck", inputs, TODAY).figures["verdict"] == verdict


@pytest.mark.parametrize(
    ("deadline", "hurry"), [("2026-11-28", True), ("2026-11-29", False), ("2026-11-21", False)]
)
def test_the_last_week_comes_first(entitlements: Entitlements, deadline: str, hurry: bool) -> None:
    inputs = {"matter": "wages", "migrant_worker": True, "on_relief": False, "deadline": deadline}
    result = entitlements.calculate("legal_aid_precheck", inputs, TODAY)
    assert any("手续后补" in step.text for step in result.steps) is hurry
