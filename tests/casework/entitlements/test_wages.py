"""Double wage, overtime and arrears, by the tables worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)
HOURS = ("hours_150", "hours_200", "hours_300")


def of(entitlements: Entitlements, name: str, today: date = TODAY, **inputs: Any) -> Result:
    return entitlements.calculate(name, inputs, today)


def missing(result: Result) -> list[str]:
    return [one.name for one in result.missing]


@pytest.mark.parametrize(
    ("hired", "wage", "more", "months", "days", "amount"),
    [
        ("2025-01-10", "6000", {"left_on": "2026-03-31"}, 11, 0, "66000.00"),
        ("2026-01-10", "6000", {"signed_on": "2026-05-10"}, 3, 0, "18000.00"),
        ("2026-01-10", "6000", {"signed_on": "2026-05-22"}, 3, 9, "20482.76"),
        ("2026-03-02", "4350", {"left_on": "2026-07-17"}, 3, 12, "15450.00"),
        ("2026-01-10", "6000", {"signed_on": "2026-02-09"}, 0, 0, "0.00"),
        ("2026-03-01", "6000", {"left_on": "2026-03-20"}, 0, 0, "0.00"),
    ],
)
def test_double_wage_by_the_table(
    entitlements: Entitlements,
    hired: str,
    wage: str,
    more: dict[str, str],
    months: int,
    days: int,
    amount: str,
) -> None:
    result = of(entitlements, "double_wage", hired_on=hired, monthly_wage=wage, **more)
    assert (result.figures["months"], result.figures["workdays"]) == (months, days)
    assert result.amount == Decimal(amount)


def test_who_is_still_there_without_a_contract_counts_until_today(entitlements: Entitlements) -> None:
    result = of(entitlements, "double_wage", hired_on="2026-03-02", monthly_wage="4350")
    assert result.amount == Decimal("33450.00")
    assert any("2026年11月22日" in text for text in result.assumptions)


def test_eleven_months_are_the_most(entitlements: Entitlements) -> None:
    result = of(entitlements, "double_wage", hired_on="2020-02-29", monthly_wage="6000")
    assert result.figures["months"] == 11
    assert "无固定期限" in result.steps[-1].text


def test_months_with_wages_of_their_own_are_counted_each(entitlements: Entitlements) -> None:
    result = of(
        entitlements,
        "double_wage",
        hired_on="2026-01-10",
        monthly_wages=["5000", "6000", "7000"],
        signed_on="2026-05-10",
    )
    assert result.amount == 18000


def test_months_more_than_a_year_old_are_marked_and_not_taken_away(entitlements: Entitlements) -> None:
    result = of(entitlements, "double_wage", hired_on="2025-01-10", monthly_wage="6000", left_on="2026-03-31")
    assert result.amount == 66000
    assert any("2025年11月22日" in text for text in result.warnings)


def test_a_year_without_a_holiday_table_is_said(entitlements: Entitlements) -> None:
    result = of(
        entitlements,
        "double_wage",
        date(2027, 3, 1),
        hired_on="2026-11-10",
        monthly_wage="6000",
        signed_on="2027-01-20",
    )
    assert any("2027年" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("inputs", "field", "rule"),
    [
        ({"hired_on": "2026-03-01", "left_on": "2026-02-01"}, "left_on", "left_before_hired"),
        ({"hired_on": "2026-11-23"}, "hired_on", "hired_in_future"),
        ({"hired_on": "2026-01-10", "signed_on": "2026-05-22", "workdays": 13}, "workdays", "too_many_days"),
    ],
)
def test_days_that_contradict_each_other_are_named(
    entitlements: Entitlements, inputs: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "double_wage", monthly_wage="6000", **inputs)
    assert [(problem.field, problem.rule) for problem in refused.value.problems] == [(field, rule)]


def test_a_contract_may_be_signed_before_the_work_begins(entitlements: Entitlements) -> None:
    days = {"hired_on": "2026-03-01", "signed_on": "2026-02-01"}
    assert of(entitlements, "double_wage", monthly_wage="6000", **days).amount == 0


def test_double_wage_asks_for_the_first_day_and_the_wage(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "double_wage")) == ["monthly_wage", "hired_on"]
    known = of(entitlements, "double_wage", hired_on="2026-01-10", signed_on="2026-05-10")
    assert (missing(known), known.amount, known.figures["months"]) == (["monthly_wage"], None, 3)


@pytest.mark.parametrize(
    ("today", "months"),
    [(date(2026, 2, 9), 0), (date(2026, 3, 8), 0), (date(2026, 3, 9), 1), (date(2027, 1, 9), 11)],
)
def test_the_period_begins_after_a_month_and_ends_before_the_year(
    entitlements: Entitlements, today: date, months: int
) -> None:
    result = of(entitlements, "double_wage", today, hired_on="2026-01-10", monthly_wage="6000")
    assert result.figures["months"] == months


def test_who_is_not_there_for_a_month_yet_is_told_from_when_it_counts(entitlements: Entitlements) -> None:
    result = of(entitlements, "double_wage", hired_on="2026-11-01", monthly_wage="6000")
    assert result.amount == 0
    assert "2026年12月1日" in result.steps[0].text


@pytest.mark.parametrize("hired", ["2024-01-29", "2024-01-31", "2024-02-29", "2023-12-31", "2025-10-31"])
def test_a_month_that_is_too_short_takes_nothing_from_a_whole_year(
    entitlements: Entitlements, hired: str
) -> None:
    result = of(entitlements, "double_wage", hired_on=hired, monthly_wage="6000")
    assert (result.amount, result.figures["workdays"]) == (66000, 0)


@pytest.mark.parametrize(("workdays", "amount"), [(0, "18000.00"), (10, "20758.62"), (12, "21310.34")])
def test_the_days_worked_may_be_said(entitlements: Entitlements, workdays: int, amount: str) -> None:
    days = {"hired_on": "2026-01-10", "signed_on": "2026-05-22", "workdays": workdays}
    assert of(entitlements, "double_wage", monthly_wage="6000", **days).amount == Decimal(amount)


def test_wages_that_are_not_listed_are_the_last_that_is_and_it_is_said(entitlements: Entitlements) -> None:
    days = {"hired_on": "2026-01-10", "signed_on": "2026-05-10"}
    result = of(entitlements, "double_wage", monthly_wages=["5000", "6000"], **days)
    assert result.amount == 17000
    assert any("2 个月" in text for text in result.assumptions)


def test_a_contract_that_ran_out_is_explained_and_not_reckoned(entitlements: Entitlements) -> None:
    result = of(
        entitlements, "double_wage", hired_on="2026-01-10", monthly_wage="6000", contract_expired=True
    )
    assert (result.status, result.amount) == (Status.CANNOT, None)
    assert "山东" in result.steps[0].text
    assert result.confirm_year == 2026


@given(hired=st.dates(date(2024, 1, 1), date(2026, 11, 1)), days=st.integers(0, 500))
def test_a_day_more_without_a_contract_is_never_less(
    entitlements: Entitlements, hired: date, days: int
) -> None:
    def until(more: int) -> Decimal:
        left = (hired + timedelta(days=days + more)).isoformat()
        amount = of(
            entitlements, "double_wage", hired_on=hired.isoformat(), monthly_wage="6000", left_on=left
        ).amount
        assert amount is not None
        return amount

    assert 0 <= until(0) <= until(1) <= 66000


@given(months=st.integers(2, 11))
def test_double_wage_adds_up_over_months(entitlements: Entitlements, months: int) -> None:
    left = date(2025, 3, 1 + 0).replace(year=2025 + (months + 2) // 12, month=(months + 2) % 12 + 1)
    result = of(
        entitlements, "double_wage", hired_on="2025-02-02", monthly_wage="6000", left_on=left.isoformat()
    )
    assert result.figures["months"] == min(11, months)
    assert result.amount == 6000 * min(11, months)


@pytest.mark.parametrize(
    ("base", "h150", "h200", "h300", "amount"),
    [
        ("6000", "10", "0", "0", "517.24"),
        ("6000", "0", "16", "0", "1103.45"),
        ("6000", "0", "0", "8", "827.59"),
        ("5220", "20", "8", "8", "2100.00"),
        ("6000", "10", "16", "8", "2448.28"),
        ("4350", "36", "0", "0", "1350.00"),
    ],
)
def test_overtime_by_the_table(
    entitlements: Entitlements, base: str, h150: str, h200: str, h300: str, amount: str
) -> None:
    result = of(entitlements, "overtime", monthly_wage=base, hours_150=h150, hours_200=h200, hours_300=h300)
    assert result.amount == Decimal(amount)
    assert not any("36 小时" in warning for warning in result.warnings)


def test_more_than_36_hours_a_month_is_paid_and_said(entitlements: Entitlements) -> None:
    hours = {"hours_150": "36.5", "hours_200": "0", "hours_300": "0"}
    result = of(entitlements, "overtime", monthly_wage="4350", **hours)
    assert (result.status, result.amount) == (Status.COMPUTED, Decimal("1368.75"))
    assert any("36 小时" in warning for warning in result.warnings)
    spread = of(entitlements, "overtime", monthly_wage="4350", **hours, months=2)
    assert not any("36 小时" in warning for warning in spread.warnings)


def test_flexible_hours_have_no_overtime_and_comprehensive_ones_go_to_a_person(
    entitlements: Entitlements,
) -> None:
    hours = {"monthly_wage": "6000", "hours_150": "10", "hours_200": "16", "hours_300": "0"}
    flexible = of(entitlements, "overtime", hours_system="flexible", **hours)
    assert (flexible.status, flexible.amount) == (Status.CANNOT, None)
    assert any("12333" in warning for warning in flexible.warnings)
    whole = of(entitlements, "overtime", hours_system="comprehensive", **hours)
    assert whole.amount == Decimal("517.24"), "rest days are worked by the roster"
    assert any("请人工" in warning for warning in whole.warnings)


def test_overtime_asks_for_hours_and_wage(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "overtime")) == ["hours_150", "hours_200", "hours_300", "monthly_wage"]
    only = of(entitlements, "overtime", monthly_wage="6000", hours_200="16")
    assert missing(only) == ["hours_150", "hours_300"]
    assert (only.status, only.amount) == (Status.PARTIAL, Decimal("1103.45"))
    assert any("没填的" in warning for warning in only.warnings)
    wage = of(entitlements, "overtime", monthly_wage="6000")
    assert (wage.status, wage.amount, len(wage.steps)) == (Status.INCOMPLETE, None, 1)


def test_the_base_of_overtime_is_not_below_the_minimum_wage(entitlements: Entitlements) -> None:
    low = {"monthly_wage": "1740", "hours_150": "8", "hours_200": "0", "hours_300": "0"}
    assert of(entitlements, "overtime", **low, district="历下区").amount == Decimal("165.52")
    assert of(entitlements, "overtime", **low, district="商河县").amount == Decimal("152.41")
    assert of(entitlements, "overtime", **low).amount == Decimal("120.00")
    enough = {**low, "monthly_wage": "2400"}
    assert of(entitlements, "overtime", **enough, district="历下区").amount == Decimal("165.52")


def test_overtime_of_years_ago_is_not_held_against_todays_minimum_wage(entitlements: Entitlements) -> None:
    low = {"monthly_wage": "1740", "hours_150": "8", "hours_200": "0", "hours_300": "0"}
    result = of(entitlements, "overtime", **low, district="历下区", worked_on="2024-10-01")
    assert result.amount == Decimal("120.00")
    assert any("2024年10月1日" in warning for warning in result.warnings)


@given(hours=st.lists(st.integers(0, 2000), min_size=6, max_size=6))
def test_overtime_adds_up_over_months(entitlements: Entitlements, hours: list[int]) -> None:
    def of_hours(three: list[int]) -> Decimal:
        given = {name: str(Decimal(one) / 100) for name, one in zip(HOURS, three, strict=True)}
        amount = of(entitlements, "overtime", monthly_wage="6000", **given).amount
        assert amount is not None
        return amount

    first, second = hours[:3], hours[3:]
    both = of_hours([one + other for one, other in zip(first, second, strict=True)])
    assert abs(both - of_hours(first) - of_hours(second)) <= Decimal("0.01")


@given(hours=st.integers(0, 500), wage=st.integers(2000, 50000))
def test_an_hour_more_is_never_less(entitlements: Entitlements, hours: int, wage: int) -> None:
    less = of(entitlements, "overtime", monthly_wage=str(wage), hours_200=str(hours)).amount
    more = of(entitlements, "overtime", monthly_wage=str(wage), hours_200=str(hours + 1)).amount
    assert less is not None
    assert more is not None
    assert more > less


@pytest.mark.parametrize(
    ("inputs", "amount"),
    [
        ({"amount_owed": "12000"}, "12000.00"),
        ({"months": "3", "monthly_wage": "6500"}, "19500.00"),
        ({"months": "1.5", "monthly_wage": "5001"}, "7501.50"),
        ({"monthly_wages": ["5000", "5500.50"]}, "10500.50"),
        ({"months": "3", "monthly_wage": "6500", "paid": "500"}, "19000.00"),
        ({"amount_owed": "12000", "months": "3", "monthly_wage": "1"}, "12000.00"),
    ],
)
def test_arrears(entitlements: Entitlements, inputs: dict[str, Any], amount: str) -> None:
    assert of(entitlements, "wage_arrears", **inputs).amount == Decimal(amount)


def test_arrears_ask_for_the_sum_or_for_what_is_missing_of_it(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "wage_arrears")) == ["amount_owed"]
    assert missing(of(entitlements, "wage_arrears", months="3")) == ["monthly_wage"]


@pytest.mark.parametrize(
    ("inputs", "field", "rule"),
    [
        ({"amount_owed": "1000", "paid": "1000.01"}, "paid", "paid_more_than_due"),
        ({"months": "1", "monthly_wage": "5000", "paid": "6000"}, "paid", "paid_more_than_due"),
        ({"months": "3", "monthly_wages": ["5000", "5500"]}, "monthly_wages", "months_not_listed"),
        ({"amount_owed": "-1"}, "amount_owed", "greater_than"),
        ({"amount_owed": "大概一万"}, "amount_owed", "decimal_parsing"),
    ],
)
def test_arrears_that_cannot_be_are_named(
    entitlements: Entitlements, inputs: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "wage_arrears", **inputs)
    assert [(problem.field, problem.rule) for problem in refused.value.problems] == [(field, rule)]


def test_arrears_may_be_paid_to_the_last_cent(entitlements: Entitlements) -> None:
    assert of(entitlements, "wage_arrears", months="1", monthly_wage="5000", paid="5000").amount == 0


@given(wages=st.lists(st.integers(1, 1_000_000), min_size=1, max_size=12))
def test_arrears_add_up_over_months(entitlements: Entitlements, wages: list[int]) -> None:
    listed = [str(Decimal(wage) / 100) for wage in wages]
    assert of(entitlements, "wage_arrears", monthly_wages=listed).amount == Decimal(sum(wages)) / 100


def test_the_surcharge_is_explained_and_never_added(entitlements: Entitlements) -> None:
    result = of(entitlements, "wage_arrears", amount_owed="1000")
    assert result.amount == 1000
    assert any("责令" in warning for warning in result.warnings)
