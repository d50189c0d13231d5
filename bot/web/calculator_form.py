"""Calculator form: a calculator's inputs as fields of a plain HTML form, and what was posted as inputs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casework.entitlements.wording import InputWords
from casework.wording import Wording

MANY_ROWS = 12
FEW_ROWS = 4
"""Rows of a list that stand open (and all there are where each has several cells)."""
FEW_CHOICES = 5
"""As many stand open as radio buttons; more are a list to choose from."""
_FLAGS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to fill in: ``kind`` is day, number, whole, choice, flag or text."""

    name: str
    """As it is posted: ``average_wage``, ``amounts.0``, ``attendance.0.month``."""
    label: str
    kind: str
    choices: Sequence[tuple[str, str]] = ()
    value: str = ""
    problem: str | None = None

    @property
    def id(self) -> str:
        """The id of its element."""
        return "f-" + self.name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of a calculator: a single cell, or rows of them."""

    name: str
    label: str
    question: str
    hint: str | None
    unit: str | None
    cell: Cell | None
    rows: Sequence[Sequence[Cell]] = ()
    problem: str | None = None
    wanted: bool = False
    """It is what the calculation still needs."""

    @property
    def id(self) -> str:
        """The id of its element."""
        return "f-" + self.name


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted: the calculator's inputs, and under which cell each path of them was filled in."""

    inputs: Mapping[str, Any]
    values: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)


def form_of(
    schema: Mapping[str, Any], words: Mapping[str, InputWords], districts: Sequence[str], wording: Wording
) -> list[FormField]:
    """The empty form of a calculator, in the order of its inputs."""
    return [
        _field(name, kind, schema, words[name], districts, wording)
        for name, kind in schema["properties"].items()
    ]


def read_posted(form: Sequence[FormField], posted: Mapping[str, str]) -> Posted:
    """The inputs in what was posted; what is empty was not given. Full-width digits count as plain ones."""
    values = {
        cell.name: unicodedata.normalize("NFKC", posted.get(cell.name, "")).strip()
        for one in form
        for cell in _cells(one)
    }
    inputs: dict[str, Any] = {}
    cells: dict[str, str] = {}
    for one in form:
        if one.cell is not None:
            if values[one.cell.name]:
                inputs[one.name] = _given(one.cell, values)
            continue
        rows = [row for row in one.rows if any(values[cell.name] for cell in row)]
        if not rows:
            continue
        inputs[one.name] = [_row(row, values) for row in rows]
        for number, row in enumerate(rows):
            for cell in row:
                cells[".".join([one.name, str(number), *cell.name.split(".")[2:]])] = cell.name
    return Posted(inputs, values, cells)


def filled(
    form: Sequence[FormField], posted: Posted, problems: Mapping[str, str], wanted: Sequence[str] = ()
) -> list[FormField]:
    """The form with what was posted, each problem (by its path) at its cell, and what is wanted marked."""
    at = {posted.cells.get(path, path): text for path, text in problems.items()}

    def fill(cell: Cell) -> Cell:
        return replace(cell, value=posted.values.get(cell.name, ""), problem=at.get(cell.name))

    return [
        replace(
            one,
            cell=None if one.cell is None else fill(one.cell),
            rows=[[fill(cell) for cell in row] for row in one.rows],
            problem=at.get(one.name) if one.cell is None else None,
            wanted=one.name in wanted,
        )
        for one in form
    ]


def _field(
    name: str,
    kind: Mapping[str, Any],
    schema: Mapping[str, Any],
    words: InputWords,
    districts: Sequence[str],
    wording: Wording,
) -> FormField:
    made = FormField(name, words.label, words.question, words.hint, words.unit, None)
    type_ = _resolved(kind, schema)
    if type_.get("type") != "array":
        return replace(made, cell=_cell(name, words.label, type_, words.choices, districts))
    item = _resolved(type_["items"], schema)
    most = int(type_.get("maxItems", MANY_ROWS))
    if item.get("type") != "object":
        rows = [
            [_cell(f"{name}.{number}", wording.say("calculator.row", number=number + 1), item, words.choices)]
            for number in range(min(most, MANY_ROWS))
        ]
        return replace(made, rows=rows)
    parts = {part: _resolved(inner, schema) for part, inner in item["properties"].items()}
    labels = {part: wording.say(f"calculator.part.{name}.{part}") for part in parts}
    rows = [
        [_cell(f"{name}.{number}.{part}", labels[part], inner, {}) for part, inner in parts.items()]
        for number in range(min(most, FEW_ROWS))
    ]
    return replace(made, rows=rows)


def _cell(
    name: str,
    label: str,
    type_: Mapping[str, Any],
    choices: Mapping[str, str],
    districts: Sequence[str] = (),
) -> Cell:
    if "enum" in type_:
        return Cell(
            name, label, "choice", [(str(one), choices.get(str(one), str(one))) for one in type_["enum"]]
        )
    if name == "district":
        return Cell(name, label, "choice", [(one, one) for one in districts])
    kinds = {"boolean": "flag", "integer": "whole", "number": "number"}
    if type_.get("format") == "date":
        return Cell(name, label, "day")
    return Cell(name, label, kinds.get(str(type_.get("type")), "text"))


def _resolved(kind: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an input is when it is given: without null, and a number rather than its text."""
    if "$ref" in kind:
        return _resolved(schema["$defs"][str(kind["$ref"]).rpartition("/")[2]], schema)
    options = [one for one in kind.get("anyOf", ()) if one.get("type") != "null"]
    return _resolved(options[0], schema) if options else kind


def _cells(one: FormField) -> Iterator[Cell]:
    if one.cell is not None:
        yield one.cell
    for row in one.rows:
        yield from row


def _given(cell: Cell, values: Mapping[str, str]) -> Any:
    value = values[cell.name]
    return _FLAGS.get(value, value) if cell.kind == "flag" else value


def _row(row: Sequence[Cell], values: Mapping[str, str]) -> Any:
    if row[0].name.count(".") == 1:
        return _given(row[0], values)
    return {cell.name.rpartition(".")[2]: _given(cell, values) for cell in row if values[cell.name]}
