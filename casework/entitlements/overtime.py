"""Overtime pay by hours (劳动法 第四十四条)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents, hourly
from casework.rates import NoRate

Hours = Annotated[Decimal, Field(ge=0, le=10_000, max_digits=8, decimal_places=2)]
MONTHLY_LIMIT = 36
"""Hours of overtime a month may have (劳动法 第四十一条)."""
RATES = {"hours_150": Decimal("1.5"), "hours_200": Decimal(2), "hours_300": Decimal(3)}


class OvertimeGiven(Given):
    """A monthly base in 元 and hours: prolonged workdays, rest days without time off, statutory holidays.

    ``months`` they were worked in; ``worked_on`` a day of the time, for the minimum wage, today if left out.
    """

    monthly_wage: Money | None = None
    hours_150: Hours | None = None
    hours_200: Hours | None = None
    hours_300: Hours | None = None
    months: int | None = Field(default=None, ge=1, le=240)
    hours_system: Literal["standard", "comprehensive", "flexible"] | None = None
    district: str | None = Field(default=None, max_length=20)
    worked_on: Day | None = None


class Overtime(Calculator[OvertimeGiven]):
    """150 %, 200 % and 300 % of the hour's wage (劳动法 第四十四条；人社部发〔2025〕2号)."""

    name = "overtime"
    given = OvertimeGiven

    def work(self, given: OvertimeGiven, workings: Workings) -> None:
        """Hour's wage times rate times hours, rounded once at the end; hours nobody gave are asked for."""
        if given.hours_system == "flexible":
            workings.step("flexible")
            workings.cannot("flexible_approved")
        asked = [name for name in RATES if name != "hours_200" or given.hours_system != "comprehensive"]
        unknown = [name for name in asked if getattr(given, name) is None]
        workings.lacks(*unknown)
        base = workings.take(given.monthly_wage, "monthly_wage")
        base = self._floor(given, base, workings)
        rate = hourly(base)
        workings.step("hour", base=base, rate=rate)
        if unknown == asked:
            return
        total = self._pay(given, rate, workings)
        workings.step("amount", amount=cents(total))
        if unknown:
            workings.partial("only_given")
        if (given.hours_150 or 0) / (given.months or 1) > MONTHLY_LIMIT:
            workings.warn("too_much")
        workings.warn("proof")
        workings.result(total)

    @staticmethod
    def _pay(given: OvertimeGiven, rate: Decimal, workings: Workings) -> Decimal:
        """What the hours given come to, not rounded."""
        total = Decimal(0)
        if given.hours_150:
            amount = rate * RATES["hours_150"] * given.hours_150
            workings.step("at_150", hours=given.hours_150, rate=rate, amount=cents(amount))
            total += amount
        if given.hours_system == "comprehensive":
            workings.step("comprehensive")
            workings.warn("by_roster")
        elif given.hours_200:
            amount = rate * RATES["hours_200"] * given.hours_200
            workings.step("at_200", hours=given.hours_200, rate=rate, amount=cents(amount))
            total += amount
        if given.hours_300:
            amount = rate * RATES["hours_300"] * given.hours_300
            workings.step("at_300", hours=given.hours_300, rate=rate, amount=cents(amount))
            total += amount
        return total

    @staticmethod
    def _floor(given: OvertimeGiven, base: Decimal, workings: Workings) -> Decimal:
        """Not less than the minimum wage of the district at that time (劳动法 第四十八条)."""
        if given.district is None:
            return base
        on = given.worked_on or workings.today
        if given.worked_on is None:
            workings.assume("minimum_today", on=on)
        try:
            least = workings.rate("minimum_wage", on, district=given.district).values["monthly"]
        except NoRate:
            workings.warn("minimum_unknown", on=on)
            return base
        if base < least:
            workings.step("floor", base=base, least=least)
            return least
        return base
