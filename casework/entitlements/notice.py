"""Notice: the last day at work after giving or getting notice (劳动合同法 第三十七、四十条)."""

from __future__ import annotations

from typing import Literal

from casework.entitlements.base import Calculator, Day, Given, Workings
from casework.entitlements.dates import add_days

DAYS = {"resign": 30, "resign_probation": 3, "employer": 30}


class NoticeGiven(Given):
    """Who gives notice, and the day it reached the other side."""

    kind: Literal["resign", "resign_probation", "employer"] | None = None
    given_on: Day | None = None


class NoticePeriod(Calculator[NoticeGiven]):
    """Thirty days in writing, three in probation; the day of the notice does not count."""

    name = "notice_period"
    given = NoticeGiven

    def work(self, given: NoticeGiven, workings: Workings) -> None:
        """Count from the day after."""
        workings.need("kind", "given_on")
        kind = workings.take(given.kind, "kind")
        start = workings.take(given.given_on, "given_on")
        days = DAYS[kind]
        last = add_days(start, days)
        if kind == "employer":
            workings.step("employer", start=start, days=days, last=last)
            workings.step("not_these")
            workings.warn("instead")
        elif kind == "resign":
            workings.step("resign", start=start, days=days, last=last)
            workings.warn("no_leave_needed")
        else:
            workings.step("probation", start=start, days=days, last=last)
        if kind != "employer":
            workings.step("at_once")
        workings.result(day=last, days=days)
