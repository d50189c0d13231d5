"""Double wage without a written contract: only the other half is reckoned (劳动合同法 第八十二条)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.dates import add_days, add_months
from casework.entitlements.money import cents, daily
from casework.errors import BadInput

YEAR = 12
MAX_MONTHS = 11


class DoubleWageGiven(Given):
    """Days of hiring, signing and leaving; a monthly wage in 元, or one for each month of the period."""

    hired_on: Day | None = None
    monthly_wage: Money | None = None
    monthly_wages: Annotated[tuple[Money, ...], Field(min_length=1, max_length=12)] | None = None
    left_on: Day | None = None
    signed_on: Day | None = None
    workdays: int | None = Field(default=None, ge=0, le=31)
    contract_expired: bool | None = None


class DoubleWage(Calculator[DoubleWageGiven]):
    """From a month after hiring until signing, leaving, or a year (实施条例 第六、七条；解释二 第六条)."""

    name = "double_wage"
    given = DoubleWageGiven

    def work(self, given: DoubleWageGiven, workings: Workings) -> None:
        """Whole months, and the working days that are over, each at its month's wage."""
        if given.contract_expired:
            workings.step("renewal")
            workings.cannot("renewal_by_hand")
        if given.monthly_wages is None and given.monthly_wage is None:
            workings.lacks("monthly_wage")
        hired = workings.take(given.hired_on, "hired_on")
        _check(given, hired, workings.today)
        first = add_months(hired, 1)
        last = self._last(given, hired, workings)
        if last < first:
            if last == workings.today and given.signed_on is None and given.left_on is None:
                workings.step("too_soon", first=first)
            else:
                workings.step("in_time", first=first)
            workings.result(Decimal(0), months=0, workdays=0)
            return
        months = 0
        while months < MAX_MONTHS and add_days(add_months(hired, months + 2), -1) <= last:
            months += 1
        rest = add_months(hired, months + 1)
        days = self._workdays(given, rest, last, workings)
        workings.step("period", first=first, last=last, months=months, days=days)
        workings.figure(months=months, workdays=days)
        if given.monthly_wages is None and given.monthly_wage is None:
            return
        if given.monthly_wages is not None and len(given.monthly_wages) < months + bool(days):
            workings.assume("last_wage", months=len(given.monthly_wages))
        amount = sum((_wage(given, month) for month in range(months)), Decimal(0))
        if months:
            workings.step("months", months=months, amount=cents(amount))
        if days:
            wage = _wage(given, months)
            odd = daily(wage) * days
            workings.step("days", days=days, daily=daily(wage), amount=cents(odd))
            if odd > wage:
                workings.step("rest_is_a_month", wage=wage)
            amount += min(odd, wage)
        workings.step("amount", amount=cents(amount))
        self._warn(given, hired, first, workings)
        workings.result(amount, months=months, workdays=days)

    @staticmethod
    def _last(given: DoubleWageGiven, hired: date, workings: Workings) -> date:
        """The last day that counts."""
        ends = [add_days(add_months(hired, YEAR), -1)]
        if given.signed_on is not None:
            ends.append(add_days(given.signed_on, -1))
        if given.left_on is not None:
            ends.append(given.left_on)
        if given.signed_on is None and given.left_on is None and workings.today < ends[0]:
            workings.assume("until_today", today=workings.today)
            ends.append(workings.today)
        last = min(ends)
        if last > workings.today:
            workings.assume("ahead", last=last)
        workings.assume("not_refused")
        return last

    @staticmethod
    def _workdays(given: DoubleWageGiven, first: date, last: date, workings: Workings) -> int:
        if last < first:
            return 0
        days = list(_days(first, last))
        if given.workdays is not None:
            if given.workdays > len(days):
                raise BadInput("too_many_days", field="workdays", most=len(days))
            return given.workdays
        calendar = workings.rates.calendar
        for year in sorted({day.year for day in days if not calendar.certain(day)}):
            workings.warn("holidays_unknown", year=year)
        workings.assume("workdays")
        return sum(calendar.is_workday(day) for day in days)

    @staticmethod
    def _warn(given: DoubleWageGiven, hired: date, first: date, workings: Workings) -> None:
        workings.warn("apply_soon")
        if add_months(first, YEAR) < workings.today:
            workings.warn("old_months", day=add_months(workings.today, -YEAR))
        a_year = add_months(hired, YEAR)
        unsigned = given.signed_on is None or given.signed_on >= a_year
        if unsigned and a_year <= (given.left_on or workings.today):
            workings.step("open_ended")


def _check(given: DoubleWageGiven, hired: date, today: date) -> None:
    """A contract may be signed before the work begins, but nobody leaves before (劳动合同法 第十条)."""
    if hired > today:
        raise BadInput("hired_in_future", field="hired_on")
    if given.left_on is not None and given.left_on < hired:
        raise BadInput("left_before_hired", field="left_on")


def _wage(given: DoubleWageGiven, month: int) -> Decimal:
    """The wage of a month of the period, counted from its first."""
    if given.monthly_wages is not None:
        return given.monthly_wages[min(month, len(given.monthly_wages) - 1)]
    assert given.monthly_wage is not None  # noqa: S101  # asked for before
    return given.monthly_wage


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
