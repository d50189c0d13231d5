"""The model watch: what is looked at and for how long, what is taken back, and that it is done once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry, model_watch
from casework.database import Database
from casework.model_bands import Bands
from casework.model_watch import Look, Watched
from casework.proportions import Rate
from casework.tables import (
    Alert,
    AlertKind,
    Author,
    Conversation,
    Handling,
    Message,
    ModelDeed,
    ModelState,
    ModelVersion,
    StaffRole,
)
from tests.casework.test_live_figures import hand, talk
from tests.factories import make_staff

BANDS = Bands.load(Path(__file__).parents[2] / "data" / "knowledge")
OVERRIDE = "先上线看看，明天再补例句"


def even(conversation_id: str, share: int) -> bool:
    """Whose id ends in an even digit is on the canary."""
    return int(conversation_id, 16) % 2 == 0


async def version(session: AsyncSession, now: datetime, number: int, *, passed: bool = True) -> ModelVersion:
    made = await model_registry.register(session, sha256=f"{number:064x}", size=10, now=now)
    made.passed, made.safe = passed, True
    return made


async def two_versions(session: AsyncSession, now: datetime) -> tuple[ModelVersion, ModelVersion]:
    """The first one adopted a week ago, the second promoted now."""
    week_ago = now - timedelta(days=7)
    one, two = await version(session, week_ago, 1), await version(session, now, 2)
    await model_registry.adopt(session, one, week_ago, "第一个模型")
    await model_registry.promote(session, two.id, None, now)
    return one, two


async def read(
    session: AsyncSession, conversation: Conversation, model: str, at: datetime, many: int, unread: int
) -> None:
    """So many messages read by a version, so many of them not understood."""
    first = int(await session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)) or 0) + 1
    rows = [
        {
            "id": first + number,
            "conversation_id": conversation.id,
            "author": Author.MEMBER,
            "client_message_id": f"{model}-{first + number}",
            "model": model,
            "accepted": number >= unread,
            "confidence": 0.8,
            "answer_ms": 200,
            "handling": Handling.DONE,
            "created_at": at,
        }
        for number in range(many)
    ]
    await session.execute(insert(Message), rows)
    conversation.last_message_at = max(conversation.last_message_at, at)


async def watched(database: Database, now: datetime) -> list[Watched]:
    async with database.read() as session:
        return await model_watch.watched(session, BANDS, now)


async def seen(database: Database, now: datetime) -> list[Look]:
    async with database.read() as session:
        return [
            await model_watch.look(
                session,
                one,
                await model_watch.baseline_of(session, one, BANDS, now, even),
                BANDS,
                now,
                even,
            )
            for one in await model_watch.watched(session, BANDS, now)
        ]


async def take_back(database: Database, look: Look, now: datetime) -> ModelVersion | None:
    async with database.transaction() as session:
        return await model_watch.take_back(session, look, BANDS, now)


async def live_name(database: Database) -> str | None:
    async with database.read() as session:
        live = await model_registry.live(session)
        return live.name if live else None


async def test_nothing_is_watched_before_there_is_a_version_to_go_back_to(
    database: Database, now: datetime
) -> None:
    assert await watched(database, now) == []
    async with database.transaction() as session:
        await model_registry.adopt(session, await version(session, now, 1), now, "第一个模型")
    assert await watched(database, now) == []


async def test_a_promoted_version_is_watched_until_its_window_is_over(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, two = await two_versions(session, now)
    (found,) = await watched(database, now)
    assert (found.name, found.beside, found.since, found.canary_share) == (two.name, one.name, now, None)
    assert len(await watched(database, now + BANDS.window - timedelta(microseconds=1))) == 1
    assert await watched(database, now + BANDS.window) == []


async def test_a_version_that_became_live_by_going_back_is_not_watched(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        _, two = await two_versions(session, now)
        three = await version(session, now, 3)
        await model_registry.promote(session, three.id, None, now)
        await model_registry.roll_back(session, None, now, reason="不好")
        # There is one before it to go back to, and it stays all the same.
        assert await model_registry.version_before(session, two) is not None
    assert await live_name(database) == two.name
    assert await watched(database, now) == []
    async with database.transaction() as session:
        await model_registry.promote(session, three.id, None, now)
    assert [one.name for one in await watched(database, now)] == [three.name]


async def test_a_version_promoted_over_the_gates_refusal_is_watched_as_well(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        await model_registry.adopt(session, await version(session, now, 1), now, "第一个模型")
        refused = await version(session, now, 2, passed=False)
        await model_registry.promote(session, refused.id, supervisor, now, override=OVERRIDE)
    assert [one.name for one in await watched(database, now)] == [refused.name]


async def test_a_version_as_good_as_the_one_before_stays(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, two = await two_versions(session, now)
        conversation = await talk(session, now - timedelta(days=3))
        await read(session, conversation, one.name, now - timedelta(days=2), 300, 30)
        await read(session, conversation, two.name, now, 300, 33)
    (look,) = await seen(database, now + timedelta(hours=1))
    assert (look.figures.fallback, look.baseline.fallback) == (Rate(33, 300), Rate(30, 300))
    assert look.breaches == []
    assert await take_back(database, look, now) is None
    assert await live_name(database) == two.name


async def test_a_version_that_leaves_its_band_goes_and_says_why(database: Database, now: datetime) -> None:
    later = now + timedelta(hours=1)
    async with database.transaction() as session:
        one, two = await two_versions(session, now)
        conversation = await talk(session, now - timedelta(days=3))
        await read(session, conversation, one.name, now - timedelta(days=2), 300, 30)
        await read(session, conversation, two.name, now, 100, 40)
    (look,) = await seen(database, later)
    instead = await take_back(database, look, later)
    assert instead is not None
    assert await live_name(database) == instead.name == one.name
    async with database.read() as session:
        (event, *_) = await model_registry.events(session)
        (alert,) = await session.scalars(select(Alert))
    assert (event.deed, event.version_id, event.from_id) == (ModelDeed.ROLLED_BACK_BY_ITSELF, one.id, two.id)
    assert event.reason == (
        f"上线后变差，已自动退回「{one.name}」。没听懂的多了 30 个百分点：100 条消息里有 40 条（40.0%），"
        "之前是 10.0%，不像是偶然。"
    )
    assert event.figures["figures"]["fallback"] == [40, 100]
    assert (alert.kind, alert.staff_id, alert.detail) == (AlertKind.WARNING, None, model_watch.FELL_BACK)
    assert await watched(database, later) == []


async def test_only_the_days_before_the_promotion_are_the_baseline(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, _ = await two_versions(session, now)
        conversation = await talk(session, now - timedelta(days=9))
        await read(session, conversation, one.name, now - timedelta(days=8), 500, 500)
        await read(session, conversation, one.name, now - timedelta(days=6), 7, 1)
        await read(session, conversation, one.name, now, 5, 5)
    (look,) = await seen(database, now + timedelta(hours=1))
    assert look.baseline.fallback == Rate(1, 7)


async def test_what_the_version_did_as_a_canary_before_does_not_count(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        _, two = await two_versions(session, now)
        conversation = await talk(session, now - timedelta(hours=2))
        await read(session, conversation, two.name, now - timedelta(hours=1), 100, 100)
    (look,) = await seen(database, now + timedelta(hours=1))
    assert look.figures.messages == 0


async def bad(database: Database, now: datetime) -> Look:
    """A look at a live version that left its band."""
    async with database.transaction() as session:
        _, two = await two_versions(session, now)
        await read(session, await talk(session, now), two.name, now, 100, 90)
    (look,) = await seen(database, now + timedelta(minutes=5))
    assert look.breaches
    return look


async def test_two_bots_that_saw_the_same_go_back_once(database: Database, now: datetime) -> None:
    look = await bad(database, now)
    found = await asyncio.gather(*(take_back(database, look, now) for _ in range(2)))
    assert sorted(one is None for one in found) == [False, True]
    async with database.read() as session:
        deeds = [event.deed for event in await model_registry.events(session)]
        assert len(list(await session.scalars(select(Alert)))) == 1
    assert deeds.count(ModelDeed.ROLLED_BACK_BY_ITSELF) == 1


async def test_a_version_promoted_in_the_same_moment_stays(database: Database, now: datetime) -> None:
    look = await bad(database, now)
    async with database.transaction() as session:
        three = await version(session, now, 3)
        await model_registry.promote(session, three.id, None, now)
    assert await take_back(database, look, now) is None
    assert await live_name(database) == three.name


async def test_a_version_that_a_human_rolled_back_and_promoted_anew_is_judged_anew(
    database: Database, now: datetime
) -> None:
    look = await bad(database, now)
    async with database.transaction() as session:
        await model_registry.roll_back(session, None, now, reason="先退回")
        await model_registry.promote(session, look.watched.version_id, None, now)
    assert await take_back(database, look, now) is None
    assert await live_name(database) == look.watched.name


async def canary(database: Database, now: datetime) -> tuple[ModelVersion, ModelVersion]:
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.adopt(session, one, now - timedelta(days=30), "第一个模型")
        await model_registry.begin_canary(session, two.id, None, 10, now)
    return one, two


async def test_a_canary_is_compared_with_the_live_version_over_the_same_time_and_ended(
    database: Database, now: datetime
) -> None:
    one, two = await canary(database, now)
    later = now + timedelta(hours=3)
    async with database.transaction() as session:
        conversation = await talk(session, now - timedelta(hours=1))
        await read(session, conversation, one.name, now - timedelta(minutes=1), 50, 50)
        await read(session, conversation, one.name, now, 400, 40)
        await read(session, conversation, two.name, now, 60, 40)
    (look,) = await seen(database, later)
    assert (look.figures.fallback, look.baseline.fallback) == (Rate(40, 60), Rate(40, 400))
    instead = await take_back(database, look, later)
    assert instead is not None
    assert instead.name == one.name
    async with database.read() as session:
        assert await model_registry.canary(session) is None
        assert (await model_registry.get(session, two.id)).state is ModelState.CANDIDATE
        (event, *_) = await model_registry.events(session)
        (alert,) = await session.scalars(select(Alert))
    assert event.deed is ModelDeed.CANARY_ENDED
    assert (event.reason or "").startswith("灰度时变差，已自动停止灰度。没听懂的多了 57 个百分点")
    assert alert.detail == model_watch.CANARY_ENDED
    assert await take_back(database, look, later) is None


async def test_a_canary_is_watched_as_long_as_it_runs_over_its_last_hours(
    database: Database, now: datetime
) -> None:
    await canary(database, now)
    later = now + 3 * BANDS.window
    (found,) = await watched(database, later)
    assert found.since == later - BANDS.window


async def test_a_canary_that_was_promoted_meanwhile_is_left_alone(database: Database, now: datetime) -> None:
    _, two = await canary(database, now)
    async with database.transaction() as session:
        await read(session, await talk(session, now), two.name, now, 100, 90)
    (look,) = await seen(database, now + timedelta(minutes=5))
    assert look.breaches
    async with database.transaction() as session:
        await model_registry.promote(session, two.id, None, now)
    assert await take_back(database, look, now) is None
    assert await live_name(database) == two.name


@pytest.mark.parametrize("on_canary", [True, False])
async def test_a_message_without_an_answer_counts_where_its_conversation_is(
    database: Database, now: datetime, on_canary: bool
) -> None:
    await canary(database, now)
    async with database.transaction() as session:
        conversation = await talk(session, now)
        while even(conversation.id, 10) is not on_canary:
            conversation = await talk(session, now)
        await hand(session, conversation, now, "system_failure")
    (look,) = await seen(database, now + timedelta(minutes=5))
    assert (look.figures.error, look.baseline.error) == (
        (Rate(1, 1), Rate(0, 0)) if on_canary else (Rate(0, 0), Rate(1, 1))
    )
