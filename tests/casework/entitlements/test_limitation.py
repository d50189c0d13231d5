"""Limitation: the table worked out by hand, what begins a year anew, what is said near its end and after."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.entitlements.base import Result, Status
from casework.entitlements.dates import add_months
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


@pytest.mark.parametrize(
    ("asked_on", "rule"),
    [("2026-03-14", "interrupted_before_since"), ("2026-11-23", "interrupted_in_future")],
)
def test_nobody_asked_for_it_before_it_was_due_or_on_a_day_to_come(
    entitlements: Entitlements, asked_on: str, rule: str
) -> None:
    with pytest.raises(InputsRefused) as refused:
        of(entitlements, "limitation", kind="general", since="2026-03-15", interrupted_on=asked_on)
    assert [(one.field, one.rule) for one in refused.value.problems] == [("interrupted_on", rule)]


@pytest.mark.parametrize(
    ("asked_on", "day"),
    [
        ("2026-03-16", date(2027, 3, 16)),  # the year's last day: 03-15 is a Sunday
        ("2026-03-17", date(2026, 3, 16)),
        ("2026-11-22", date(2026, 3, 16)),
    ],
)
def test_asking_once_the_year_is_over_does_not_begin_it_anew(
    entitlements: Entitlements, asked_on: str, day: date
) -> None:
    result = of(entitlements, "limitation", kind="general", since="2025-03-15", interrupted_on=asked_on)
    assert result.day == day
    late = day == date(2026, 3, 16)
    assert any("不按重新算" in warning for warning in result.warnings) is late


@given(since=st.dates(date(2020, 1, 1), TODAY), later=st.integers(0, 2000))
def test_asking_for_it_never_shortens_the_year(entitlements: Entitlements, since: date, later: int) -> None:
    asked = min(TODAY, since + timedelta(days=later))
    inputs = {"kind": "wages_left", "since": since.isoformat()}
    plain = of(entitlements, "limitation", **inputs).day
    again = of(entitlements, "limitation", **inputs, interrupted_on=asked.isoformat()).day
    assert plain is not None
    assert again is not None
    assert again >= plain


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("general", "都会重新算"),
        ("wages_left", "都会重新算"),
        ("lawsuit", "哪天签收"),
        ("injury_employer", "由单位出"),
        ("injury_person", "先核实起算的那天"),
        ("assessment", "先核实起算的那天"),
        ("inspection", "一直没停"),
    ],
)
def test_only_a_year_of_arbitration_is_said_to_begin_anew_once_it_is_over(
    entitlements: Entitlements, kind: str, said: str
) -> None:
    result = of(entitlements, "limitation", kind=kind, since="2022-03-15")
    assert result.days is not None
    assert result.days < 0
    (over,) = [warning for warning in result.warnings if "已经过了" in warning]
    assert said in over
    assert str(-result.days) in over
    assert ("重新算" in over) is (kind in {"general", "wages_left"})


@pytest.mark.parametrize(
    ("since", "day"), [("2026-09-03", "2027年9月3日"), ("2025-11-24", "2026年11月24日"), ("2025-11-20", None)]
)
def test_where_the_employer_was_late_the_worker_still_has_a_year(
    entitlements: Entitlements, since: str, day: str | None
) -> None:
    result = of(entitlements, "limitation", kind="injury_employer", since=since)
    own = [step.text for step in result.steps if "您自己" in step.text]
    assert day in own[0] if day else not own


def test_the_day_it_runs_from_is_asked_for(entitlements: Entitlements) -> None:
    assert missing(of(entitlements, "limitation")) == ["kind"]
    assert missing(of(entitlements, "limitation", kind="lawsuit")) == ["since"]
    assert missing(of(entitlements, "limitation", kind="wages_employed")) == []


@pytest.mark.parametrize(
    ("kind", "since", "aided"),
    [
        ("general", "2025-11-30", False),  # eight days
        ("general", "2025-11-29", False),  # a Sunday: the 30th
        ("general", "2025-11-25", True),
        ("wages_left", "2025-11-24", True),
        ("lawsuit", "2026-11-09", True),
        ("inspection", "2024-11-25", False),
        ("general", "2025-11-20", False),  # past
    ],
)
def test_legal_aid_comes_before_its_papers_where_arbitration_or_a_court_is_near(
    entitlements: Entitlements, kind: str, since: str, aided: bool
) -> None:
    result = of(entitlements, "limitation", kind=kind, since=since)
    cited = {cited.text for step in result.steps for cited in step.cites}
    assert ("《中华人民共和国法律援助法》第四十四条" in cited) is aided


def test_a_last_day_moved_into_a_year_without_a_notice_names_that_year(entitlements: Entitlements) -> None:
    result = of(entitlements, "limitation", kind="lawsuit", since="2026-12-20")
    assert result.day == date(2027, 1, 4)
    assert result.figures["certain"] == "no"
    assert any("2027年" in warning for warning in result.warnings)


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
