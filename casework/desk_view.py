"""Desk view: what the conversation page shows beside the transcript, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import NotFound
from casework.permissions import Right, may
from casework.tables import (
    Author,
    Case,
    Conversation,
    Handoff,
    Message,
    Owner,
    Presence,
    Staff,
    Team,
    TrainingSuggestion,
)

HEARD_WITHIN = timedelta(seconds=60)
"""A colleague whose browser was silent for longer is shown as offline whatever they had chosen."""
MAX_HANDOFFS = 20
MAX_CASES = 50


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff who may be given a conversation, and how much they have in hand."""

    id: int
    login: str
    name: str
    badge: str | None
    team_id: int | None
    presence: Presence
    load: int
    """Conversations they own now."""


async def colleagues(session: AsyncSession, now: datetime) -> list[Colleague]:
    """Everybody who may answer members: who is there first, of these the least busy."""
    loads: dict[int, int] = {
        staff_id: count
        for staff_id, count in await session.execute(
            select(Conversation.staff_id, func.count())
            .where(Conversation.owner == Owner.HUMAN, Conversation.staff_id.is_not(None))
            .group_by(Conversation.staff_id)
        )
        if staff_id is not None
    }
    staff = await session.scalars(select(Staff).where(Staff.active).order_by(Staff.id))
    found = [
        Colleague(
            id=one.id,
            login=one.login,
            name=one.display_name,
            badge=one.badge,
            team_id=one.team_id,
            presence=_presence(one, now),
            load=loads.get(one.id, 0),
        )
        for one in staff
        if may(one, Right.ANSWER)
    ]
    order = list(Presence)
    return sorted(found, key=lambda one: (order.index(one.presence), one.load, one.id))


async def teams(session: AsyncSession) -> list[Team]:
    """The teams there are, by name."""
    return list(await session.scalars(select(Team).where(Team.active).order_by(Team.name)))


async def colleague(session: AsyncSession, staff_id: int) -> Staff:
    """The active member of staff with this id; raises NotFound."""
    found = await session.get(Staff, staff_id)
    if found is None or not found.active:
        raise NotFound("no such member of staff")
    return found


async def team(session: AsyncSession, team_id: int) -> Team:
    """The active team with this id; raises NotFound."""
    found = await session.get(Team, team_id)
    if found is None or not found.active:
        raise NotFound("no such team")
    return found


async def staff_named(session: AsyncSession, ids: Collection[int | None]) -> dict[int, Staff]:
    """Members of staff by id, closed accounts included: what they did stays under their name."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    return {one.id: one for one in await session.scalars(select(Staff).where(Staff.id.in_(wanted)))}


async def answered_by(session: AsyncSession, turns: Sequence[Message]) -> dict[int, Message]:
    """For each of the bot's turns the member's message it answered, which holds how that was read."""
    asked = {turn.id: turn.in_reply_to for turn in turns if turn.author is Author.BOT and turn.in_reply_to}
    if not asked:
        return {}
    known = {turn.id: turn for turn in turns}
    missing = set(asked.values()) - known.keys()
    if missing:
        rows = await session.scalars(select(Message).where(Message.id.in_(missing)))
        known |= {one.id: one for one in rows}
    return {turn_id: known[message_id] for turn_id, message_id in asked.items() if message_id in known}


async def suggested_for(session: AsyncSession, message_ids: Collection[int]) -> dict[int, TrainingSuggestion]:
    """What staff said these members' messages should have been understood as, by message id."""
    if not message_ids:
        return {}
    rows = await session.scalars(
        select(TrainingSuggestion).where(TrainingSuggestion.message_id.in_(message_ids))
    )
    return {one.message_id: one for one in rows if one.message_id is not None}


async def own_messages(
    session: AsyncSession, conversation_id: str, message_ids: Collection[int]
) -> list[int]:
    """Those of these messages that belong to the conversation."""
    if not message_ids:
        return []
    rows = await session.scalars(
        select(Message.id).where(Message.conversation_id == conversation_id, Message.id.in_(message_ids))
    )
    return list(rows)


async def handoffs_of(session: AsyncSession, conversation_id: str) -> list[Handoff]:
    """A conversation's handoffs, the latest first, at most 20."""
    rows = await session.scalars(
        select(Handoff)
        .where(Handoff.conversation_id == conversation_id)
        .order_by(Handoff.id.desc())
        .limit(MAX_HANDOFFS)
    )
    return list(rows)


async def cases_of_member(session: AsyncSession, member_id: str) -> list[Case]:
    """A member's cases, open ones first, then the newest, at most 50."""
    rows = await session.scalars(
        select(Case)
        .where(Case.member_id == member_id)
        .order_by(Case.closed_at.is_not(None), Case.opened_at.desc())
        .limit(MAX_CASES)
    )
    return list(rows)


async def facts_told(session: AsyncSession, conversation_id: str, limit: int = 300) -> Mapping[str, str]:
    """What the member has told in a conversation: fact name → the value they gave last."""
    rows = await session.scalars(
        select(Message.facts)
        .where(Message.conversation_id == conversation_id, Message.author == Author.MEMBER)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    told: dict[str, str] = {}
    for facts in rows:
        for name, value in (facts or {}).items():
            if value is not None and not isinstance(value, (dict, list, bool)):
                told.setdefault(name, str(value))
    return told


def _presence(staff: Staff, now: datetime) -> Presence:
    heard = staff.seen_at is not None and now - staff.seen_at <= HEARD_WITHIN
    return staff.presence if heard else Presence.OFFLINE
