"""doctor: what it says of the calendar."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.cli.doctor import known_ahead
from casework.work_calendar import WorkCalendar

CALENDAR = WorkCalendar.load(Path(__file__).parents[3] / "data" / "knowledge" / "work_calendar.yml")


def test_a_year_whose_notice_is_not_out_is_named_sixty_days_before_it_begins() -> None:
    assert known_ahead(CALENDAR, date(2026, 11, 1)) == "knows the next 60 days"
    assert "holidays of 2027 are not in work_calendar.yml yet" in known_ahead(CALENDAR, date(2026, 11, 2))
