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
        """Month by month, rounded once at the end."""
        kind = workings.take(given.kind, "kind")
        if given.attendance is None and given.months is None:
            workings.need("months")
        year = given.year
        if year is None:
            year = workings.today.year if workings.today.month >= 6 else workings.today.year - 1
            workings.assume("year", year=year)
        row = workings.rate("heat_fee", date(year, 6, 1), kind=kind)
        fee = row.values["monthly"]
        workings.step("fee", fee=fee)
        workings.warn("each_year")
        if given.attendance is None:
            count = given.months or 0
            workings.assume("whole_months")
            workings.step("whole", fee=fee, months=count, amount=cents(fee * count))
            workings.result(fee * count)
            return
        total = Decimal(0)
        for one in given.attendance:
            total += self._month(one, fee, row, workings)
        workings.step("amount", amount=cents(total))
        workings.result(total)

    @staticmethod
    def _month(one: MonthAttended, fee: Decimal, row: Row, workings: Workings) -> Decimal:
        if not row.values["first_month"] <= one.month <= row.values["last_month"]:
            workings.warn("not_a_month", month=one.month)
            return Decimal(0)
        if one.attended is None or one.due is None:
            workings.step("full", month=one.month, fee=fee)
            return fee
        if one.attended > one.due:
            raise BadInput("attended_more_than_due", field="attendance")
        amount = fee * one.attended / one.due
        days = {"attended": one.attended, "due": one.due}
        workings.step("part", month=one.month, fee=fee, amount=cents(amount), **days)
        return amount
