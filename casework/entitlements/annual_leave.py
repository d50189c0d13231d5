"""Annual leave: days by years of work, pro rata, and the pay for days not taken (职工带薪年休假条例)."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Literal

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents, daily
from casework.errors import BadInput

Years = Annotated[Decimal, Field(ge=0, le=60, max_digits=5, decimal_places=2)]
Days = Annotated[Decimal, Field(ge=0, le=366, max_digits=6, decimal_places=2)]
TIERS = ((Decimal(20), 15), (Decimal(10), 10), (Decimal(1), 5))
"""Whole years of all work together, and days a year (条例 第三条)."""
SICK_MONTHS = {5: 2, 10: 3, 15: 4}
"""Months of sick leave in a year from which there is none, by the days of the tier (条例 第四条)."""
PERSONAL_DAYS = 20
_YEAR_DAYS = 365
MAX_DAYS = 15
"""The most a year has."""


class DaysGiven(Given):
    """Years of all work together, and what takes the leave away: personal and sick leave, long holidays.

    ``running`` is whether the last twelve months were worked without a break.
    """

    years: Years | None = None
    running: bool | None = None
    personal_leave_days: Days | None = None
    sick_leave_months: Years | None = None
    long_holidays: bool | None = None


class ProratedGiven(Given):
    """Leaving (``left_on``, ``taken``) or newly hired (``hired_on``); ``full_days`` of a whole year."""

    kind: Literal["leaving", "new"] | None = None
    full_days: Annotated[int, Field(ge=5, le=15)] | None = None
    left_on: Day | None = None
    hired_on: Day | None = None
    taken: Days | None = None


class PayGiven(Given):
    """Days not taken, and the average of the last twelve months without overtime pay (元).

    ``wage_paid``: those days' usual wage was paid; ``own_will``: the member put in writing not to take them.
    """

    days: Annotated[Decimal, Field(ge=0, le=45, max_digits=5, decimal_places=2)] | None = None
    average_wage: Money | None = None
    wage_paid: bool | None = None
    own_will: bool | None = None


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
        if given.running is None:
            workings.assume("running")
        if given.running is False:
            workings.step("not_running")
            days = 0
        elif given.long_holidays:
            workings.step("long_holidays")
            days = 0
        elif (given.personal_leave_days or 0) >= PERSONAL_DAYS:
            workings.step("personal_leave")
            days = 0
        elif (given.sick_leave_months or 0) >= SICK_MONTHS[days]:
            workings.step("sick_leave", months=SICK_MONTHS[days])
            days = 0
        workings.assume("all_work")
        if None in (given.long_holidays, given.personal_leave_days, given.sick_leave_months):
            workings.assume("nothing_against")
        workings.result(days=days)


class AnnualLeaveProrated(Calculator[ProratedGiven]):
    """The share of a year's days for who leaves or comes (企业职工带薪年休假实施办法 第五、十二条)."""

    name = "annual_leave_prorated"
    given = ProratedGiven

    def work(self, given: ProratedGiven, workings: Workings) -> None:
        """Calendar days over 365 times the full days, less those taken; whole days only."""
        if given.kind is None and given.left_on is None and given.hired_on is None:
            workings.need("kind")
        if given.kind == "leaving" or (given.kind is None and given.left_on is not None):
            days = self._leaving(given, workings)
        else:
            days = self._hired(given, workings)
        workings.warn("whole_days")
        workings.result(days=days)

    @staticmethod
    def _leaving(given: ProratedGiven, workings: Workings) -> int:
        """The days of the year here until leaving, less those taken; what was taken too much is not owed."""
        workings.need("left_on", "full_days", "taken")
        left_on, full = workings.take(given.left_on, "left_on"), workings.take(given.full_days, "full_days")
        taken = workings.take(given.taken, "taken")
        start = date(left_on.year, 1, 1)
        if given.hired_on is None:
            workings.assume("whole_year", year=left_on.year)
        elif given.hired_on > left_on:
            raise BadInput("left_before_hired", field="left_on")
        else:
            start = max(start, given.hired_on)
        passed = (left_on - start).days + 1
        share = Decimal(passed) / _YEAR_DAYS * full
        days = max(0, int((share - taken).to_integral_value(ROUND_DOWN)))
        workings.step(
            "leaving",
            year=left_on.year,
            passed=passed,
            full=full,
            share=_shown(share),
            taken=taken,
            days=days,
        )
        if taken > share:
            workings.step("not_taken_back")
        return days

    @staticmethod
    def _hired(given: ProratedGiven, workings: Workings) -> int:
        """The days that are left of the year, the first day of work included."""
        workings.need("hired_on", "full_days")
        hired, full = workings.take(given.hired_on, "hired_on"), workings.take(given.full_days, "full_days")
        left = (date(hired.year, 12, 31) - hired).days + 1
        share = Decimal(left) / _YEAR_DAYS * full
        days = int(share.to_integral_value(ROUND_DOWN))
        workings.assume("running")
        workings.step("hired", year=hired.year, left=left, full=full, share=_shown(share), days=days)
        return days


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
        if given.own_will:
            workings.step("own_will")
            workings.result(Decimal(0), total_300=cents(total), extra_200=cents(extra))
            return
        workings.step("all", days=days, rate=rate, total=cents(total))
        if given.wage_paid is None:
            workings.assume("paid_once")
        if given.wage_paid is not False:
            workings.step("extra", days=days, rate=rate, extra=cents(extra))
        if given.own_will is None:
            workings.warn("by_employer")
        if days > MAX_DAYS:
            workings.warn("several_years")
        workings.warn("apply_soon")
        amount = total if given.wage_paid is False else extra
        workings.result(amount, total_300=cents(total), extra_200=cents(extra))


def leave_days(years: Decimal) -> int:
    """Days of annual leave a year for so many years of all work (条例 第三条)."""
    return next((days for least, days in TIERS if years >= least), 0)


def _shown(share: Decimal) -> Decimal:
    return share.quantize(Decimal("0.001"), rounding=ROUND_DOWN)
