"""Answer votes: whether a member says that an answer of the bot's helped; the last word counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import NotFound
from casework.periods import Period, shanghai_day
from casework.tables import AnswerVote, Audience, Author, Message

NOT_ASKED_ABOUT = ("talk.", "crisis.")
"""Topics nobody is asked about: small talk answers nothing, and a member in danger has other things to do."""


@dataclass(frozen=True, slots=True)
class VotesOfDay:
    """How many votes of one day in Shanghai say that an answer helped, and how many that it did not."""

    day: date
    helpful: int
    unhelpful: int


def may_be_asked_about(message: Message) -> bool:
    """Whether a member is asked if this message helped: a bot's answer to a question with a topic.

    A vote on any other answer of the bot's counts all the same.
    """
    answers = message.author is Author.BOT and message.in_reply_to is not None
    return answers and bool(message.topic) and not str(message.topic).startswith(NOT_ASKED_ABOUT)


async def vote(
    session: AsyncSession, conversation_id: str, message_id: int, helpful: bool, now: datetime
) -> bool:
    """Keep whether an answer helped, whoever speaks by now; returns whether that is news.

    Raises NotFound for what is not an answer of the bot's to a member in this very conversation.
    """
    message = await _answer(session, conversation_id, message_id)
    known = await session.get(AnswerVote, message.id, populate_existing=True)
    if known is None:
        session.add(AnswerVote(message_id=message.id, helpful=helpful, created_at=now))
    elif known.helpful is not helpful:
        known.helpful, known.created_at = helpful, now
    else:
        return False
    await session.flush()
    return True


async def withdraw(session: AsyncSession, conversation_id: str, message_id: int) -> None:
    """Take a vote back; nothing happens where there is none. Raises NotFound as ``vote`` does."""
    message = await _answer(session, conversation_id, message_id)
    known = await session.get(AnswerVote, message.id, populate_existing=True)
    if known is not None:
        await session.delete(known)
        await session.flush()


async def votes_on(session: AsyncSession, message_ids: Sequence[int]) -> dict[int, bool]:
    """What was voted on these messages: id → whether it helped; those without a vote are left out."""
    if not message_ids:
        return {}
    found = await session.execute(
        select(AnswerVote.message_id, AnswerVote.helpful).where(AnswerVote.message_id.in_(message_ids))
    )
    return {row.message_id: row.helpful for row in found}


async def votes_per_day(session: AsyncSession, period: Period) -> list[VotesOfDay]:
    """The votes of each day of a period by the day they were given, days without any included."""
    day = shanghai_day(AnswerVote.created_at)
    found = await session.execute(
        select(day, func.count(), func.coalesce(func.sum(case((AnswerVote.helpful, 1), else_=0)), 0))
        .where(AnswerVote.created_at >= period.begins, AnswerVote.created_at < period.over)
        .group_by(day)
    )
    counted = {str(name): (int(total), int(helped)) for name, total, helped in found}
    every = [(one, *counted.get(one.isoformat(), (0, 0))) for one in period.days()]
    return [VotesOfDay(one, helped, total - helped) for one, total, helped in every]


async def _answer(session: AsyncSession, conversation_id: str, message_id: int) -> Message:
    """The answer, held so that two votes on it at once come one after the other; raises NotFound."""
    message = await session.get(
        Message, message_id, populate_existing=True, with_for_update={"key_share": True}
    )
    if (
        message is None
        or message.conversation_id != conversation_id
        or message.author is not Author.BOT
        or message.audience is not Audience.MEMBER
        or message.in_reply_to is None
    ):
        raise NotFound(f"no answer {message_id} in this conversation", reason="answer")
    return message
