"""Inbox: what was misunderstood, as the workbench shows it: its lists, and one group at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, String, and_, cast, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from casework.anonymous_words import without_personal_data
from casework.errors import NotFound
from casework.knowledge import Knowledge
from casework.tables import (
    Decision,
    GroupState,
    InboxGroup,
    InboxLabel,
    InboxMessage,
    InboxReason,
    Message,
    Staff,
)

MOST_SHOWN = 20
"""Of a group's messages so many are read out in their own words."""


class Shelf(StrEnum):
    """The lists a group may be in; by what has to be done with it."""

    OPEN = "open"
    SECOND = "second"
    DISPUTED = "disputed"
    NEW_TOPIC = "new_topic"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Said:
    """Said: one message of a group without personal data, and what the bot answered."""

    text: str
    answers: tuple[str, ...]
    reasons: tuple[str, ...]
    intent: str | None
    confidence: float | None


async def counts(session: AsyncSession, staff: Staff | None) -> dict[Shelf, int]:
    """How many groups there are in each list; those that wait for another than ``staff`` are left out.

    ``staff`` None: nobody in particular, who sees them all.
    """
    return {
        shelf: await session.scalar(select(func.count()).select_from(InboxGroup).where(*_on(shelf, staff)))
        or 0
        for shelf in Shelf
    }


async def listed(
    session: AsyncSession,
    staff: Staff | None,
    shelf: Shelf = Shelf.OPEN,
    *,
    reason: InboxReason | None = None,
    topic: str | None = None,
    knowledge: Knowledge,
    limit: int = 100,
) -> Sequence[InboxGroup]:
    """The groups of a list, what does most harm first (settled ones: the latest first).

    ``reason`` and ``topic`` (what it was read as, or should have been) keep those of which a message fits.
    Of those that need a second person, the ones ``staff`` has not decided about.
    """
    query = select(InboxGroup).where(*_on(shelf, staff))
    if reason is not None:
        query = query.where(_has(cast(InboxMessage.reasons, String).contains(f'"{reason.value}"')))
    if topic:
        intents = [one.name for one in knowledge.intents.values() if one.topic == topic]
        query = query.where(
            _has(or_(InboxMessage.seen_intent.in_(intents), InboxMessage.should_intent.in_(intents)))
        )
    by_time = shelf in (Shelf.SETTLED, Shelf.NEW_TOPIC)
    order = (InboxGroup.settled_at.desc(),) if by_time else (InboxGroup.score.desc(),)
    found = await session.scalars(query.order_by(*order, InboxGroup.id).limit(limit))
    return found.all()


async def opened(session: AsyncSession, group_id: int) -> InboxGroup:
    """One group with its labels and messages; raises NotFound."""
    found = await session.scalar(
        select(InboxGroup)
        .where(InboxGroup.id == group_id)
        .options(selectinload(InboxGroup.labels), selectinload(InboxGroup.messages))
    )
    if found is None:
        raise NotFound("no such group")
    return found


async def said_in(session: AsyncSession, group: InboxGroup, limit: int = MOST_SHOWN) -> list[Said]:
    """What members said in a group, the earliest first, and what the bot answered; no personal data."""
    said = []
    for one in group.messages[:limit]:
        message = await session.get(Message, one.message_id)
        if message is None or message.text is None:
            continue
        answers = await session.scalars(
            select(Message)
            .where(Message.in_reply_to == message.id, Message.text.is_not(None))
            .order_by(Message.id)
        )
        said.append(
            Said(
                text=await without_personal_data(session, message),
                answers=tuple([await without_personal_data(session, answer) for answer in answers]),
                reasons=tuple(one.reasons),
                intent=one.seen_intent,
                confidence=one.seen_confidence,
            )
        )
    return said


def reasons_of(group: InboxGroup) -> dict[InboxReason, int]:
    """Why a group is in the inbox: reason → how many of its messages have it."""
    found = {reason: sum(reason.value in one.reasons for one in group.messages) for reason in InboxReason}
    return {reason: number for reason, number in found.items() if number}


def _on(shelf: Shelf, staff: Staff | None) -> tuple[ColumnElement[bool], ...]:
    new_topic = and_(InboxGroup.decision.is_not(None), InboxGroup.decision == Decision.NEW_TOPIC)
    if shelf is Shelf.SECOND and staff is not None:
        own = (
            select(InboxLabel.id)
            .where(InboxLabel.group_id == InboxGroup.id, InboxLabel.staff_id == staff.id)
            .exists()
        )
        return InboxGroup.state == GroupState.SECOND, not_(own)
    if shelf is Shelf.NEW_TOPIC:
        return InboxGroup.state == GroupState.SETTLED, new_topic
    if shelf is Shelf.SETTLED:
        return InboxGroup.state == GroupState.SETTLED, not_(new_topic)
    return (InboxGroup.state == GroupState(shelf.value),)


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(InboxMessage.message_id).where(InboxMessage.group_id == InboxGroup.id, condition).exists()
