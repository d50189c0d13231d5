"""Maternity and family leave in Shandong (女职工劳动保护特别规定 第七条；山东省人口与计划生育条例)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Workings
from casework.entitlements.dates import add_days
from casework.errors import BadInput

BASIC = 98
DIFFICULT = 15
EACH_MORE = 15
EARLY_LOSS = 15
LATE_LOSS = 42
LATE_FROM = 4
"""Months of pregnancy from which a loss gives the longer leave (特别规定 第七条)."""


class MaternityGiven(Given):
    """A birth (``difficult``, ``babies``) or a loss (``lost_at_months``), and the first day of the leave."""

    difficult: bool | None = None
    babies: int | None = Field(default=None, ge=1, le=8)
    lost_at_months: int | None = Field(default=None, ge=0, le=10)
    starts_on: Day | None = None


class FamilyLeaveGiven(Given):
    """Which leave, and the day it is asked for."""

    kind: Literal["paternity", "parental", "marriage"] | None = None
    checkup: bool | None = None
    on: Day | None = None


class MaternityLeave(Calculator[MaternityGiven]):
    """98 days, 15 for a difficult birth, 15 for each further child, and Shandong's 60."""

    name = "maternity_leave"
    given = MaternityGiven

    def work(self, given: MaternityGiven, workings: Workings) -> None:
        """Calendar days, and the last of them."""
        if given.lost_at_months is not None:
            if given.difficult is not None or given.babies is not None:
                raise BadInput("birth_and_loss", field="lost_at_months")
            days = LATE_LOSS if given.lost_at_months >= LATE_FROM else EARLY_LOSS
            workings.step("loss", months=given.lost_at_months, days=days)
        else:
            workings.need("difficult", "babies")
            babies = workings.take(given.babies, "babies")
            workings.step("basic", days=BASIC)
            days = BASIC
            if given.difficult:
                days += DIFFICULT
                workings.step("difficult", days=DIFFICULT)
            if babies > 1:
                days += EACH_MORE * (babies - 1)
                workings.step("more", babies=babies, days=EACH_MORE * (babies - 1))
            extra = workings.rate("family_leave", given.starts_on or workings.today, kind="maternity_extra")
            days += int(extra.values["days"])
            workings.step("province", days=extra.values["days"])
            workings.warn("who_pays")
            workings.step("total", days=days)
        workings.assume("calendar_days")
        if given.starts_on is None:
            workings.lacks("starts_on")
            workings.result(days=days)
            return
        last = add_days(given.starts_on, days - 1)
        workings.step("last", first=given.starts_on, days=days, last=last)
        workings.result(day=last, days=days)


class FamilyLeave(Calculator[FamilyLeaveGiven]):
    """陪产假, 育儿假 and 婚假 in Shandong (山东省人口与计划生育条例)."""

    name = "family_leave"
    given = FamilyLeaveGiven

    def work(self, given: FamilyLeaveGiven, workings: Workings) -> None:
        """The days in force on the day."""
        kind = workings.take(given.kind, "kind")
        on = given.on or workings.today
        days = int(workings.rate("family_leave", on, kind=kind).values["days"])
        if kind == "paternity":
            workings.step("paternity", days=days)
        elif kind == "parental":
            workings.step("parental", days=days)
        else:
            workings.step("marriage", days=days)
            if given.checkup:
                more = int(workings.rate("family_leave", on, kind="marriage_checkup").values["days"])
                workings.step("checkup", days=more)
                days += more
        workings.warn("rest_days")
        workings.result(days=days)
