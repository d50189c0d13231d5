"""Days of the calendar as the law counts them (民法典 第二百至二百零四条)."""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day (民法典 第二百零二条)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date:
    """So many days later: the first day does not count (民法典 第二百零一条)."""
    return day + timedelta(days=days)


def whole_months(first: date, last: date) -> int:
    """Whole months from one day to another, both included; 0 when the second is earlier."""
    months = max(0, (last.year - first.year) * 12 + last.month - first.month + 1)
    while months and add_months(first, months) > last + timedelta(days=1):
        months -= 1
    return months
