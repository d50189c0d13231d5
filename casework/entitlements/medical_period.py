"""Medical period: how long sick leave protects from dismissal (劳部发〔1994〕479号 第三、四条)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from casework.entitlements.base import Calculator, Given, Workings
from casework.errors import BadInput

Years = Annotated[Decimal, Field(ge=0, le=60, max_digits=5, decimal_places=2)]
SHORT = ((Decimal(5), 6, 12), (Decimal(0), 3, 6))
"""Under ten years of all work: from so many years here, months and the months they are counted in."""
LONG = (
    (Decimal(20), 24, 30),
    (Decimal(15), 18, 24),
    (Decimal(10), 12, 18),
    (Decimal(5), 9, 15),
    (Decimal(0), 6, 12),
)
"""From ten years of all work on."""
TEN = Decimal(10)


class MedicalPeriodGiven(Given):
    """Years of all work, and years with this employer."""

    total_years: Years | None = None
    years_here: Years | None = None


class MedicalPeriod(Calculator[MedicalPeriodGiven]):
    """Months of the period, and the months it is counted in (医疗期规定 第三、四条)."""

    name = "medical_period"
    given = MedicalPeriodGiven

    def work(self, given: MedicalPeriodGiven, workings: Workings) -> None:
        """Look the years up; 以上 includes the number itself."""
        workings.need("total_years", "years_here")
        total = workings.take(given.total_years, "total_years")
        here = workings.take(given.years_here, "years_here")
        if here > total:
            raise BadInput("here_longer_than_all", field="years_here")
        months, cycle = medical_months(total, here)
        workings.step("period", total=total, here=here, months=months)
        workings.step("cycle", months=months, cycle=cycle)
        workings.warn("protected")
        workings.warn("grave")
        workings.result(months=months, cycle=cycle)


def medical_months(total: Decimal, here: Decimal) -> tuple[int, int]:
    """Months of the medical period and the months they are counted in (医疗期规定 第三、四条)."""
    tiers = LONG if total >= TEN else SHORT
    return next((months, cycle) for least, months, cycle in tiers if here >= least)
