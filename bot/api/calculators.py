"""Routes: the calculators, for anyone; nothing of what is sent is kept or logged."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from bot import calculators
from bot.api.doorkeeper import TheHouse, calculation_allowance
from bot.api.errors import ApiError, BadInputs
from bot.api.routes import errors
from bot.house import House
from bot.roles import Role, open_to
from casework.entitlements.examples import EXAMPLES
from casework.entitlements.registry import InputsRefused, Problem

router = APIRouter(prefix="/api/v1", tags=["calculators"])

MAX_NAME = 60


class CalculatorOut(BaseModel):
    """A calculator: what it reckons, by which formula, and what it leaves to people."""

    model_config = ConfigDict(title="Calculator", populate_by_name=True)
    name: str
    label: str
    topic: str
    what: str
    formula: list[str]
    refuses: list[str]
    inputs: Annotated[
        dict[str, Any],
        Field(alias="schema", description="The JSON schema of its inputs; each may be left out."),
    ]


class CalculatorsOut(BaseModel):
    """Every calculator."""

    model_config = ConfigDict(title="Calculators")
    calculators: list[CalculatorOut]


class ArticleOut(BaseModel):
    """The article behind a step, and the day its text was checked."""

    model_config = ConfigDict(title="Article")
    title: str
    article: str | None
    as_of: date


class StepOut(BaseModel):
    """One step of a calculation."""

    model_config = ConfigDict(title="Calculation step")
    text: str
    articles: list[ArticleOut]


class MissingOut(BaseModel):
    """An input that is still needed, and how to ask for it."""

    model_config = ConfigDict(title="Missing input")
    name: str
    label: str
    question: str
    hint: str | None
    choices: Annotated[dict[str, str], Field(description="What each value is called; empty: anything.")]


class ResultOut(BaseModel):
    """What came out: an amount (元, a decimal string) or a day, with every step and its article."""

    model_config = ConfigDict(title="Result")
    name: str
    label: str
    status: Annotated[
        Literal["computed", "partial", "incomplete", "cannot"],
        Field(description="`incomplete`: ask what is in `missing`; `cannot`: `warnings` say why."),
    ]
    amount: str | None
    day: date | None
    days: int | None
    figures: dict[str, int | str]
    steps: list[StepOut]
    assumptions: list[str]
    warnings: list[str]
    missing: list[MissingOut]
    sources: list[ArticleOut]
    confirm_year: Annotated[
        int | None, Field(description="Not null: say 以当年官方公布为准 with this year beside the amount.")
    ]


Name = Annotated[
    str,
    Path(
        max_length=MAX_NAME,
        description="As the list of calculators names it.",
        json_schema_extra={"enum": list(EXAMPLES)},
    ),
]
BODY = {
    "required": True,
    "description": "The calculator's inputs, as its schema says; each may be left out and is then asked for.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "title": "Inputs", "additionalProperties": True},
            "examples": {
                name: {"summary": name, "value": dict(example)} for name, example in EXAMPLES.items()
            },
        }
    },
}


@router.get("/calculators", summary="List the calculators", responses=errors())
@open_to(Role.PUBLIC)
async def list_calculators(house: TheHouse) -> CalculatorsOut:
    """Every calculator with its formula, what it refuses, and the JSON schema of its inputs."""
    return CalculatorsOut(calculators=[_shown(house, name) for name in house.entitlements.names])


@router.get("/calculators/{name}", summary="Read about a calculator", responses=errors(404, 422))
@open_to(Role.PUBLIC)
async def read_calculator(name: Name, house: TheHouse) -> CalculatorOut:
    """One calculator: its formula, what it refuses, and the JSON schema of its inputs."""
    house.entitlements.calculator(name)
    return _shown(house, name)


@router.post(
    "/calculators/{name}",
    summary="Calculate",
    responses=errors(400, 404, 413, 422, 429),
    dependencies=[Depends(calculation_allowance)],
    openapi_extra={"requestBody": BODY},
)
@open_to(Role.PUBLIC)
async def calculate(name: Name, request: Request, house: TheHouse) -> ResultOut:
    """Reckon with these inputs, as of today in Jinan.

    What is missing is no error: the answer says what to ask next. What cannot be is a 422 whose `details`
    hold, for each field, its Chinese name, a sentence that says what to do, and the limits.
    """
    words = house.entitlements.words.get(name)
    house.entitlements.calculator(name)
    assert words is not None  # noqa: S101  # a calculator and its words come together
    inputs = await _json(request)
    try:
        if not isinstance(inputs, dict):
            raise InputsRefused((Problem("", calculators.NOT_AN_OBJECT, {}),))
        result = calculators.calculate(house, name, inputs)
    except InputsRefused as refused:
        problems = [calculators.say_problem(house.wording, words, one) for one in refused.problems[:20]]
        raise BadInputs([one.to_json() for one in problems]) from None
    return ResultOut.model_validate(result.to_json())


async def _json(request: Request) -> Any:
    """The body as JSON in UTF-8; raises ApiError (400) for anything else."""
    try:
        return json.loads((await request.body()).decode("utf-8"))
    except (ValueError, RecursionError):
        raise ApiError() from None


def _shown(house: House, name: str) -> CalculatorOut:
    words = house.entitlements.words[name]
    return CalculatorOut(
        name=name,
        label=words.label,
        topic=words.topic,
        what=words.what,
        formula=list(words.formula),
        refuses=list(words.refuses),
        inputs=house.entitlements.schema(name),
    )
