"""Conversations: one thread between a member and us; who speaks in it changes in ``casework.handoff``."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotFound
from casework.members import ensure_member
from casework.ownership import open_handoff, raise_priority
from casework.tables import Channel, Conversation, Member, Owner, Priority, Staff

LASTING_CHANNELS = frozenset({Channel.TELEGRAM})
"""Channels where a member has one conversation for good (the database allows no second)."""
MAX_REASON = 60
CRISIS = "crisis."


@dataclass(frozen=True, slots=True)
class Started:
    """A new conversation and the bearer token that opens it, which is shown once and stored hashed."""

    conversation: Conversation
    token: str


async def start_conversation(session: AsyncSession, channel: Channel, now: datetime) -> Started:
    """A new conversation of a new, unnamed member on the web page or the API."""
    if channel in LASTING_CHANNELS:
        raise ValueError(f"{channel} has lasting conversations: use conversation_for")
    member = Member(created_at=now)
    session.add(member)
    await session.flush()
    token = secrets.token_urlsafe(32)
    conversation = Conversation(
        member_id=member.id,
        channel=channel,
        token_hash=_token_hash(token),
        created_at=now,
        last_message_at=now,
    )
    session.add(conversation)
    await session.flush()
    return Started(conversation, token)


async def conversation_for(
    session: AsyncSession, channel: Channel, external_id: str, now: datetime
) -> Conversation:
    """The one lasting conversation with whom the channel knows by this id, made at the first message."""
    if channel not in LASTING_CHANNELS:
        raise ValueError(f"{channel} has no lasting conversations: use start_conversation")
    member = await ensure_member(session, channel, external_id, now)
    # Two first messages at once wait here for each other, so that the second finds the first's.
    await session.execute(select(Member.id).where(Member.id == member.id).with_for_update(key_share=True))
    found = (
        await session.scalars(
            select(Conversation).where(Conversation.member_id == member.id, Conversation.channel == channel)
        )
    ).first()
    if found is not None:
        return found
    conversation = Conversation(member_id=member.id, channel=channel, created_at=now, last_message_at=now)
    session.add(conversation)
    await session.flush()
    return conversation


async def get(session: AsyncSession, conversation_id: str) -> Conversation:
    """The conversation with this id; raises NotFound."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("no such conversation")
    return conversation


async def authenticate(session: AsyncSession, conversation_id: str, token: str) -> Conversation:
    """The conversation this token opens; raises NotFound for anything wrong, in constant time."""
    conversation = await session.get(Conversation, conversation_id) if _storable(conversation_id) else None
    stored = (conversation.token_hash if conversation else None) or _token_hash(secrets.token_urlsafe(32))
    if not hmac.compare_digest(stored, _token_hash(token)) or conversation is None:
        raise NotFound("no such conversation")
    return conversation


async def lock(session: AsyncSession, conversation_id: str) -> Conversation:
    """The conversation as it is now, held until the transaction ends; raises NotFound.

    SELECT … FOR NO KEY UPDATE on PostgreSQL (the plain form would deadlock with inserts that refer to the
    row); on SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
    """
    conversation = (
        await session.scalars(
            select(Conversation)
            .where(Conversation.id == conversation_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if conversation is None:
        raise NotFound("no such conversation")
    return conversation


async def flag_urgent(
    session: AsyncSession, conversation: Conversation, reason: str, now: datetime, *, actor: str = "bot"
) -> Conversation:
    """Mark the conversation urgent; a reason ``crisis.<kind>`` is also remembered as its latest crisis.

    The owner stays: hand off as well when a human shall see it.
    """
    _check_reason(reason)
    locked = await lock(session, conversation.id)
    _set_urgent(session, locked, reason, actor, now)
    if locked.owner is not Owner.BOT:
        raise_priority(locked, Priority.CRITICAL, await open_handoff(session, locked.id))
    return locked


async def queue(session: AsyncSession, limit: int = 200) -> list[Conversation]:
    """The conversations that wait for a human: urgent ones first, then who has waited longest."""
    waiting = await session.scalars(
        select(Conversation)
        .where(Conversation.owner == Owner.QUEUED)
        .order_by(Conversation.urgent.desc(), Conversation.queued_at, Conversation.id)
        .limit(limit)
    )
    return list(waiting)


async def urgent_with_bot(session: AsyncSession, limit: int = 200) -> list[Conversation]:
    """Urgent conversations the bot still answers, the latest crisis first: staff should look in on them."""
    flagged = await session.scalars(
        select(Conversation)
        .where(Conversation.owner == Owner.BOT, Conversation.urgent)
        .order_by(Conversation.last_crisis_at.desc(), Conversation.id)
        .limit(limit)
    )
    return list(flagged)


async def of_staff(session: AsyncSession, staff: Staff) -> list[Conversation]:
    """The conversations this member of staff owns, urgent ones first, then the longest untouched."""
    owned = await session.scalars(
        select(Conversation)
        .where(Conversation.owner == Owner.HUMAN, Conversation.staff_id == staff.id)
        .order_by(Conversation.urgent.desc(), Conversation.last_message_at, Conversation.id)
    )
    return list(owned)


async def of_member(session: AsyncSession, member_id: str) -> Sequence[Conversation]:
    """All conversations of a member, oldest first."""
    found = await session.scalars(
        select(Conversation)
        .where(Conversation.member_id == member_id)
        .order_by(Conversation.created_at, Conversation.id)
    )
    return found.all()


def _set_urgent(
    session: AsyncSession, conversation: Conversation, reason: str, actor: str, now: datetime
) -> None:
    conversation.urgent, conversation.urgent_reason = True, reason
    raise_priority(conversation, Priority.CRITICAL)
    conversation.risks = [reason, *(code for code in conversation.risks if code != reason)]
    if reason.startswith(CRISIS):
        conversation.last_crisis_kind = reason.removeprefix(CRISIS)
        conversation.last_crisis_at = now
    audit.record(
        session, actor, "conversation.flagged_urgent", "conversation", conversation.id, now=now, reason=reason
    )


def _check_reason(reason: str) -> None:
    if not 1 <= len(reason) <= MAX_REASON:
        raise BadInput("a reason is 1 to 60 characters", field="reason", limit=MAX_REASON)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _storable(text: str) -> bool:
    """Whether every database can be asked for this text (PostgreSQL refuses NUL, drivers lone surrogates)."""
    return text.isascii() and "\x00" not in text
