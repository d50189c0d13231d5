"""Annual leave: days by years of work, pro rata, and the pay for days not taken (职工带薪年休假条例)."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents, daily

Years = Annotated[Decimal, Field(ge=0, le=60, max_digits=5, decimal_places=2)]
Days = Annotated[Decimal, Field(ge=0, le=366, max_digits=6, decimal_places=2)]
TIERS = ((Decimal(20), 15), (Decimal(10), 10), (Decimal(1), 5))
"""Whole years of all work together, and days a year (条例 第三条)."""
SICK_MONTHS = {5: 2, 10: 3, 15: 4}
"""Months of sick leave in a year from which there is none, by the days of the tier (条例 第四条)."""
PERSONAL_DAYS = 20
_YEAR_DAYS = 365


class DaysGiven(Given):
    """Years of all work together, and what takes the leave away: personal and sick leave, long holidays."""

    years: Years | None = None
    personal_leave_days: Days | None = None
    sick_leave_months: Years | None = None
    long_holidays: bool | None = None


class ProratedGiven(Given):
    """Leaving (``left_on``, ``taken``) or newly hired (``hired_on``); ``full_days`` of a whole year."""

    full_days: Annotated[int, Field(ge=5, le=15)] | None = None
    left_on: Day | None = None
    hired_on: Day | None = None
    taken: Days | None = None


class PayGiven(Given):
    """Days not taken, and the average of the last twelve months without overtime pay (元)."""

    days: Annotated[Decimal, Field(ge=0, le=45, max_digits=5, decimal_places=2)] | None = None
    average_wage: Money | None = None


class AnnualLeaveDays(Calculator[DaysGiven]):
    """5, 10 or 15 days by years of all work (条例 第三、四条)."""

    name = "annual_leave_days"
    given = DaysGiven

    def work(self, given: DaysGiven, workings: Workings) -> None:
        """The tier, and what takes it away."""
        years = workings.take(given.years, "years")
        days = leave_days(years)
        if not days:
            workings.step("too_short", years=years)
            workings.result(days=0)
            return
        workings.step("tier", years=years, days=days)
        if given.long_holidays:
            workings.step("long_holidays")
            days = 0
        elif (given.personal_leave_days or 0) >= PERSONAL_DAYS:
            workings.step("personal_leave")
            days = 0
        elif (given.sick_leave_months or 0) >= SICK_MONTHS[days]:
            workings.step("sick_leave", months=SICK_MONTHS[days])
            days = 0
        workings.assume("all_work")
        workings.result(days=days)


class AnnualLeaveProrated(Calculator[ProratedGiven]):
    """The share of a year's days for who leaves or comes (企业职工带薪年休假实施办法 第五、十二条)."""

    name = "annual_leave_prorated"
    given = ProratedGiven

    def work(self, given: ProratedGiven, workings: Workings) -> None:
        """Calendar days over 365 times the full days, less those taken; whole days only."""
        full = workings.take(given.full_days, "full_days")
        if given.left_on is None and given.hired_on is None:
            workings.need("left_on")
        if given.left_on is not None:
            start = date(given.left_on.year, 1, 1)
            if given.hired_on is not None and given.hired_on > start:
                start = given.hired_on
            passed = (given.left_on - start).days + 1
            if passed < 1:
                workings.cannot("not_that_year")
            share = Decimal(passed) / _YEAR_DAYS * full
            taken = workings.take(given.taken, "taken")
            days = max(0, int((share - taken).to_integral_value(ROUND_DOWN)))
            workings.step("leaving", passed=passed, full=full, share=_two(share), taken=taken, days=days)
            if taken > share:
                workings.step("not_taken_back")
        else:
            hired = workings.take(given.hired_on, "hired_on")
            left = 365 + calendar.isleap(hired.year) - hired.timetuple().tm_yday + 1
            share = Decimal(left) / _YEAR_DAYS * full
            days = int(share.to_integral_value(ROUND_DOWN))
            workings.step("hired", left=left, full=full, share=_two(share), days=days)
        workings.warn("whole_days")
        workings.result(days=days)


class AnnualLeavePay(Calculator[PayGiven]):
    """Three days' wages for a day not taken, one of them usually paid (条例 第五条；办法 第十、十一条)."""

    name = "annual_leave_pay"
    given = PayGiven

    def work(self, given: PayGiven, workings: Workings) -> None:
        """What is still to be paid: twice the day's wage for each day."""
        workings.need("days", "average_wage")
        days = workings.take(given.days, "days")
        wage = workings.take(given.average_wage, "average_wage")
        rate = daily(wage)
        workings.step("day", wage=wage, rate=rate)
        total, extra = rate * 3 * days, rate * 2 * days
        workings.step("all", days=days, rate=rate, total=cents(total))
        workings.step("extra", days=days, rate=rate, extra=cents(extra))
        workings.assume("paid_once")
        workings.warn("own_will")
        workings.result(extra, total_300=cents(total), extra_200=cents(extra))


def leave_days(years: Decimal) -> int:
    """Days of annual leave a year for so many years of all work (条例 第三条)."""
    return next((days for least, days in TIERS if years >= least), 0)


def _two(share: Decimal) -> Decimal:
    return share.quantize(Decimal("0.001"))
