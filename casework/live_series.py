"""Live series: what members wrote about and how it was read, day by day, and when which version answered.

All days are Shanghai's. Counted as in ``casework.live_figures``, over all versions together; messages from
before versions were recorded count by their reading.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import clock
from casework.live_figures import handed_soon, one_if, votes_on, written
from casework.periods import Period, shanghai_day
from casework.proportions import Rate
from casework.tables import (
    Conversation,
    Message,
    ModelDeed,
    ModelEvent,
    ModelVersion,
    SampleChange,
    TrainingJob,
)

CHANGES_OF_LIVE = (ModelDeed.PROMOTED, ModelDeed.ROLLED_BACK, ModelDeed.ROLLED_BACK_BY_ITSELF)


@dataclass(frozen=True, slots=True)
class Day:
    """Day: what was read on one day in Shanghai."""

    day: date
    topics: Counter[str | None]
    """Topic → messages; None: nothing was understood."""
    fallback: Rate
    handoff: Rate
    """Of the day's conversations, those handed to a human at most ten minutes after a message."""
    thumbs_down: Rate
    confidence: float | None

    @property
    def messages(self) -> int:
        """How many messages were read."""
        return self.fallback.total


@dataclass(frozen=True, slots=True)
class Change:
    """Change: a moment from which another version answered members."""

    at: datetime
    name: str
    deed: ModelDeed
    reason: str | None

    @property
    def day(self) -> date:
        """Its day in Shanghai."""
        return clock.shanghai_day(self.at)


async def read_days(session: AsyncSession, period: Period) -> list[Day]:
    """Every day of a period, empty ones too."""
    key = shanghai_day(Message.created_at)
    told = _read(period)
    rows = await _rows(
        session,
        _of_messages(
            key,
            Message.topic,
            func.count(),
            func.coalesce(func.sum(one_if(Message.accepted.is_(False))), 0),
            func.sum(Message.confidence),
            func.count(Message.confidence),
        )
        .where(*told)
        .group_by(key, Message.topic),
    )
    topics: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    unread: Counter[str] = Counter()
    sums: defaultdict[str, float] = defaultdict(float)
    counted: Counter[str] = Counter()
    for day, topic, many, not_acted_on, confidences, confident in rows:
        topics[day][topic] += many
        unread[day] += int(not_acted_on)
        sums[day] += confidences or 0.0
        counted[day] += confident
    talks = dict(
        await _rows(
            session,
            _of_messages(key, func.count(Message.conversation_id.distinct())).where(*told).group_by(key),
        )
    )
    handed = Counter(
        day
        for _, day in {
            (conversation_id, clock.shanghai_day(moment).isoformat())
            for conversation_id, moment in await handed_soon(session, told, period.begins, period.over)
        }
    )
    votes = {day: Rate(int(down), many) for day, many, down in await _rows(session, votes_on(told, key))}
    return [
        Day(
            day,
            topics[key],
            Rate(unread[key], topics[key].total()),
            Rate(handed[key], talks.get(key, 0)),
            votes.get(key, Rate(0, 0)),
            sums[key] / counted[key] if counted[key] else None,
        )
        for day in period.days()
        for key in (day.isoformat(),)
    ]


async def read_changes(session: AsyncSession, period: Period) -> list[Change]:
    """When another version began to answer members in a period, in time."""
    rows = await session.execute(
        select(ModelEvent.created_at, ModelVersion.name, ModelEvent.deed, ModelEvent.reason)
        .join(ModelVersion, ModelVersion.id == ModelEvent.version_id)
        .where(
            ModelEvent.deed.in_(CHANGES_OF_LIVE),
            ModelEvent.created_at >= period.begins,
            ModelEvent.created_at < period.over,
        )
        .order_by(ModelEvent.id)
    )
    return [Change(at, name, deed, reason) for at, name, deed, reason in rows]


async def read_corrections(
    session: AsyncSession, version: ModelVersion, before: ModelVersion, most: int = 50
) -> Sequence[SampleChange]:
    """The changes of the training sentences that are in a version and not in the one before, latest first.

    Undone ones aside; none for a version that was not trained in the workbench. Where the one before was not,
    what changed since it was registered.
    """
    jobs: Any = (
        select(ModelVersion.id, TrainingJob.changes_up_to)
        .join(TrainingJob, TrainingJob.id == ModelVersion.job_id)
        .where(ModelVersion.id.in_([version.id, before.id]))
    )
    up_to: dict[int, int] = dict(await _rows(session, jobs))
    if version.id not in up_to:
        return []
    known = up_to.get(before.id)
    changes = await session.scalars(
        select(SampleChange)
        .where(
            SampleChange.created_at > before.created_at if known is None else SampleChange.id > known,
            SampleChange.id <= up_to[version.id],
            SampleChange.undone_at.is_(None),
        )
        .order_by(SampleChange.id.desc())
        .limit(most)
    )
    return changes.all()


def _read(period: Period) -> list[ColumnElement[bool]]:
    """Messages with a reading, those aside that were only read for staff while a human spoke."""
    return [
        *written(period.begins, period.over),
        Message.accepted.is_not(None),
        or_(Message.answer_ms.is_not(None), Message.model.is_(None)),
    ]


def _of_messages(*columns: Any) -> Select[Any]:
    joined = select(*columns).select_from(Message)
    return joined.join(Conversation, Conversation.id == Message.conversation_id)


async def _rows(session: AsyncSession, query: Select[Any]) -> list[Any]:
    return [tuple(row) for row in await session.execute(query)]
