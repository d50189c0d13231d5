"""Wage arrears: what was not paid, and from what it is counted (劳动法 第五十条)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Given, Money, Workings
from casework.entitlements.money import cents
from casework.errors import BadInput

Paid = Annotated[Decimal, Field(ge=0, le=10_000_000, max_digits=12, decimal_places=2)]


class WageArrearsGiven(Given):
    """A sum in 元, or months and a monthly wage, or the months one by one; less what was paid."""

    amount_owed: Money | None = None
    months: Annotated[Decimal, Field(gt=0, le=240, max_digits=5, decimal_places=2)] | None = None
    monthly_wage: Money | None = None
    monthly_wages: Annotated[tuple[Money, ...], Field(min_length=1, max_length=60)] | None = None
    paid: Paid | None = None


class WageArrears(Calculator[WageArrearsGiven]):
    """What is owed is what was due less what was paid (劳动法 第五十条；劳动合同法 第三十条)."""

    name = "wage_arrears"
    given = WageArrearsGiven

    def work(self, given: WageArrearsGiven, workings: Workings) -> None:
        """The sum stated counts before months and wage."""
        due = self._due(given, workings)
        paid = given.paid or Decimal(0)
        if paid > due:
            raise BadInput("paid_more_than_due", field="paid")
        if paid:
            workings.step("paid", due=due, paid=paid, amount=cents(due - paid))
        workings.warn("surcharge")
        workings.result(due - paid)

    @staticmethod
    def _due(given: WageArrearsGiven, workings: Workings) -> Decimal:
        if given.amount_owed is not None:
            workings.step("stated", amount=given.amount_owed)
            return given.amount_owed
        if given.monthly_wages is not None:
            listed = len(given.monthly_wages)
            if given.months is not None and given.months != listed:
                raise BadInput("months_not_listed", field="monthly_wages", listed=listed)
            total = sum(given.monthly_wages, Decimal(0))
            workings.step("listed", months=listed, amount=cents(total))
            return total
        if given.months is None and given.monthly_wage is None:
            workings.need("amount_owed")
        workings.need("months", "monthly_wage")
        months = workings.take(given.months, "months")
        wage = workings.take(given.monthly_wage, "monthly_wage")
        workings.step("months", months=months, wage=wage, amount=cents(months * wage))
        return months * wage
