"""Heat fee of Shandong (防暑降温费), by attendance in June to September (鲁人社字〔2021〕64号)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from casework.entitlements.base import Calculator, Given, Workings
from casework.entitlements.money import cents
from casework.errors import BadInput
from casework.rates import Row

FIRST_MONTH, LAST_MONTH = 6, 9
"""Every standard so far is for June to September."""
NOTICE = date(2021, 6, 1)
"""From here on by 鲁人社字〔2021〕64号; before, by 鲁人社发〔2015〕45号."""


class MonthAttended(BaseModel):
    """One month: days attended of the days due; both left out: the whole month."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    month: int = Field(ge=1, le=12)
    attended: Annotated[Decimal, Field(ge=0, le=31)] | None = None
    due: Annotated[Decimal, Field(gt=0, le=31)] | None = None


class HeatFeeGiven(Given):
    """``kind`` of work, the ``year``, and either months with attendance or how many whole ``months``."""

    kind: Literal["outdoor", "other"] | None = None
    year: int | None = Field(default=None, ge=2006, le=2100)
    attendance: Annotated[tuple[MonthAttended, ...], Field(min_length=1, max_length=12)] | None = None
    months: int | None = Field(default=None, ge=1, le=4)


class HeatFee(Calculator[HeatFeeGiven]):
    """The fee of each month times days attended over days due (鲁人社字〔2021〕64号)."""

    name = "heat_fee"
    given = HeatFeeGiven

    def work(self, given: HeatFeeGiven, workings: Workings) -> None:
        """Month by month, rounded once at the end; a month without a standard is left out and said."""
        kind = workings.take(given.kind, "kind")
        if given.attendance is None:
            workings.need("months")
        _check(given)
        year = self._year(given, workings)
        if given.attendance is None:
            total = self._whole(given.months or 0, year, kind, workings)
        else:
            total = self._attended(given.attendance, year, kind, workings)
        workings.step("amount", amount=cents(total))
        workings.warn("each_year")
        workings.result(total)

    @staticmethod
    def _year(given: HeatFeeGiven, workings: Workings) -> int:
        """The summer: as given, or the newest whose months have all begun."""
        latest = FIRST_MONTH + (given.months or 1) - 1
        if given.attendance is not None:
            latest = max(one.month for one in given.attendance)
        today = workings.today
        if given.year is None:
            year = today.year if today.month >= latest else today.year - 1
            workings.assume("year", year=year)
            return year
        if (given.year, latest) > (today.year, today.month):
            raise BadInput("month_ahead", field="year")
        return given.year

    def _whole(self, months: int, year: int, kind: str, workings: Workings) -> Decimal:
        """Whole months nobody named: only where one standard held the whole summer."""
        first, last = date(year, FIRST_MONTH, 1), date(year, LAST_MONTH, 1)
        ends = [workings.rate_or_none("heat_fee", day, kind=kind) for day in (first, last)]
        if ends[0] != ends[1]:
            workings.need("attendance")
        row = workings.rate("heat_fee", first, kind=kind)
        fee = self._fee(row, workings)
        workings.assume("whole_months")
        workings.step("whole", fee=fee, months=months, amount=cents(fee * months))
        return fee * months

    def _attended(
        self, attendance: tuple[MonthAttended, ...], year: int, kind: str, workings: Workings
    ) -> Decimal:
        """Each month by the standard then in force; raises NoRate where none of them has any."""
        days = [date(year, one.month, 1) for one in attendance]
        rows = [workings.rate_or_none("heat_fee", day, kind=kind) for day in days]
        if not any(rows):
            workings.rate("heat_fee", min(days), kind=kind)
        total = Decimal(0)
        said: Row | None = None
        for one, row in zip(attendance, rows, strict=True):
            if row is None:
                workings.partial("month_unknown", year=year, month=one.month)
                continue
            if row != said:
                self._fee(row, workings)
                said = row
            total += self._month(one, row, workings)
        return total

    @staticmethod
    def _fee(row: Row, workings: Workings) -> Decimal:
        """The fee of a whole month, by the notice it is from."""
        fee = row.values["monthly"]
        if row.valid_from < NOTICE:
            workings.step("fee_2015", fee=fee)
        else:
            workings.step("fee", fee=fee)
        return fee

    @staticmethod
    def _month(one: MonthAttended, row: Row, workings: Workings) -> Decimal:
        fee = row.values["monthly"]
        if not row.values["first_month"] <= one.month <= row.values["last_month"]:
            workings.warn("not_a_month", month=one.month)
            return Decimal(0)
        if one.attended is None or one.due is None:
            workings.step("full", month=one.month, fee=fee)
            return fee
        amount = fee * one.attended / one.due
        days = {"attended": one.attended, "due": one.due}
        workings.step("part", month=one.month, fee=fee, amount=cents(amount), **days)
        return amount


def _check(given: HeatFeeGiven) -> None:
    if given.attendance is None:
        return
    if given.months is not None:
        raise BadInput("months_or_attendance", field="months")
    seen: set[int] = set()
    for one in given.attendance:
        if one.month in seen:
            raise BadInput("month_twice", field="attendance", month=one.month)
        seen.add(one.month)
        if (one.attended is None) != (one.due is None):
            raise BadInput("attended_of_due", field="attendance", month=one.month)
        if one.attended is not None and one.due is not None and one.attended > one.due:
            raise BadInput("attended_more_than_due", field="attendance", month=one.month)
