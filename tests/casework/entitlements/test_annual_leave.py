"""Annual leave: days, pro rata and pay, by the tables worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)


def of(entitlements: Entitlements, name: str, today: date = TODAY, **inputs: Any) -> Result:
    return entitlements.calculate(name, inputs, today)


def missing(result: Result) -> list[str]:
    return [one.name for one in result.missing]


@pytest.mark.parametrize(
    ("years", "days"), [("0.99", 0), ("1", 5), ("9.99", 5), ("10", 10), ("19.99", 10), ("20", 15)]
)
def test_leave_by_years_of_work(entitlements: Entitlements, years: str, days: int) -> None:
    assert of(entitlements, "annual_leave_days", years=years).days == days


@pytest.mark.parametrize(
    "more",
    [
        {"long_holidays": True},
        {"personal_leave_days": "20"},
        {"years": "5", "sick_leave_months": "2"},
        {"years": "12", "sick_leave_months": "3"},
        {"years": "25", "sick_leave_months": "4"},
    ],
)
def test_what_takes_the_leave_away(entitlements: Entitlements, more: dict[str, Any]) -> None:
    assert of(entitlements, "annual_leave_days", **{"years": "5"} | more).days == 0


@pytest.mark.parametrize(
    "more", [{"personal_leave_days": "19.99"}, {"years": "12", "sick_leave_months": "2.9"}]
)
def test_what_does_not_quite_take_the_leave_away(entitlements: Entitlements, more: dict[str, Any]) -> None:
    assert of(entitlements, "annual_leave_days", **{"years": "5"} | more).days != 0


@pytest.mark.parametrize(
    ("inputs", "days"),
    [
        ({"left_on": "2026-06-30", "full_days": 10, "taken": "2"}, 2),
        ({"left_on": "2026-03-10", "full_days": 5, "taken": "0"}, 0),
        ({"left_on": "2026-09-30", "full_days": 15, "taken": "4"}, 7),
        ({"left_on": "2026-10-31", "full_days": 5, "taken": "5"}, 0),
        ({"hired_on": "2026-04-01", "full_days": 10}, 7),
        ({"hired_on": "2026-11-01", "full_days": 5}, 0),
    ],
)
def test_leave_pro_rata_by_the_table(entitlements: Entitlements, inputs: dict[str, Any], days: int) -> None:
    assert of(entitlements, "annual_leave_prorated", **inputs).days == days


def test_leave_taken_already_is_asked_and_not_assumed(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "annual_leave_prorated", left_on="2026-06-30", full_days=10)) == ["taken"]


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({}, ["kind"]),
        ({"kind": "leaving"}, ["left_on", "full_days", "taken"]),
        ({"kind": "new"}, ["hired_on", "full_days"]),
        ({"kind": "leaving", "hired_on": "2026-04-01", "full_days": 5}, ["left_on", "taken"]),
    ],
)
def test_pro_rata_asks_only_for_its_own_case(
    entitlements: Entitlements, inputs: dict[str, Any], asked: list[str]
) -> None:
    assert missing(of(entitlements, "annual_leave_prorated", **inputs)) == asked


def test_who_came_and_left_within_a_year_counts_the_days_between(entitlements: Entitlements) -> None:
    days = {"left_on": "2026-09-30", "full_days": 15, "taken": "0"}
    assert of(entitlements, "annual_leave_prorated", **days).days == 11
    assert of(entitlements, "annual_leave_prorated", hired_on="2026-07-01", **days).days == 3  # 92 days
    assert of(entitlements, "annual_leave_prorated", hired_on="2020-07-01", **days).days == 11
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "annual_leave_prorated", hired_on="2026-10-01", **days)
    assert refused.value.problems[0].rule == "left_before_hired"


@pytest.mark.parametrize("full", [5, 10, 15])
@pytest.mark.parametrize("year", [2024, 2026])
def test_a_whole_year_has_all_its_days_and_a_leap_year_no_more(
    entitlements: Entitlements, full: int, year: int
) -> None:
    leaving = {"left_on": f"{year}-12-31", "full_days": full, "taken": "0"}
    assert of(entitlements, "annual_leave_prorated", **leaving).days == full
    assert of(entitlements, "annual_leave_prorated", hired_on=f"{year}-01-01", full_days=full).days == full


@given(left=st.dates(date(2024, 1, 1), date(2026, 12, 30)), full=st.sampled_from((5, 10, 15)))
def test_a_day_longer_there_is_never_a_day_of_leave_less(
    entitlements: Entitlements, left: date, full: int
) -> None:
    def until(day: date) -> int:
        inputs = {"left_on": day.isoformat(), "full_days": full, "taken": "0"}
        days = of(entitlements, "annual_leave_prorated", **inputs).days
        assert days is not None
        return days

    after = left + timedelta(days=1)
    if after.year == left.year:
        assert 0 <= until(after) - until(left) <= 1


def test_leave_needs_twelve_months_without_a_break(entitlements: Entitlements) -> None:
    assert of(entitlements, "annual_leave_days", years="12", running=False).days == 0
    assert of(entitlements, "annual_leave_days", years="12", running=True).days == 10
    unsaid = of(entitlements, "annual_leave_days", years="12")
    assert unsaid.days == 10
    assert any("12 个月" in text for text in unsaid.assumptions)
    assert missing(of(entitlements, "annual_leave_days")) == ["years"]


def test_leave_refused_in_writing_has_nothing_more(entitlements: Entitlements) -> None:
    pay = {"average_wage": "6525", "days": "5"}
    assert of(entitlements, "annual_leave_pay", **pay, own_will=True).amount == 0
    assert of(entitlements, "annual_leave_pay", **pay, own_will=False).amount == 3000
    assert missing(of(entitlements, "annual_leave_pay")) == ["days", "average_wage"]


def test_days_whose_usual_wage_was_not_paid_are_owed_threefold(entitlements: Entitlements) -> None:
    pay = {"average_wage": "6525", "days": "5"}
    assert of(entitlements, "annual_leave_pay", **pay, wage_paid=False).amount == 4500
    assert of(entitlements, "annual_leave_pay", **pay, wage_paid=True).amount == 3000


def test_more_days_than_a_year_has_are_said_to_be_of_several(entitlements: Entitlements) -> None:
    assert any("时效" in text and "好几年" in text for text in pay_warnings(entitlements, "15.5"))
    assert not any("好几年" in text for text in pay_warnings(entitlements, "15"))


def pay_warnings(entitlements: Entitlements, days: str) -> tuple[str, ...]:
    return of(entitlements, "annual_leave_pay", average_wage="6000", days=days).warnings


@given(days=st.integers(0, 44), wage=st.integers(2000, 50000))
def test_a_day_more_not_taken_is_a_days_pay_more(entitlements: Entitlements, days: int, wage: int) -> None:
    def of_days(count: int) -> Decimal:
        pay = {"average_wage": str(wage), "days": str(count)}
        amount = of(entitlements, "annual_leave_pay", **pay).amount
        assert amount is not None
        return amount

    one_more = of_days(days + 1) - of_days(days)
    assert abs(one_more - of_days(1)) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("wage", "days", "total", "extra"),
    [
        ("6525", "5", "4500.00", "3000.00"),
        ("6000", "5", "4137.93", "2758.62"),
        ("6525", "7", "6300.00", "4200.00"),
    ],
)
def test_leave_pay_by_the_table(
    entitlements: Entitlements, wage: str, days: str, total: str, extra: str
) -> None:
    result = of(entitlements, "annual_leave_pay", average_wage=wage, days=days)
    assert (result.figures["total_300"], result.amount) == (Decimal(total), Decimal(extra))
