"""Routes: conversations and their messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from bot.api.doorkeeper import (
    TheConversation,
    TheHouse,
    conversation_allowance,
    message_allowance,
)
from bot.api.schemas import (
    MAX_ID,
    ConsentIn,
    ConsentOut,
    ConversationIn,
    ConversationOut,
    ErrorOut,
    MessageIn,
    MessageOut,
    MessagesOut,
    ReceiptOut,
)
from bot.roles import Role, open_to
from bot.switchboard import MAX_PAGE
from bot.views import PRIVACY_VERSION, MessageView, Typing
from casework import conversations, members
from casework.tables import Channel

router = APIRouter(prefix="/api/v1", tags=["conversations"])

_WHAT = {
    400: "The body cannot be read: not JSON in UTF-8, or not the form that is wanted.",
    408: "It took too long to arrive.",
    415: "A file of a kind we do not take, or that is not what its name says.",
    401: "No token was shown.",
    404: "No such conversation, or not with this token.",
    413: "The body is too large.",
    422: "Something in the request cannot be used; `details` says what.",
    429: "Too often; `Retry-After` says how many seconds to wait.",
    500: "Our fault; `details` holds the reference number.",
    503: "Some process does not answer.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its documentation."""
    return {status: {"model": ErrorOut, "description": _WHAT[status]} for status in (*statuses, 500)}


def errors_of_stream(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route that answers with events: they are JSON all the same."""
    shape = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorOut.__name__}"}}}
    return {status: {"description": _WHAT[status], "content": shape} for status in (*statuses, 500)}


READING = (401, 404, 422)
WRITING = (*READING, 400, 413)

After = Annotated[
    int, Query(ge=0, le=MAX_ID, description="Only what came after the message with this id.", examples=[17])
]


@router.post(
    "/conversations",
    status_code=201,
    summary="Begin a conversation",
    responses=errors(400, 413, 422, 429),
    dependencies=[Depends(conversation_allowance)],
)
@open_to(Role.PUBLIC)
async def start_conversation(house: TheHouse, wanted: ConversationIn | None = None) -> ConversationOut:
    """Give back a conversation's id and its token. Keep the token: it is shown once and opens everything."""
    wanted = wanted or ConversationIn()
    now = house.clock.now()
    async with house.database.transaction() as session:
        started = await conversations.start_conversation(session, Channel(wanted.channel), now)
        if wanted.consent:
            await members.record_consent(session, started.conversation.member_id, PRIVACY_VERSION, now)
    return ConversationOut(
        conversation_id=started.conversation.id, token=started.token, consent=wanted.consent
    )


@router.post(
    "/conversations/{conversation_id}/messages",
    summary="Say something",
    responses=errors(*WRITING, 429),
    dependencies=[Depends(message_allowance)],
)
@open_to(Role.CONVERSATION)
async def send_message(said: MessageIn, conversation: TheConversation, house: TheHouse) -> ReceiptOut:
    """Hand in one message and get the replies to it.

    Messages of one conversation are answered in the order they arrive. While a human owns the
    conversation there are no replies here: they arrive as events.
    """
    receipt = await house.switchboard.receive(said.as_incoming(conversation.id))
    return ReceiptOut.model_validate(
        {
            "message_id": receipt.message_id,
            "duplicate": receipt.duplicate,
            **receipt.speaking.to_json(),
            "messages": [view.to_json() for view in receipt.replies],
        }
    )


@router.get(
    "/conversations/{conversation_id}/messages",
    summary="Read the conversation",
    responses=errors(*READING),
)
@open_to(Role.CONVERSATION)
async def read_messages(
    conversation: TheConversation,
    house: TheHouse,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> MessagesOut:
    """All that was said after a message, oldest first; ask again with the last id for more."""
    views = await house.switchboard.messages(conversation.id, after, limit)
    return MessagesOut(messages=[_out(view) for view in views])


@router.get(
    "/conversations/{conversation_id}/events",
    summary="Watch the conversation",
    response_class=EventSourceResponse,
    responses=errors_of_stream(*READING),
)
@open_to(Role.CONVERSATION)
async def watch(
    conversation: TheConversation,
    house: TheHouse,
    after: After = 0,
    last_event_id: Annotated[
        int | None, Header(ge=0, le=MAX_ID, description="Sent by a browser that lost the connection.")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: a `message` event holds one message, and its id is the message's id.

    An `owner` event says who speaks (`{"owner": "bot" | "queued" | "human"}`), at first and on a change.
    While human it holds `badge`, the worker's number or null; while queued `ahead`, how many members are
    before this one, and `minutes`, about how long it will take, or null. A `typing` event
    (`{"typing": true | false}`) says that the worker is writing. Pass over events you do not know.
    A comment comes every 15 seconds while nothing happens. After a broken connection go on with
    `Last-Event-ID`; no message is missed and none comes twice.
    """
    async with aclosing(
        house.switchboard.watch(conversation.id, max(after, last_event_id or 0))
    ) as happenings:
        async for happening in happenings:
            if isinstance(happening, MessageView):
                shown = json.dumps(happening.to_json(), ensure_ascii=False)
                yield ServerSentEvent(event="message", id=str(happening.id), raw_data=shown)
            elif isinstance(happening, Typing):
                yield ServerSentEvent(event="typing", raw_data=json.dumps({"typing": happening.on}))
            else:
                yield ServerSentEvent(event="owner", raw_data=json.dumps(happening.to_json()))


@router.post(
    "/conversations/{conversation_id}/consent",
    summary="Accept the privacy note",
    responses=errors(*WRITING),
)
@open_to(Role.CONVERSATION)
async def accept_privacy_note(
    agreed: ConsentIn, conversation: TheConversation, house: TheHouse
) -> ConsentOut:
    """Record that the member has read and accepted the privacy note; doing so again changes nothing."""
    async with house.database.transaction() as session:
        await members.record_consent(session, conversation.member_id, PRIVACY_VERSION, house.clock.now())
    return ConsentOut(consent=agreed.consent, version=PRIVACY_VERSION)


def _out(view: MessageView) -> MessageOut:
    return MessageOut.model_validate(view.to_json())
