"""Desk feed: what the live feed of the desk asks the database, the same whether one or twenty watch.

A stamp says how far one conversation has come; whoever keeps the last stamps sees what changed. Only those
humans have, urgent ones and those somebody has open are asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import BadInput
from casework.staff_sessions import IDLE
from casework.staff_talk import TYPING_FOR, WATCHING_FOR
from casework.tables import (
    Alert,
    Author,
    Case,
    Conversation,
    Message,
    Owner,
    Presence,
    Priority,
    Staff,
    StaffSession,
    Watcher,
)

BOT_URGENT_FOR = timedelta(days=1)
"""An urgent conversation that the bot still answers is shown for so long after its last message."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far one conversation has come, and whose it is."""

    id: str
    owner: Owner
    epoch: int
    message_id: int
    """Its newest message, notes among staff included; 0: none."""
    author: Author | None
    staff_id: int | None
    team_id: int | None
    reserved_for_id: int | None
    for_supervisor: bool
    priority: int
    waiting_since: datetime | None
    held_until: datetime | None
    snoozed_until: datetime | None
    blocked_until: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    topic: str | None
    district: str | None
    last_message_at: datetime

    def told(self) -> tuple[str | int | float | None, ...]:
        """The same in plain values, which are quickly written down."""
        return _plain(self)


_fields = attrgetter(*(field.name for field in fields(Stamp)))


def _plain(stamp: Stamp) -> tuple[str | int | float | None, ...]:
    return tuple(
        each.timestamp() if isinstance(each, datetime) else each.value if isinstance(each, StrEnum) else each
        for each in _fields(stamp)
    )


async def stamps(session: AsyncSession, now: datetime) -> list[Stamp]:
    """The stamps of every conversation that concerns the desk now; one query, no closed one is read."""
    humans = select(Conversation.id).where(Conversation.owner.in_([Owner.QUEUED, Owner.HUMAN, Owner.WRAP_UP]))
    urgent = select(Conversation.id).where(urgent_with_the_bot(now))
    watched = select(Watcher.conversation_id).where(Watcher.seen_at > now - WATCHING_FOR)
    newest = (
        select(Message.id)
        .where(Message.conversation_id == Conversation.id)
        .order_by(Message.id.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    author = select(Message.author).where(Message.id == newest).correlate(Conversation).scalar_subquery()
    rows = await session.execute(
        select(
            Conversation.id,
            Conversation.owner,
            Conversation.epoch,
            newest.label("message_id"),
            author.label("author"),
            Conversation.staff_id,
            Conversation.team_id,
            Conversation.reserved_for_id,
            Conversation.for_supervisor,
            Conversation.priority,
            Conversation.waiting_since,
            Conversation.held_until,
            Conversation.snoozed_until,
            Conversation.blocked_until,
            Conversation.warned_at,
            Conversation.breached_at,
            Conversation.last_topic,
            Conversation.district,
            Conversation.last_message_at,
        )
        .where(Conversation.id.in_(humans.union(urgent, watched)))
        .order_by(Conversation.id)
    )
    return [Stamp(row[0], row[1], row[2], row[3] or 0, *row[4:]) for row in rows]


def urgent_with_the_bot(now: datetime) -> ColumnElement[bool]:
    """Conversations that are pressing though nobody was called yet."""
    return and_(
        Conversation.owner == Owner.BOT,
        Conversation.priority < Priority.NORMAL.value,
        Conversation.last_message_at > now - BOT_URGENT_FOR,
    )


async def watching(session: AsyncSession, now: datetime) -> dict[str, frozenset[tuple[int, bool]]]:
    """Who has which conversation open: (staff id, whether they are typing), by conversation."""
    rows = await session.execute(
        select(Watcher.conversation_id, Watcher.staff_id, Watcher.typing_at).where(
            Watcher.seen_at > now - WATCHING_FOR
        )
    )
    found: dict[str, set[tuple[int, bool]]] = {}
    for conversation_id, staff_id, typing_at in rows:
        typing = typing_at is not None and typing_at > now - TYPING_FOR
        found.setdefault(conversation_id, set()).add((staff_id, typing))
    return {conversation_id: frozenset(who) for conversation_id, who in found.items()}


async def newest_alert(session: AsyncSession) -> int:
    """The id of the newest alert; 0: there is none."""
    return await session.scalar(select(func.max(Alert.id))) or 0


async def alerts_after(session: AsyncSession, after: int) -> list[Alert]:
    """The alerts with an id above ``after``, oldest first."""
    return list(await session.scalars(select(Alert).where(Alert.id > after).order_by(Alert.id).limit(500)))


async def case_number(session: AsyncSession, case_id: str) -> str | None:
    """The number of the case an alert is about."""
    return await session.scalar(select(Case.number).where(Case.id == case_id))


async def people(session: AsyncSession) -> list[Staff]:
    """Every member of staff whose account is open, for what the feed must know of them."""
    return list(await session.scalars(select(Staff).where(Staff.active).order_by(Staff.id)))


async def still_open(session: AsyncSession, session_ids: Collection[str], now: datetime) -> set[str]:
    """Which of these sessions still open the desk."""
    found = await session.scalars(
        select(StaffSession.id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.id.in_(session_ids),
            StaffSession.confirmed,
            Staff.active,
            StaffSession.ended_at.is_(None),
            StaffSession.expires_at > now,
            StaffSession.seen_at > now - IDLE,
        )
    )
    return set(found)


async def note_seen(session: AsyncSession, staff_ids: Collection[int], now: datetime) -> None:
    """Note that these members of staff have the desk open."""
    if staff_ids:
        await session.execute(
            update(Staff)
            .where(Staff.id.in_(staff_ids))
            .values(seen_at=now)
            .execution_options(synchronize_session=False)
        )


async def set_presence(session: AsyncSession, staff_id: int, presence: Presence, now: datetime) -> Staff:
    """Say whether one takes conversations now; raises BadInput for a closed account."""
    staff = await session.get(Staff, staff_id, with_for_update=True, populate_existing=True)
    if staff is None or not staff.active:
        raise BadInput("no such account", field="presence")
    staff.presence, staff.seen_at = presence, now
    return staff
