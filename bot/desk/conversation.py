"""The conversation page: transcript, brief, composer and what stands beside them; reading only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.conversation_page import (
    NEWS,
    PAGE,
    ConversationId,
    Talk,
    others_watching,
    read_beside,
    read_passing,
    read_talk,
    read_turns,
)
from bot.desk.sessions import Signed, needs
from bot.desk.shell import fragment, page, render
from bot.house import House
from bot.roles import Role, open_to
from casework import audit, desk_view, staff_talk
from casework.desk_rules import read_desk_rules
from casework.permissions import Right
from casework.visibility import MASKED

router = APIRouter(prefix="/desk/c/{id}", include_in_schema=False)

Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Exporter = Annotated[Signed, Depends(needs(Right.EXPORT))]
MAX_STATES = 100
EXPORT_LINES = 2000


@router.get("")
@open_to(Role.STAFF)
async def conversation_page(
    conversation_id: ConversationId, request: Request, signed: Looker, house: TheHouse
) -> HTMLResponse:
    """The page itself."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        turns, more = await read_turns(session, house, talk)
        around = await _around(session, house, talk, now)
    return await page(
        request, "conversation.html", signed=signed, turns=turns, more=more, last_day=None, **around
    )


@router.get("/news")
@open_to(Role.STAFF)
async def news(
    conversation_id: ConversationId,
    request: Request,
    signed: Looker,
    house: TheHouse,
    after: Annotated[int, Query(ge=0)] = 0,
    last_day: str | None = None,
) -> HTMLResponse:
    """The turns after a message, as HTML to be appended; ``last_day`` is the day shown last."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        turns, _ = await read_turns(session, house, talk, after=after, limit=NEWS)
    return await fragment(
        request,
        "conversation/turns.html",
        signed=signed,
        talk=talk,
        c=talk.conversation,
        turns=turns,
        last_day=last_day,
    )


@router.get("/older")
@open_to(Role.STAFF)
async def older(
    conversation_id: ConversationId,
    request: Request,
    signed: Looker,
    house: TheHouse,
    before: Annotated[int, Query(ge=1)],
) -> HTMLResponse:
    """The turns before a message, as HTML to be put in front; ``X-More`` says whether that was all."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        turns, more = await read_turns(session, house, talk, before=before, limit=PAGE)
    response = await fragment(
        request,
        "conversation/turns.html",
        signed=signed,
        talk=talk,
        c=talk.conversation,
        turns=turns,
        last_day=None,
    )
    response.headers["X-More"] = "1" if more else "0"
    return response


@router.get("/parts")
@open_to(Role.STAFF)
async def parts(
    conversation_id: ConversationId, request: Request, signed: Looker, house: TheHouse
) -> HTMLResponse:
    """Everything around the transcript, each part in the element whose id it replaces."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        around = await _around(session, house, talk, now)
    return await fragment(request, "conversation/parts.html", signed=signed, **around)


@router.get("/deliveries")
@open_to(Role.STAFF)
async def deliveries(
    conversation_id: ConversationId,
    signed: Looker,
    house: TheHouse,
    message: Annotated[list[int], Query(max_length=MAX_STATES)],
) -> JSONResponse:
    """What became of messages that were still on their way."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        own = await desk_view.own_messages(session, talk.conversation.id, message)
        found = await staff_talk.delivery_of(session, own)
    return JSONResponse(
        {str(message_id): {"state": one.state.value, "error": one.error} for message_id, one in found.items()}
    )


@router.get("/watching")
@open_to(Role.STAFF)
async def watching(conversation_id: ConversationId, signed: Looker, house: TheHouse) -> JSONResponse:
    """Which colleagues have it open, and who of them is typing."""
    async with house.database.read() as session:
        others = await others_watching(session, conversation_id, signed.staff, house.clock.now())
    return JSONResponse({"watching": [{"name": one.name, "typing": one.typing} for one in others]})


@router.get("/export.txt")
@open_to(Role.STAFF)
async def export(
    conversation_id: ConversationId, request: Request, signed: Exporter, house: TheHouse
) -> Response:
    """The transcript as a text file, masked whatever the reader has been allowed to see; audited."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        turns, _ = await read_turns(session, house, replace(talk, sight=MASKED), limit=EXPORT_LINES)
        audit.record(
            session,
            audit.staff_actor(signed.staff),
            "conversation.exported",
            "conversation",
            conversation_id,
            now=now,
            messages=len(turns),
        )
    text = render(request, "conversation/export.txt", signed=signed, turns=turns, c=talk.conversation)
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="conversation-{conversation_id[:8]}.txt"'},
    )


async def _around(session: AsyncSession, house: House, talk: Talk, now: datetime) -> dict[str, Any]:
    """What the templates around the transcript see."""
    rules = await read_desk_rules(session, house.desk_rules)
    topic = talk.conversation.last_topic
    return {
        "talk": talk,
        "c": talk.conversation,
        "beside": await read_beside(session, house, talk, now),
        "passing": await read_passing(session, talk, now),
        "rules": rules.handoff,
        "knowledge": house.knowledge,
        "likely_case_type": house.knowledge.case_types.for_topic(topic or "").name,
    }
