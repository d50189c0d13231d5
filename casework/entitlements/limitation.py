"""Limitation: until when something must be asked for (调解仲裁法 第二十七条；民法典 第二百至二百零三条)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from casework.entitlements.base import Calculator, Day, Given, Workings
from casework.entitlements.dates import add_days, add_months
from casework.errors import BadInput

MONTHS = {"general": 12, "wages_left": 12, "injury_person": 12, "inspection": 24}
DAYS = {"injury_employer": 30, "lawsuit": 15, "assessment": 15}
INTERRUPTED = ("general", "wages_left")
"""What begins anew when it was asked for, complained of, or promised (第二十七条第二款)."""
AIDED = (*INTERRUPTED, "lawsuit")
"""Where legal aid may help before its papers are in (法律援助法 第四十四条)."""
WARNED = 30
URGENT = 7


class LimitationGiven(Given):
    """``kind`` of period, the day it runs from, and the day it last began anew."""

    kind: (
        Literal[
            "general",
            "wages_employed",
            "wages_left",
            "injury_employer",
            "injury_person",
            "lawsuit",
            "assessment",
            "inspection",
        ]
        | None
    ) = None
    since: Day | None = None
    interrupted_on: Day | None = None


class Limitation(Calculator[LimitationGiven]):
    """The last day of a period; one that is a day of rest ends on the next working day (第二百零三条)."""

    name = "limitation"
    given = LimitationGiven

    def work(self, given: LimitationGiven, workings: Workings) -> None:
        """Count, move past holidays, and say how long is left."""
        kind = workings.take(given.kind, "kind")
        if kind == "wages_employed":
            workings.step("employed")
            workings.result()
            return
        since = workings.take(given.since, "since")
        start = self._start(kind, since, given.interrupted_on, workings)
        nominal = add_months(start, MONTHS[kind]) if kind in MONTHS else add_days(start, DAYS[kind])
        day, certain = workings.rates.roll_forward(nominal)
        self._say(kind, start, nominal, workings)
        if day != nominal:
            workings.step("moved", nominal=nominal, day=day)
        if not certain:
            known = workings.rates.calendar.certain(nominal)
            workings.warn("uncertain", year=(day if known else nominal).year)
        left = (day - workings.today).days
        if left < 0:
            self._say_over(kind, since, -left, workings)
        else:
            self._hurry(kind, left, workings)
        workings.result(day=day, days=left, certain="yes" if certain else "no")

    @staticmethod
    def _start(kind: str, since: date, again: date | None, workings: Workings) -> date:
        """The day the period runs from: only what happened within the year begins it anew."""
        if again is None:
            return since
        if again < since:
            raise BadInput("interrupted_before_since", field="interrupted_on")
        if again > workings.today:
            raise BadInput("interrupted_in_future", field="interrupted_on")
        if kind not in INTERRUPTED:
            workings.warn("not_interrupted")
            return since
        first_end, _ = workings.rates.roll_forward(add_months(since, MONTHS[kind]))
        if again > first_end:
            workings.warn("interrupted_late", end=first_end, day=again)
            return since
        workings.step("interrupted", day=again)
        return again

    @staticmethod
    def _hurry(kind: str, left: int, workings: Workings) -> None:
        if left > WARNED:
            return
        if left > URGENT:
            workings.warn("soon", left=left)
            return
        if left:
            workings.warn("urgent", left=left)
        else:
            workings.warn("last_day")
        if kind in AIDED:
            workings.step("aid_first")

    @staticmethod
    def _say_over(kind: str, since: date, days: int, workings: Workings) -> None:
        """What is left once the day is past; only a year of arbitration may have begun anew."""
        if kind in INTERRUPTED:
            workings.warn("over", days=days)
        elif kind == "lawsuit":
            workings.warn("over_lawsuit", days=days)
        elif kind == "injury_employer":
            own, _ = workings.rates.roll_forward(add_months(since, MONTHS["injury_person"]))
            if own >= workings.today:
                workings.step("then_yourself", day=own)
            workings.warn("over_employer", days=days)
        elif kind == "inspection":
            workings.warn("over_inspection", days=days)
        else:
            workings.warn("over_fixed", days=days)

    @staticmethod
    def _say(kind: str, start: object, nominal: object, workings: Workings) -> None:
        if kind in INTERRUPTED:
            workings.step("year", start=start, nominal=nominal)
        elif kind == "injury_employer":
            workings.step("injury_employer", start=start, nominal=nominal)
        elif kind == "injury_person":
            workings.step("injury_person", start=start, nominal=nominal)
        elif kind == "lawsuit":
            workings.step("lawsuit", start=start, nominal=nominal)
        elif kind == "assessment":
            workings.step("assessment", start=start, nominal=nominal)
        else:
            workings.step("inspection", start=start, nominal=nominal)
