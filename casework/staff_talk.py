"""Staff talk: what staff say to members and to each other in a conversation, and who else is looking."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework.conversations import lock
from casework.errors import BadInput, NotAllowed, NotFound
from casework.handoff import note_answered, note_present, take_over
from casework.messages import STAFF_PREFIX, Reply, record_note, record_replies
from casework.permissions import Right, may, require
from casework.tables import (
    Alert,
    AlertKind,
    Author,
    Delivery,
    Message,
    OutboxEntry,
    Owner,
    Staff,
    Watcher,
)
from casework.wording import Wording

MAX_TEXT = 4000
WATCHING_FOR = timedelta(seconds=30)
"""A page that was not heard of for so long is closed."""
TYPING_FOR = timedelta(seconds=6)
_MENTION = re.compile(r"@([a-z][a-z0-9._-]{1,39})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Watching:
    """A colleague who has the conversation open."""

    staff_id: int
    name: str
    typing: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a message on a channel that pushes; ``error`` says why it failed."""

    state: Delivery
    error: str | None


async def reply(
    session: AsyncSession,
    conversation_id: str,
    staff: Staff,
    text: str,
    now: datetime,
    *,
    client_message_id: str | None = None,
    attachments: Sequence[str] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    wording: Wording | None = None,
) -> Message:
    """Say something to the member as a human; a conversation that waits in the queue is taken over first.

    The same ``client_message_id`` again gives the first message back. Transcript and outbox are written in
    one transaction. Raises BadInput for neither text nor file or a text over 4000 characters, NotFound for
    no such conversation, NotAllowed when the bot or somebody else owns it.
    """
    text = text.strip()
    if len(text) > MAX_TEXT or not (text or attachments):
        raise BadInput("a reply is 1 to 4000 characters", field="text", limit=MAX_TEXT)
    conversation = await lock(session, conversation_id)
    if client_message_id is not None:
        known = await _known(session, conversation_id, staff, client_message_id)
        if known is not None:
            return known
    if conversation.owner is Owner.BOT:
        raise NotAllowed("the bot owns this conversation; take it over first", owner=conversation.owner.value)
    if conversation.owner in (Owner.HUMAN, Owner.WRAP_UP) and conversation.staff_id != staff.id:
        # Also for who directs others: two people never speak at once, one takes over first.
        raise NotAllowed("somebody else speaks in this conversation", owner=conversation.owner.value)
    conversation = await take_over(session, conversation, staff, now, wording=wording)
    await note_present(session, staff, now)
    (message,) = await record_replies(
        session,
        conversation_id,
        [
            Reply(
                text,
                sources=sources,
                attachments=attachments,
                client_message_id=None if client_message_id is None else _named(staff, client_message_id),
            )
        ],
        in_reply_to=None,
        author=Author.STAFF,
        staff_id=staff.id,
        epoch_seen=conversation.epoch,
        now=now,
    )
    await note_answered(session, conversation, now)
    return message


async def note(
    session: AsyncSession, conversation_id: str, staff: Staff, text: str, now: datetime
) -> Message:
    """Leave a note for colleagues; each ``@login`` in it is alerted. Raises as ``messages.record_note``."""
    require(staff, Right.ANSWER)
    message = await record_note(session, conversation_id, staff, text, now)
    found = [login.lower() for login in _MENTION.findall(text)]
    logins = {*found, *(login.rstrip("._-") for login in found)}  # “@xiaoli.” ends a sentence
    if logins:
        named = await session.scalars(select(Staff).where(Staff.login.in_(logins), Staff.active))
        for colleague in named:
            if colleague.id != staff.id:
                session.add(
                    Alert(
                        kind=AlertKind.MENTION,
                        staff_id=colleague.id,
                        conversation_id=conversation_id,
                        message_id=message.id,
                        created_at=now,
                    )
                )
    return message


async def watch(
    session: AsyncSession, staff: Staff, conversation_id: str, now: datetime, *, typing: bool = False
) -> None:
    """Note that this member of staff has the conversation open, and whether they are typing."""
    seen = {"seen_at": now, "typing_at": now if typing else None}
    again = (
        update(Watcher)
        .where(Watcher.conversation_id == conversation_id, Watcher.staff_id == staff.id)
        .values(seen)
        .returning(Watcher.staff_id)
    )
    if (await session.execute(again)).first() is not None:
        return
    try:
        async with session.begin_nested():
            await session.execute(
                insert(Watcher).values(conversation_id=conversation_id, staff_id=staff.id, **seen)
            )
    except IntegrityError:
        # A second page of the same worker came first.
        await session.execute(again)


async def leave(session: AsyncSession, staff: Staff, conversation_id: str) -> None:
    """Note that this member of staff closed the conversation."""
    await session.execute(
        delete(Watcher).where(Watcher.conversation_id == conversation_id, Watcher.staff_id == staff.id)
    )


async def watchers(session: AsyncSession, conversation_id: str, now: datetime) -> list[Watching]:
    """Who has the conversation open, by name."""
    rows = await session.execute(
        select(Staff.id, Staff.display_name, Watcher.typing_at)
        .join(Staff, Staff.id == Watcher.staff_id)
        .where(Watcher.conversation_id == conversation_id, Watcher.seen_at > now - WATCHING_FOR)
        .order_by(Staff.display_name, Staff.id)
    )
    return [
        Watching(staff_id, name, typing_at is not None and typing_at > now - TYPING_FOR)
        for staff_id, name, typing_at in rows
    ]


async def delivery_of(session: AsyncSession, message_ids: Collection[int]) -> dict[int, Delivered]:
    """What became of messages on channels that push; those of other channels are left out."""
    if not message_ids:
        return {}
    rows = await session.execute(
        select(OutboxEntry.message_id, OutboxEntry.delivery, OutboxEntry.error).where(
            OutboxEntry.message_id.in_(message_ids)
        )
    )
    return {message_id: Delivered(delivery, error) for message_id, delivery, error in rows}


async def alerts_for(session: AsyncSession, staff: Staff, limit: int = 50) -> list[Alert]:
    """What this member of staff has not read yet, newest first; who directs others sees the shared ones."""
    mine = Alert.staff_id == staff.id
    whose = or_(mine, Alert.staff_id.is_(None)) if may(staff, Right.DIRECT) else mine
    found = await session.scalars(
        select(Alert).where(whose, Alert.read_at.is_(None)).order_by(Alert.id.desc()).limit(limit)
    )
    return list(found)


async def read_alert(session: AsyncSession, staff: Staff, alert_id: int, now: datetime) -> Alert:
    """Note that an alert was read; raises NotFound for one that is not this member of staff's."""
    alert = await session.get(Alert, alert_id)
    shared = alert is not None and alert.staff_id is None and may(staff, Right.DIRECT)
    if alert is None or not (shared or alert.staff_id == staff.id):
        raise NotFound("no such alert")
    alert.read_at = alert.read_at or now
    return alert


async def _known(
    session: AsyncSession, conversation_id: str, staff: Staff, client_message_id: str
) -> Message | None:
    return (
        await session.scalars(
            select(Message).where(
                Message.conversation_id == conversation_id,
                Message.client_message_id == _named(staff, client_message_id),
            )
        )
    ).one_or_none()


def _named(staff: Staff, client_message_id: str) -> str:
    """The name in the conversation's own space, where it can meet neither a member's nor a colleague's."""
    name = f"{STAFF_PREFIX}{staff.id}:{client_message_id}"
    if not client_message_id or len(name) > 80 or not name.isprintable():
        raise BadInput("a client_message_id is 1 to 60 printable characters", field="client_message_id")
    return name
