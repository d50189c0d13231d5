"""Work injury: lump sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)


def grant(entitlements: Entitlements, **inputs: object) -> Result:
    return entitlements.calculate("injury_disability_grant", inputs, TODAY)


@pytest.mark.parametrize(
    ("grade", "amount"),
    [(1, 162000), (2, 150000), (5, 108000), (7, 78000), (8, 66000), (9, 54000), (10, 42000)],
)
def test_the_grant_by_grade(entitlements: Entitlements, grade: int, amount: int) -> None:
    assert grant(entitlements, grade=grade, average_wage="6000").amount == amount


@pytest.mark.parametrize("grade", [0, 11, "九", 1.5])
def test_there_are_ten_grades(entitlements: Entitlements, grade: object) -> None:
    with pytest.raises(InputsRefused):
        grant(entitlements, grade=grade, average_wage="6000")


def test_ones_own_wage_counts_between_its_limits(entitlements: Entitlements) -> None:
    assert grant(entitlements, grade=10, average_wage="3000", city_average_wage="10000").amount == 42000
    assert grant(entitlements, grade=10, average_wage="40000", city_average_wage="10000").amount == 210000
    assert grant(entitlements, grade=10, average_wage="6000", city_average_wage="10000").amount == 42000
    assert grant(entitlements, grade=10, average_wage="30000", city_average_wage="10000").amount == 210000


def test_without_the_average_the_limits_are_said_to_be_unchecked(entitlements: Entitlements) -> None:
    result = grant(entitlements, grade=10, average_wage="3000", injured_on="2026-09-03")
    assert result.amount == 21000
    assert any("上下限" in text for text in result.assumptions)


@given(grade=st.integers(1, 9), wage=st.integers(100, 10_000_00))
def test_a_graver_injury_is_never_worth_less(entitlements: Entitlements, grade: int, wage: int) -> None:
    amount = str(Decimal(wage) / 100)
    graver = grant(entitlements, grade=grade, average_wage=amount).amount
    lighter = grant(entitlements, grade=grade + 1, average_wage=amount).amount
    assert graver is not None
    assert lighter is not None
    assert graver > lighter


@pytest.mark.parametrize(("grade", "months"), [(5, 22), (6, 18), (7, 13), (8, 10), (9, 7), (10, 4)])
def test_shandongs_medical_aid_says_the_months_where_the_average_is_not_known(
    entitlements: Entitlements, grade: int, months: int
) -> None:
    inputs = {"grade": grade, "ended_on": "2026-06-30"}
    result = entitlements.calculate("injury_medical_aid", inputs, TODAY)
    assert (result.status, result.amount, result.figures["months"]) == (Status.CANNOT, None, months)
    assert result.confirm_year is not None
    known = entitlements.calculate("injury_medical_aid", inputs | {"city_average_wage": "10000"}, TODAY)
    assert known.amount == months * 10000


def test_an_occupational_disease_gets_half_as_much_again(entitlements: Entitlements) -> None:
    inputs = {
        "grade": 10,
        "ended_on": "2026-06-30",
        "city_average_wage": "10000",
        "occupational_disease": True,
    }
    assert entitlements.calculate("injury_medical_aid", inputs, TODAY).amount == 60000


def test_the_gravest_grades_have_no_medical_aid(entitlements: Entitlements) -> None:
    inputs = {"grade": 4, "ended_on": "2026-06-30"}
    result = entitlements.calculate("injury_medical_aid", inputs, TODAY)
    assert result.status is Status.CANNOT
    assert any("伤残津贴" in warning for warning in result.warnings)


def test_the_employment_aid_is_never_given_a_number(entitlements: Entitlements) -> None:
    inputs = {"grade": 7, "ended_on": "2026-06-30", "city_average_wage": "10000"}
    result = entitlements.calculate("injury_medical_aid", inputs, TODAY)
    (said,) = [warning for warning in result.warnings if "就业补助金" in warning]
    assert not any(digit in said.replace("12333", "") for digit in "0123456789")


def test_the_death_benefit_of_2025_and_none_for_a_year_whose_income_is_unknown(
    entitlements: Entitlements,
) -> None:
    known = entitlements.calculate("death_benefit", {"died_on": "2025-06-01"}, TODAY)
    assert known.amount == 1083760
    unknown = entitlements.calculate("death_benefit", {"died_on": "2026-06-01"}, TODAY)
    assert (unknown.status, unknown.amount) == (Status.CANNOT, None)
    assert any("2025年" in warning and "12333" in warning for warning in unknown.warnings)
