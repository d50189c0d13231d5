"""Double wage, overtime, annual leave, the heat fee and arrears, by the tables worked out by hand."""

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
SUMMER = (6, 7, 8, 9)
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
def test_forty_days_more_without_a_contract_are_never_less(
    entitlements: Entitlements, hired: date, days: int
) -> None:
    def until(more: int) -> Decimal:
        left = (hired + timedelta(days=days + more)).isoformat()
        amount = of(
            entitlements, "double_wage", hired_on=hired.isoformat(), monthly_wage="6000", left_on=left
        ).amount
        assert amount is not None
        return amount

    assert 0 <= until(0) <= until(40) <= 66000


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
