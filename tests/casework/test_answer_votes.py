"""Did this help: one vote for each answer, the member's last word, on an answer in their own conversation."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from casework import answer_votes, handoff
from casework.answer_votes import VotesOfDay
from casework.clock import FixedClock
from casework.database import Database
from casework.errors import NotFound
from casework.periods import Period
from casework.tables import Audience, Author, Conversation, Message, Owner
from tests.factories import make_conversation, make_message, make_staff


async def an_answer(
    database: Database, *, conversation: dict[str, Any] | None = None, **values: Any
) -> Message:
    """A bot's answer to a member's message."""
    async with database.transaction() as session:
        talk = await make_conversation(session, **conversation or {})
        asked = await make_message(session, talk)
        said = {"author": Author.BOT, "in_reply_to": asked.id, "topic": "labour.wage_arrears"}
        return await make_message(session, talk, **said | values)


async def vote(database: Database, answer: Message, helpful: bool, now: datetime) -> bool:
    async with database.transaction() as session:
        return await answer_votes.vote(session, answer.conversation_id, answer.id, helpful, now)


async def voted(database: Database, answer: Message) -> bool | None:
    async with database.read() as session:
        return (await answer_votes.votes_on(session, [answer.id])).get(answer.id)


async def test_the_last_word_counts(database: Database, now: datetime) -> None:
    answer = await an_answer(database)
    assert await voted(database, answer) is None
    assert await vote(database, answer, True, now)
    assert await voted(database, answer) is True
    assert await vote(database, answer, False, now)
    assert await voted(database, answer) is False
    assert not await vote(database, answer, False, now)
    assert await voted(database, answer) is False


async def test_a_vote_can_be_taken_back_and_given_again(database: Database, now: datetime) -> None:
    answer = await an_answer(database)
    await vote(database, answer, False, now)
    for _ in range(2):
        async with database.transaction() as session:
            await answer_votes.withdraw(session, answer.conversation_id, answer.id)
        assert await voted(database, answer) is None
    assert await vote(database, answer, False, now)
    assert await voted(database, answer) is False


async def test_two_votes_at_once_are_one(database: Database, now: datetime) -> None:
    answer = await an_answer(database)
    news = await asyncio.gather(*(vote(database, answer, False, now) for _ in range(3)))
    assert sorted(news) == [False, False, True]


@pytest.mark.parametrize("owner", [Owner.QUEUED, Owner.HUMAN])
async def test_a_vote_counts_whoever_speaks_by_now(
    database: Database, clock: FixedClock, owner: Owner
) -> None:
    answer = await an_answer(database)
    async with database.transaction() as session:
        conversation = await session.get_one(Conversation, answer.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", clock.now(), actor="member")
        if owner is Owner.HUMAN:
            await handoff.take_over(session, conversation, await make_staff(session), clock.now())
        assert conversation.owner is owner
    assert await vote(database, answer, True, clock.now())


@pytest.mark.parametrize(
    "values",
    [
        {"author": Author.MEMBER},
        {"author": Author.SYSTEM},
        {"in_reply_to": None},
        {"author": Author.STAFF},
        {"author": Author.STAFF, "audience": Audience.INTERNAL},
    ],
)
async def test_only_an_answer_of_the_bots_is_voted_on(
    database: Database, now: datetime, values: dict[str, Any]
) -> None:
    if values.get("author") is Author.STAFF:
        async with database.transaction() as session:
            values = {**values, "staff_id": (await make_staff(session)).id}
    message = await an_answer(database, **values)
    with pytest.raises(NotFound):
        await vote(database, message, True, now)
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await answer_votes.withdraw(session, message.conversation_id, message.id)


async def test_another_conversations_answer_and_no_message_at_all_are_the_same(
    database: Database, now: datetime
) -> None:
    mine, theirs = await an_answer(database), await an_answer(database)
    for message_id in (theirs.id, 10**15, 0, -1):
        async with database.transaction() as session:
            with pytest.raises(NotFound):
                await answer_votes.vote(session, mine.conversation_id, message_id, True, now)
    assert await voted(database, theirs) is None


@pytest.mark.parametrize(
    ("author", "topic", "in_reply_to", "asked"),
    [
        (Author.BOT, "labour.wage_arrears", 1, True),
        (Author.BOT, "case.status", 1, True),
        (Author.BOT, "talk.greet", 1, False),
        (Author.BOT, "crisis.self_harm", 1, False),
        (Author.BOT, None, 1, False),
        (Author.BOT, "labour.wage_arrears", None, False),
        (Author.STAFF, "labour.wage_arrears", 1, False),
        (Author.SYSTEM, "labour.wage_arrears", 1, False),
        (Author.MEMBER, "labour.wage_arrears", None, False),
    ],
)
def test_members_are_asked_about_answers_and_not_about_small_talk_or_in_a_crisis(
    author: Author, topic: str | None, in_reply_to: int | None, asked: bool
) -> None:
    message = Message(author=author, topic=topic, in_reply_to=in_reply_to)
    assert answer_votes.may_be_asked_about(message) is asked


async def test_votes_are_counted_by_the_day_they_were_given_in_shanghai(database: Database) -> None:
    late = datetime.fromisoformat("2026-07-20T15:59:59+00:00")
    for helpful, at in [
        (True, late),
        (False, late),
        (False, late - timedelta(hours=15)),
        (False, late + timedelta(seconds=1)),
        (True, late - timedelta(days=1)),
        (True, late + timedelta(days=2, seconds=1)),
    ]:
        await vote(database, await an_answer(database), helpful, at)
    async with database.read() as session:
        counted = await answer_votes.votes_per_day(session, Period(date(2026, 7, 20), date(2026, 7, 22)))
        assert await answer_votes.votes_on(session, []) == {}
    assert counted == [
        VotesOfDay(date(2026, 7, 20), helpful=1, unhelpful=2),
        VotesOfDay(date(2026, 7, 21), helpful=0, unhelpful=1),
        VotesOfDay(date(2026, 7, 22), helpful=0, unhelpful=0),
    ]


async def test_a_changed_mind_counts_on_the_day_it_changed(database: Database, now: datetime) -> None:
    answer = await an_answer(database)
    await vote(database, answer, True, now)
    await vote(database, answer, False, now + timedelta(days=1))
    today = Period(date(2026, 7, 20), date(2026, 7, 21))
    async with database.read() as session:
        assert [(one.helpful, one.unhelpful) for one in await answer_votes.votes_per_day(session, today)] == [
            (0, 0),
            (0, 1),
        ]


async def test_a_vote_goes_with_its_answer(database: Database, now: datetime) -> None:
    answer = await an_answer(database)
    await vote(database, answer, True, now)
    async with database.transaction() as session:
        await session.delete(await session.get_one(Message, answer.id))
    assert await voted(database, answer) is None
