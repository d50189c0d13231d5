"""Calculator: one right's arithmetic, and what it says: steps, assumptions, warnings, what is missing."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from casework.articles import Mark
from casework.entitlements.money import cents
from casework.entitlements.wording import CalculatorWords, Citation, fill
from casework.rates import NoRate, Rates, Row

Money = Annotated[Decimal, Field(gt=0, le=10_000_000, max_digits=12, decimal_places=2)]
"""元 a month or in all; more than nothing."""


def _only_text(value: object) -> object:
    """A number is no day, whatever moment it might count as."""
    if isinstance(value, (int, float)):
        raise PydanticCustomError("date_from_datetime_parsing", "a day is written YYYY-MM-DD")
    return value


Day = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2100, 12, 31)), BeforeValidator(_only_text)]


T = TypeVar("T")


class Given(BaseModel):
    """What a calculator is given. Everything may be left out: what is then missing is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


G = TypeVar("G", bound=Given)


class Status(StrEnum):
    """How far a calculation came."""

    COMPUTED = "computed"
    PARTIAL = "partial"  # something certain is said, the rest hangs on a rate that is not known
    INCOMPLETE = "incomplete"  # inputs are missing
    CANNOT = "cannot"  # this right does not apply, or not by arithmetic


@dataclass(frozen=True, slots=True)
class Step:
    """One step a member can follow, with the articles behind it."""

    text: str
    cites: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """An input that is still needed: what it is called and how it is asked for."""

    name: str
    label: str
    question: str
    hint: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """Result: an amount (元) or a day, how it came about, what it hangs on and what is missing."""

    name: str
    label: str
    status: Status
    amount: Decimal | None
    day: date | None
    days: int | None
    figures: Mapping[str, Decimal | int | str | date]
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[Missing, ...]
    sources: tuple[Citation, ...]
    confirm_year: int | None
    """The year of what is only V+: it is said with 以当年官方公布为准. None: all of it is certain."""

    def to_json(self) -> dict[str, Any]:
        """As the API gives it; amounts are decimal strings, days ISO dates."""
        return {
            "name": self.name,
            "label": self.label,
            "status": self.status.value,
            "amount": None if self.amount is None else str(self.amount),
            "day": None if self.day is None else self.day.isoformat(),
            "days": self.days,
            "figures": {name: _plain(value) for name, value in self.figures.items()},
            "steps": [
                {"text": step.text, "articles": [cited.to_json() for cited in step.cites]}
                for step in self.steps
            ],
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "missing": [
                {
                    "name": one.name,
                    "label": one.label,
                    "question": one.question,
                    "hint": one.hint,
                    "choices": dict(one.choices),
                }
                for one in self.missing
            ],
            "sources": [cited.to_json() for cited in self.sources],
            "confirm_year": self.confirm_year,
        }


class _Stop(Exception):
    """The calculation ends here."""


class Workings:
    """Workings (演算): what a calculation writes down while it goes, and the tables it may look into."""

    def __init__(self, words: CalculatorWords, given: Given, rates: Rates, today: date) -> None:
        self.rates = rates
        self.today = today
        self._words = words
        self._given = given
        self._steps: list[Step] = []
        self._assumptions: list[str] = []
        self._warnings: list[str] = []
        self._missing: list[Missing] = []
        self._sources: dict[Citation, None] = {}
        self._status = Status.COMPUTED
        self._figures: dict[str, Decimal | int | str | date] = {}
        self._amount: Decimal | None = None
        self._day: date | None = None
        self._days: int | None = None

    def need(self, *names: str) -> None:
        """Ask for those of these inputs that were not given, and end the calculation if there are any."""
        absent = [name for name in names if getattr(self._given, name) is None]
        self.lacks(*absent)
        if absent:
            raise _Stop

    def take(self, value: T | None, name: str) -> T:
        """The input's value; asks for it and ends the calculation when it was not given."""
        if value is None:
            self.lacks(name)
            raise _Stop
        return value

    def lacks(self, *names: str) -> None:
        """Ask for these inputs, but go on."""
        for name in names:
            words = self._words.inputs[name]
            if all(known.name != name for known in self._missing):
                self._missing.append(Missing(name, words.label, words.question, words.hint, words.choices))

    def step(self, key: str, **values: object) -> None:
        """Write down a step: its sentence is ``steps.<key>`` of the calculator's words."""
        words = self._words.steps[key]
        self._steps.append(Step(fill(words.text, values), words.cites))
        self._sources.update(dict.fromkeys(words.cites))

    def assume(self, key: str, **values: object) -> None:
        """Say what is taken for granted."""
        self._assumptions.append(fill(self._words.assumptions[key], values))

    def warn(self, key: str, **values: object) -> None:
        """Say what the member must mind."""
        self._warnings.append(fill(self._words.warnings[key], values))

    def partial(self, key: str, **values: object) -> None:
        """Say why the result is only certain in part, and go on."""
        self._status = Status.PARTIAL
        self.warn(key, **values)

    def cannot(self, key: str, **values: object) -> NoReturn:
        """Say why this cannot be computed, and end the calculation; the steps so far remain."""
        self._status = Status.CANNOT
        self.warn(key, **values)
        raise _Stop

    def rate(self, table: str, on: date, **key: str) -> Row:
        """The row in force on a day, cited from now on; raises NoRate (never a neighbour's row)."""
        row = self.rates.find(table, on, **key)
        self._sources.setdefault(Citation(row.source, None, row.checked_on, row.mark))
        if row.review_by is not None and self.today > row.review_by:
            self.warn("rate_old", source=row.source, on=row.review_by)
        return row

    def rate_or_none(self, table: str, on: date, **key: str) -> Row | None:
        """As ``rate``, but None where no row is in force."""
        try:
            return self.rate(table, on, **key)
        except NoRate:
            return None

    def result(
        self,
        amount: Decimal | None = None,
        *,
        day: date | None = None,
        days: int | None = None,
        **figures: Decimal | int | str | date,
    ) -> None:
        """What came out: an amount in 元 (rounded here, once), or a day, or days; more by name."""
        self._amount = None if amount is None else cents(amount)
        self._day, self._days = day, days
        self._figures.update(figures)

    def figure(self, **figures: Decimal | int | str | date) -> None:
        """A figure on the way that others need, by name."""
        self._figures.update(figures)

    def close(self) -> Result:
        """The result of all this."""
        status = Status.INCOMPLETE if self._missing and self._status is Status.COMPUTED else self._status
        confirm = [cited.as_of.year for cited in self._sources if cited.mark is Mark.CONFIRM]
        return Result(
            name=self._words.name,
            label=self._words.label,
            status=status,
            amount=self._amount,
            day=self._day,
            days=self._days,
            figures=dict(self._figures),
            steps=tuple(self._steps),
            assumptions=tuple(dict.fromkeys(self._assumptions)),
            warnings=tuple(dict.fromkeys(self._warnings)),
            missing=tuple(self._missing),
            sources=tuple(self._sources),
            confirm_year=max(confirm, default=None),
        )


class Calculator(ABC, Generic[G]):
    """Calculator: the arithmetic of one right; knows no wording, no clock and no database."""

    name: ClassVar[str]
    """As in the API's address and the name of its words' file."""
    given: type[G]
    """What it takes; its JSON schema is the API's."""

    @abstractmethod
    def work(self, given: G, workings: Workings) -> None:
        """Do the sum, writing down each step; BadInput for inputs that contradict each other."""

    def calculate(self, given: G, words: CalculatorWords, rates: Rates, today: date) -> Result:
        """The result for checked inputs. ``today`` is the day in Shanghai."""
        workings = Workings(words, given, rates, today)
        with contextlib.suppress(_Stop):
            try:
                self.work(given, workings)
            except NoRate as unknown:
                workings.cannot("no_rate", on=unknown.on)
        return workings.close()


def _plain(value: Decimal | int | str | date) -> int | str:
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value
