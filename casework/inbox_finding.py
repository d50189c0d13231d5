"""Inbox finding: which members' messages are worth a look, and why; nothing is stored.

Everything is found again and again until it is in the inbox with all its reasons, so that finding may stop
and begin anywhere. ``Look`` only keeps it from reading all messages each time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casework.anonymous_words import without_personal_data
from casework.inbox_rules import InboxRules
from casework.tables import (
    AnswerVote,
    Author,
    Handling,
    Handoff,
    InboxMessage,
    InboxReason,
    Message,
    SuggestionState,
    TrainingSuggestion,
)

LOOK_BACK = timedelta(days=30)
"""How far back the first look goes."""
OVERLAP = timedelta(minutes=10)
OVERLAP_IDS = 200
"""Looks overlap: what was begun first may be committed last."""
RIGHT_AFTER = timedelta(minutes=2)
"""How soon after an answer a complaint, or the wish for a human, is about that answer."""
COMPLAINT = "complain"
ASKED_FOR = "member_asked"
"""The reason of a handoff the member asked for."""
FEWEST_CHARACTERS = 2
"""Fewer words than these, placeholders and digits aside, teach nothing."""
_PLACEHOLDER = re.compile(r"\[[^\[\]]{1,6}\]")
_NO_WORD = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Look:
    """Look: from where on the next one has to look."""

    after: int
    """The last message whose reading was looked at."""
    since: datetime
    """Votes and handoffs before this were looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """Found: a message worth a look, in words without personal data.

    Without any reason it is one whose second guess may be close: only who has the guesses can say.
    """

    message_id: int
    text: str
    reasons: frozenset[InboxReason]
    intent: str | None
    confidence: float | None
    accepted: bool | None
    model: str | None
    should_intent: str | None
    said_at: datetime


async def find(
    session: AsyncSession, rules: InboxRules, now: datetime, *, last: Look | None = None, limit: int = 500
) -> tuple[list[Found], Look]:
    """What is worth a look since the last look, at most ``limit``, the oldest first, and where to go on."""
    since = now - LOOK_BACK if last is None else last.since
    after = await _last_before(session, since) if last is None else last.after
    reasons: dict[int, set[InboxReason]] = defaultdict(set)
    next_after = await _readings(session, rules, after, limit, reasons)
    should = await _suggested(session, reasons)
    await _disliked(session, since, reasons)
    await _complained_about(session, after, reasons)
    await _handed_off(session, since, reasons)
    await _leave_known_out(session, reasons, should)
    found: list[Found] = []
    for message_id in sorted(reasons):
        if sum(bool(one.reasons) for one in found) == limit:
            return found, Look(after, since)
        one = await _found(session, message_id, reasons[message_id], should.get(message_id))
        if one is not None:
            found.append(one)
    return found, Look(max(after, next_after - OVERLAP_IDS), max(since, now - OVERLAP))


async def _last_before(session: AsyncSession, moment: datetime) -> int:
    return await session.scalar(select(func.max(Message.id)).where(Message.created_at < moment)) or 0


async def _readings(
    session: AsyncSession, rules: InboxRules, after: int, limit: int, reasons: dict[int, set[InboxReason]]
) -> int:
    """What the model was unsure of where it answered; gives the last message not to be looked at again."""
    least_sure = max(rules.sure, (1 + rules.close) / 2)
    rows = await session.execute(
        select(Message.id, Message.accepted, Message.confidence)
        .outerjoin(InboxMessage, InboxMessage.message_id == Message.id)
        .where(
            InboxMessage.message_id.is_(None),
            Message.id > after,
            Message.author == Author.MEMBER,
            Message.handling == Handling.DONE,
            Message.text.is_not(None),
            or_(Message.accepted.is_(False), Message.confidence < least_sure),
            # Not what was read for the staff alone, while a human spoke (older messages do not tell).
            or_(Message.answer_ms.is_not(None), Message.model.is_(None)),
        )
        .order_by(Message.id)
        .limit(limit)
    )
    read = rows.all()
    for message_id, accepted, confidence in read:
        mine = reasons[message_id]
        if accepted is False:
            mine.add(InboxReason.NOT_UNDERSTOOD)
        elif confidence is not None and confidence < rules.sure:
            mine.add(InboxReason.LOW_CONFIDENCE)
    if len(read) == limit:
        return int(read[-1].id) + OVERLAP_IDS
    pending = await session.scalar(select(func.min(Message.id)).where(Message.handling == Handling.PENDING))
    newest = await session.scalar(select(func.max(Message.id))) or 0
    return newest if pending is None else min(newest, pending - 1)


async def _suggested(session: AsyncSession, reasons: dict[int, set[InboxReason]]) -> dict[int, str]:
    # No limit: those without words to learn are found each time and must not stand before the others.
    rows = await session.execute(
        select(TrainingSuggestion.message_id, TrainingSuggestion.should_intent)
        .outerjoin(InboxMessage, InboxMessage.message_id == TrainingSuggestion.message_id)
        .where(
            TrainingSuggestion.state == SuggestionState.NEW,
            TrainingSuggestion.message_id.is_not(None),
            or_(
                InboxMessage.should_intent.is_(None),
                InboxMessage.should_intent != TrainingSuggestion.should_intent,
            ),
        )
        .order_by(TrainingSuggestion.id)
    )
    should = {int(row.message_id): str(row.should_intent) for row in rows}
    for message_id in should:
        reasons[message_id].add(InboxReason.SUGGESTED)
    return should


async def _disliked(session: AsyncSession, since: datetime, reasons: dict[int, set[InboxReason]]) -> None:
    answered = await session.scalars(
        select(Message.in_reply_to)
        .join(AnswerVote, AnswerVote.message_id == Message.id)
        .where(
            AnswerVote.helpful.is_(False), AnswerVote.created_at >= since, Message.in_reply_to.is_not(None)
        )
        .order_by(AnswerVote.created_at)
    )
    for message_id in answered:
        reasons[int(message_id or 0)].add(InboxReason.THUMBS_DOWN)


async def _complained_about(session: AsyncSession, after: int, reasons: dict[int, set[InboxReason]]) -> None:
    complaints = await session.scalars(
        select(Message)
        .where(
            Message.id > after,
            Message.author == Author.MEMBER,
            Message.handling == Handling.DONE,
            Message.intent == COMPLAINT,
            Message.accepted.is_(True),
        )
        .order_by(Message.id)
    )
    for complaint in complaints:
        before = await _answered_before(
            session, complaint.conversation_id, complaint.created_at, complaint.id
        )
        if before is not None:
            reasons[before].add(InboxReason.THUMBS_DOWN)


async def _handed_off(session: AsyncSession, since: datetime, reasons: dict[int, set[InboxReason]]) -> None:
    rows = await session.execute(
        select(Handoff.conversation_id, Handoff.queued_at)
        .where(Handoff.reason == ASKED_FOR, Handoff.queued_at >= since)
        .order_by(Handoff.id)
    )
    for conversation_id, queued_at in rows.all():
        request = await session.scalar(
            select(func.max(Message.id)).where(
                Message.conversation_id == conversation_id,
                Message.author == Author.MEMBER,
                Message.created_at <= queued_at,
            )
        )
        before = await _answered_before(session, conversation_id, queued_at, request or 0)
        if before is not None:
            reasons[before].add(InboxReason.HANDED_OFF)


async def _answered_before(
    session: AsyncSession, conversation_id: str, moment: datetime, message_id: int
) -> int | None:
    """The member's message that was answered last before another one, where that was right before."""
    asked, answer = aliased(Message), aliased(Message)
    row = (
        await session.execute(
            select(asked.id, answer.created_at)
            .join(answer, answer.in_reply_to == asked.id)
            .where(
                asked.conversation_id == conversation_id,
                asked.author == Author.MEMBER,
                asked.id < message_id,
                answer.author == Author.BOT,
            )
            .order_by(asked.id.desc(), answer.id.desc())
            .limit(1)
        )
    ).first()
    if row is None or moment - row.created_at > RIGHT_AFTER:
        return None
    return int(row.id)


async def _leave_known_out(
    session: AsyncSession, reasons: dict[int, set[InboxReason]], should: dict[int, str]
) -> None:
    """Drop what is in the inbox already with these very reasons."""
    wanted = list(reasons)
    for start in range(0, len(wanted), 500):
        rows = await session.execute(
            select(InboxMessage.message_id, InboxMessage.reasons, InboxMessage.should_intent).where(
                InboxMessage.message_id.in_(wanted[start : start + 500])
            )
        )
        for message_id, stored, should_intent in rows:
            told = should.get(message_id)
            if reasons[message_id] <= {InboxReason(one) for one in stored} and told in (None, should_intent):
                del reasons[message_id]


async def _found(
    session: AsyncSession, message_id: int, reasons: Iterable[InboxReason], should_intent: str | None
) -> Found | None:
    """The message without personal data, or None where there are no words of the member's own to learn."""
    message = await session.get(Message, message_id)
    if message is None or not _own_words(message):
        return None
    text = " ".join((await without_personal_data(session, message)).split())
    if len(_NO_WORD.sub("", _PLACEHOLDER.sub("", text))) < FEWEST_CHARACTERS:
        return None
    return Found(
        message_id=message.id,
        text=text,
        reasons=frozenset(reasons),
        intent=message.intent,
        confidence=message.confidence,
        accepted=message.accepted,
        model=message.model,
        should_intent=should_intent,
        said_at=message.created_at,
    )


def _own_words(message: Message) -> bool:
    text = (message.text or "").strip()
    pressed = "payload" in (message.content or {})
    return message.author is Author.MEMBER and bool(text) and not pressed and not text.startswith("/")
