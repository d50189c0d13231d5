"""The training sentences: every intent with its figures, its sentences, and what members are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_view, model_registry, samples
from casework.answers import compose_answer
from casework.clock import shanghai_day
from casework.errors import NotFound
from casework.knowledge import Intent, IntentKind
from casework.permissions import Right
from casework.published import current_knowledge
from casework.sample_answers import Told, told_of
from casework.sample_files import name_of, pieces, plain
from casework.samples import TrainingSet
from casework.tables import ModelVersion, SampleChange

router = APIRouter(prefix="/workbench/examples", include_in_schema=False)

HOME = "/workbench/examples"
PAGE_SIZE = 100
MOST_FOUND = 200
Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]
IntentName = Annotated[str, Path(pattern=r"^[a-z][a-z_]{0,59}$")]
Done = Annotated[str, Query(max_length=20)]
ChangeId = Annotated[int | None, Query(ge=1, le=2**53)]


@dataclass(frozen=True, slots=True)
class Row:
    """One intent on the list."""

    intent: Intent
    count: int
    changed: int
    """Changes the live model has not learnt from."""
    figures: Mapping[str, Any] | None
    """Recall and precision of its topic on the gold set, as the live model has them."""
    neighbours: tuple[str, ...]
    """Topics that are taken for one another, the commonest first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence on a page, and the last change of it, if there was any."""

    text: str
    name: str
    pieces: list[tuple[str, str | None]]
    intent: str
    change: SampleChange | None = None


@router.get("")
@open_to(Role.STAFF)
async def examples(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Every intent with its counts and figures; with ``q`` the sentences that hold these words."""
    async with house.database.read() as session:
        training_set = await samples.current(session, data_nlu(house))
        live = await model_registry.live(session)
        changed = await samples.changed_since(session, live)
    found, more = _found(training_set, q)
    return await page(
        request,
        "workbench/examples.html",
        signed=signed,
        rows=[
            _row(intent, training_set, live, changed)
            for intent in house.knowledge.intents.values()
            if intent.trained
        ],
        live=live,
        total=len(training_set),
        changed=sum(changed.values()),
        q=q,
        found=found,
        more=more,
        labels=labels(house),
    )


@router.get("/{name}")
@open_to(Role.STAFF)
async def example_intent(
    request: Request,
    name: IntentName,
    signed: Teacher,
    house: TheHouse,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
    order: Annotated[str, Query(max_length=10)] = "",
    done: Done = "",
    change: ChangeId = None,
) -> Response:
    """One intent's sentences, a hundred at a time, with a box for a new one."""
    return await show_intent(
        request, signed, house, name, number=number, order=order, done=done, change=change
    )


async def show_intent(
    request: Request,
    signed: Signed,
    house: House,
    name: str,
    *,
    number: int = 1,
    order: str = "",
    status: int = 200,
    **context: Any,
) -> Response:
    """The page of one intent; ``context`` may hold done, change, error and the text that was refused."""
    intent = trained(house, name)
    now = house.clock.now()
    async with house.database.read() as session:
        made = await samples.changes(session)
        training_set = samples.folded(samples.read_files(data_nlu(house)), made)
        knowledge = await current_knowledge(session, house.knowledge)
        live = await model_registry.live(session)
        changed = await samples.changed_since(session, live)
        people = await desk_view.staff_named(session, {one.staff_id for one in made if one.staff_id})
    lines = _lines(name, training_set, made)
    if order == "new":
        lines.sort(key=lambda line: -(line.change.id if line.change else 0))
    pages = max(1, -(-len(lines) // PAGE_SIZE))
    number = min(number, pages)
    article = knowledge.article(intent.topic) if intent.kind is IntentKind.ASK else None
    kind = intent.topic.partition(".")[2]
    crisis = intent.kind is IntentKind.CRISIS and kind in house.crisis.kinds
    told = told_of(house.settings.home).get(name, ())
    if article is not None:
        told = (Told(compose_answer(knowledge, article, None, shanghai_day(now)).text, ()),)
    elif crisis:
        told = (Told(house.crisis.advice(kind, last_kind=None, last_at=None, now=now), ()),)
    return await page(
        request,
        "workbench/example_intent.html",
        signed=signed,
        status=status,
        row=_row(intent, training_set, live, changed),
        intent=intent,
        lines=lines[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        number=number,
        pages=pages,
        order="new" if order == "new" else "",
        people=people,
        told=told,
        article=article,
        labels=labels(house),
        **{"done": "", "change": None, "error": None, "text": "", "note": "", **context},
    )


def data_nlu(house: House) -> Any:
    """Where the files of the training sentences are."""
    return house.settings.home / "data" / "nlu"


def labels(house: House) -> dict[str, str]:
    """What every intent that has sentences is called."""
    return {name: one.label for name, one in house.knowledge.intents.items() if one.trained}


def trained(house: House, name: str) -> Intent:
    """An intent that has sentences; raises NotFound for any other."""
    intent = house.knowledge.intents.get(name)
    if intent is None or not intent.trained:
        raise NotFound("no such intent")
    return intent


def line_of(text: str, intent: str, change: SampleChange | None = None) -> Line:
    """A sentence as a page shows it."""
    return Line(text, name_of(text), pieces(text), intent, change)


def _lines(name: str, training_set: TrainingSet, made: Any) -> list[Line]:
    last = {plain(one.after_text): one for one in made if one.after_text is not None}
    block = training_set.blocks.get(name, {})
    return [line_of(text, name, last.get(key)) for key, text in block.items()]


def _found(training_set: TrainingSet, typed: str) -> tuple[list[Line], int]:
    """The sentences with these words, at most two hundred, and how many more there are."""
    words = plain(typed).lower()
    if not words:
        return [], 0
    found = [
        line_of(text, intent)
        for intent, texts in training_set.blocks.items()
        for key, text in texts.items()
        if words in key.lower()
    ]
    return found[:MOST_FOUND], max(0, len(found) - MOST_FOUND)


def _row(
    intent: Intent, training_set: TrainingSet, live: ModelVersion | None, changed: Mapping[str, int]
) -> Row:
    scores: Mapping[str, Any] = {} if live is None else live.scores
    figures = (scores.get("per_topic") or {}).get(intent.topic)
    neighbours = [
        other
        for pair in scores.get("confusions") or []
        for own, other in (
            (pair["topic"], pair["taken_for"]),
            (pair["taken_for"], pair["topic"]),
        )
        if own == intent.topic and "." in str(other)
    ]
    return Row(
        intent,
        len(training_set.sentences.get(intent.name, [])),
        changed.get(intent.name, 0),
        figures if figures and figures.get("support") else None,
        tuple(dict.fromkeys(neighbours)),
    )
