"""Replay: members' recent messages, personal data taken out, for two models to read side by side."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.anonymous_words import without_personal_data
from casework.tables import (
    Audience,
    Author,
    Decision,
    GroupState,
    InboxGroup,
    InboxMessage,
    Message,
    ModelVersion,
    SampleChange,
    TrainingJob,
)

DAYS = 30
MOST = 300
_LOOKED_AT = 3
"""Times ``MOST`` messages are looked at: many say the same word."""
_CRISIS = "crisis_"


async def recent(session: AsyncSession, now: datetime, *, days: int = DAYS, most: int = MOST) -> list[str]:
    """Return what members wrote in the last ``days`` days, each once, the latest first, at most ``most``.

    Personal data is replaced by placeholders. What people have since labelled as no crisis is left out: it is
    measured as a correction, and that the present model took it for one is what they corrected.
    """
    found = await session.scalars(
        select(Message)
        .where(
            Message.author == Author.MEMBER,
            Message.audience == Audience.MEMBER,
            Message.created_at >= now - timedelta(days=days),
            Message.intent.is_not(None),
            Message.text.is_not(None),
            ~_labelled_otherwise(),
        )
        .order_by(Message.id.desc())
        .limit(most * _LOOKED_AT)
    )
    texts: dict[str, None] = {}
    for message in found:
        if (message.content or {}).get("payload") or not (message.text or "").strip():
            continue
        texts.setdefault(await without_personal_data(session, message))
        if len(texts) == most:
            break
    return list(texts)


async def corrections(session: AsyncSession, version: ModelVersion) -> list[SampleChange]:
    """Return the sentences a model version has not seen as they are now, oldest first; removed ones aside."""
    return [change for change in await unseen(session, version) if change.after_intent is not None]


async def unseen(session: AsyncSession, version: ModelVersion) -> list[SampleChange]:
    """Return the changes of the training sentences that a model version has not seen, oldest first."""
    seen = None
    if version.job_id is not None:
        seen = await session.scalar(select(TrainingJob.changes_up_to).where(TrainingJob.id == version.job_id))
    since = SampleChange.committed_at.is_(None) if seen is None else SampleChange.id > seen
    found = await session.scalars(
        select(SampleChange).where(since, SampleChange.undone_at.is_(None)).order_by(SampleChange.id)
    )
    return list(found)


def _labelled_otherwise() -> ColumnElement[bool]:
    return exists().where(
        InboxMessage.message_id == Message.id,
        InboxGroup.id == InboxMessage.group_id,
        InboxGroup.state == GroupState.SETTLED,
        or_(
            InboxGroup.decision == Decision.OUT_OF_SCOPE,
            (InboxGroup.decision == Decision.INTENT) & ~InboxGroup.intent.startswith(_CRISIS),
        ),
    )
