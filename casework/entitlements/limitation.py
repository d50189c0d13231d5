"""Limitation: until when something must be asked for (调解仲裁法 第二十七条；民法典 第二百至二百零三条)."""

from __future__ import annotations

from typing import Literal

from casework.entitlements.base import Calculator, Day, Given, Workings
from casework.entitlements.dates import add_days, add_months
from casework.errors import BadInput

MONTHS = {"general": 12, "wages_left": 12, "injury_person": 12, "inspection": 24}
DAYS = {"injury_employer": 30, "lawsuit": 15, "assessment": 15}
INTERRUPTED = ("general", "wages_left")
"""What begins anew when it was asked for, complained of, or promised (第二十七条第二款)."""
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
        start = since
        if given.interrupted_on is not None:
            if given.interrupted_on < since:
                raise BadInput("interrupted_before_since", field="interrupted_on")
            if kind in INTERRUPTED:
                start = given.interrupted_on
                workings.step("interrupted", day=start)
            else:
                workings.warn("not_interrupted")
        nominal = add_months(start, MONTHS[kind]) if kind in MONTHS else add_days(start, DAYS[kind])
        day, certain = workings.rates.roll_forward(nominal)
        self._say(kind, start, nominal, workings)
        if day != nominal:
            workings.step("moved", nominal=nominal, day=day)
        if not certain:
            workings.warn("uncertain", year=nominal.year)
        left = (day - workings.today).days
        if left < 0:
            workings.warn("over", days=-left)
        elif left <= URGENT:
            workings.warn("urgent", left=left)
        elif left <= WARNED:
            workings.warn("soon", left=left)
        workings.result(day=day, days=left, certain="yes" if certain else "no")

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
