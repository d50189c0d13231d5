"""Notice, probation, the medical period and family leave, by the tables worked out by hand."""

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


@pytest.mark.parametrize("birth", [{"difficult": False}, {"babies": 1}])
def test_a_birth_and_a_loss_are_not_reckoned_together(
    entitlements: Entitlements, birth: dict[str, Any]
) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "maternity_leave", lost_at_months=3, **birth)
    assert [one.rule for one in refused.value.problems] == ["birth_and_loss"]


@pytest.mark.parametrize("inputs", [{"lost_at_months": 3}, {"difficult": False, "babies": 1}])
def test_days_of_the_calendar_are_to_be_confirmed(entitlements: Entitlements, inputs: dict[str, Any]) -> None:
    result = of(entitlements, "maternity_leave", **inputs, starts_on="2026-03-01")
    assert any("以当年官方公布为准" in text for text in result.assumptions)


def test_maternity_leave_asks_for_the_birth_and_then_for_its_first_day(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "maternity_leave")) == ["difficult", "babies"]
    assert missing(of(entitlements, "maternity_leave", difficult=False, babies=1)) == ["starts_on"]


@given(
    starts=st.dates(date(2022, 11, 1), date(2090, 1, 1)), babies=st.integers(1, 8), difficult=st.booleans()
)
def test_the_last_day_of_leave_is_the_first_and_its_days(
    entitlements: Entitlements, starts: date, babies: int, difficult: bool
) -> None:
    inputs = {"starts_on": starts.isoformat(), "babies": babies, "difficult": difficult}
    result = of(entitlements, "maternity_leave", **inputs)
    assert result.days is not None
    assert result.day == starts + timedelta(days=result.days - 1)
    assert result.days == 158 + 15 * difficult + 15 * (babies - 1)


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


def test_family_leave_before_its_rule_is_not_given_a_number(entitlements: Entitlements) -> None:
    for kind, on in (("paternity", "2022-10-31"), ("parental", "2022-10-31"), ("marriage", "2025-01-17")):
        result = of(entitlements, "family_leave", kind=kind, on=on)
        assert (result.status, result.days) == (Status.CANNOT, None)
    assert missing(of(entitlements, "family_leave")) == ["kind"]


def test_whoever_gives_or_gets_notice_hears_when_it_does_not_hold(entitlements: Entitlements) -> None:
    for kind, article in (("resign", "三十八"), ("resign_probation", "三十八"), ("employer", "四十二")):
        result = of(entitlements, "notice_period", kind=kind, given_on="2026-03-01")
        articles = [cited.article or "" for step in result.steps for cited in step.cites]
        assert any(article in cited for cited in articles), kind
    assert missing(of(entitlements, "notice_period")) == ["kind", "given_on"]


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


@pytest.mark.parametrize(
    "inputs",
    [
        {"open_ended": True, "by_task": True},
        {"open_ended": True, "contract_months": "12"},
        {"by_task": True, "contract_months": "12"},
    ],
)
def test_a_contract_has_one_length(entitlements: Entitlements, inputs: dict[str, Any]) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "probation_limit", **inputs)
    assert [one.rule for one in refused.value.problems] == ["one_length"]
    assert of(entitlements, "probation_limit", contract_months="12", open_ended=False).figures["months"] == 2


@given(
    contract=st.integers(0, 120),
    served=st.integers(0, 24),
    more=st.integers(0, 24),
    wage=st.decimals(1, 90000, places=2),
)
def test_a_longer_probation_never_costs_less(
    entitlements: Entitlements, contract: int, served: int, more: int, wage: Decimal
) -> None:
    inputs = {"contract_months": contract, "regular_wage": str(wage)}
    short = of(entitlements, "probation_compensation", **inputs, probation_months=served).amount
    long = of(entitlements, "probation_compensation", **inputs, probation_months=served + more).amount
    assert short is not None
    assert long is not None
    assert 0 <= long - short <= more * wage


def test_the_compensation_asks_for_everything_at_once(entitlements: Entitlements) -> None:
    result = of(entitlements, "probation_compensation")
    assert missing(result) == ["probation_months", "regular_wage", "contract_months"]


@pytest.mark.parametrize(
    ("wage", "district", "post", "amount"),
    [
        ("6000", "历下区", None, "4800.00"),
        ("2500", "历下区", None, "2400.00"),
        ("2500", "平阴县", None, "2210.00"),
        ("6000", "历下区", "4500", "3600.00"),  # 80 % of either will do
        ("6000", "历下区", "6000", "4800.00"),
        ("6000", "历下区", "7500", "4800.00"),
        ("6000", "历下区", "2500", "2400.00"),
        ("3000", "历下区", None, "2400.00"),
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
