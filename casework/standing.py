"""Standing: who speaks with a member now, as members are told it, and where they stand while they wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import messages
from casework.staff_talk import TYPING_FOR
from casework.tables import Conversation, Owner, Staff, Watcher
from casework.waiting import Place, pace


@dataclass(frozen=True, slots=True)
class Standing:
    """Standing: how far a conversation has come, who speaks in it, and what the member may know of that."""

    message_id: int
    """The newest message; 0: none yet."""
    owner: Owner
    """As members are told it: never WRAP_UP."""
    badge: str | None = None
    """The worker's 工号 while a human speaks, if they have one."""
    typing: bool = False
    """That worker is writing a reply just now."""
    place: Place | None = None
    """While queued."""


def told_owner(owner: Owner) -> Owner:
    """Who speaks, as members are told it: a worker who writes up what was done is still there for them."""
    return Owner.HUMAN if owner is Owner.WRAP_UP else owner


async def standings(
    session: AsyncSession, conversation_ids: Collection[str], now: datetime
) -> dict[str, Standing]:
    """The standing of each of these conversations; those that do not exist are left out.

    The number of queries does not grow with the number of conversations.
    """
    newest = await messages.newest(session, conversation_ids)
    served = [one for one, found in newest.items() if told_owner(found.owner) is Owner.HUMAN]
    queued = [one for one, found in newest.items() if found.owner is Owner.QUEUED]
    workers = await _workers(session, served, now) if served else {}
    places = await _places(session, queued, now) if queued else {}
    return {
        one: Standing(
            found.message_id,
            told_owner(found.owner),
            *workers.get(one, (None, False)),
            places.get(one),
        )
        for one, found in newest.items()
    }


async def _workers(
    session: AsyncSession, conversation_ids: Collection[str], now: datetime
) -> Mapping[str, tuple[str | None, bool]]:
    """The badge of who has each conversation, and whether they are typing."""
    rows = await session.execute(
        select(Conversation.id, Staff.badge, Watcher.typing_at)
        .join(Staff, Staff.id == Conversation.staff_id)
        .outerjoin(
            Watcher,
            and_(
                Watcher.conversation_id == Conversation.id,
                Watcher.staff_id == Conversation.staff_id,
                Conversation.owner == Owner.HUMAN,
            ),
        )
        .where(Conversation.id.in_(conversation_ids))
    )
    return {
        one: (badge, typing_at is not None and typing_at > now - TYPING_FOR) for one, badge, typing_at in rows
    }


async def _places(
    session: AsyncSession, conversation_ids: Collection[str], now: datetime
) -> Mapping[str, Place]:
    """As ``waiting.place``, for several at once."""
    since = func.coalesce(Conversation.waiting_since, Conversation.queued_at)
    line = await session.scalars(
        select(Conversation.id)
        .where(Conversation.owner == Owner.QUEUED)
        .order_by(Conversation.priority, since, Conversation.id)
    )
    ahead = {conversation_id: number for number, conversation_id in enumerate(line)}
    present = await pace(session, now)
    return {one: Place(ahead[one], present.minutes(ahead[one])) for one in conversation_ids if one in ahead}
