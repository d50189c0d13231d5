"""Limitation, notice, probation, the medical period and family leave, by the tables worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.dates import add_months, whole_months
from casework.entitlements.medical_period import medical_months
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)


def of(entitlements: Entitlements, name: str, today: date = TODAY, **inputs: Any) -> Result:
    return entitlements.calculate(name, inputs, today)


def missing(result: Result) -> list[str]:
    return [one.name for one in result.missing]


@pytest.mark.parametrize(
    ("kind", "since", "day"),
    [
        ("general", "2026-03-15", "2027-03-15"),
        ("wages_left", "2025-11-30", "2026-11-30"),
        ("general", "2024-02-29", "2025-02-28"),
        ("general", "2026-08-01", "2027-08-02"),
        ("general", "2025-10-03", "2026-10-08"),
        ("lawsuit", "2026-11-02", "2026-11-17"),
        ("assessment", "2026-11-02", "2026-11-17"),
        ("injury_employer", "2026-09-03", "2026-10-08"),  # 10-03 is within the National Day holiday
        ("injury_person", "2026-09-03", "2027-09-03"),
        ("inspection", "2024-11-25", "2026-11-25"),
    ],
)
def test_the_last_day_by_the_table(entitlements: Entitlements, kind: str, since: str, day: str) -> None:
    result = of(entitlements, "limitation", kind=kind, since=since)
    assert result.day == date.fromisoformat(day)
    assert result.days == (date.fromisoformat(day) - TODAY).days


def test_wages_have_no_limit_while_employed(entitlements: Entitlements) -> None:
    result = of(entitlements, "limitation", kind="wages_employed")
    assert (result.status, result.day) == (Status.COMPUTED, None)


def test_asking_for_it_begins_the_year_anew(entitlements: Entitlements) -> None:
    inputs = {"since": "2025-03-15", "interrupted_on": "2026-03-02"}
    assert of(entitlements, "limitation", kind="general", **inputs).day == date(2027, 3, 2)
    lawsuit = of(entitlements, "limitation", kind="lawsuit", **inputs)
    assert lawsuit.day == date(2025, 3, 31)  # 03-30 is a Sunday
    assert any("不因为催要" in warning for warning in lawsuit.warnings)


def test_nobody_asked_for_it_before_it_was_due(entitlements: Entitlements) -> None:
    with pytest.raises(InputsRefused):
        of(entitlements, "limitation", kind="general", since="2026-03-15", interrupted_on="2026-03-14")


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 4, 13), None),  # 31 days before 2026-05-14
        (date(2026, 4, 14), "别等到最后一天"),
        (date(2026, 5, 6), "别等到最后一天"),
        (date(2026, 5, 7), "今天就去"),
        (date(2026, 5, 14), "今天就去"),
        (date(2026, 5, 15), "先别放弃"),
    ],
)
def test_the_end_is_warned_of(entitlements: Entitlements, today: date, words: str | None) -> None:
    result = of(entitlements, "limitation", today, kind="general", since="2025-05-14")
    assert result.day == date(2026, 5, 14)
    if words is None:
        assert result.warnings == ()
    else:
        assert any(words in warning for warning in result.warnings)


def test_a_year_without_a_holiday_notice_is_not_certain(entitlements: Entitlements) -> None:
    unsure = of(entitlements, "limitation", kind="general", since="2026-03-15")
    assert unsure.figures["certain"] == "no"
    assert any("2027年" in warning for warning in unsure.warnings)
    sure = of(entitlements, "limitation", kind="general", since="2025-12-01")
    assert sure.figures["certain"] == "yes"


@given(since=st.dates(date(2010, 1, 1), date(2030, 12, 31)))
def test_a_period_never_ends_on_a_day_of_rest_or_early(entitlements: Entitlements, since: date) -> None:
    result = of(entitlements, "limitation", kind="general", since=since.isoformat())
    assert result.day is not None
    assert add_months(since, 12) <= result.day <= add_months(since, 12) + timedelta(days=12)
    assert entitlements.rates.calendar.is_workday(result.day)


@given(day=st.dates(date(2000, 1, 1), date(2060, 1, 1)), months=st.integers(0, 200))
def test_months_added_are_whole_months(day: date, months: int) -> None:
    later = add_months(day, months)
    assert later.day <= day.day
    assert whole_months(day, later - timedelta(days=1)) == months


@pytest.mark.parametrize(
    ("total", "here", "months", "cycle"),
    [
        ("3", "1", 3, 6),
        ("8", "5", 6, 12),
        ("12", "4", 6, 12),
        ("12", "5", 9, 15),
        ("18", "12", 12, 18),
        ("25", "16", 18, 24),
        ("30", "20", 24, 30),
        ("9.99", "4.99", 3, 6),
        ("10", "4.99", 6, 12),
        ("10", "10", 12, 18),
        ("15", "15", 18, 24),
    ],
)
def test_the_medical_period_by_the_table(
    entitlements: Entitlements, total: str, here: str, months: int, cycle: int
) -> None:
    result = of(entitlements, "medical_period", total_years=total, years_here=here)
    assert (result.figures["months"], result.figures["cycle"]) == (months, cycle)


def test_nobody_was_here_longer_than_at_work(entitlements: Entitlements) -> None:
    with pytest.raises(InputsRefused):
        of(entitlements, "medical_period", total_years="3", years_here="4")


@given(total=st.integers(0, 40), here=st.integers(0, 40), more=st.integers(0, 10))
def test_more_years_never_shorten_the_medical_period(total: int, here: int, more: int) -> None:
    least = medical_months(Decimal(total), Decimal(here))
    assert medical_months(Decimal(total), Decimal(here + more)) >= least
    assert medical_months(Decimal(total + more), Decimal(here)) >= least


@pytest.mark.parametrize(
    ("difficult", "babies", "days"),
    [(False, 1, 158), (True, 1, 173), (False, 2, 173), (True, 2, 188), (True, 3, 203)],
)
def test_maternity_leave_by_the_table(
    entitlements: Entitlements, difficult: bool, babies: int, days: int
) -> None:
    assert of(entitlements, "maternity_leave", difficult=difficult, babies=babies).days == days


@pytest.mark.parametrize(
    ("starts", "difficult", "babies", "last"),
    [
        ("2026-03-01", False, 1, "2026-08-05"),
        ("2026-06-15", False, 1, "2026-11-19"),
        ("2026-03-01", True, 2, "2026-09-04"),
    ],
)
def test_the_last_day_of_maternity_leave(
    entitlements: Entitlements, starts: str, difficult: bool, babies: int, last: str
) -> None:
    result = of(entitlements, "maternity_leave", difficult=difficult, babies=babies, starts_on=starts)
    assert result.day == date.fromisoformat(last)
    assert result.confirm_year is not None


@pytest.mark.parametrize(("months", "days"), [(0, 15), (3, 15), (4, 42), (9, 42)])
def test_a_loss_has_no_sixty_days(entitlements: Entitlements, months: int, days: int) -> None:
    assert of(entitlements, "maternity_leave", lost_at_months=months).days == days


def test_the_sixty_days_are_those_of_the_day_the_leave_begins(entitlements: Entitlements) -> None:
    result = of(entitlements, "maternity_leave", difficult=False, babies=1, starts_on="2020-01-01")
    assert (result.status, result.days) == (Status.CANNOT, None)
    assert any("98" in step.text for step in result.steps)


@pytest.mark.parametrize(
    ("inputs", "days"),
    [
        ({"kind": "paternity"}, 15),
        ({"kind": "parental"}, 10),
        ({"kind": "marriage"}, 15),
        ({"kind": "marriage", "checkup": True}, 18),
    ],
)
def test_family_leave(entitlements: Entitlements, inputs: dict[str, Any], days: int) -> None:
    result = of(entitlements, "family_leave", **inputs)
    assert result.days == days
    assert any("休息日" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("kind", "given_on", "last"),
    [
        ("resign", "2026-03-01", "2026-03-31"),
        ("resign", "2026-11-23", "2026-12-23"),
        ("resign_probation", "2026-03-01", "2026-03-04"),
        ("employer", "2026-03-01", "2026-03-31"),
        ("resign", "2024-02-01", "2024-03-02"),
    ],
)
def test_notice_by_the_table(entitlements: Entitlements, kind: str, given_on: str, last: str) -> None:
    assert of(entitlements, "notice_period", kind=kind, given_on=given_on).day == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("months", "limit"), [("2", 0), ("2.99", 0), ("3", 1), ("11.99", 1), ("12", 2), ("35.99", 2), ("36", 6)]
)
def test_the_limit_of_probation(entitlements: Entitlements, months: str, limit: int) -> None:
    assert of(entitlements, "probation_limit", contract_months=months).figures["months"] == limit


def test_contracts_without_a_length(entitlements: Entitlements) -> None:
    assert of(entitlements, "probation_limit", open_ended=True).figures["months"] == 6
    assert of(entitlements, "probation_limit", by_task=True).figures["months"] == 0
    assert missing(of(entitlements, "probation_limit")) == ["contract_months"]


@pytest.mark.parametrize(
    ("wage", "served", "contract", "amount"),
    [("6000", "6", "12", 24000), ("5000", "3", "6", 10000), ("5000", "2", "12", 0)],
)
def test_too_long_a_probation_by_the_table(
    entitlements: Entitlements, wage: str, served: str, contract: str, amount: int
) -> None:
    result = of(
        entitlements,
        "probation_compensation",
        regular_wage=wage,
        probation_months=served,
        contract_months=contract,
    )
    assert result.amount == amount


def test_the_compensation_asks_for_everything_at_once(entitlements: Entitlements) -> None:
    result = of(entitlements, "probation_compensation")
    assert missing(result) == ["probation_months", "regular_wage", "contract_months"]


@pytest.mark.parametrize(
    ("wage", "district", "post", "amount"),
    [
        ("6000", "历下区", None, "4800.00"),
        ("2500", "历下区", None, "2400.00"),
        ("2500", "平阴县", None, "2210.00"),
        ("6000", "历下区", "4500", "4500.00"),
    ],
)
def test_the_least_wage_of_probation(
    entitlements: Entitlements, wage: str, district: str, post: str | None, amount: str
) -> None:
    inputs = {"regular_wage": wage, "district": district} | ({"post_minimum": post} if post else {})
    assert of(entitlements, "probation_wage", **inputs).amount == Decimal(amount)


def test_a_day_without_a_minimum_wage_gives_no_least_wage(entitlements: Entitlements) -> None:
    result = of(entitlements, "probation_wage", regular_wage="6000", district="历下区", on="2024-01-01")
    assert (result.status, result.amount) == (Status.CANNOT, None)
