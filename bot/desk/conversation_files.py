"""Files of a conversation at the desk: staff send them, and see what members sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, StreamingResponse

from bot.api.attachments import UPLOAD_TIME_LIMIT_S
from bot.api.doorkeeper import TheHouse
from bot.api.errors import TooSlow
from bot.api.upload import file_of
from bot.desk.conversation_page import ConversationId
from bot.desk.sessions import Signed, needs
from bot.desk.turns import SHOWN_INLINE, size_label
from bot.roles import Role, open_to
from casework import attachments, conversations
from casework.desk_moves import moves_open_to
from casework.errors import NotAllowed, NotFound
from casework.permissions import Right

router = APIRouter(prefix="/desk/c/{id}/files", include_in_schema=False)

Answerer = Annotated[Signed, Depends(needs(Right.ANSWER))]
NOTHING_RUNS = "sandbox; default-src 'none'; img-src 'self'; style-src 'none'"


@router.post("")
@open_to(Role.STAFF)
async def upload(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse
) -> JSONResponse:
    """Take one file in; it is sent with the reply that names its id. The token comes in the header."""
    now = house.clock.now()
    store = house.attachments
    async with house.database.read() as session:
        conversation = await conversations.get(session, conversation_id)
        if not moves_open_to(conversation, signed.staff, now).reply:
            raise NotAllowed("somebody else speaks in this conversation", owner=conversation.owner.value)
        await store.check_allowance(session, conversation_id, now)
    try:
        async with asyncio.timeout(UPLOAD_TIME_LIMIT_S):
            arriving = await file_of(request)
            async with (
                store.receiving(arriving.stream, arriving.filename, arriving.declared_type) as draft,
                house.database.transaction() as session,
            ):
                kept = await store.keep(session, conversation_id, draft, now)
    except TimeoutError as error:
        raise TooSlow() from error
    return JSONResponse(
        {"id": kept.id, "filename": kept.filename, "size": size_label(kept.size)}, status_code=201
    )


@router.get("/{attachment_id}")
@open_to(Role.STAFF)
async def download(
    conversation_id: ConversationId, attachment_id: str, signed: Answerer, house: TheHouse
) -> StreamingResponse:
    """A file, to be saved rather than shown."""
    return await _served(house, conversation_id, attachment_id, inline=False)


@router.get("/{attachment_id}/shown")
@open_to(Role.STAFF)
async def shown(
    conversation_id: ConversationId, attachment_id: str, signed: Answerer, house: TheHouse
) -> StreamingResponse:
    """An image of a kind that can hold no script, to be shown in the page; NotFound for any other file."""
    return await _served(house, conversation_id, attachment_id, inline=True)


async def _served(
    house: TheHouse, conversation_id: str, attachment_id: str, *, inline: bool
) -> StreamingResponse:
    async with house.database.read() as session:
        attachment = await attachments.get(session, conversation_id, attachment_id)
    if inline and attachment.media_type not in SHOWN_INLINE:
        raise NotFound("not an image")
    pieces = house.attachments.open(attachment)
    # A damaged file shall be an error, and not a download that breaks off after "200 OK".
    first = await anext(pieces, b"")
    how = "inline" if inline else "attachment"
    return StreamingResponse(
        _joined(first, pieces),
        media_type=attachment.media_type,
        headers={
            "Content-Disposition": f"{how}; filename*=UTF-8''{quote(attachment.filename, safe='')}",
            "Content-Length": str(attachment.size),
            "Content-Security-Policy": NOTHING_RUNS,
            "Cache-Control": "no-store",
        },
    )


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
