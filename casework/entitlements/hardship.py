"""Hardship pre-check: which of the union's three kinds a family may belong to; never a decision."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Given, Money, Workings
from casework.entitlements.money import cents

Yearly = Annotated[Decimal, Field(ge=0, le=10_000_000, max_digits=12, decimal_places=2)]
RELATIVE = 2
"""Times the low-income line below which hardship is relative."""
SHOCK_SHARE = Decimal("0.8")
"""The share of a year's income above which the cost of a misfortune counts."""


class HardshipGiven(Given):
    """元 a year for the whole family, its size, and the low-income line in 元 a head and month."""

    income: Yearly | None = None
    rigid_expenses: Yearly | None = None
    people: int | None = Field(default=None, ge=1, le=20)
    low_income_line: Money | None = None
    misfortune_cost: Yearly | None = None
    costly_school: bool | None = None


class HardshipPrecheck(Calculator[HardshipGiven]):
    """深度困难, 相对困难 or 意外致困, by income less rigid expenses a head and month."""

    name = "hardship_precheck"
    given = HardshipGiven

    def work(self, given: HardshipGiven, workings: Workings) -> None:
        """Income a head against the line, and a misfortune's cost against the income."""
        workings.need("income", "rigid_expenses", "people")
        income = workings.take(given.income, "income")
        rigid = workings.take(given.rigid_expenses, "rigid_expenses")
        people = workings.take(given.people, "people")
        head = max(Decimal(0), income - rigid) / 12 / people
        workings.step("head", income=income, rigid=rigid, people=people, head=cents(head))
        workings.figure(head=cents(head))
        workings.warn("not_a_decision")
        if given.costly_school:
            workings.warn("excluded")
        kind = self._misfortune(given, income, workings)
        if given.low_income_line is None:
            workings.lacks("low_income_line")
            if kind is not None:
                workings.result(head, kind=kind)
            return
        line = given.low_income_line
        if head < line:
            kind = "deep"
            workings.step("deep", head=cents(head), line=line)
        elif head < RELATIVE * line:
            kind = "relative"
            workings.step("relative", head=cents(head), line=line, double=RELATIVE * line)
        else:
            workings.step("above", head=cents(head), double=RELATIVE * line)
        workings.result(head, kind=kind or "none")

    @staticmethod
    def _misfortune(given: HardshipGiven, income: Decimal, workings: Workings) -> str | None:
        if given.misfortune_cost is None:
            return None
        if given.misfortune_cost > SHOCK_SHARE * income:
            workings.step("misfortune", cost=given.misfortune_cost, limit=cents(SHOCK_SHARE * income))
            return "misfortune"
        workings.step("no_misfortune", cost=given.misfortune_cost, limit=cents(SHOCK_SHARE * income))
        return None
