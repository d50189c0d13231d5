"""The calculators' pages: a list, and for each a form that works without script; nothing entered is kept.

What is entered is posted, so that it stands in no address and no log of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from bot import calculators
from bot.api.doorkeeper import TheHouse, TheLimits
from bot.api.limits import address_of
from bot.house import House
from bot.roles import Role, open_to
from bot.web.calculator_form import FEW_CHOICES, FEW_ROWS, FormField, Posted, filled, form_of, read_posted
from bot.web.pages import HEADERS, page
from casework.entitlements.base import Result
from casework.entitlements.registry import InputsRefused
from casework.entitlements.wording import CalculatorWords

router = APIRouter(prefix="/calculators", include_in_schema=False)

OPEN_HEADERS = {"Cache-Control": "no-cache"}
"""For what is the same for everybody."""
MAX_FIELDS = 400

Name = Annotated[str, Path(max_length=60)]


@router.get("")
@open_to(Role.PUBLIC)
async def list_page(house: TheHouse) -> HTMLResponse:
    """Every calculator, by topic."""
    labels = {intent.topic: intent.label for intent in reversed(house.knowledge.intents.values())}
    labels |= {topic: article.label for topic, article in house.knowledge.articles.items()}
    groups: dict[str, list[CalculatorWords]] = {}
    for words in house.entitlements.words.values():
        groups.setdefault(words.topic, []).append(words)
    return page(
        house,
        "calculators.html",
        headers=OPEN_HEADERS,
        groups=[(labels.get(topic, topic), found) for topic, found in groups.items()],
    )


@router.get("/{name}")
@open_to(Role.PUBLIC)
async def form_page(name: Name, house: TheHouse) -> HTMLResponse:
    """One calculator with its empty form; 404 for a name that is none."""
    if name not in house.entitlements.words:
        return _gone(house)
    return _page(house, name, _form(house, name), headers=OPEN_HEADERS)


@router.post("/{name}")
@open_to(Role.PUBLIC)
async def result_page(name: Name, request: Request, house: TheHouse, limits: TheLimits) -> HTMLResponse:
    """The result of what was filled in, below the form that keeps it."""
    if name not in house.entitlements.words:
        return _gone(house)
    form = _form(house, name)
    async with request.form(max_fields=MAX_FIELDS, max_files=0) as sent:
        posted = read_posted(form, {key: value for key, value in sent.items() if isinstance(value, str)})
    if seconds := limits.calculations.spend(address_of(request)):
        said = house.wording.say("calculator.too_often", seconds=seconds)
        return _page(house, name, filled(form, posted, {}), trouble=said, status=429)
    try:
        result = calculators.calculate(house, name, posted.inputs)
    except InputsRefused as refused:
        return _refused(house, name, form, posted, refused)
    wanted = [one.name for one in result.missing]
    return _page(house, name, filled(form, posted, {}, wanted), result=result)


def _refused(
    house: House, name: str, form: Sequence[FormField], posted: Posted, refused: InputsRefused
) -> HTMLResponse:
    words = house.entitlements.words[name]
    problems: dict[str, str] = {}
    for one in refused.problems:
        problems.setdefault(one.field, calculators.say_problem(house.wording, words, one).text)
    said = house.wording.say("calculator.wrong", count=len(problems))
    return _page(house, name, filled(form, posted, problems), trouble=said, status=422)


def _form(house: House, name: str) -> list[FormField]:
    words = house.entitlements.words[name]
    return form_of(
        house.entitlements.schema(name), words.inputs, house.knowledge.districts.names, house.wording
    )


def _page(
    house: House,
    name: str,
    form: Sequence[FormField],
    *,
    result: Result | None = None,
    trouble: str | None = None,
    status: int = 200,
    headers: dict[str, str] = HEADERS,
) -> HTMLResponse:
    return page(
        house,
        "calculator.html",
        status=status,
        headers=headers,
        words=house.entitlements.words[name],
        form=form,
        result=result,
        trouble=trouble,
        few_rows=FEW_ROWS,
        few_choices=FEW_CHOICES,
    )


def _gone(house: House) -> HTMLResponse:
    return page(house, "calculator_gone.html", status=404)
