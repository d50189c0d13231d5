"""Probation: how long it may be, what too long a one costs, its least wage (劳动合同法 第十九至二十一条)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents
from casework.errors import BadInput

Months = Annotated[Decimal, Field(ge=0, le=600, max_digits=6, decimal_places=2)]
TIERS = ((Decimal(36), 6), (Decimal(12), 2), (Decimal(3), 1), (Decimal(0), 0))
"""Months of the contract, and of probation at most (第十九条)."""
OPEN_ENDED_LIMIT = 6
SHARE = Decimal("0.8")
"""Of the agreed wage or of the least of the post: either will do (实施条例 第十五条)."""


class LimitGiven(Given):
    """Months of the contract, or ``open_ended`` or ``by_task`` (part-time too) instead of a length."""

    contract_months: Months | None = None
    open_ended: bool | None = None
    by_task: bool | None = None


class CompensationGiven(LimitGiven):
    """As the limit, with the months served on probation and the wage after it (元)."""

    probation_months: Months | None = None
    regular_wage: Money | None = None


class WageGiven(Given):
    """The wage agreed for after probation and the least of the same post (元), and the district."""

    regular_wage: Money | None = None
    post_minimum: Money | None = None
    district: str | None = Field(default=None, max_length=20)
    on: Day | None = None


class ProbationLimit(Calculator[LimitGiven]):
    """0, 1, 2 or 6 months by the length of the contract (第十九条)."""

    name = "probation_limit"
    given = LimitGiven

    def work(self, given: LimitGiven, workings: Workings) -> None:
        """Look the length up."""
        limit = _limit(given, workings)
        workings.warn("once")
        workings.result(months=limit)


class ProbationCompensation(Calculator[CompensationGiven]):
    """The regular wage for each month served beyond the limit (第八十三条)."""

    name = "probation_compensation"
    given = CompensationGiven

    def work(self, given: CompensationGiven, workings: Workings) -> None:
        """Months beyond the limit times the wage."""
        if given.probation_months is None:
            workings.lacks("probation_months")
        if given.regular_wage is None:
            workings.lacks("regular_wage")
        limit = _limit(given, workings)
        workings.need("probation_months", "regular_wage")
        served = workings.take(given.probation_months, "probation_months")
        wage = workings.take(given.regular_wage, "regular_wage")
        beyond = max(Decimal(0), served - limit)
        workings.step("beyond", served=served, limit=limit, beyond=beyond)
        workings.step("amount", beyond=beyond, wage=wage, amount=cents(beyond * wage))
        workings.warn("once")
        workings.result(beyond * wage, limit=limit)


class ProbationWage(Calculator[WageGiven]):
    """80 % of the agreed wage or of the least of the post, not below the minimum wage (实施条例 第十五条)."""

    name = "probation_wage"
    given = WageGiven

    def work(self, given: WageGiven, workings: Workings) -> None:
        """The lower of the two shares is enough, and never less than the minimum wage."""
        workings.need("regular_wage", "district")
        wage = workings.take(given.regular_wage, "regular_wage")
        share = wage * SHARE
        workings.step("share", wage=wage, share=cents(share))
        least = share
        if given.post_minimum is not None:
            post = given.post_minimum * SHARE
            workings.step("post", post=given.post_minimum, share=cents(post))
            least = min(share, post)
        floor = workings.rate("minimum_wage", given.on or workings.today, district=given.district or "")
        monthly = floor.values["monthly"]
        workings.step("least", least=monthly, amount=cents(max(least, monthly)))
        workings.result(max(least, monthly))


def _limit(given: LimitGiven, workings: Workings) -> int:
    """Months at most; BadInput where more than one kind of contract is given."""
    if sum((bool(given.by_task), bool(given.open_ended), given.contract_months is not None)) > 1:
        raise BadInput("one_length", field="contract_months")
    if given.by_task:
        workings.step("none")
        return 0
    if given.open_ended:
        workings.step("open_ended", limit=OPEN_ENDED_LIMIT)
        return OPEN_ENDED_LIMIT
    months = workings.take(given.contract_months, "contract_months")
    limit = next(limit for least, limit in TIERS if months >= least)
    if limit:
        workings.step("limit", months=months, limit=limit)
    else:
        workings.step("none")
    return limit
