"""Working time: the days of the notices, and minutes counted along shifts, over nights, holidays and 调休."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casework.clock import SHANGHAI
from casework.errors import KnowledgeError
from casework.work_calendar import Hours, Shift, WorkCalendar

FILE = Path(__file__).parents[2] / "data" / "knowledge" / "work_calendar.yml"
CALENDAR = WorkCalendar.load(FILE)
SPLIT = (Shift.parse("08:30", "12:00"), Shift.parse("13:30", "17:30"))
OFFICE = Hours(CALENDAR, dict.fromkeys(range(5), SPLIT))
WHOLE_DAY = Shift.parse("00:00", "24:00")
ALL_DAY = Hours(CALENDAR, dict.fromkeys(range(7), (WHOLE_DAY,)))


def at(text: str) -> datetime:
    """A moment of Jinan's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# ---- days


def test_every_day_of_the_table_is_what_an_independent_calendar_says() -> None:
    days = every_day(date(2025, 1, 1), date(2026, 12, 31))
    assert all(CALENDAR.certain(day) for day in days)
    assert [day for day in days if CALENDAR.is_workday(day) != chinese_calendar.is_workday(day)] == []


def test_each_year_of_the_table_names_its_notice() -> None:
    assert "国办发明电〔2024〕12号" in CALENDAR.years[2025]
    assert "国办发明电〔2025〕7号" in CALENDAR.years[2026]


def test_a_year_without_a_notice_is_monday_to_friday_without_the_fixed_holidays_and_says_so() -> None:
    free = [day for day in every_day(date(2027, 1, 1), date(2027, 12, 31)) if CALENDAR.holiday(day)]
    assert free == [
        date(2027, 1, 1),
        date(2027, 5, 1),
        date(2027, 5, 2),
        date(2027, 10, 1),
        date(2027, 10, 2),
        date(2027, 10, 3),
    ]
    assert CALENDAR.is_workday(date(2027, 2, 8))
    assert not CALENDAR.is_workday(date(2027, 2, 6))
    assert not CALENDAR.certain(date(2027, 2, 8))


def test_a_fixed_holiday_does_not_reach_into_a_year_whose_notice_is_known(tmp_path: Path) -> None:
    path = tmp_path / "work_calendar.yml"
    path.write_text(FILE.read_text(encoding="utf-8").replace('"10-03"', '"10-03", "12-30"'), encoding="utf-8")
    changed = WorkCalendar.load(path)
    assert changed.holiday(date(2026, 12, 30)) is None
    assert changed.holiday(date(2027, 12, 30)) == "国庆节"


@pytest.mark.parametrize(
    ("today", "unknown"),
    [
        (date(2026, 11, 1), None),
        (date(2026, 11, 2), 2027),
        (date(2027, 3, 1), 2027),
        (date(2024, 12, 1), 2024),
    ],
)
def test_the_first_year_without_a_notice_is_named_sixty_days_ahead(today: date, unknown: int | None) -> None:
    assert CALENDAR.unknown_year(today) == unknown


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("workdays: [2026-01-04,", "workdays: [2026-01-05,", "no Saturday or Sunday"),
        ("workdays: [2026-01-04,", "workdays: [2026-01-04, 2026-01-04,", "twice"),
        ("workdays: [2026-01-04,", "workdays: [2026-01-03,", "both holiday and workday"),
        ("from: 2026-10-01, to: 2026-10-07", "from: 2026-10-07, to: 2026-10-01", "ends before"),
        ("from: 2026-10-01, to: 2026-10-07", "from: 2027-10-01, to: 2027-10-07", "is not in 2026"),
        ("from: 2026-10-01, to", "from: 2026-09-27, to", "twice"),
        ('"01-01"', '"13-01"', "not MM-DD"),
        ("  2026:\n    source: 国", "  next:\n    source: 国", "is not a year"),
        ("    workdays: [2026", "    workday: [2026", "unknown field workday"),
    ],
)
def test_a_calendar_file_that_breaks_a_rule_is_named(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    content = FILE.read_text(encoding="utf-8")
    assert old in content
    path = tmp_path / "work_calendar.yml"
    path.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=f"work_calendar.yml.*{complaint}"):
        WorkCalendar.load(path)


# ---- by hand


@pytest.mark.parametrize(
    ("start", "minutes", "end", "why"),
    [
        ("2026-11-20 17:29", 2, "2026-11-23 08:31", "Friday evening into Monday"),
        ("2026-11-20 17:29", 1, "2026-11-20 17:30", "it runs out with the shift"),
        ("2026-11-20 17:30", 0, "2026-11-23 08:30", "closing time is closed"),
        ("2026-11-20 17:30", 1, "2026-11-23 08:31", "closing time is closed"),
        ("2026-11-20 08:30", 0, "2026-11-20 08:30", "opening time is open"),
        ("2026-11-20 11:50", 20, "2026-11-20 13:40", "over lunch"),
        ("2026-11-20 12:30", 30, "2026-11-20 14:00", "asked at lunch"),
        ("2026-11-21 10:00", 450, "2026-11-23 17:30", "a Saturday asks, Monday is used up"),
        ("2026-11-18 09:00", 5 * 450, "2026-11-25 09:00", "five working days"),
        ("2026-02-14 17:20", 20, "2026-02-24 08:40", "a worked Saturday, then nine days of Spring Festival"),
        ("2026-02-13 17:20", 20, "2026-02-14 08:40", "the worked Saturday before Spring Festival"),
        ("2026-09-30 17:29", 2, "2026-10-08 08:31", "National Day"),
        ("2026-10-09 17:29", 2, "2026-10-10 08:31", "and the Saturday worked for it"),
        ("2026-12-31 17:29", 2, "2027-01-04 08:31", "New Year of a year whose notice is not out"),
    ],
)
def test_working_minutes_are_counted_as_by_hand(start: str, minutes: int, end: str, why: str) -> None:
    assert OFFICE.add(at(start), minutes) == at(end), why


def test_five_days_of_seven_and_a_half_hours_are_a_week() -> None:
    assert OFFICE.minutes_per_day == 450
    assert OFFICE.between(at("2026-11-16 00:00"), at("2026-11-23 00:00")) == 5 * 450


def test_spring_festival_holds_no_working_minute() -> None:
    assert OFFICE.between(at("2026-02-14 17:30"), at("2026-02-24 08:30")) == 0
    assert ALL_DAY.between(at("2026-02-15 00:00"), at("2026-02-24 00:00")) == 0


def test_a_worked_weekend_day_has_mondays_shifts() -> None:
    hours = Hours(CALENDAR, {0: (Shift.parse("07:00", "09:00"),), 5: (Shift.parse("20:00", "22:00"),)})
    assert hours.next_opening(at("2026-10-10 00:00")) == at("2026-10-10 07:00")
    assert hours.next_opening(at("2026-10-17 00:00")) == at("2026-10-17 20:00")


def test_a_hotline_that_is_closed_on_mondays_keeps_a_worked_saturdays_own_shifts() -> None:
    hours = Hours(CALENDAR, {5: (Shift.parse("20:00", "22:00"),)})
    assert hours.is_working(at("2026-10-10 21:00"))


def test_days_from_midnight_to_midnight_are_one_stretch() -> None:
    assert ALL_DAY.is_working(at("2026-11-21 00:00"))
    assert ALL_DAY.add(at("2026-11-20 23:59"), 2) == at("2026-11-21 00:01")
    assert ALL_DAY.closes_at(at("2026-11-20 12:00")) == at("2027-01-01 00:00")
    assert ALL_DAY.minutes_per_day == 1440


@pytest.mark.parametrize(
    ("moment", "opens", "closes"),
    [
        ("2026-11-20 09:00", "2026-11-20 09:00", "2026-11-20 12:00"),
        ("2026-11-20 12:00", "2026-11-20 13:30", "2026-11-20 17:30"),
        ("2026-11-20 23:00", "2026-11-23 08:30", "2026-11-23 12:00"),
        ("2026-02-14 17:30", "2026-02-24 08:30", "2026-02-24 12:00"),
    ],
)
def test_the_next_opening_and_its_closing_are_known(moment: str, opens: str, closes: str) -> None:
    assert OFFICE.next_opening(at(moment)) == at(opens)
    assert OFFICE.closes_at(at(moment)) == at(closes)
    assert OFFICE.is_working(at(moment)) == (moment == opens)


def test_moments_come_back_in_utc() -> None:
    for moment in (
        OFFICE.add(at("2026-11-20 09:00"), 5),
        OFFICE.next_opening(at("2026-11-20 09:00")),
        OFFICE.next_opening(at("2026-11-21 09:00")),
        OFFICE.closes_at(at("2026-11-20 09:00")),
    ):
        assert moment.tzinfo is UTC


def test_the_present_shift_is_found_whatever_zone_the_moment_is_written_in() -> None:
    evening_in_london = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    assert OFFICE.next_opening(evening_in_london) == at("2026-11-23 08:30")


# ---- refusals


def test_a_naive_moment_is_refused() -> None:
    naive = datetime(2026, 11, 20, 9)  # noqa: DTZ001  # what is being refused
    for refused in (
        lambda: OFFICE.add(naive, 1),
        lambda: OFFICE.between(naive, at("2026-11-20 10:00")),
        lambda: OFFICE.between(at("2026-11-20 08:00"), naive),
        lambda: OFFICE.next_opening(naive),
        lambda: OFFICE.closes_at(naive),
        lambda: OFFICE.is_working(naive),
    ):
        with pytest.raises(ValueError, match="naive"):
            refused()


@pytest.mark.parametrize(
    ("shifts", "complaint"),
    [
        ({}, "nobody"),
        ({0: (), 3: ()}, "nobody"),
        ({7: SPLIT}, "weekday"),
        ({0: (Shift.parse("08:00", "12:00"), Shift.parse("11:59", "13:00"))}, "overlap"),
        ({0: (Shift.parse("20:00", "24:00"), Shift.parse("21:00", "22:00"))}, "overlap"),
        ({0: (WHOLE_DAY, WHOLE_DAY)}, "overlap"),
    ],
)
def test_shifts_that_cannot_be_are_refused(shifts: dict[int, tuple[Shift, ...]], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Hours(CALENDAR, shifts)


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("12:00", "08:00"),
        ("08:00", "08:00"),
        ("8:00", "12:00"),
        ("08:00", "25:00"),
        ("24:00", "12:00"),
        ("", ""),
    ],
)
def test_a_shift_that_is_none_is_refused(opens: str, closes: str) -> None:
    with pytest.raises(ValueError, match=r"shift|time|hour"):
        Shift.parse(opens, closes)


def test_working_time_is_not_counted_backward() -> None:
    with pytest.raises(ValueError, match="forward"):
        OFFICE.add(at("2026-11-20 09:00"), -1)
    assert OFFICE.between(at("2026-11-20 10:00"), at("2026-11-20 09:00")) == 0


# ---- whatever the shifts and the moment


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    """Any hours with at least one shift a week; shifts may meet."""
    week: dict[int, tuple[Shift, ...]] = {}
    for weekday in range(7):
        marks = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
        week[weekday] = tuple(
            Shift(_wall(start), _wall(end)) for start, end in zip(marks[::2], marks[1::2], strict=False)
        )
    assume(any(week.values()))
    return Hours(CALENDAR, week)


def _wall(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 30), timezones=st.just(SHANGHAI))  # noqa: DTZ001
spans = st.integers(0, 6000)


@given(hours(), moments, spans)
def test_what_is_added_lies_between(h: Hours, moment: datetime, minutes: int) -> None:
    assert h.between(moment, h.add(moment, minutes)) == minutes


@given(hours(), moments, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_what_lies_between_brings_back_to_the_same_working_minute(
    h: Hours, start: datetime, step: timedelta
) -> None:
    end = start + step
    minutes = h.between(start, end)
    assert minutes == 0 or h.add(start, minutes) <= end
    assert h.add(start, minutes + 1) > end


@given(hours(), moments, spans)
def test_nothing_ever_falls_into_closed_time(h: Hours, moment: datetime, minutes: int) -> None:
    end = h.add(moment, minutes)
    just_before = end - timedelta(microseconds=1)
    assert h.is_working(end) if minutes == 0 else h.is_working(just_before)
    assert end >= moment


@given(hours(), moments, spans, spans, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_later_starts_and_longer_times_never_end_earlier(
    h: Hours, moment: datetime, minutes: int, more: int, step: timedelta
) -> None:
    assert h.add(moment, minutes) <= h.add(moment, minutes + more)
    assert h.add(moment, minutes) <= h.add(moment + step, minutes)


@given(hours(), moments, st.integers(1, 3000), st.integers(1, 3000))
def test_adding_twice_is_adding_the_sum(h: Hours, moment: datetime, first: int, second: int) -> None:
    assert h.add(h.add(moment, first), second) == h.add(moment, first + second)


@given(hours(), moments)
def test_an_opening_is_open_until_its_closing(h: Hours, moment: datetime) -> None:
    opens, closes = h.next_opening(moment), h.closes_at(moment)
    assert moment <= opens < closes
    assert h.is_working(opens)
    assert h.is_working(closes - timedelta(microseconds=1))
    assert not h.is_working(closes)
    assert h.is_working(moment) == (opens == moment)


@given(st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_office_hours_hold_minutes_exactly_on_working_days(day: date) -> None:
    start = datetime.combine(day, time(0), SHANGHAI)
    minutes = OFFICE.between(start, start + timedelta(days=1))
    assert minutes == (450 if chinese_calendar.is_workday(day) else 0)
