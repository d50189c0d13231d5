"""Ownership: who speaks in a conversation, as a table of moves, and the one function that makes one.

BOT → QUEUED → HUMAN → WRAP_UP → BOT, and back to QUEUED from HUMAN and WRAP_UP. Every move happens under the
row's lock, raises the epoch and leaves an audit entry; what was computed under an older epoch is refused by
``casework.messages``. The deeds themselves are in ``casework.handoff``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import NotAllowed
from casework.tables import Conversation, Handoff, Owner, Priority, Team


class Move(StrEnum):
    """One way a conversation changes its owner; the value is the deed's name in the audit trail."""

    HAND_OFF = "handed_off"
    TAKE_OVER = "taken_over"
    RELEASE = "released"
    FINISH = "finished"
    RESUME = "resumed"
    HAND_BACK = "handed_back"


MOVES: Mapping[tuple[Owner, Move], Owner] = {
    (Owner.BOT, Move.HAND_OFF): Owner.QUEUED,
    (Owner.QUEUED, Move.TAKE_OVER): Owner.HUMAN,
    (Owner.HUMAN, Move.TAKE_OVER): Owner.HUMAN,  # by somebody who directs others
    (Owner.HUMAN, Move.RELEASE): Owner.QUEUED,
    (Owner.WRAP_UP, Move.RELEASE): Owner.QUEUED,
    (Owner.HUMAN, Move.FINISH): Owner.WRAP_UP,
    (Owner.WRAP_UP, Move.RESUME): Owner.HUMAN,
    (Owner.WRAP_UP, Move.HAND_BACK): Owner.BOT,
}
"""Owner × move → the next owner. What is not here is refused."""


async def move(
    session: AsyncSession,
    conversation: Conversation,
    step: Move,
    *,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
    **detail: object,
) -> Handoff:
    """Change who speaks in a locked conversation and keep the books of its hand-off, which is returned.

    ``staff_id`` is who speaks next (TAKE_OVER) and is kept by FINISH and RESUME. Raises NotAllowed for a move
    the table does not have.
    """
    before = conversation.owner
    after = MOVES.get((before, step))
    if after is None:
        raise NotAllowed(f"{step} is not possible while {before} owns it", owner=before.value)
    handoff = await open_handoff(session, conversation.id) or _begin(session, conversation, now)
    if step is Move.TAKE_OVER:
        conversation.staff_id = handoff.staff_id = staff_id
        handoff.taken_at = handoff.taken_at or now
        # However long the member waited in the queue: who takes it over has the whole time to answer.
        conversation.told_waiting_at = now
    elif after in (Owner.BOT, Owner.QUEUED):
        conversation.staff_id = None
    conversation.owner = after
    conversation.epoch += 1
    conversation.queued_at = now if after is Owner.QUEUED else None
    conversation.wrap_up_at = now if after is Owner.WRAP_UP else None
    conversation.held_until = conversation.snoozed_until = None
    if after is Owner.QUEUED:
        conversation.told_waiting_at = None
        handoff.requeued += step is Move.RELEASE
    else:
        conversation.reserved_for_id, conversation.for_supervisor = None, False
    if after in (Owner.BOT, Owner.WRAP_UP):
        no_longer_waits(conversation)
    if after is Owner.BOT:
        _end(conversation, handoff, now)
    audit.record(
        session,
        actor,
        f"conversation.{step}",
        "conversation",
        conversation.id,
        now=now,
        before=before.value,
        after=after.value,
        epoch=conversation.epoch,
        **detail,
    )
    return handoff


async def open_handoff(session: AsyncSession, conversation_id: str) -> Handoff | None:
    """The stretch of human service that is under way in a conversation, or None."""
    return (
        await session.scalars(
            select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.ended_at.is_(None))
        )
    ).one_or_none()


async def member_wrote(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """A member's message came into a locked conversation: somebody owes an answer from now on.

    While its worker wraps up it is theirs again, and one that was put aside comes back.
    """
    if conversation.owner is Owner.BOT:
        return
    if conversation.owner is Owner.WRAP_UP:
        await move(session, conversation, Move.RESUME, actor="member", now=now)
    conversation.snoozed_until = None
    begins_to_wait(conversation, now)


def begins_to_wait(conversation: Conversation, now: datetime) -> None:
    """The member waits for a human's word from now on, unless they do already."""
    if conversation.waiting_since is None:
        conversation.waiting_since = now
        conversation.warned_at = conversation.breached_at = None


def no_longer_waits(conversation: Conversation) -> None:
    """A human answered, or the bot answers again."""
    conversation.waiting_since = None
    conversation.warned_at = conversation.breached_at = conversation.held_until = None


def raise_priority(conversation: Conversation, priority: Priority, handoff: Handoff | None = None) -> None:
    """Make a conversation at least this pressing; it never becomes less so while humans have it."""
    conversation.priority = min(conversation.priority, priority.value)
    if handoff is not None:
        handoff.priority = min(handoff.priority, conversation.priority)


async def team_for(session: AsyncSession, topic: str | None) -> int | None:
    """The id of the team that takes a topic (the oldest, if several do), or None: everybody's."""
    if topic is None:
        return None
    teams = await session.scalars(select(Team).where(Team.active).order_by(Team.id))
    return next((team.id for team in teams if topic in team.topics), None)


def _begin(session: AsyncSession, conversation: Conversation, now: datetime) -> Handoff:
    handoff = Handoff(
        conversation_id=conversation.id,
        channel=conversation.channel,
        reason=conversation.handoff_reason or "unknown",
        topic=conversation.last_topic,
        district=conversation.district,
        priority=conversation.priority,
        team_id=conversation.team_id,
        staff_id=conversation.staff_id,
        queued_at=conversation.queued_at or now,
        requeued=0,
    )
    session.add(handoff)
    return handoff


def _end(conversation: Conversation, handoff: Handoff, now: datetime) -> None:
    handoff.ended_at = now
    conversation.handoff_reason = None
    conversation.team_id = None
    conversation.urgent, conversation.urgent_reason = False, None
    conversation.priority, conversation.risks = Priority.NORMAL.value, []
