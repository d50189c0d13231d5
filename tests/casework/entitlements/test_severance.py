"""Severance: N, N+1 and 2N, by the tables worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.registry import Entitlements, InputsRefused
from casework.entitlements.severance import severance_months

TODAY = date(2026, 11, 22)
CITY = {"city_average_wage": "10000", "minimum_wage": "2400"}

GOLDEN = [
    ("2020-03-01", "2026-02-28", "8000", "6", "48000.00"),
    ("2020-03-01", "2026-08-30", "8000", "6.5", "52000.00"),
    ("2020-03-01", "2026-08-31", "8000", "7", "56000.00"),
    ("2026-01-10", "2026-04-20", "5000", "0.5", "2500.00"),
    ("2008-02-01", "2026-07-31", "45000", "12", "360000.00"),
    ("2008-02-01", "2026-07-31", "30000", "19", "570000.00"),
    ("2008-02-01", "2026-07-31", "9000", "19", "171000.00"),
    ("2023-07-01", "2026-06-30", "2100", "3", "7200.00"),
    ("2021-05-18", "2026-11-20", "7345.60", "6", "44073.60"),
]


def of(entitlements: Entitlements, name: str, hired: str, left: str, wage: str, **more: str) -> Result:
    inputs = {"hired_on": hired, "left_on": left, "average_wage": wage, **CITY, **more}
    return entitlements.calculate(name, inputs, TODAY)


@pytest.mark.parametrize(("hired", "left", "wage", "months", "amount"), GOLDEN)
def test_severance_by_the_table(
    entitlements: Entitlements, hired: str, left: str, wage: str, months: str, amount: str
) -> None:
    result = of(entitlements, "severance", hired, left, wage)
    assert result.status is Status.COMPUTED
    assert (result.figures["months"], result.amount) == (Decimal(months), Decimal(amount))
    assert all(step.cites for step in result.steps)


@pytest.mark.parametrize(
    ("hired", "left", "wage", "last", "amount"),
    [
        ("2020-03-01", "2026-02-28", "8000", "8500", "56500.00"),
        ("2020-03-01", "2026-08-30", "8000", "7600", "59600.00"),
        ("2008-02-01", "2026-07-31", "45000", "46000", "406000.00"),
    ],
)
def test_n_plus_one_by_the_table(
    entitlements: Entitlements, hired: str, left: str, wage: str, last: str, amount: str
) -> None:
    result = of(entitlements, "severance_plus_notice", hired, left, wage, last_month_wage=last)
    assert result.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("row", "amount"), [(0, "96000.00"), (1, "104000.00"), (3, "5000.00"), (4, "720000.00")]
)
def test_2n_by_the_table(entitlements: Entitlements, row: int, amount: str) -> None:
    hired, left, wage, *_ = GOLDEN[row]
    assert of(entitlements, "unlawful_dismissal", hired, left, wage).amount == Decimal(amount)


def test_what_is_missing_is_asked_and_nothing_is_assumed(entitlements: Entitlements) -> None:
    result = entitlements.calculate("severance", {}, TODAY)
    assert result.status is Status.INCOMPLETE
    assert [one.name for one in result.missing] == ["average_wage", "hired_on", "left_on"]
    assert result.amount is None


def test_the_months_are_said_even_where_the_wage_is_missing(entitlements: Entitlements) -> None:
    inputs = {"hired_on": "2020-03-01", "left_on": "2026-08-31"}
    result = entitlements.calculate("severance", inputs, TODAY)
    assert result.figures["months"] == 7
    assert [one.name for one in result.missing] == ["average_wage"]


def test_the_district_is_only_asked_for_a_wage_near_the_minimum(entitlements: Entitlements) -> None:
    inputs = {"hired_on": "2024-03-01", "left_on": "2026-02-28", "average_wage": "2300"}
    low = entitlements.calculate("severance", inputs, TODAY)
    assert [one.name for one in low.missing] == ["district"]
    assert low.amount is None
    usual = entitlements.calculate("severance", inputs | {"average_wage": "2400"}, TODAY)
    assert (usual.missing, usual.amount) == ((), Decimal("4800.00"))
    first = entitlements.calculate("severance", inputs | {"district": "历下区"}, TODAY)
    second = entitlements.calculate("severance", inputs | {"district": "商河县"}, TODAY)
    assert (first.amount, second.amount) == (Decimal("4800.00"), Decimal("4600.00"))
    assert first.confirm_year == 2026


def test_an_ordinary_wage_needs_no_average_and_a_high_one_says_what_is_unknown(
    entitlements: Entitlements,
) -> None:
    inputs = {"hired_on": "2010-01-01", "left_on": "2026-06-30", "average_wage": "6000"}
    ordinary = entitlements.calculate("severance", inputs, TODAY)
    assert (ordinary.status, ordinary.amount) == (Status.COMPUTED, Decimal("102000.00"))
    high = entitlements.calculate("severance", inputs | {"average_wage": "40000"}, TODAY)
    assert high.status is Status.PARTIAL
    assert any("2025年度" in warning and "12333" in warning for warning in high.warnings)


def test_two_averages_that_may_be_taken_give_the_lower_amount_and_say_so(entitlements: Entitlements) -> None:
    inputs = {
        "hired_on": "2020-01-01",
        "left_on": "2024-12-31",
        "average_wage": "40000",
        "minimum_wage": "2200",
    }
    result = entitlements.calculate("severance", inputs, TODAY)
    assert result.status is Status.PARTIAL
    assert result.amount == Decimal("161527.50")  # 5 × 3 × 129222 ÷ 12
    assert any("33308" in warning and "32305.5" in warning for warning in result.warnings)


def test_what_lies_before_2008_goes_to_a_person_but_counts_for_2n(entitlements: Entitlements) -> None:
    severance = of(entitlements, "severance", "2005-01-01", "2010-12-31", "5000")
    assert severance.figures["months"] == 3
    assert any("找人工" in warning for warning in severance.warnings)
    assert of(entitlements, "unlawful_dismissal", "2005-01-01", "2010-12-31", "5000").amount == 60000
    assert of(entitlements, "severance", "2001-01-01", "2007-06-30", "5000").status is Status.CANNOT


@pytest.mark.parametrize(
    "wrong",
    [
        {"hired_on": "2026-03-01", "left_on": "2026-02-01"},
        {"hired_on": "2026-02-30"},
        {"hired_on": 0},
        {"average_wage": "-1"},
        {"average_wage": "八千"},
        {"average_wage": "NaN"},
        {"wages": "8000"},
    ],
)
def test_inputs_that_cannot_be_are_named(entitlements: Entitlements, wrong: dict[str, object]) -> None:
    with pytest.raises(InputsRefused) as refused:
        entitlements.calculate("severance", wrong, TODAY)
    assert [problem.field for problem in refused.value.problems] == [list(wrong)[-1]]


DAYS = st.dates(date(2008, 1, 1), date(2026, 11, 22))


@given(first=DAYS, days=st.integers(0, 6000))
def test_a_day_more_is_never_a_month_less(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    here, later = severance_months(first, last), severance_months(first, last + timedelta(days=1))
    assert later - here in (Decimal(0), Decimal("0.5"))
    assert 0 < here <= Decimal(days) / 365 + 1


@given(first=DAYS, years=st.integers(1, 18))
def test_a_whole_year_is_a_month_and_a_day_more_half_a_one(first: date, years: int) -> None:
    anniversary = date(first.year + years, first.month, min(first.day, 28))
    last = anniversary - timedelta(days=1)
    if first.day <= 28:
        assert severance_months(first, last) == years
        assert severance_months(first, anniversary) == years + Decimal("0.5")


@given(cents=st.integers(250_000, 3_000_000), more=st.integers(0, 1_000_000))
def test_who_earns_more_is_never_owed_less(entitlements: Entitlements, cents: int, more: int) -> None:
    less, greater = (str(Decimal(wage) / 100) for wage in (cents, cents + more))
    low = of(entitlements, "severance", "2015-02-28", "2026-02-28", less).amount
    high = of(entitlements, "severance", "2015-02-28", "2026-02-28", greater).amount
    assert low is not None
    assert high is not None
    assert high >= low
