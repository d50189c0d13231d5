"""Calculators as doors show them: what is said of inputs that cannot be, by the wording and the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bot.house import House
from casework.clock import shanghai_day
from casework.entitlements.base import Result
from casework.entitlements.examples import EXAMPLES
from casework.entitlements.registry import Problem
from casework.entitlements.wording import CalculatorWords
from casework.wording import Wording

MAX_FIELD = 80
NOT_AN_OBJECT = "not_an_object"
_NOT_LIMITS = frozenset({"field_type", "expected", "class_name", "class", "pattern"})
"""What pydantic says beside the limits, in its own words."""


@dataclass(frozen=True, slots=True)
class ProblemSaid:
    """What is wrong with one input, in words: ``field`` is its path (``amounts.0``), ``label`` its name."""

    field: str
    label: str
    text: str
    limits: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "field": self.field,
            "label": self.label,
            "problem": self.text,
            "limits": dict(self.limits),
        }


def calculate(house: House, name: str, inputs: Mapping[str, Any]) -> Result:
    """The result as of today in Shanghai; raises NotFound and InputsRefused."""
    return house.entitlements.calculate(name, inputs, shanghai_day(house.clock.now()))


def say_problem(wording: Wording, words: CalculatorWords, problem: Problem) -> ProblemSaid:
    """A problem in words; a rule nobody worded is said in general."""
    known = words.inputs.get(problem.field.partition(".")[0])
    limits: dict[str, Any] = {
        name: _plain(value)
        for name, value in problem.limits.items()
        if name not in _NOT_LIMITS and isinstance(value, (int, Decimal, str, date))
    }
    values: dict[str, Any] = dict(limits)
    if known is not None and known.choices:
        values["choices"] = "、".join(f"{label}（{value}）" for value, label in known.choices.items())
        limits["choices"] = list(known.choices)
    if problem.rule == NOT_AN_OBJECT:
        values["example"] = json.dumps(EXAMPLES.get(words.name, {}), ensure_ascii=False)
    key = f"calculator.problem.{problem.rule}"
    if not wording.has(key) or not wording.placeholders(key) <= values.keys():
        key = "calculator.problem.other"
    return ProblemSaid(
        field=problem.field.encode("utf-8", "replace").decode()[:MAX_FIELD],
        label="" if known is None else known.label,
        text=wording.say(key, **values),
        limits=limits,
    )


def _plain(value: int | Decimal | str | date) -> int | str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value
