"""The least that is paid for a month of sick leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)


def of(entitlements: Entitlements, today: date = TODAY, **inputs: object) -> Result:
    return entitlements.calculate("sick_pay", inputs, today)


@pytest.mark.parametrize(("district", "least"), [("历下区", "1920.00"), ("商河县", "1768.00")])
def test_sick_pay_is_at_least_four_fifths_of_the_districts_minimum_wage(
    entitlements: Entitlements, district: str, least: str
) -> None:
    result = of(entitlements, district=district)
    assert (result.status, result.amount) == (Status.COMPUTED, Decimal(least))
    assert result.confirm_year == 2026
    assert "shortfall" not in result.figures


@pytest.mark.parametrize(
    ("paid", "short"), [("0", "1920.00"), ("1919.99", "0.01"), ("1920", "0"), ("3000", "0")]
)
def test_what_was_paid_is_held_against_the_line(entitlements: Entitlements, paid: str, short: str) -> None:
    result = of(entitlements, district="历下区", paid=paid)
    assert (result.amount, result.figures["shortfall"]) == (Decimal("1920.00"), Decimal(short))
    assert ("少发" in result.steps[-1].text) is (Decimal(short) > 0)


def test_only_the_district_is_asked_for(entitlements: Entitlements) -> None:
    result = of(entitlements)
    assert ([one.name for one in result.missing], result.amount) == (["district"], None)
    assert of(entitlements, minimum_wage="2400").amount == Decimal("1920.00")


@pytest.mark.parametrize("inputs", [{"sick_on": "2025-09-30", "district": "历下区"}, {"district": "青岛市"}])
def test_where_no_minimum_wage_is_known_only_the_rule_is_said(
    entitlements: Entitlements, inputs: dict[str, str]
) -> None:
    result = of(entitlements, **inputs)
    assert (result.status, result.amount) == (Status.CANNOT, None)
    assert "80%" in result.steps[0].text
    assert any("12333" in warning for warning in result.warnings)


def test_a_minimum_wage_that_was_not_looked_at_again_is_said(entitlements: Entitlements) -> None:
    result = of(entitlements, date(2027, 10, 1), district="历下区")
    assert any("2027年9月30日" in warning for warning in result.warnings)


@pytest.mark.parametrize("wrong", [{"paid": "-1"}, {"minimum_wage": "0"}, {"sick_on": "2026-02-30"}])
def test_amounts_and_days_that_cannot_be_are_named(entitlements: Entitlements, wrong: dict[str, str]) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, district="历下区", **wrong)
    assert [problem.field for problem in refused.value.problems] == list(wrong)


@given(cents=st.integers(1, 1_000_000), more=st.integers(0, 100_000))
def test_a_higher_minimum_wage_never_means_less(entitlements: Entitlements, cents: int, more: int) -> None:
    low, high = (
        of(entitlements, minimum_wage=str(Decimal(wage) / 100)).amount for wage in (cents, cents + more)
    )
    assert low is not None
    assert high is not None
    assert low <= high
