"""Live figures: a hand-made day whose every figure was counted by hand, by version and by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry
from casework.database import Database
from casework.live_figures import LiveFigures, read_figures
from casework.live_series import Day, read_changes, read_corrections, read_days
from casework.periods import Period
from casework.proportions import Rate
from casework.tables import (
    AnswerVote,
    Author,
    ChangeDeed,
    ChangeOrigin,
    Conversation,
    Handling,
    Handoff,
    JobState,
    Message,
    ModelDeed,
    ModelVersion,
    SampleChange,
    TrainingJob,
)
from tests.factories import make_conversation, make_message, make_staff

ONE, TWO = "2026-07-19-1", "2026-07-20-1"


async def heard(
    session: AsyncSession,
    conversation: Conversation,
    at: datetime,
    *,
    helpful: bool | None = None,
    **values: Any,
) -> Message:
    """What a member wrote and the dialogue answered, and how they voted on the answer."""
    defaults: dict[str, Any] = {
        "model": ONE,
        "topic": "labour.wage_arrears",
        "confidence": 0.9,
        "accepted": True,
        "answer_ms": 100,
        "handling": Handling.DONE,
    }
    asked = await make_message(session, conversation, created_at=at, **defaults | values)
    said = await make_message(
        session, conversation, author=Author.BOT, in_reply_to=asked.id, created_at=at, text="可以投诉。"
    )
    if helpful is not None:
        session.add(AnswerVote(message_id=said.id, helpful=helpful, created_at=at))
    conversation.last_message_at = max(conversation.last_message_at, at)
    return asked


async def hand(session: AsyncSession, conversation: Conversation, at: datetime, reason: str) -> None:
    session.add(
        Handoff(
            conversation_id=conversation.id,
            channel=conversation.channel,
            reason=reason,
            queued_at=at,
            ended_at=at + timedelta(hours=1),
        )
    )
    await session.flush()


async def talk(session: AsyncSession, at: datetime) -> Conversation:
    return await make_conversation(session, created_at=at, last_message_at=at)


async def figures(
    database: Database, now: datetime, model: str = ONE, hours: int = 1, **values: Any
) -> LiveFigures:
    async with database.read() as session:
        return await read_figures(session, model, now, now + timedelta(hours=hours), **values)


async def test_nothing_happened_and_no_figure_is_made_up(database: Database, now: datetime) -> None:
    found = await figures(database, now)
    assert found == LiveFigures()
    assert found.messages == 0
    assert found.latency(0.95) is None
    assert found.fallback.share is None


async def test_messages_count_for_the_version_that_read_them_and_within_the_time(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, now - timedelta(days=2))
        await heard(session, conversation, now - timedelta(microseconds=1))
        await heard(session, conversation, now)
        await heard(session, conversation, now, accepted=False, confidence=0.3)
        await heard(session, conversation, now, model=TWO, accepted=False)
        await heard(session, conversation, now + timedelta(hours=1))
        # Read for staff, while a human spoke: the dialogue answered nothing.
        await heard(session, conversation, now, accepted=False, answer_ms=None)
    found = await figures(database, now)
    assert found.fallback == Rate(1, 2)
    assert found.confidence == pytest.approx(0.6)
    assert (await figures(database, now, TWO)).fallback == Rate(1, 1)


async def test_a_handoff_counts_within_ten_minutes_and_once_for_its_conversation(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for reason, minutes in (
            ("member_asked", 10),
            ("member_asked", 11),
            ("crisis.self_harm", 0),
            ("staff_took_over", 1),
            ("bad_rating", 1),
        ):
            conversation = await talk(session, now)
            await heard(session, conversation, now)
            await hand(session, conversation, now + timedelta(minutes=minutes), reason)
        twice = await talk(session, now)
        await heard(session, twice, now)
        await heard(session, twice, now)
        await hand(session, twice, now + timedelta(minutes=1), "not_understood")
        await hand(session, twice, now + timedelta(minutes=2), "member_asked")
    assert (await figures(database, now)).handoff == Rate(3, 6)


async def test_a_handoff_before_the_versions_first_message_is_not_held_against_it(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, now)
        await heard(session, conversation, now, model=TWO)
        await hand(session, conversation, now + timedelta(minutes=1), "member_asked")
        await heard(session, conversation, now + timedelta(minutes=2))
    assert (await figures(database, now)).handoff == Rate(0, 1)
    assert (await figures(database, now, TWO)).handoff == Rate(1, 1)


async def test_what_the_dialogue_did_not_answer_belongs_to_the_version_its_conversation_is_on(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        good, bad = await talk(session, now), await talk(session, now)
        await heard(session, good, now)
        await hand(session, bad, now, "system_failure")
        await hand(session, bad, now + timedelta(hours=1), "system_failure")
    assert (await figures(database, now)).error == Rate(1, 2)
    assert (await figures(database, now)).handoff == Rate(0, 1)
    on_good = await figures(database, now, belongs=lambda conversation_id: conversation_id == good.id)
    assert on_good.error == Rate(0, 1)


async def test_votes_count_for_the_version_that_read_the_question(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, now)
        await heard(session, conversation, now, helpful=True)
        await heard(session, conversation, now, helpful=False)
        await heard(session, conversation, now)
        await heard(session, conversation, now, helpful=False, model=TWO)
    assert (await figures(database, now)).thumbs_down == Rate(1, 2)


async def test_latency_is_the_nearest_rank(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await talk(session, now)
        for took in (10, 20, 20, 30, 900):
            await heard(session, conversation, now, answer_ms=took)
    found = await figures(database, now)
    assert (found.latency(0.5), found.latency(0.8), found.latency(0.95)) == (20, 30, 900)
    assert found.slower_than(30) == Rate(1, 5)
    assert found.as_dict()["latency_ms"] == [20, 900]


async def test_days_are_shanghais_and_every_one_of_them_is_there(database: Database, now: datetime) -> None:
    # 09:30 on Monday in Jinan; 16:00 UTC is midnight there.
    midnight = now.replace(hour=16, minute=0)
    async with database.transaction() as session:
        conversation = await talk(session, now)
        await heard(session, conversation, now, helpful=False)
        await heard(session, conversation, now, accepted=False, topic=None, confidence=0.1, model=TWO)
        await heard(session, conversation, midnight, topic="heat.allowance", model=None, answer_ms=None)
        await heard(session, conversation, midnight, answer_ms=None)  # read for staff
        await hand(session, conversation, midnight + timedelta(minutes=1), "member_asked")
    async with database.read() as session:
        monday, tuesday, wednesday = await read_days(session, Period(date(2026, 7, 20), date(2026, 7, 22)))
    assert monday.topics == {"labour.wage_arrears": 1, None: 1}
    assert (monday.fallback, monday.handoff, monday.thumbs_down) == (Rate(1, 2), Rate(0, 1), Rate(1, 1))
    assert monday.confidence == pytest.approx(0.5)
    assert tuesday.topics == {"heat.allowance": 1}
    assert (tuesday.messages, tuesday.handoff) == (1, Rate(1, 1))
    assert isinstance(wednesday, Day)
    assert (wednesday.messages, wednesday.handoff, wednesday.confidence) == (0, Rate(0, 0), None)


async def made(session: AsyncSession, now: datetime, number: int, changes: int | None) -> ModelVersion:
    job = None
    if changes is not None:
        job = TrainingJob(state=JobState.DONE, changes_up_to=changes, created_at=now, finished_at=now)
        session.add(job)
        await session.flush()
    version = await model_registry.register(
        session, sha256=f"{number:064x}", size=1, now=now, job_id=job.id if job else None
    )
    version.passed = version.safe = True
    return version


async def change(session: AsyncSession, now: datetime, text: str, **values: Any) -> SampleChange:
    made = SampleChange(
        deed=ChangeDeed.ADD,
        origin=ChangeOrigin.HAND,
        after_text=text,
        after_intent="ask_wage_arrears",
        created_at=now,
        **values,
    )
    session.add(made)
    await session.flush()
    return made


async def test_changes_of_the_live_version_are_told_and_a_canary_is_none(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, two = await made(session, now, 1, None), await made(session, now, 2, None)
        await model_registry.adopt(session, one, now, "第一个模型")
        await model_registry.begin_canary(session, two.id, None, 10, now)
        await model_registry.promote(session, two.id, None, now)
        await model_registry.roll_back(session, None, now + timedelta(days=1), reason="不好")
    async with database.read() as session:
        found = await read_changes(session, Period(date(2026, 7, 20), date(2026, 7, 21)))
        first = await read_changes(session, Period(date(2026, 7, 20), date(2026, 7, 20)))
    assert [(change.name, change.deed) for change in found] == [
        (one.name, ModelDeed.PROMOTED),
        (two.name, ModelDeed.PROMOTED),
        (one.name, ModelDeed.ROLLED_BACK),
    ]
    assert len(first) == 2
    assert found[2].day == date(2026, 7, 21)


async def test_the_corrections_of_a_version_are_those_between_its_job_and_the_one_before(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        old = await change(session, now - timedelta(days=1), "旧的")
        first = await change(session, now + timedelta(days=1), "第一句")
        undone = await change(session, now + timedelta(days=1), "撤回的")
        later = await change(session, now + timedelta(days=1), "后来的")
        untrained = await made(session, now, 1, None)
        before = await made(session, now, 2, old.id)
        version = await made(session, now, 3, undone.id)

        undone.undone_at, undone.undone_by_id = now, (await make_staff(session)).id
    assert later.id > undone.id
    async with database.read() as session:
        assert [one.id for one in await read_corrections(session, version, before)] == [first.id]
        assert [one.id for one in await read_corrections(session, version, untrained)] == [first.id]
        assert await read_corrections(session, untrained, version) == []
