"""Canned replies: what staff say often, written and looked after by who may edit it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import HOME, RowId, answered, problem
from bot.desk.sessions import Signed, needs
from bot.desk.shell import fragment, page, topic_labels
from bot.house import House
from bot.roles import Role, open_to
from casework import canned, desk_view
from casework.canned import Draft
from casework.clock import shanghai_day
from casework.errors import Refusal
from casework.permissions import Right
from casework.tables import CannedReply

router = APIRouter(prefix="/desk/admin/canned", include_in_schema=False)

CANNED = f"{HOME}/canned"
Editor = Annotated[Signed, Depends(needs(Right.EDIT_CANNED))]
Text = Annotated[str, Form(max_length=4000)]
Short = Annotated[str, Form(max_length=200)]


@router.get("")
@open_to(Role.STAFF)
async def list_replies(
    request: Request,
    signed: Editor,
    house: TheHouse,
    q: Annotated[str, Query(max_length=60)] = "",
    removed: Annotated[str, Query(max_length=5)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The canned replies, or those that hold what was typed."""
    async with house.database.read() as session:
        listed = await canned.list_canned(session, removed=bool(removed))
        known = {one.id for one in await canned.pick(session, q, limit=10_000)} if q.strip() else set()
        editors = await desk_view.staff_named(session, {one.updated_by_id for one in listed})
    typed = q.strip().lower()
    found = [
        one
        for one in listed
        if not typed or one.id in known or (not one.active and typed in f"{one.keyword}{one.title}{one.text}")
    ]
    return await page(
        request,
        "admin/canned.html",
        signed=signed,
        found=found,
        total=len(listed),
        editors=editors,
        q=q,
        removed=bool(removed),
        done=done,
    )


@router.get("/new")
@open_to(Role.STAFF)
async def write(request: Request, signed: Editor, house: TheHouse) -> Response:
    """The form for a new one."""
    return await _form(request, signed, house, None, Draft("", "", ""))


@router.post("/preview")
@open_to(Role.STAFF)
async def preview(request: Request, signed: Editor, house: TheHouse, text: Text = "") -> Response:
    """How a text reads with sample values in its variables, for a script to show while it is written."""
    return await fragment(
        request, "admin/canned_preview.html", signed=signed, filled=_filled(house, signed, text)
    )


@router.post("")
@open_to(Role.STAFF)
async def add(
    request: Request,
    signed: Editor,
    house: TheHouse,
    keyword: Short = "",
    title: Short = "",
    text: Text = "",
    topic: Short = "",
    look: Short = "",
) -> Response:
    """A new canned reply; with ``look`` only its preview."""
    return await _save(request, signed, house, None, Draft(keyword, title, text, topic or None), bool(look))


@router.get("/{canned_id}")
@open_to(Role.STAFF)
async def edit(request: Request, canned_id: RowId, signed: Editor, house: TheHouse) -> Response:
    """One of them, to be changed."""
    async with house.database.read() as session:
        one = await canned.get(session, canned_id)
    draft = Draft(one.keyword, one.title, one.text, one.topic, one.active)
    return await _form(request, signed, house, one, draft)


@router.post("/{canned_id}")
@open_to(Role.STAFF)
async def change(
    request: Request,
    canned_id: RowId,
    signed: Editor,
    house: TheHouse,
    keyword: Short = "",
    title: Short = "",
    text: Text = "",
    topic: Short = "",
    look: Short = "",
) -> Response:
    """Write over one; a removed one is in use again. With ``look`` only its preview."""
    draft = Draft(keyword, title, text, topic or None)
    return await _save(request, signed, house, canned_id, draft, bool(look))


@router.post("/{canned_id}/remove")
@open_to(Role.STAFF)
async def remove(request: Request, canned_id: RowId, signed: Editor, house: TheHouse) -> Response:
    """Take one out of use."""
    async with house.database.transaction() as session:
        await canned.remove(session, signed.staff, canned_id, house.clock.now())
    return answered(request, CANNED, "removed")


async def _save(
    request: Request, signed: Signed, house: House, canned_id: int | None, draft: Draft, look: bool
) -> Response:
    one: CannedReply | None = None
    if canned_id is not None:
        async with house.database.read() as session:
            one = await canned.get(session, canned_id)
    if look:
        return await _form(request, signed, house, one, draft)
    try:
        async with house.database.transaction() as session:
            await canned.save_canned(
                session, signed.staff, draft, house.knowledge, house.clock.now(), canned_id=canned_id
            )
    except Refusal as refusal:
        return await _form(request, signed, house, one, draft, problem(house, refusal))
    return answered(request, CANNED, "saved")


async def _form(
    request: Request,
    signed: Signed,
    house: House,
    one: CannedReply | None,
    draft: Draft,
    error: dict[str, Any] | None = None,
) -> Response:
    return await page(
        request,
        "admin/canned_form.html",
        signed=signed,
        status=422 if error else 200,
        one=one,
        draft=draft,
        variables=canned.VARIABLES,
        limits={"title": canned.MAX_TITLE, "text": canned.MAX_TEXT},
        topics=sorted(topic_labels(house).items()),
        filled=_filled(house, signed, draft.text),
        error=error,
    )


def _filled(house: House, signed: Signed, text: str) -> canned.Filled:
    """A text with sample values, the writer's own name and badge, and today."""
    today = shanghai_day(house.clock.now())
    say = house.wording.say
    values = {
        "称呼": say("desk.sample_name"),
        "坐席": signed.staff.display_name,
        "工号": signed.staff.badge,
        "工单号": say("desk.sample_case"),
        "区县": say("desk.sample_district"),
        "今天": say("desk.sample_day", month=today.month, day=today.day),
    }
    return canned.fill(text, values)
