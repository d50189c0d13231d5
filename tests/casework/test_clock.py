"""The clock: aware, in UTC, and the day it is in Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from casework.clock import SHANGHAI, Clock, FixedClock, SystemClock, shanghai_day


@pytest.mark.parametrize("clock", [SystemClock(), FixedClock(datetime(2026, 1, 1, tzinfo=SHANGHAI))])
def test_every_clock_says_aware_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_the_systems_clock_goes_on() -> None:
    clock = SystemClock()
    before = datetime.now(UTC)
    assert before <= clock.now() <= before + timedelta(minutes=1)


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 7, 20, tzinfo=UTC))
    assert clock.now() == clock.now()
    assert clock.advance(timedelta(hours=2)) == datetime(2026, 7, 20, 2, tzinfo=UTC)
    clock.set(datetime(2026, 7, 1, 8, tzinfo=SHANGHAI))
    assert clock.now() == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 11, 22, 23, 0, tzinfo=timezone(timedelta(hours=-5))), date(2026, 11, 23)),
    ],
)
def test_the_day_is_the_one_in_shanghai(moment: datetime, day: date) -> None:
    assert shanghai_day(moment) == day


def test_a_moment_without_a_zone_has_no_day() -> None:
    naive = datetime(2026, 7, 1)  # noqa: DTZ001  # the point of the test
    for deed in (shanghai_day, FixedClock):
        with pytest.raises(ValueError, match="time zone"):
            deed(naive)
