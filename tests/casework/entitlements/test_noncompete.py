"""Non-compete compensation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from casework.entitlements.base import Status
from casework.entitlements.registry import Entitlements

TODAY = date(2026, 11, 22)
NAME = "noncompete_compensation"


@pytest.mark.parametrize(
    ("wage", "monthly"), [("8000", "2400.00"), ("6000", "2400.00"), ("20000", "6000.00")]
)
def test_by_the_table(entitlements: Entitlements, wage: str, monthly: str) -> None:
    result = entitlements.calculate(NAME, {"average_wage": wage, "district": "历下区"}, TODAY)
    assert (result.status, result.amount) == (Status.COMPUTED, Decimal(monthly))


def test_the_district_decides_the_floor_and_is_only_asked_where_it_matters(
    entitlements: Entitlements,
) -> None:
    asked = entitlements.calculate(NAME, {"average_wage": "6000"}, TODAY)
    assert [one.name for one in asked.missing] == ["district"]
    assert entitlements.calculate(NAME, {"average_wage": "20000"}, TODAY).missing == ()
    rural = entitlements.calculate(NAME, {"average_wage": "6000", "district": "平阴县"}, TODAY)
    assert rural.amount == Decimal("2210.00")


def test_two_years_are_the_most(entitlements: Entitlements) -> None:
    inputs = {"average_wage": "20000", "months": 30}
    result = entitlements.calculate(NAME, inputs, TODAY)
    assert result.amount == 24 * 6000
    assert any("24 个月" in warning for warning in result.warnings)


def test_without_a_minimum_wage_for_the_day_only_the_share_is_certain(entitlements: Entitlements) -> None:
    result = entitlements.calculate(NAME, {"average_wage": "6000", "district": "历下区"}, date(2020, 1, 1))
    assert (result.status, result.amount) == (Status.PARTIAL, Decimal("1800.00"))
    assert any("12333" in warning for warning in result.warnings)
