"""Non-compete compensation where none was agreed (法释〔2020〕26号 第三十六条)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from casework.entitlements.base import Calculator, Given, Money, Workings
from casework.entitlements.money import cents
from casework.rates import NoRate

SHARE = Decimal("0.30")
MAX_MONTHS = 24
"""A non-compete lasts two years at most (劳动合同法 第二十四条)."""


class NoncompeteGiven(Given):
    """Wages in 元 a month; ``months`` the months it was kept, ``district`` where the work was done."""

    average_wage: Money | None = None
    district: str | None = Field(default=None, max_length=20)
    minimum_wage: Money | None = None
    months: int | None = Field(default=None, ge=1, le=120)


class NoncompeteCompensation(Calculator[NoncompeteGiven]):
    """30 % of the average of the last twelve months, not less than the minimum wage of the place."""

    name = "noncompete_compensation"
    given = NoncompeteGiven

    def work(self, given: NoncompeteGiven, workings: Workings) -> None:
        """A month's compensation, and for the months it was kept."""
        wage = workings.take(given.average_wage, "average_wage")
        share = wage * SHARE
        workings.step("share", wage=wage, share=cents(share))
        monthly = max(share, self._least(given, share, workings))
        workings.figure(monthly=cents(monthly))
        if given.months is None:
            workings.step("monthly", monthly=cents(monthly))
            workings.result(monthly, monthly=cents(monthly))
            return
        months = min(given.months, MAX_MONTHS)
        if given.months > MAX_MONTHS:
            workings.warn("too_long")
        workings.step("months", monthly=cents(monthly), months=months, amount=cents(monthly * months))
        workings.result(monthly * months, monthly=cents(monthly))

    @staticmethod
    def _least(given: NoncompeteGiven, share: Decimal, workings: Workings) -> Decimal:
        """The minimum wage today where the work was done; what lies above every one needs no district."""
        if given.minimum_wage is not None:
            workings.step("least", least=given.minimum_wage)
            return given.minimum_wage
        known = [
            row.values["monthly"]
            for row in workings.rates.rows("minimum_wage")
            if row.in_force(workings.today)
        ]
        if known and share >= max(known):
            return Decimal(0)
        workings.need("district")
        try:
            row = workings.rate("minimum_wage", workings.today, district=given.district or "")
        except NoRate:
            workings.partial("least_unknown", on=workings.today)
            return Decimal(0)
        workings.step("least", least=row.values["monthly"])
        return row.values["monthly"]
