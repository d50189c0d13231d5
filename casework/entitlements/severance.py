"""Severance: 经济补偿 N, N+1, and 赔偿金 2N (劳动合同法 第四十、四十六、四十七、八十七条)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.dates import add_months, whole_months
from casework.entitlements.money import cents
from casework.errors import BadInput

LAW_BEGINS = date(2008, 1, 1)
"""The labour contract law's first day; for what lies before, severance followed other rules (第九十七条)."""
MAX_CAPPED_MONTHS = Decimal(12)
LIMIT = 3
"""Times the place's average wage of the year before (第四十七条第二款)."""
BASES = ("employed", "urban_nonprivate")
"""The averages a court may take; which one is not settled."""
HALF_YEAR = 6
_HALF = Decimal("0.5")


class SeveranceGiven(Given):
    """What severance hangs on; wages in 元 a month before tax, ``district`` by its official name."""

    hired_on: Day | None = None
    left_on: Day | None = None
    average_wage: Money | None = None
    district: str | None = Field(default=None, max_length=20)
    city_average_wage: Money | None = None
    minimum_wage: Money | None = None


class NoticeGiven(SeveranceGiven):
    """As severance, with the wage of the month before the last day."""

    last_month_wage: Money | None = None


class Severance(Calculator[SeveranceGiven]):
    """经济补偿 N: a month's wage for each year (劳动合同法 第四十七、九十七条；实施条例 第二十七条)."""

    name = "severance"
    given = SeveranceGiven

    def work(self, given: SeveranceGiven, workings: Workings) -> None:
        """Months times base."""
        months, base = _months_and_base(given, workings)
        amount = months * base
        workings.step("amount", months=months, base=base, amount=cents(amount))
        workings.result(amount)


class SeverancePlusNotice(Calculator[NoticeGiven]):
    """N+1: N and a month's wage instead of 30 days' notice (劳动合同法 第四十条；实施条例 第二十条)."""

    name = "severance_plus_notice"
    given = NoticeGiven

    def work(self, given: NoticeGiven, workings: Workings) -> None:
        """N, and the wage of the month before, which no limit touches."""
        if given.last_month_wage is None:
            workings.lacks("last_month_wage")
        months, base = _months_and_base(given, workings)
        workings.step("severance", months=months, base=base, amount=cents(months * base))
        last = workings.take(given.last_month_wage, "last_month_wage")
        amount = months * base + last
        workings.step("notice", wage=last)
        workings.step("amount", amount=cents(amount))
        workings.result(amount)


class UnlawfulDismissal(Calculator[SeveranceGiven]):
    """赔偿金 2N for an unlawful dismissal (劳动合同法 第八十七条；实施条例 第二十五条)."""

    name = "unlawful_dismissal"
    given = SeveranceGiven

    def work(self, given: SeveranceGiven, workings: Workings) -> None:
        """Twice months times base, from the first day of work on, before 2008 too."""
        months, base = _months_and_base(given, workings, from_first_day=True)
        amount = 2 * months * base
        workings.step("amount", months=months, base=base, amount=cents(amount))
        workings.warn("choose_one")
        workings.result(amount)


def severance_months(first: date, last: date) -> Decimal:
    """The months of wage for a time of work, both days included (劳动合同法 第四十七条第一款).

    One for each whole year, one more for half a year or longer, half a one for less.
    """
    years, rest = divmod(whole_months(first, last), 12)
    if add_months(first, 12 * years) > last:
        return Decimal(years)
    return years + (Decimal(1) if rest >= HALF_YEAR else _HALF)


def _months_and_base(
    given: SeveranceGiven, workings: Workings, *, from_first_day: bool = False
) -> tuple[Decimal, Decimal]:
    """Months and base (元 a month), both after the limits; asks for what is missing."""
    if given.average_wage is None:
        workings.lacks("average_wage")
    workings.need("hired_on", "left_on")
    hired, left = workings.take(given.hired_on, "hired_on"), workings.take(given.left_on, "left_on")
    if left < hired:
        raise BadInput("left_before_hired", field="left_on")
    if given.hired_on is not None and left > workings.today:
        workings.assume("still_there", left=left)
    first = hired
    if hired < LAW_BEGINS <= left:
        if from_first_day:
            workings.assume("whole_time", hired=hired)
        else:
            first = LAW_BEGINS
            workings.warn("before_2008", hired=hired)
    elif left < LAW_BEGINS:
        workings.cannot("all_before_2008", left=left)
    months = severance_months(first, left)
    served = whole_months(first, left)
    workings.step("tenure", first=first, last=left, years=served // 12, months=served % 12, n=months)
    workings.figure(months=months)
    wage = workings.take(given.average_wage, "average_wage")
    workings.assume("average", wage=wage)
    base = _floor(given, wage, left, workings)
    return _limited(given, months, base, left, workings)


def _floor(given: SeveranceGiven, wage: Decimal, left: date, workings: Workings) -> Decimal:
    """Not less than the minimum wage of the place (实施条例 第二十七条)."""
    least = given.minimum_wage
    if least is None:
        if given.district is not None:
            row = workings.rate_or_none("minimum_wage", left, district=given.district)
        else:
            known = _minimums(workings, left)
            if known and wage >= max(known):
                return wage
            row = None
            if known:
                workings.need("district")
        if row is None:
            workings.warn("minimum_unknown", on=left)
            return wage
        least = row.values["monthly"]
    if wage < least:
        workings.step("floor", wage=wage, least=least)
        return least
    return wage


def _minimums(workings: Workings, on: date) -> list[Decimal]:
    """The minimum wages of all districts then; what is above the highest needs no district."""
    rows = workings.rates.rows("minimum_wage")
    return [row.values["monthly"] for row in rows if row.in_force(on)]


def _limited(
    given: SeveranceGiven, months: Decimal, base: Decimal, left: date, workings: Workings
) -> tuple[Decimal, Decimal]:
    """Three times the average wage and twelve months, only for whoever earns more (第四十七条第二款).

    Where several averages may be taken, the least is certain; where none is known, the limit is only ruled
    out for a wage no average can be a third of: none lies below the minimum wage.
    """
    averages = [given.city_average_wage] if given.city_average_wage is not None else _averages(workings, left)
    if not averages:
        if base > LIMIT * _known_minimum(given, workings, left):
            workings.partial("limit_unknown", year=left.year - 1, base=base)
        else:
            workings.step("no_limit", base=base)
        return months, base
    limits = sorted(LIMIT * average for average in averages)
    if base <= limits[0]:
        workings.step("no_limit", base=base)
        return months, base
    capped = min(months, MAX_CAPPED_MONTHS)
    if limits[-1] != limits[0]:
        workings.partial("limit_unsettled", low=cents(limits[0]), high=cents(limits[-1]))
    workings.step("limit", base=base, limit=cents(limits[0]), months=capped)
    workings.figure(months=capped)
    return capped, limits[0]


def _averages(workings: Workings, left: date) -> list[Decimal]:
    """The monthly averages of the year before that a court may take; none when not known."""
    rows = [
        workings.rate_or_none("average_wage", left, year=str(left.year - 1), basis=basis) for basis in BASES
    ]
    return [row.values["annual"] / 12 for row in rows if row is not None]


def _known_minimum(given: SeveranceGiven, workings: Workings, left: date) -> Decimal:
    """A minimum wage the average cannot lie below; 0 when none is known."""
    if given.minimum_wage is not None:
        return given.minimum_wage
    return min(_minimums(workings, left), default=Decimal(0))
