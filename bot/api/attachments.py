"""Attachments: files on their way in, and out again to who may see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from bot.api.doorkeeper import TheConversation, TheHouse, upload_allowance
from bot.api.errors import TooSlow
from bot.api.routes import READING, WRITING, errors
from bot.api.schemas import AttachmentOut
from bot.api.upload import file_of
from bot.roles import Role, open_to
from casework import attachments

router = APIRouter(prefix="/api/v1/conversations/{conversation_id}/attachments", tags=["attachments"])

UPLOAD_TIME_LIMIT_S = 300.0
"""How long one upload may take: 10 MiB over a bad line at 35 KiB/s."""

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "title": "Upload",
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Photo, PDF, Word, Excel, voice, MP4 video or plain text.",
                        }
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    status_code=201,
    summary="Upload a file",
    responses=errors(*WRITING, 408, 415, 429),
    openapi_extra=FORM,
    dependencies=[Depends(upload_allowance)],
)
@open_to(Role.CONVERSATION)
async def upload(request: Request, conversation: TheConversation, house: TheHouse) -> AttachmentOut:
    """Send one file; then send a message with its id in `attachment_ids`, or nobody will see it."""
    now = house.clock.now()
    store = house.attachments
    async with house.database.read() as session:
        await store.check_allowance(session, conversation.id, now)
    try:
        async with asyncio.timeout(UPLOAD_TIME_LIMIT_S):
            arriving = await file_of(request)
            async with (
                store.receiving(arriving.stream, arriving.filename, arriving.declared_type) as draft,
                house.database.transaction() as session,
            ):
                kept = await store.keep(session, conversation.id, draft, now)
    except TimeoutError as error:
        raise TooSlow() from error
    return AttachmentOut(id=kept.id, filename=kept.filename, media_type=kept.media_type, size=kept.size)


@router.get(
    "/{attachment_id}",
    summary="Download a file",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file's bytes, under its own media type.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **errors(*READING),
    },
)
@open_to(Role.CONVERSATION)
async def download(attachment_id: str, conversation: TheConversation, house: TheHouse) -> StreamingResponse:
    """A file of this conversation, to be saved rather than shown."""
    async with house.database.read() as session:
        attachment = await attachments.get(session, conversation.id, attachment_id)
    pieces = house.attachments.open(attachment)
    # A damaged file shall be an error, and not a download that breaks off after "200 OK".
    first = await anext(pieces, b"")
    return StreamingResponse(
        _joined(first, pieces),
        media_type=attachment.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.filename, safe='')}",
            "Content-Length": str(attachment.size),
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
