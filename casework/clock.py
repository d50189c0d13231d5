"""Clock: where the rules get the present moment from; injected, so that a test can choose it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told otherwise (tests, replays)."""

    def __init__(self, moment: datetime) -> None:
        self._moment = _aware(moment)

    def now(self) -> datetime:
        """The moment it was last set to, in UTC."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Move to an aware moment; raises ValueError for a naive one."""
        self._moment = _aware(moment)

    def advance(self, step: timedelta) -> datetime:
        """Move forward (or back) by a step and return the new moment."""
        self._moment += step
        return self._moment


def shanghai_day(moment: datetime) -> date:
    """The calendar day it is in Shanghai at an aware moment; raises ValueError for a naive one."""
    return _aware(moment).astimezone(SHANGHAI).date()


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone: got a naive datetime")
    return moment.astimezone(UTC)
