"""Writing an article at the desk: a form with a preview, a draft of one's own, and a second person."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import answered, problem
from bot.desk.knowledge import HOME, Done, Editor, Topic, article_of, said
from bot.desk.knowledge_form import NOTE, do_row_deed, is_row_deed, typed_article
from bot.desk.sessions import Signed
from bot.desk.shell import page, topic_labels
from bot.house import House
from bot.roles import Role, open_to
from casework import article_rules as rules
from casework import article_versions as versions
from casework.article_data import as_data
from casework.articles import ASPECTS
from casework.clock import shanghai_day
from casework.errors import BadInput, TransitionRefused
from casework.knowledge import Knowledge
from casework.published import current_knowledge

router = APIRouter(prefix="/desk/knowledge", include_in_schema=False)

LIMITS = {
    "title": rules.MAX_TITLE,
    "label": rules.MAX_LABEL,
    "short": rules.MAX_SHORT,
    "section": rules.MAX_SECTION,
    "question": rules.MAX_QUESTION,
    "questions": rules.QUESTIONS,
    "note": versions.MAX_NOTE,
}


@router.get("/{topic}/edit")
@open_to(Role.STAFF)
async def edit(request: Request, topic: Topic, signed: Editor, house: TheHouse, done: Done = "") -> Response:
    """The form: one's own draft where there is one, else what is served now."""
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
        article = article_of(knowledge, topic)
        draft = await versions.own_draft(session, signed.staff, topic)
        current = await versions.published(session, topic)
    if draft is None:
        return await _form(request, signed, house, knowledge, as_data(article), "", drafted=False, done=done)
    moved = draft.based_on_id != (None if current is None else current.id)
    return await _form(
        request,
        signed,
        house,
        knowledge,
        dict(draft.content),
        draft.note or "",
        drafted=True,
        moved=moved,
        done=done,
    )


@router.post("/{topic}/edit")
@open_to(Role.STAFF)
async def change(request: Request, topic: Topic, signed: Editor, house: TheHouse) -> Response:
    """Keep what was typed as a draft, propose it, show its preview, or add, move and take away a row."""
    form = await request.form()
    note, deed = str(form.get(NOTE) or "").strip(), str(form.get("deed") or "save")
    data = typed_article(form, topic, keep_empty=is_row_deed(deed))
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
        article_of(knowledge, topic)
        drafted = await versions.own_draft(session, signed.staff, topic) is not None
    if deed == "look" or is_row_deed(deed):
        at = do_row_deed(data, deed)
        return await _form(
            request, signed, house, knowledge, data, note, drafted=drafted, at=at, look=deed == "look"
        )
    now = house.clock.now()
    try:
        async with house.database.transaction() as session:
            if deed == "propose":
                one = await versions.propose(session, signed.staff, topic, data, knowledge, now, note=note)
                return answered(request, f"{HOME}/versions/{one.id}", "proposed")
            await versions.save_draft(session, signed.staff, topic, data, knowledge, now, note=note)
    except (BadInput, TransitionRefused) as refusal:
        error = problem(house, refusal)
        return await _form(
            request, signed, house, knowledge, data, note, drafted=drafted, error=error, look=True
        )
    return answered(request, f"{HOME}/{topic}/edit", "saved")


@router.post("/{topic}/discard")
@open_to(Role.STAFF)
async def discard(request: Request, topic: Topic, signed: Editor, house: TheHouse) -> Response:
    """Throw one's own draft away."""
    async with house.database.transaction() as session:
        await versions.discard(session, signed.staff, topic, house.clock.now())
    return answered(request, f"{HOME}/{topic}", "discarded")


async def _form(
    request: Request,
    signed: Signed,
    house: House,
    knowledge: Knowledge,
    data: dict[str, Any],
    note: str,
    *,
    drafted: bool,
    moved: bool = False,
    done: str = "",
    at: str | None = None,
    look: bool = False,
    error: dict[str, Any] | None = None,
) -> Response:
    examined = versions.examine_for(knowledge, data)
    today = shanghai_day(house.clock.now())
    article = examined.article
    # Faults are told once somebody asked: an unfinished draft is no mistake.
    told = examined.faults if look or error else ()
    types = [(one.name, one.label) for one in house.knowledge.case_types]
    return await page(
        request,
        "knowledge/edit.html",
        signed=signed,
        status=422 if error else 200,
        data=data,
        topic=data["topic"],
        note=note,
        drafted=drafted,
        moved=moved,
        done=done,
        at=at,
        look=look,
        error=error,
        faults=told,
        problems={one.field: one for one in reversed(told)},
        said=[] if article is None else said(knowledge, article, today),
        aspects=ASPECTS,
        limits=LIMITS,
        case_types=types,
        topics=sorted(topic_labels(house).items()),
        articles=knowledge.articles,
        today=today,
    )
