"""Single award: which claims end with the arbitration for the employer (调解仲裁法 第四十七条)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents

MONTHS = 12


class SingleAwardGiven(Given):
    """Amounts in 元, one for each claim of money; ``asked_on`` the day of the application."""

    amounts: Annotated[tuple[Money, ...], Field(min_length=1, max_length=20)] | None = None
    district: str | None = Field(default=None, max_length=20)
    asked_on: Day | None = None
    minimum_wage: Money | None = None


class SingleAward(Calculator[SingleAwardGiven]):
    """Each claim is held against twelve times the minimum wage of the place (第四十七条)."""

    name = "single_award"
    given = SingleAwardGiven

    def work(self, given: SingleAwardGiven, workings: Workings) -> None:
        """The line, and each claim beside it."""
        least = given.minimum_wage
        if least is None:
            workings.need("district")
            on = given.asked_on or workings.today
            least = workings.rate("minimum_wage", on, district=given.district or "").values["monthly"]
        line = MONTHS * least
        workings.step("line", least=least, line=cents(line))
        within: list[Decimal] = []
        for number, amount in enumerate(given.amounts or (), 1):
            if amount <= line:
                workings.step("within", number=number, amount=amount, line=cents(line))
                within.append(amount)
            else:
                workings.step("above", number=number, amount=amount, line=cents(line))
        workings.warn("yours")
        workings.result(line, within=len(within), above=len(given.amounts or ()) - len(within))
