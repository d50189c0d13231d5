"""Messages: the transcript of record, in which every member's message is stored once and answered once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework import buttons, outbox
from casework.conversations import lock
from casework.errors import BadInput, NotFound, StaleEpoch
from casework.ownership import member_wrote
from casework.search_index import index_message
from casework.tables import (
    Attachment,
    Audience,
    Author,
    Conversation,
    Handling,
    Message,
    Owner,
    Staff,
)

MAX_CLIENT_MESSAGE_ID = 80
MAX_NOTE = 4000
MAX_MODEL_NAME = 40
STAFF_PREFIX = "staff:"
"""How the client_message_id of what staff say begins; members' may not."""


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
    client_message_id: str | None = None
    """The sender's own name for it, where a repeated sending must be known again (staff)."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the assistant took a member's message for; kept for the training workbench."""

    intent: str | None
    topic: str | None
    confidence: float | None
    accepted: bool | None = None
    facts: Mapping[str, Any] | None = None
    model: str | None = None
    """The model version that read it."""


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
    if client_message_id.startswith(STAFF_PREFIX):
        raise BadInput("this client_message_id is taken", field="client_message_id")
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
    await index_message(session, message)
    await _attach(session, message, attachment_ids)
    locked.last_message_at = now
    await member_wrote(session, locked, now)
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
    message.accepted = understood.accepted
    message.facts = dict(understood.facts) if understood.facts else None
    message.model = understood.model[:MAX_MODEL_NAME] if understood.model else None
    if district := (understood.facts or {}).get("district"):
        conversation = await session.get_one(Conversation, message.conversation_id)
        conversation.district = str(district)


async def note_answer_time(session: AsyncSession, message_id: int, answer_ms: int) -> None:
    """Keep how long the dialogue took to answer a member's message, in milliseconds; raises NotFound."""
    message = await get(session, message_id)
    message.answer_ms = answer_ms


async def is_handled(session: AsyncSession, message_id: int) -> bool:
    """Whether a member's message has been dealt with by now; to be asked under the conversation's lock."""
    handling = await session.scalar(select(Message.handling).where(Message.id == message_id))
    return handling is not Handling.PENDING


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
        .outerjoin(
            Message,
            (Message.conversation_id == Conversation.id) & (Message.audience == Audience.MEMBER),
        )
        .where(Conversation.id.in_(conversation_ids))
        .group_by(Conversation.id, Conversation.owner)
    )
    return {conversation_id: Newest(message_id or 0, owner) for conversation_id, message_id, owner in rows}


async def replies_to(session: AsyncSession, message_id: int) -> list[Message]:
    """What was said in answer to a message, in order."""
    replies = await session.scalars(
        select(Message)
        .where(Message.in_reply_to == message_id, Message.audience == Audience.MEMBER)
        .order_by(Message.id)
    )
    return list(replies)


async def transcript(
    session: AsyncSession, conversation_id: str, after: int = 0, limit: int = 200
) -> list[Message]:
    """What the member may read of a conversation after message ``after``, oldest first: never a note."""
    said = await session.scalars(
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.id > after,
            Message.audience == Audience.MEMBER,
        )
        .order_by(Message.id)
        .limit(limit)
    )
    return list(said)


async def whole_transcript(
    session: AsyncSession,
    conversation_id: str,
    *,
    before: int | None = None,
    after: int = 0,
    limit: int = 200,
) -> list[Message]:
    """A conversation with the notes among staff, oldest first; for staff only.

    The newest ``limit`` messages after ``after`` and, when given, before the message ``before``.
    """
    query = select(Message).where(Message.conversation_id == conversation_id, Message.id > after)
    if before is not None:
        query = query.where(Message.id < before)
    found = await session.scalars(query.order_by(Message.id.desc()).limit(limit))
    return list(reversed(found.all()))


async def record_note(
    session: AsyncSession, conversation_id: str, staff: Staff, text: str, now: datetime
) -> Message:
    """Keep a note among staff in the conversation; no member ever reads it, nobody's turn changes.

    Raises BadInput for an empty text or one over 4000 characters, NotFound for no such conversation.
    """
    text = text.strip()
    if not 1 <= len(text) <= MAX_NOTE:
        raise BadInput("a note is 1 to 4000 characters", field="text", limit=MAX_NOTE)
    locked = await lock(session, conversation_id)
    note = Message(
        conversation_id=locked.id,
        author=Author.STAFF,
        audience=Audience.INTERNAL,
        staff_id=staff.id,
        epoch=locked.epoch,
        text=text,
        created_at=now,
    )
    session.add(note)
    await session.flush()
    await index_message(session, note)
    return note


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
        content["buttons"] = buttons.new_buttons(reply.buttons)
    if reply.sources:
        content["sources"] = [dict(source) for source in reply.sources]
    if reply.attachments:
        content["attachments"] = list(reply.attachments)
    return Message(
        conversation_id=conversation.id,
        epoch=conversation.epoch,
        client_message_id=reply.client_message_id,
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
    await index_message(session, message)
    shown = (message.content or {}).get("buttons", [])
    buttons.remember(session, message, shown, reply.buttons)
    await _attach(session, message, reply.attachments)
    outbox.enqueue(session, conversation, message, message.created_at)
    return message


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
