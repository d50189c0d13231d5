"""Entitlements: every calculator by name, with its words and its rate tables."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import casework.entitlements as rooms
from casework.entitlements.base import Calculator, Result
from casework.entitlements.wording import CalculatorWords, load_words
from casework.errors import BadInput, KnowledgeError, NotFound
from casework.rates import Rates


class InputsRefused(BadInput):
    """Inputs that cannot be: ``problems`` says which field, by which rule, with which limits."""

    code = "calculator_inputs"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.rule}" for one in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """One input that cannot be: ``rule`` is a code (``calculator.problem.<rule>`` in the wording)."""

    field: str
    rule: str
    limits: Mapping[str, object]


class Entitlements:
    """Every calculator of the house."""

    def __init__(
        self,
        calculators: Mapping[str, Calculator[Any]],
        words: Mapping[str, CalculatorWords],
        rates: Rates,
    ) -> None:
        self.words = dict(words)
        """What each calculator says, by name, in the order they are listed."""
        self.rates = rates
        self._calculators = dict(calculators)

    @classmethod
    def load(cls, root: Path, rates: Rates, topics: frozenset[str] | None = None) -> Entitlements:
        """Find the calculators and read their words (``root`` is data/knowledge); raises KnowledgeError."""
        calculators = {calculator.name: calculator for calculator in _found()}
        words = load_words(root, topics)
        if calculators.keys() != words.keys():
            odd = ", ".join(sorted(calculators.keys() ^ words.keys()))
            raise KnowledgeError(f"entitlements: a calculator and its words come together: {odd}")
        for name, calculator in calculators.items():
            if odd_inputs := calculator.given.model_fields.keys() ^ words[name].inputs.keys():
                raise KnowledgeError(
                    f"entitlements/{name}.yml: inputs are not those of the calculator: {sorted(odd_inputs)}"
                )
        return cls(calculators, words, rates)

    @property
    def names(self) -> tuple[str, ...]:
        """Every calculator's name, in the order they are listed."""
        return tuple(self.words)

    def calculator(self, name: str) -> Calculator[Any]:
        """The calculator of a name; raises NotFound."""
        return self._known(name)[1]

    def schema(self, name: str) -> dict[str, Any]:
        """The JSON schema of a calculator's inputs, with what each is called; raises NotFound."""
        words, calculator = self._known(name)
        schema: dict[str, Any] = calculator.given.model_json_schema()
        schema["title"] = words.label
        schema["description"] = words.what
        for field, known in schema.get("properties", {}).items():
            said = words.inputs[field]
            known["title"] = said.label
            known["description"] = said.question if said.hint is None else f"{said.question}（{said.hint}）"
        return schema

    def calculate(self, name: str, inputs: Mapping[str, Any], today: date) -> Result:
        """The result for raw inputs (JSON); raises NotFound for no such calculator and InputsRefused.

        ``today`` is the day in Shanghai.
        """
        words, calculator = self._known(name)
        try:
            given = calculator.given.model_validate(inputs)
        except ValidationError as wrong:
            raise InputsRefused(tuple(_problem(error) for error in wrong.errors())) from None
        try:
            result: Result = calculator.calculate(given, words, self.rates, today)
        except BadInput as contradiction:
            values = {name: value for name, value in contradiction.values.items() if name != "field"}
            field = str(contradiction.values.get("field", ""))
            raise InputsRefused((Problem(field, str(contradiction), values),)) from None
        return result

    def _known(self, name: str) -> tuple[CalculatorWords, Calculator[Any]]:
        if name not in self.words:
            raise NotFound(f"no calculator {name}")
        return self.words[name], self._calculators[name]


def _found() -> list[Calculator[Any]]:
    """One of each calculator class in this package: a new one is a new file, and nothing else."""
    found = []
    for room in pkgutil.iter_modules(rooms.__path__):
        module = importlib.import_module(f"{rooms.__name__}.{room.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Calculator) and kind.__module__ == module.__name__ and hasattr(kind, "name"):
                found.append(kind())
    return found


def _problem(error: Any) -> Problem:
    limits = {key: value for key, value in (error.get("ctx") or {}).items() if key != "error"}
    return Problem(".".join(str(part) for part in error["loc"]), str(error["type"]), limits)
