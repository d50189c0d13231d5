"""Sick pay: the least a month of sick leave is paid (劳部发〔1995〕309号 第五十九条)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents

SHARE = Decimal("0.8")
"""Of the place's minimum wage."""
Paid = Annotated[Decimal, Field(ge=0, le=10_000_000, max_digits=12, decimal_places=2)]


class SickPayGiven(Given):
    """``paid`` for one whole month (元); ``sick_on`` a day of that month, today if left out."""

    district: str | None = Field(default=None, max_length=20)
    minimum_wage: Money | None = None
    sick_on: Day | None = None
    paid: Paid | None = None


class SickPay(Calculator[SickPayGiven]):
    """80 % of the minimum wage where the work is done, for a whole month within the medical period."""

    name = "sick_pay"
    given = SickPayGiven

    def work(self, given: SickPayGiven, workings: Workings) -> None:
        """The least of a month, and what is short of it where a month's pay is given."""
        on = given.sick_on or workings.today
        workings.step("share")
        least = self._minimum_wage(given, on, workings)
        amount = SHARE * least
        workings.step("amount", least=least, amount=cents(amount))
        workings.assume("whole_month")
        workings.warn("more_if_agreed")
        workings.result(amount)
        if given.paid is None:
            return
        short = max(Decimal(0), amount - given.paid)
        workings.figure(shortfall=cents(short))
        if short:
            workings.step("short", amount=cents(amount), paid=given.paid, short=cents(short))
        else:
            workings.step("enough", amount=cents(amount), paid=given.paid)

    @staticmethod
    def _minimum_wage(given: SickPayGiven, on: date, workings: Workings) -> Decimal:
        """As given, or of the district on that day; raises NoRate."""
        if given.minimum_wage is not None:
            return given.minimum_wage
        workings.need("district")
        return workings.rate("minimum_wage", on, district=given.district or "").values["monthly"]
