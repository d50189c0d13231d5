"""Legal-aid pre-check: whether free legal aid asks about means at all (法律援助法 第三十一至四十四条)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from casework.entitlements.base import Calculator, Day, Given, Workings

URGENT_DAYS = 7
WITHOUT_MEANS_TEST = ("wages", "injury")
"""What migrant workers ask for without their means being looked into (第四十二条)."""


class LegalAidGiven(Given):
    """What it is about, who asks, and until when it must be raised."""

    matter: Literal["wages", "injury", "dismissal", "insurance", "relation", "other"] | None = None
    migrant_worker: bool | None = None
    on_relief: bool | None = None
    deadline: Day | None = None


class LegalAidPrecheck(Calculator[LegalAidGiven]):
    """Which of the two ways to a free lawyer is open (法律援助法；工会法律援助办法 第十条)."""

    name = "legal_aid_precheck"
    given = LegalAidGiven

    def work(self, given: LegalAidGiven, workings: Workings) -> None:
        """Advice for everybody; representation by matter, person and means."""
        workings.need("matter", "migrant_worker", "on_relief")
        workings.step("advice")
        if given.matter == "other":
            workings.warn("other_matter")
        if given.on_relief:
            workings.step("on_relief")
            verdict = "free"
        elif given.migrant_worker and given.matter in WITHOUT_MEANS_TEST:
            workings.step("migrant")
            verdict = "free"
        else:
            workings.step("means")
            verdict = "means"
        workings.step("union")
        self._hurry(given.deadline, workings)
        workings.warn("standard_unknown")
        workings.result(verdict=verdict)

    @staticmethod
    def _hurry(deadline: date | None, workings: Workings) -> None:
        if deadline is None:
            return
        left = (deadline - workings.today).days
        if 0 <= left < URGENT_DAYS:
            workings.step("urgent", left=left)
