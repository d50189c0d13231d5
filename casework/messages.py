"""Messages: the transcript of record, in which every member's message is stored once and answered once."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework import outbox
from casework.conversations import lock
from casework.errors import BadInput, NotFound, StaleEpoch
from casework.tables import (
    Attachment,
    Author,
    ButtonToken,
    Conversation,
    Handling,
    Message,
    Owner,
)

MAX_CLIENT_MESSAGE_ID = 80
MAX_BUTTON_TITLE = 80
TOKEN_PREFIX = "b:"  # noqa: S105  # a prefix, not a password
_TOKEN_BYTES = 12  # 16 url-safe characters; Telegram takes 64 bytes of callback data


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an incoming message: its record, and whether it had been received before."""

    message: Message
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing to say: text, buttons (title, payload), sources as JSON, attachment ids."""

    text: str
    buttons: Sequence[tuple[str, str]] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    topic: str | None = None
    attachments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the assistant took a member's message for; kept for the training workbench."""

    intent: str | None
    topic: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Newest:
    """How far a conversation has come: the id of its newest message (0: none yet), and who speaks."""

    message_id: int
    owner: Owner


async def record_incoming(
    session: AsyncSession,
    conversation: Conversation,
    client_message_id: str,
    *,
    text: str | None,
    content: Mapping[str, Any] | None = None,
    attachment_ids: Sequence[str] = (),
    now: datetime,
    begun: bool = False,
) -> Recorded:
    """Store a member's message as pending; the same ``client_message_id`` again gives the first one back.

    ``begun`` counts a first attempt to handle it (see ``begin_attempt``) without a statement of its own.
    ``content`` holds what is not text (``payload``, ``location``); the attachments' ids are added to it.
    Raises BadInput for an unusable id, NotFound for an attachment that is not this conversation's own
    or already belongs to another message.
    """
    _check_client_message_id(client_message_id)
    locked = await lock(session, conversation.id)
    known = (
        await session.scalars(
            select(Message).where(
                Message.conversation_id == locked.id, Message.client_message_id == client_message_id
            )
        )
    ).one_or_none()
    if known is not None:
        return Recorded(known, duplicate=True)
    extra = dict(content or {})
    if attachment_ids:
        extra["attachments"] = list(attachment_ids)
    message = Message(
        conversation_id=locked.id,
        author=Author.MEMBER,
        client_message_id=client_message_id,
        epoch=locked.epoch,
        text=text,
        content=extra or None,
        handling=Handling.PENDING,
        attempts=int(begun),
        created_at=now,
    )
    session.add(message)
    await session.flush()
    await _attach(session, message, attachment_ids)
    locked.last_message_at = now
    return Recorded(message, duplicate=False)


async def record_replies(
    session: AsyncSession,
    conversation_id: str,
    replies: Sequence[Reply],
    *,
    in_reply_to: int | None,
    author: Author,
    staff_id: int | None = None,
    epoch_seen: int | None,
    now: datetime,
    finishes: bool = True,
) -> list[Message]:
    """Say something in a conversation and, unless ``finishes`` is false, mark the answered message done.

    One transaction holds the stored replies, their button tokens, their outbox entries and the mark, so a
    message is never answered twice: when the bot (or the system) answers one that is already done, the
    replies it got are returned and nothing is stored. ``epoch_seen`` is the conversation's epoch when the
    replies were begun; raises StaleEpoch when its owner changed since (None: whoever owns it, for staff and
    notices), except by this very turn's own hand-off. Raises NotFound for an unknown conversation,
    message or attachment, BadInput for a reply without text or a button without title.
    """
    locked = await lock(session, conversation_id)
    answered = None if in_reply_to is None else await _own_message(session, locked, in_reply_to)
    if answered is not None and answered.handling is Handling.DONE and author in (Author.BOT, Author.SYSTEM):
        return await replies_to(session, answered.id)
    if epoch_seen is not None and not _may_still_speak(locked, epoch_seen, in_reply_to):
        raise StaleEpoch(f"epoch {locked.epoch}, but the reply was begun under {epoch_seen}")
    stored = []
    for reply in replies:
        message = _as_message(locked, reply, now)
        message.author, message.staff_id, message.in_reply_to = author, staff_id, in_reply_to
        stored.append(await _store_reply(session, locked, message, reply))
    if stored:
        locked.last_message_at = now
    topics = [reply.topic for reply in replies if reply.topic]
    if topics and author is Author.BOT:
        locked.last_topic = topics[-1]
    if answered is not None and finishes:
        finish(answered, now)
    return stored


def finish(message: Message, now: datetime) -> None:
    """Mark a member's message as handled (also when nothing is said: a human owns the conversation)."""
    if message.handling is Handling.PENDING:
        message.handling, message.handled_at = Handling.DONE, now


async def begin_attempt(session: AsyncSession, message_id: int) -> int:
    """Count one more attempt to handle a message and return how many there were; raises NotFound."""
    message = await get(session, message_id)
    message.attempts += 1
    return message.attempts


async def note_understanding(session: AsyncSession, message_id: int, understood: Understanding) -> None:
    """Keep what a member's message was taken for; raises NotFound."""
    message = await get(session, message_id)
    message.intent = understood.intent
    message.topic = understood.topic
    message.confidence = understood.confidence


async def get(session: AsyncSession, message_id: int) -> Message:
    """The message with this id; raises NotFound."""
    message = await session.get(Message, message_id)
    if message is None:
        raise NotFound(f"no message {message_id}")
    return message


async def pending(session: AsyncSession, limit: int = 500) -> list[Message]:
    """Members' messages that were recorded but not handled, oldest first (across all conversations)."""
    waiting = await session.scalars(
        select(Message).where(Message.handling == Handling.PENDING).order_by(Message.id).limit(limit)
    )
    return list(waiting)


async def oldest_pending(
    session: AsyncSession, conversation_id: str, up_to: int
) -> tuple[Message, Conversation] | None:
    """The conversation's first message that waits to be handled, up to an id, and the conversation itself.

    One statement for both: it is asked for with every message.
    """
    found = await session.execute(
        select(Message, Conversation)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Message.conversation_id == conversation_id,
            Message.handling == Handling.PENDING,
            Message.id <= up_to,
        )
        .order_by(Message.id)
        .limit(1)
    )
    row = found.first()
    return None if row is None else (row[0], row[1])


async def newest(session: AsyncSession, conversation_ids: Collection[str]) -> dict[str, Newest]:
    """How far each of these conversations has come; those that do not exist are left out."""
    rows = await session.execute(
        select(Conversation.id, func.max(Message.id), Conversation.owner)
        .outerjoin(Message, Message.conversation_id == Conversation.id)
        .where(Conversation.id.in_(conversation_ids))
        .group_by(Conversation.id, Conversation.owner)
    )
    return {conversation_id: Newest(message_id or 0, owner) for conversation_id, message_id, owner in rows}


async def replies_to(session: AsyncSession, message_id: int) -> list[Message]:
    """What was said in answer to a message, in order."""
    replies = await session.scalars(
        select(Message).where(Message.in_reply_to == message_id).order_by(Message.id)
    )
    return list(replies)


async def transcript(
    session: AsyncSession, conversation_id: str, after: int = 0, limit: int = 200
) -> list[Message]:
    """A conversation's messages with an id greater than ``after``, oldest first."""
    said = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.id > after)
        .order_by(Message.id)
        .limit(limit)
    )
    return list(said)


async def recent_bot_texts(session: AsyncSession, conversation_id: str, n: int) -> list[str]:
    """The bot's latest ``n`` texts in a conversation, the latest first."""
    texts = await session.scalars(
        select(Message.text)
        .where(
            Message.conversation_id == conversation_id,
            Message.author == Author.BOT,
            Message.text.is_not(None),
        )
        .order_by(Message.id.desc())
        .limit(n)
    )
    return [text for text in texts if text is not None]


async def resolve_button(session: AsyncSession, conversation_id: str, token: str) -> str:
    """The payload behind a button of this conversation; raises NotFound for any other token."""
    return (await find_button(session, conversation_id, token)).payload


async def find_button(session: AsyncSession, conversation_id: str, token: str) -> ButtonToken:
    """The button of this conversation with this token; raises NotFound for any other token."""
    if not token.isascii() or len(token) > len(TOKEN_PREFIX) + 2 * _TOKEN_BYTES or "\x00" in token:
        raise NotFound("no such button")
    button = await session.get(ButtonToken, token)
    if button is None or button.conversation_id != conversation_id:
        raise NotFound("no such button")
    return button


def _may_still_speak(conversation: Conversation, epoch_seen: int, in_reply_to: int | None) -> bool:
    if conversation.epoch == epoch_seen:
        return True
    own_hand_off = in_reply_to is not None and conversation.handoff_message_id == in_reply_to
    return own_hand_off and conversation.epoch == epoch_seen + 1


async def _own_message(session: AsyncSession, conversation: Conversation, message_id: int) -> Message:
    message = await session.get(Message, message_id, populate_existing=True)
    if message is None or message.conversation_id != conversation.id:
        raise NotFound(f"no message {message_id} in this conversation")
    return message


def _as_message(conversation: Conversation, reply: Reply, now: datetime) -> Message:
    if not reply.text.strip() and not reply.attachments:
        raise BadInput("a reply needs a text or a file", field="text")
    content: dict[str, Any] = {}
    if reply.buttons:
        content["buttons"] = [{"title": _title(title), "payload": _new_token()} for title, _ in reply.buttons]
    if reply.sources:
        content["sources"] = [dict(source) for source in reply.sources]
    if reply.attachments:
        content["attachments"] = list(reply.attachments)
    return Message(
        conversation_id=conversation.id,
        epoch=conversation.epoch,
        text=reply.text,
        content=content or None,
        topic=reply.topic,
        created_at=now,
    )


async def _store_reply(
    session: AsyncSession, conversation: Conversation, message: Message, reply: Reply
) -> Message:
    """Store a reply with what its buttons mean, its files, and the promise to deliver it."""
    session.add(message)
    await session.flush()
    shown = (message.content or {}).get("buttons", [])
    for button, (_, payload) in zip(shown, reply.buttons, strict=True):
        session.add(
            ButtonToken(
                token=button["payload"],
                conversation_id=conversation.id,
                message_id=message.id,
                payload=payload,
                title=button["title"],
                created_at=message.created_at,
            )
        )
    await _attach(session, message, reply.attachments)
    outbox.enqueue(session, conversation, message, message.created_at)
    return message


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def _title(text: str) -> str:
    title = text.strip()
    if not 1 <= len(title) <= MAX_BUTTON_TITLE:
        raise BadInput("a button's title is 1 to 80 characters", field="title", limit=MAX_BUTTON_TITLE)
    return title


async def _attach(session: AsyncSession, message: Message, attachment_ids: Sequence[str]) -> None:
    """Make files part of a message; each belongs to this conversation and to no message yet."""
    if not attachment_ids:
        return
    taken = await session.scalars(
        update(Attachment)
        .where(
            Attachment.id.in_(attachment_ids),
            Attachment.conversation_id == message.conversation_id,
            Attachment.message_id.is_(None),
        )
        .values(message_id=message.id)
        .returning(Attachment.id)
    )
    if set(taken) != set(attachment_ids):
        raise NotFound("no such attachment in this conversation")


def _check_client_message_id(text: str) -> None:
    if not 1 <= len(text) <= MAX_CLIENT_MESSAGE_ID or not text.isprintable():
        raise BadInput(
            "a client_message_id is 1 to 80 printable characters",
            field="client_message_id",
            limit=MAX_CLIENT_MESSAGE_ID,
        )
