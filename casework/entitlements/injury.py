"""Work injury: lump sums by grade, Shandong's medical aid, the death benefit (工伤保险条例 第五章)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from casework.entitlements.base import Calculator, Day, Given, Money, Workings
from casework.entitlements.money import cents
from casework.rates import NoRate

GRANT_MONTHS = (27, 25, 23, 21, 18, 16, 13, 11, 9, 7)
"""Months of own wage for grades 1 to 10 (工伤保险条例 第三十五、三十六、三十七条)."""
LEAST_SHARE = Decimal("0.6")
MOST_SHARE = Decimal(3)
"""One's own wage counts from 60 % to 300 % of the average (第六十四条)."""
BASES = ("employed", "urban_nonprivate")
LIGHT = range(5, 11)
"""Grades whose employment may end with the medical and the employment aid (第三十六、三十七条)."""
DEATH_YEARS = 20


class GrantGiven(Given):
    """``grade`` 1 (gravest) to 10; wage in 元, the average contribution wage of the twelve months before."""

    grade: int | None = Field(default=None, ge=1, le=10)
    average_wage: Money | None = None
    injured_on: Day | None = None
    city_average_wage: Money | None = None


class AidGiven(Given):
    """``grade`` 5 to 10; ``ended_on`` the day the employment ends; last year's average wage (元)."""

    grade: int | None = Field(default=None, ge=1, le=10)
    ended_on: Day | None = None
    city_average_wage: Money | None = None
    occupational_disease: bool | None = None


class DeathGiven(Given):
    """``died_on`` the day of death."""

    died_on: Day | None = None


class InjuryDisabilityGrant(Calculator[GrantGiven]):
    """一次性伤残补助金, paid by the fund (工伤保险条例 第三十五至三十七、六十四条)."""

    name = "injury_disability_grant"
    given = GrantGiven

    def work(self, given: GrantGiven, workings: Workings) -> None:
        """Months of the grade times one's own wage, within its limits where they are known."""
        workings.need("grade", "average_wage")
        grade = workings.take(given.grade, "grade")
        wage = workings.take(given.average_wage, "average_wage")
        months = GRANT_MONTHS[grade - 1]
        workings.step("grade", grade=grade, months=months)
        wage = self._within(given, wage, workings)
        workings.step("amount", months=months, wage=wage, amount=cents(months * wage))
        workings.warn("who_pays")
        workings.result(months * wage, months=months)

    @staticmethod
    def _within(given: GrantGiven, wage: Decimal, workings: Workings) -> Decimal:
        average = given.city_average_wage
        if average is None and given.injured_on is not None:
            average = _average(workings, given.injured_on)
        if average is None:
            workings.assume("limits_unknown")
            return wage
        low, high = LEAST_SHARE * average, MOST_SHARE * average
        if wage < low:
            workings.step("raised", wage=wage, limit=cents(low))
            return low
        if wage > high:
            workings.step("lowered", wage=wage, limit=cents(high))
            return high
        return wage


class InjuryMedicalAid(Calculator[AidGiven]):
    """山东一次性工伤医疗补助金, grades 5 to 10, paid by the fund when the employment ends."""

    name = "injury_medical_aid"
    given = AidGiven

    def work(self, given: AidGiven, workings: Workings) -> None:
        """Months of the grade times the average wage of the year before."""
        workings.need("grade", "ended_on")
        grade = workings.take(given.grade, "grade")
        ended = workings.take(given.ended_on, "ended_on")
        if grade not in LIGHT:
            workings.cannot("grave", grade=grade)
        row = workings.rate("injury_medical_aid", ended, grade=str(grade))
        months = row.values["months"]
        workings.step("months", grade=grade, months=months)
        workings.figure(months=months)
        workings.warn("employment_aid")
        average = given.city_average_wage or _average(workings, ended)
        if average is None:
            workings.cannot("average_unknown", year=ended.year - 1, months=months)
        amount = months * average
        workings.step("amount", months=months, average=cents(average), amount=cents(amount))
        if given.occupational_disease:
            amount += amount * row.values["percent_more"] / 100
            workings.step("disease", percent=row.values["percent_more"], amount=cents(amount))
        workings.result(amount)


class DeathBenefit(Calculator[DeathGiven]):
    """一次性工亡补助金: twenty times last year's income per head in towns (工伤保险条例 第三十九条)."""

    name = "death_benefit"
    given = DeathGiven

    def work(self, given: DeathGiven, workings: Workings) -> None:
        """Twenty times the income of the year before the death, where it is known."""
        died = workings.take(given.died_on, "died_on")
        workings.assume("recognised")
        try:
            row = workings.rate("death_benefit", died, year=str(died.year - 1))
        except NoRate:
            workings.cannot("income_unknown", year=died.year - 1)
        income = row.values["income"]
        workings.step("amount", year=died.year - 1, income=income, amount=cents(income * DEATH_YEARS))
        workings.warn("more")
        workings.result(income * DEATH_YEARS)


def _average(workings: Workings, on: date) -> Decimal | None:
    """The lower of the monthly averages of the year before that may be taken, or None."""
    rows = [workings.rate_or_none("average_wage", on, year=str(on.year - 1), basis=basis) for basis in BASES]
    return min((row.values["annual"] / 12 for row in rows if row is not None), default=None)
