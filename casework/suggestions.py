"""Suggestions: 应为…, what a bot turn should have understood; the inbox of the training workbench."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit, messages
from casework.anonymous_words import without_personal_data
from casework.errors import BadInput, NotAllowed, NotFound
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.personal_data import removed_personal_data
from casework.tables import (
    Author,
    Message,
    Staff,
    SuggestionState,
    TrainingSuggestion,
)

__all__ = [
    "counts",
    "inbox",
    "removed_personal_data",
    "reopen",
    "settle",
    "settle_as_decided",
    "suggest",
    "withdraw",
]


async def suggest(
    session: AsyncSession,
    staff: Staff,
    message_id: int,
    should_intent: str,
    knowledge: Knowledge,
    now: datetime,
) -> TrainingSuggestion:
    """Say what a member's message, or the one a bot turn answered, should have been understood as. Audited.

    The words go to the inbox with personal data taken out. Said again of the same message it replaces what
    was said, until that is settled. Raises NotAllowed without the right SUGGEST, NotFound for no such
    message, and BadInput: field ``intent`` (unknown, or never trained), ``suggestion_message`` (no words of a
    member stand behind it) or ``suggestion_settled``.
    """
    require(staff, Right.SUGGEST)
    intent = knowledge.intents.get(should_intent)
    if intent is None or not intent.trained:
        raise BadInput("no such intent", field="intent")
    message = await _said_by_member(session, message_id)
    text = await without_personal_data(session, message)
    known = await _of_message(session, message.id)
    if known is None:
        known = TrainingSuggestion(message_id=message.id, created_at=now, state=SuggestionState.NEW)
        _write(known, message, text, should_intent, staff)
        try:
            async with session.begin_nested():
                session.add(known)
        except IntegrityError:
            # A colleague said it of the same message in the same moment; the last word counts.
            known = await _of_message(session, message.id)
            if known is None:
                raise
    if known.state is not SuggestionState.NEW:
        raise BadInput("this was settled already", field="suggestion_settled")
    _write(known, message, text, should_intent, staff)
    await session.flush()
    audit.record(
        session,
        audit.staff_actor(staff),
        "suggestion.made",
        "message",
        message.id,
        now=now,
        seen=message.intent,
        should=should_intent,
    )
    return known


async def inbox(
    session: AsyncSession, state: SuggestionState = SuggestionState.NEW, limit: int = 100
) -> Sequence[TrainingSuggestion]:
    """The suggestions in a state, the oldest first."""
    found = await session.scalars(
        select(TrainingSuggestion)
        .where(TrainingSuggestion.state == state)
        .order_by(TrainingSuggestion.created_at, TrainingSuggestion.id)
        .limit(limit)
    )
    return found.all()


async def reopen(session: AsyncSession, staff: Staff, suggestion_id: int, now: datetime) -> None:
    """Let a settled suggestion wait again, where what settled it was taken back. Audited.

    Raises NotFound, and NotAllowed for who does not direct others.
    """
    require(staff, Right.DIRECT)
    found = await session.get(TrainingSuggestion, suggestion_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("no such suggestion")
    found.state, found.settled_at = SuggestionState.NEW, None
    audit.record(
        session,
        audit.staff_actor(staff),
        "suggestion.reopened",
        "suggestion",
        found.id,
        now=now,
        should=found.should_intent,
    )


async def settle(
    session: AsyncSession, suggestion: TrainingSuggestion, accepted: bool, staff: Staff, now: datetime
) -> TrainingSuggestion:
    """Take a suggestion into the training material, or refuse it. Audited.

    Raises NotAllowed for who does not direct others, BadInput (field ``suggestion_settled``) the second time.
    """
    require(staff, Right.DIRECT)
    found = await session.get_one(
        TrainingSuggestion, suggestion.id, with_for_update=True, populate_existing=True
    )
    if found.state is not SuggestionState.NEW:
        raise BadInput("this was settled already", field="suggestion_settled")
    found.state = SuggestionState.ACCEPTED if accepted else SuggestionState.REFUSED
    found.settled_at = now
    audit.record(
        session,
        audit.staff_actor(staff),
        f"suggestion.{found.state}",
        "suggestion",
        found.id,
        now=now,
        should=found.should_intent,
    )
    return found


async def settle_as_decided(session: AsyncSession, message_id: int, now: datetime) -> None:
    """Take in a suggestion that says what was decided before it was made, if one waits. Audited."""
    found = await _of_message(session, message_id)
    if found is None or found.state is not SuggestionState.NEW:
        return
    found.state, found.settled_at = SuggestionState.ACCEPTED, now
    audit.record(
        session, "system", "suggestion.accepted", "suggestion", found.id, now=now, should=found.should_intent
    )


async def withdraw(session: AsyncSession, staff: Staff, suggestion_id: int, now: datetime) -> None:
    """Take one's own suggestion back, as long as nobody settled it. Audited.

    Raises NotFound, NotAllowed without the right SUGGEST and for a colleague's (``others_suggestion``),
    and BadInput (field ``suggestion_settled``).
    """
    require(staff, Right.SUGGEST)
    found = await session.get(TrainingSuggestion, suggestion_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("no such suggestion")
    if found.staff_id != staff.id:
        raise NotAllowed("this is a colleague's suggestion", reason="others_suggestion")
    if found.state is not SuggestionState.NEW:
        raise BadInput("this was settled already", field="suggestion_settled")
    await session.delete(found)
    audit.record(
        session,
        audit.staff_actor(staff),
        "suggestion.withdrawn",
        "suggestion",
        found.id,
        now=now,
        should=found.should_intent,
    )


async def counts(session: AsyncSession) -> dict[SuggestionState, int]:
    """How many suggestions there are in each state."""
    rows = await session.execute(
        select(TrainingSuggestion.state, func.count()).group_by(TrainingSuggestion.state)
    )
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in SuggestionState}


async def _said_by_member(session: AsyncSession, message_id: int) -> Message:
    message = await messages.get(session, message_id)
    if message.author is Author.BOT and message.in_reply_to is not None:
        message = await messages.get(session, message.in_reply_to)
    if message.author is not Author.MEMBER or not (message.text or "").strip():
        raise BadInput("no member's words stand behind this message", field="suggestion_message")
    return message


async def _of_message(session: AsyncSession, message_id: int) -> TrainingSuggestion | None:
    return (
        await session.scalars(
            select(TrainingSuggestion)
            .where(TrainingSuggestion.message_id == message_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one_or_none()


def _write(
    suggestion: TrainingSuggestion, message: Message, text: str, should_intent: str, staff: Staff
) -> None:
    suggestion.text, suggestion.should_intent, suggestion.staff_id = text, should_intent, staff.id
    suggestion.seen_intent, suggestion.seen_confidence = message.intent, message.confidence
