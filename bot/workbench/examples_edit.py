"""Changing the training sentences: one by one, taking changes back, and whole files out and in."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import RowId, answered, problem
from bot.desk.sessions import Signed, wants_page
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from bot.workbench.examples import (
    HOME,
    IntentName,
    Teacher,
    data_nlu,
    labels,
    line_of,
    show_intent,
    trained,
)
from casework import desk_view, sample_import, samples
from casework.errors import BadInput, NotFound, Refusal
from casework.sample_files import Sentence, name_of, pieces
from casework.sample_rules import known_facts
from casework.tables import SampleChange

router = APIRouter(prefix=HOME, include_in_schema=False)

HISTORY = f"{HOME}/history"
HISTORY_PAGE = 50
SHOWN = 300
"""Lines of an import that are shown of each kind."""
SentenceName = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Text = Annotated[str, Form(max_length=2000)]
Note = Annotated[str, Form(max_length=samples.MOST_NOTE)]
Upload = Annotated[UploadFile, File()]


@router.get("/history")
@open_to(Role.STAFF)
async def history(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    intent: Annotated[str, Query(max_length=60)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Who changed what and when, the newest first."""
    return await _history(request, signed, house, intent=intent, before=before, done=done)


@router.post("/history/{change_id}/undo")
@open_to(Role.STAFF)
async def undo(request: Request, change_id: RowId, signed: Teacher, house: TheHouse) -> Response:
    """Take a change back."""
    return await _taken_back(request, signed, house, change_id, "undone")


@router.post("/history/{change_id}/redo")
@open_to(Role.STAFF)
async def redo(request: Request, change_id: RowId, signed: Teacher, house: TheHouse) -> Response:
    """Do a change again that was taken back."""
    return await _taken_back(request, signed, house, change_id, "redone")


@router.get("/export")
@open_to(Role.STAFF)
async def export(
    signed: Teacher, house: TheHouse, intent: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """All sentences, or one intent's, as one Rasa YAML file."""
    if intent:
        trained(house, intent)
    async with house.database.read() as session:
        training_set = await samples.current(session, data_nlu(house))
    name = quote(f"{intent or 'niangjia'}.yml")
    return Response(
        sample_import.exported(training_set, intent or None),
        media_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@router.get("/import")
@open_to(Role.STAFF)
async def import_form(request: Request, signed: Teacher, house: TheHouse) -> Response:
    """Where a file is chosen."""
    return await _import_page(request, signed, house)


@router.post("/import")
@open_to(Role.STAFF)
async def import_look(request: Request, signed: Teacher, house: TheHouse, file: Upload) -> Response:
    """What would become of every line of a file; nothing is taken in yet."""
    content = await file.read(sample_import.MOST_BYTES + 1)
    try:
        wanted = sample_import.read_upload(content)
        async with house.database.read() as session:
            training_set = await samples.current(session, data_nlu(house))
        found = sample_import.look(wanted, training_set, house.knowledge, known_facts(data_nlu(house)))
        sample_import.check_number(found)
    except BadInput as refusal:
        if not wants_page(request):
            raise
        return await _import_page(request, signed, house, error=problem(house, refusal), status=422)
    counts = sample_import.counted(found)
    groups = {
        fate.value: [
            {"looked": one, "line": line_of(one.wanted.text, one.wanted.intent), "why": _why(house, one)}
            for one in found
            if one.fate is fate
        ][:SHOWN]
        for fate in sample_import.Fate
        if fate is not sample_import.Fate.THERE
    }
    return await _import_page(
        request,
        signed,
        house,
        filename=file.filename or "",
        counts={fate.value: number for fate, number in counts.items()},
        groups=groups,
        content=sample_import.to_take(found),
    )


@router.post("/import/take")
@open_to(Role.STAFF)
async def import_take(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    content: Annotated[str, Form(max_length=sample_import.MOST_BYTES)],
    note: Note = "",
) -> Response:
    """Take in what was looked at, all in one go."""
    # Browsers send a form's line ends as \r\n.
    raw = content.replace("\r\n", "\n").encode()
    try:
        async with house.database.transaction() as session:
            await sample_import.take_in(
                session,
                signed.staff,
                raw,
                house.knowledge,
                data_nlu(house),
                house.clock.now(),
                note=note,
            )
    except BadInput as refusal:
        if not wants_page(request):
            raise
        return await _import_page(request, signed, house, error=problem(house, refusal), status=422)
    return answered(request, HISTORY, "imported")


@router.post("/{name}/add")
@open_to(Role.STAFF)
async def add(
    request: Request, name: IntentName, signed: Teacher, house: TheHouse, text: Text = "", note: Note = ""
) -> Response:
    """A new sentence at the end of an intent."""
    try:
        async with house.database.transaction() as session:
            change = await samples.add(
                session,
                signed.staff,
                text,
                name,
                house.knowledge,
                data_nlu(house),
                house.clock.now(),
                note=note,
            )
    except Refusal as refusal:
        if not wants_page(request) or name not in labels(house):
            raise
        error = problem(house, refusal)
        return await show_intent(request, signed, house, name, text=text, note=note, error=error, status=422)
    return _done(request, name, "added", change)


@router.get("/{name}/{sentence}")
@open_to(Role.STAFF)
async def example(
    request: Request, name: IntentName, sentence: SentenceName, signed: Teacher, house: TheHouse
) -> Response:
    """One sentence, to be changed, moved or taken out."""
    async with house.database.read() as session:
        found = await _named(session, house, name, sentence)
    return await _sentence_page(request, signed, house, found, found.text)


@router.post("/{name}/{sentence}/edit")
@open_to(Role.STAFF)
async def edit(
    request: Request,
    name: IntentName,
    sentence: SentenceName,
    signed: Teacher,
    house: TheHouse,
    text: Text = "",
    note: Note = "",
) -> Response:
    """Change a sentence's words or marks."""
    now = house.clock.now()
    async with house.database.read() as session:
        old = await _named(session, house, name, sentence)
    try:
        async with house.database.transaction() as session:
            change = await samples.edit(
                session, signed.staff, old.text, text, house.knowledge, data_nlu(house), now, note=note
            )
    except Refusal as refusal:
        if not wants_page(request):
            raise
        error = problem(house, refusal)
        return await _sentence_page(request, signed, house, old, text, error=error, status=422)
    return _done(request, name, "edited", change)


@router.post("/{name}/{sentence}/move")
@open_to(Role.STAFF)
async def move(
    request: Request,
    name: IntentName,
    sentence: SentenceName,
    signed: Teacher,
    house: TheHouse,
    to: Annotated[str, Form(max_length=60)] = "",
    note: Note = "",
) -> Response:
    """Put a sentence under another intent."""
    now = house.clock.now()
    async with house.database.read() as session:
        old = await _named(session, house, name, sentence)
    try:
        async with house.database.transaction() as session:
            change = await samples.move(
                session, signed.staff, old.text, to, house.knowledge, data_nlu(house), now, note=note
            )
    except Refusal as refusal:
        if not wants_page(request):
            raise
        error = problem(house, refusal)
        return await _sentence_page(request, signed, house, old, old.text, error=error, status=422)
    return _done(request, name, "moved", change)


@router.post("/{name}/{sentence}/remove")
@open_to(Role.STAFF)
async def remove(
    request: Request,
    name: IntentName,
    sentence: SentenceName,
    signed: Teacher,
    house: TheHouse,
    note: Note = "",
) -> Response:
    """Take a sentence out."""
    async with house.database.transaction() as session:
        old = await _named(session, house, name, sentence)
        change = await samples.remove(
            session, signed.staff, old.text, data_nlu(house), house.clock.now(), note=note
        )
    return _done(request, name, "removed", change)


def _done(request: Request, name: str, done: str, change: SampleChange) -> Response:
    return answered(request, f"{HOME}/{name}?change={change.id}", done)


async def _named(session: AsyncSession, house: House, intent: str, sentence: str) -> Sentence:
    training_set = await samples.current(session, data_nlu(house))
    texts = training_set.sentences.get(intent, [])
    text = next((one for one in texts if name_of(one) == sentence), None)
    if text is None:
        raise NotFound("no such sentence")
    return Sentence(text, intent)


async def _sentence_page(
    request: Request,
    signed: Signed,
    house: House,
    old: Sentence,
    text: str,
    *,
    status: int = 200,
    error: dict[str, Any] | None = None,
) -> Response:
    return await page(
        request,
        "workbench/example.html",
        signed=signed,
        status=status,
        line=line_of(old.text, old.intent),
        text=text,
        error=error,
        labels=labels(house),
    )


async def _taken_back(request: Request, signed: Signed, house: House, change_id: int, done: str) -> Response:
    deed = samples.undo if done == "undone" else samples.redo
    try:
        async with house.database.transaction() as session:
            await deed(session, signed.staff, change_id, data_nlu(house), house.clock.now())
    except BadInput as refusal:
        if not wants_page(request):
            raise
        return await _history(request, signed, house, error=problem(house, refusal), status=409)
    return answered(request, HISTORY, done)


async def _history(
    request: Request,
    signed: Signed,
    house: House,
    *,
    intent: str = "",
    before: int | None = None,
    done: str = "",
    error: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    async with house.database.read() as session:
        found = await samples.history(session, intent or None, before, HISTORY_PAGE + 1)
        people = await desk_view.staff_named(
            session, {who for one in found for who in (one.staff_id, one.undone_by_id) if who}
        )
    return await page(
        request,
        "workbench/example_history.html",
        signed=signed,
        status=status,
        found=[
            (one, pieces(one.before_text or ""), pieces(one.after_text or "")) for one in found[:HISTORY_PAGE]
        ],
        older=found[HISTORY_PAGE - 1].id if len(found) > HISTORY_PAGE else None,
        intent=intent,
        people=people,
        labels=labels(house),
        done=done,
        error=error,
    )


async def _import_page(
    request: Request, signed: Signed, house: House, *, status: int = 200, **context: Any
) -> Response:
    empty: dict[str, Any] = {"error": None, "filename": "", "counts": None, "groups": {}, "content": ""}
    return await page(
        request,
        "workbench/example_import.html",
        signed=signed,
        status=status,
        labels=labels(house),
        shown=SHOWN,
        **{**empty, **context},
    )


def _why(house: House, one: sample_import.Looked) -> str:
    return "" if one.refusal is None else str(problem(house, one.refusal)["message"])
