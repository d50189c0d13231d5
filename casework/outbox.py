"""Outbox: messages that must reach members through a channel that pushes, at least once and in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casework.errors import NotFound
from casework.redaction import redact
from casework.tables import Channel, ChannelIdentity, Conversation, Delivery, Message, OutboxEntry

PUSHING_CHANNELS = frozenset({Channel.TELEGRAM})
"""Channels that send to the member; the others are asked by the member's page or app."""
LEASE = timedelta(seconds=60)
"""How long a claimed entry is left alone before another deliverer may try it."""
MAX_ERROR = 200


@dataclass(frozen=True, slots=True)
class Due:
    """One entry to be delivered now: what, to whom, and how much of it has already been sent."""

    entry_id: int
    conversation_id: str
    channel: Channel
    external_id: str | None
    """How the channel names the member; None when they were erased or are not known there."""
    message: Message
    parts_sent: int
    attempts: int
    """Including this one."""


def enqueue(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> OutboxEntry | None:
    """Promise to deliver a stored message; None on a channel that does not push."""
    if conversation.channel not in PUSHING_CHANNELS:
        return None
    entry = OutboxEntry(
        message_id=message.id,
        conversation_id=conversation.id,
        channel=conversation.channel,
        due_at=now,
    )
    session.add(entry)
    return entry


async def claim_due(session: AsyncSession, now: datetime, limit: int = 20) -> list[Due]:
    """Claim what is due, oldest first and at most one entry of a conversation.

    A conversation's next entry becomes due only when the one before it was sent or given up, so
    messages never overtake each other. A claim lasts 60 seconds: commit it, deliver outside the
    transaction, then report with one of the ``mark_…`` functions.
    """
    earlier = aliased(OutboxEntry)
    entries = list(
        await session.scalars(
            select(OutboxEntry)
            .where(
                OutboxEntry.delivery == Delivery.PENDING,
                OutboxEntry.due_at <= now,
                ~exists().where(
                    earlier.conversation_id == OutboxEntry.conversation_id,
                    earlier.delivery == Delivery.PENDING,
                    earlier.id < OutboxEntry.id,
                ),
            )
            .order_by(OutboxEntry.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )
    if not entries:
        return []
    for entry in entries:
        entry.attempts += 1
        entry.due_at = now + LEASE
    messages = await _messages(session, entries)
    addresses = await _addresses(session, entries)
    return [
        Due(
            entry_id=entry.id,
            conversation_id=entry.conversation_id,
            channel=entry.channel,
            external_id=addresses.get(entry.conversation_id),
            message=messages[entry.message_id],
            parts_sent=entry.parts_sent,
            attempts=entry.attempts,
        )
        for entry in entries
    ]


async def next_due_at(session: AsyncSession) -> datetime | None:
    """When the next pending entry is due (perhaps already), or None when nothing is pending."""
    return await session.scalar(
        select(OutboxEntry.due_at)
        .where(OutboxEntry.delivery == Delivery.PENDING)
        .order_by(OutboxEntry.due_at)
        .limit(1)
    )


async def mark_sent(session: AsyncSession, entry_id: int, now: datetime) -> None:
    """The whole message reached the channel."""
    entry = await _entry(session, entry_id)
    entry.delivery, entry.sent_at, entry.error = Delivery.SENT, now, None


async def mark_part_sent(session: AsyncSession, entry_id: int, parts_sent: int) -> None:
    """So many parts of a long message reached the channel; a retry goes on from there."""
    entry = await _entry(session, entry_id)
    entry.parts_sent = max(entry.parts_sent, parts_sent)


async def mark_failed(session: AsyncSession, entry_id: int, error: str, retry_at: datetime | None) -> None:
    """The attempt failed: try again at ``retry_at``, or give up (None) and let the next one go."""
    entry = await _entry(session, entry_id)
    if entry.delivery is not Delivery.PENDING:
        return
    entry.error = redact(error)[:MAX_ERROR]
    if retry_at is None:
        entry.delivery = Delivery.FAILED
    else:
        entry.due_at = retry_at


async def mark_blocked(session: AsyncSession, entry_id: int, now: datetime) -> None:
    """The member blocked us: give up this entry and all that wait in its conversation, and remember it."""
    entry = await _entry(session, entry_id)
    await session.execute(
        update(OutboxEntry)
        .where(OutboxEntry.conversation_id == entry.conversation_id, OutboxEntry.delivery == Delivery.PENDING)
        .values(delivery=Delivery.BLOCKED)
    )
    member_id = (
        select(Conversation.member_id).where(Conversation.id == entry.conversation_id).scalar_subquery()
    )
    await session.execute(
        update(ChannelIdentity)
        .where(
            ChannelIdentity.member_id == member_id,
            ChannelIdentity.channel == entry.channel,
            ChannelIdentity.blocked_at.is_(None),
        )
        .values(blocked_at=now)
    )


async def _entry(session: AsyncSession, entry_id: int) -> OutboxEntry:
    entry = await session.get(OutboxEntry, entry_id, populate_existing=True, with_for_update=True)
    if entry is None:
        raise NotFound(f"no outbox entry {entry_id}")
    return entry


async def _messages(session: AsyncSession, entries: Sequence[OutboxEntry]) -> dict[int, Message]:
    found = await session.scalars(
        select(Message).where(Message.id.in_([entry.message_id for entry in entries]))
    )
    return {message.id: message for message in found}


async def _addresses(session: AsyncSession, entries: Sequence[OutboxEntry]) -> dict[str, str | None]:
    """How the channel names the member of each conversation."""
    rows = await session.execute(
        select(Conversation.id, ChannelIdentity.external_id)
        .join(
            ChannelIdentity,
            (ChannelIdentity.member_id == Conversation.member_id)
            & (ChannelIdentity.channel == Conversation.channel),
        )
        .where(Conversation.id.in_([entry.conversation_id for entry in entries]))
    )
    return {row.id: row.external_id for row in rows}
