"""doctor: what it says of the calendar and of the rates."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.cli.doctor import known_ahead, rates_ahead
from casework.rates import Rates

RATES = Rates.load(Path(__file__).parents[3] / "data" / "knowledge")
CALENDAR = RATES.calendar


def test_a_year_whose_notice_is_not_out_is_named_sixty_days_before_it_begins() -> None:
    assert known_ahead(CALENDAR, date(2026, 11, 1)) == "knows the next 60 days"
    assert "holidays of 2027 are not in work_calendar.yml yet" in known_ahead(CALENDAR, date(2026, 11, 2))


def test_what_of_the_rates_is_due_is_named_a_line_for_each_table() -> None:
    assert rates_ahead(RATES, date(2026, 11, 22)).splitlines() == [
        "4 to look after",
        "      rates/average_wage.yml: 2023 employed, 2023 private, 2023 urban_nonprivate:"
        " ended on 2024-12-31: add the row that follows",
        "      rates/death_benefit.yml: 2024: ended on 2025-12-31: add the row that follows",
        "      rates/heat_fee.yml: other, outdoor: was to be checked again by 2026-05-31",
        "      rates/statutory_holidays.yml: 2027 is not there yet: add it when the notice is out",
    ]


def test_a_row_that_ends_soon_is_named_sixty_days_before() -> None:
    assert "death_benefit" not in rates_ahead(RATES, date(2025, 10, 31))
    assert "rates/death_benefit.yml: 2024: ends on 2025-12-31" in rates_ahead(RATES, date(2025, 11, 1))


def test_rates_that_are_all_in_force_are_well() -> None:
    without_wages = {name: table for name, table in RATES.tables.items() if name == "minimum_wage"}
    assert rates_ahead(Rates(without_wages, RATES.statutory, CALENDAR), date(2026, 10, 1)) == "all in force"
