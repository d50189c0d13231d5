"""Live figures: how one model version does with members, in a stretch of time.

What is counted, exactly:

- **messages**: what members wrote in it that the dialogue answered with this version's reading (``model`` and
  ``answer_ms`` are recorded). What was only read for staff, while a human spoke, counts nowhere.
- **fallback**: those of them whose reading the assistant did not act on.
- **handoff**: of the conversations with such a message, those that were handed to a human at most ten minutes
  after one. Staff who came by themselves, and members unhappy with a human, are no fault of a model's.
- **error**: messages the dialogue gave no answer to, among those and the answered ones. Such a message names
  no version: it belongs to the one its conversation is on (``belongs``).
- **thumbs down**: votes that an answer did not help, among the votes on answers to such messages.
- **latency**: how long the dialogue took for each message, in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casework.handoff import BAD_RATING_REASON, STAFF_TOOK_OVER
from casework.proportions import Rate
from casework.tables import AnswerVote, Author, Conversation, Handoff, Message

SYSTEM_FAILURE = "system_failure"
"""The reason of a handoff that was made because the dialogue gave no answer."""
NOT_THE_MODELS = (STAFF_TOOK_OVER, BAD_RATING_REASON, SYSTEM_FAILURE)
SOON = timedelta(minutes=10)
"""A handoff so soon after an answer is held against it."""

NONE = Rate(0, 0)

Belongs = Callable[[str], bool]
"""Whether a conversation, by its id, is on the version that is asked about."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Live figures: what one version did in one stretch of time."""

    fallback: Rate = NONE
    handoff: Rate = NONE
    error: Rate = NONE
    thumbs_down: Rate = NONE
    latencies: Mapping[int, int] = field(default_factory=dict)
    """Milliseconds → how many messages took so long."""
    confidence: float | None = None
    """The mean one, 0 to 1."""

    @property
    def messages(self) -> int:
        """How many messages were answered."""
        return self.fallback.total

    def latency(self, share: float) -> int | None:
        """The milliseconds that this share of the messages do not exceed (nearest rank), None of nothing."""
        rank = math.ceil(share * sum(self.latencies.values()))
        for milliseconds in sorted(self.latencies):
            rank -= self.latencies[milliseconds]
            if rank <= 0:
                return milliseconds
        return None

    def slower_than(self, milliseconds: float) -> Rate:
        """How many of the messages took longer than so many milliseconds."""
        slow = sum(many for took, many in self.latencies.items() if took > milliseconds)
        return Rate(slow, sum(self.latencies.values()))

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values, to be kept with an event."""
        rates = ("fallback", "handoff", "error", "thumbs_down")
        return {
            "messages": self.messages,
            **{name: [getattr(self, name).count, getattr(self, name).total] for name in rates},
            "latency_ms": [self.latency(0.5), self.latency(0.95)],
            "confidence": None if self.confidence is None else round(self.confidence, 4),
        }


async def read_figures(
    session: AsyncSession,
    model: str,
    begins: datetime,
    over: datetime,
    *,
    belongs: Belongs = lambda _: True,
) -> LiveFigures:
    """Count what the version of that name did from ``begins`` to before ``over``."""
    told = [*written(begins, over), Message.model == model, Message.answer_ms.is_not(None)]
    (row,) = await session.execute(
        _of_conversations(
            func.count(),
            func.coalesce(func.sum(one_if(Message.accepted.is_(False))), 0),
            func.avg(Message.confidence),
            func.count(Message.conversation_id.distinct()),
        ).where(*told)
    )
    messages, unread, confidence, conversations = row
    latencies = await session.execute(
        _of_conversations(Message.answer_ms, func.count()).where(*told).group_by(Message.answer_ms)
    )
    handed = {one for one, _ in await handed_soon(session, told, begins, over)}
    failed = await _failures(session, begins, over, belongs)
    (votes,) = await _rows(session, votes_on(told))
    return LiveFigures(
        fallback=Rate(int(unread), messages),
        handoff=Rate(len(handed), conversations),
        error=Rate(failed, messages + failed),
        thumbs_down=Rate(int(votes[1]), votes[0]),
        latencies={int(took): many for took, many in latencies},
        confidence=confidence,
    )


def written(begins: datetime, over: datetime) -> list[ColumnElement[bool]]:
    """The condition on messages, joined with their conversations, that members wrote in a time."""
    return [
        # The newest message is never older than the others, and only its time has an index.
        Conversation.last_message_at >= begins,
        Conversation.created_at < over,
        Message.author == Author.MEMBER,
        Message.created_at >= begins,
        Message.created_at < over,
    ]


async def handed_soon(
    session: AsyncSession, told: Sequence[ColumnElement[bool]], begins: datetime, over: datetime
) -> list[tuple[str, datetime]]:
    """Each handoff at most ten minutes after such a message: its conversation, and when that was written."""
    latest = func.max(Message.created_at)
    found = await session.execute(
        select(Handoff.conversation_id, latest, Handoff.queued_at)
        .join(Message, Message.conversation_id == Handoff.conversation_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Handoff.queued_at >= begins,
            Handoff.queued_at < over + SOON,
            Handoff.reason.not_in(NOT_THE_MODELS),
            Message.created_at <= Handoff.queued_at,
            *told,
        )
        .group_by(Handoff.id, Handoff.conversation_id, Handoff.queued_at)
    )
    return [(one, moment) for one, moment, queued_at in found if queued_at - moment <= SOON]


def votes_on(told: Sequence[ColumnElement[bool]], *keys: ColumnElement[Any]) -> Select[Any]:
    """Counts the votes on answers to such messages, and those that an answer did not help, by ``keys``."""
    said = aliased(Message)
    return (
        select(*keys, func.count(), func.coalesce(func.sum(one_if(AnswerVote.helpful.is_(False))), 0))
        .select_from(AnswerVote)
        .join(said, said.id == AnswerVote.message_id)
        .join(Message, Message.id == said.in_reply_to)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(*told)
        .group_by(*keys)
    )


def one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 for a row of which the condition holds, else 0; for sums."""
    return case((condition, 1), else_=0)


async def _failures(session: AsyncSession, begins: datetime, over: datetime, belongs: Belongs) -> int:
    found = await session.scalars(
        select(Handoff.conversation_id).where(
            Handoff.queued_at >= begins, Handoff.queued_at < over, Handoff.reason == SYSTEM_FAILURE
        )
    )
    return sum(belongs(one) for one in found)


async def _rows(session: AsyncSession, query: Select[Any]) -> list[Any]:
    return list(await session.execute(query))


def _of_conversations(*columns: Any) -> Select[Any]:
    joined = select(*columns).select_from(Message)
    return joined.join(Conversation, Conversation.id == Message.conversation_id)
