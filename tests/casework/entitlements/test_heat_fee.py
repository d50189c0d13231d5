"""The heat fee, by the table worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.registry import Entitlements, InputsRefused

TODAY = date(2026, 11, 22)
SUMMER = (6, 7, 8, 9)


def of(entitlements: Entitlements, name: str, today: date = TODAY, **inputs: Any) -> Result:
    return entitlements.calculate(name, inputs, today)


def missing(result: Result) -> list[str]:
    return [one.name for one in result.missing]


def months(*attended: tuple[int, str | None, str | None]) -> list[dict[str, Any]]:
    return [{"month": month, "attended": there, "due": due} for month, there, due in attended]


@pytest.mark.parametrize(
    ("kind", "attendance", "amount"),
    [
        ("outdoor", months((6, None, None), (7, None, None), (8, None, None), (9, None, None)), "1200.00"),
        ("other", months((6, None, None), (7, None, None), (8, None, None), (9, None, None)), "720.00"),
        ("outdoor", months((6, "11", "22"), (7, None, None), (8, None, None), (9, None, None)), "1050.00"),
        ("other", months((7, "13", "23")), "101.74"),
        ("outdoor", months((6, "20", "21"), (7, "22", "22")), "585.71"),
    ],
)
def test_the_heat_fee_by_the_table(
    entitlements: Entitlements, kind: str, attendance: list[dict[str, Any]], amount: str
) -> None:
    result = of(entitlements, "heat_fee", kind=kind, year=2026, attendance=attendance)
    assert result.amount == Decimal(amount)
    assert result.confirm_year is not None
    assert any("以当年官方公布为准" in warning for warning in result.warnings)


def test_the_heat_fee_of_a_year_without_a_rate_is_not_made_up(entitlements: Entitlements) -> None:
    result = of(entitlements, "heat_fee", kind="outdoor", year=2020, months=4)
    assert (result.status, result.amount) == (Status.CANNOT, None)
    assert any("不拿别的年份" in warning for warning in result.warnings)


def test_only_four_months_have_a_heat_fee(entitlements: Entitlements) -> None:
    result = of(entitlements, "heat_fee", kind="other", year=2026, attendance=months((5, None, None)))
    assert result.amount == 0
    assert any("5 月" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ({"attendance": months((7, "24", "23"))}, "attended_more_than_due"),
        ({"attendance": months((7, "20", None))}, "attended_of_due"),
        ({"attendance": months((7, None, "23"))}, "attended_of_due"),
        ({"attendance": months((7, None, None), (7, "1", "23"))}, "month_twice"),
        ({"attendance": months((7, None, None)), "months": 1}, "months_or_attendance"),
        ({"year": 2027, "months": 4}, "month_ahead"),
        ({"attendance": months((7, "32", "33"))}, "less_than_equal"),
        ({"months": 5}, "less_than_equal"),
        ({"kind": "indoor"}, "literal_error"),
    ],
)
def test_attendance_that_cannot_be_is_named(
    entitlements: Entitlements, inputs: dict[str, Any], rule: str
) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "heat_fee", **{"kind": "other", "year": 2026, **inputs})
    assert refused.value.problems[0].rule == rule


def test_the_heat_fee_asks_for_the_kind_of_work_and_then_for_the_months(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "heat_fee")) == ["kind"]
    assert missing(of(entitlements, "heat_fee", kind="outdoor")) == ["months"]


@pytest.mark.parametrize(
    ("today", "months_owed", "year"),
    [
        (date(2026, 9, 1), 4, 2026),
        (date(2026, 8, 31), 4, 2025),
        (date(2026, 6, 1), 1, 2026),
        (date(2026, 5, 31), 1, 2025),
    ],
)
def test_without_a_year_it_is_the_newest_summer_whose_months_have_begun(
    entitlements: Entitlements, today: date, months_owed: int, year: int
) -> None:
    result = of(entitlements, "heat_fee", today, kind="outdoor", months=months_owed)
    assert result.amount == 300 * months_owed
    assert any(str(year) in text for text in result.assumptions)


def test_an_older_summer_follows_the_notice_of_its_time(entitlements: Entitlements) -> None:
    result = of(entitlements, "heat_fee", kind="outdoor", year=2017, months=4)
    assert result.amount == 800
    titles = "".join(source.title for source in result.sources)
    assert "2015" in titles
    assert "2021" not in titles


def test_a_summer_with_a_standard_for_some_months_only_asks_which(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "heat_fee", kind="other", year=2015, months=4)) == ["attendance"]
    listed = months((7, None, None), (8, None, None), (9, None, None))
    result = of(entitlements, "heat_fee", kind="other", year=2015, attendance=listed)
    assert (result.status, result.amount) == (Status.PARTIAL, Decimal("280.00"))
    assert any("2015年7月" in warning for warning in result.warnings)
    unknown = of(entitlements, "heat_fee", kind="other", year=2019, attendance=listed)
    assert (unknown.status, unknown.amount) == (Status.CANNOT, None)


def test_a_notice_that_may_have_ended_is_said(entitlements: Entitlements) -> None:
    said = of(entitlements, "heat_fee", kind="outdoor", year=2026, months=4).warnings
    assert any("2026年5月31日" in warning for warning in said)
    in_time = of(entitlements, "heat_fee", date(2025, 10, 1), kind="outdoor", year=2025, months=4).warnings
    assert not any("还没重新核对" in warning for warning in in_time)


@given(days=st.lists(st.tuples(st.integers(0, 20), st.integers(20, 31)), min_size=4, max_size=4))
def test_the_heat_fee_adds_up_over_months(entitlements: Entitlements, days: list[tuple[int, int]]) -> None:
    def of_months(listed: list[dict[str, Any]]) -> Decimal:
        amount = of(entitlements, "heat_fee", kind="outdoor", year=2025, attendance=listed).amount
        assert amount is not None
        return amount

    there = zip(SUMMER, days, strict=True)
    listed = months(*((month, str(attended), str(due)) for month, (attended, due) in there))
    whole, parts = of_months(listed), [of_months([one]) for one in listed]
    assert 0 <= whole <= 1200
    assert abs(whole - sum(parts)) <= Decimal("0.02")
