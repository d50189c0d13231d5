"""The keeper in the running house: who waits hears of it, and one broken conversation stops nobody else."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.desk.keeper import keep_once, keep_watch
from bot.house import House
from casework import conversations, handoff, messages, waiting
from casework.clock import FixedClock
from casework.tables import Author, Conversation, Owner, Presence, Staff
from tests.bot.api.conftest import Phone
from tests.factories import make_conversation, make_staff


async def queue(house: House, conversation_id: str) -> None:
    """Put a conversation into the queue."""
    async with house.database.transaction() as session:
        found = await conversations.get(session, conversation_id)
        await handoff.hand_off(session, found, "member_asked", house.clock.now(), actor="member")


async def heard(house: House, conversation_id: str) -> list[str]:
    """What the member can read of what we said."""
    async with house.database.read() as session:
        said = await messages.transcript(session, conversation_id)
        return [one.text or "" for one in said if one.author is Author.SYSTEM]


async def hears(house: House, conversation_id: str) -> str:
    """The first notice, once the house has said one."""
    async with asyncio.timeout(8):
        while not (said := await heard(house, conversation_id)):  # noqa: ASYNC110  # the house writes it, nobody tells
            await asyncio.sleep(0.05)
    return said[0]


async def test_a_queued_member_hears_where_they_stand_without_anybodys_doing(
    house: House, phone: Phone
) -> None:
    """The application keeps watch by itself."""
    await queue(house, phone.conversation_id)
    assert await hears(house, phone.conversation_id) == house.wording.say("handoff.queued_next")
    listed = (await phone.get("/messages")).json()["messages"]
    assert [one["text"] for one in listed] == [house.wording.say("handoff.queued_next")]


async def test_one_broken_conversation_does_not_stop_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.database.transaction() as session:
        broken, *sound = [await make_conversation(session) for _ in range(3)]
    attend = waiting.attend

    async def attend_unless_broken(session, conversation_id, *rest):  # type: ignore[no-untyped-def]
        done = await attend(session, conversation_id, *rest)
        if conversation_id == broken.id:
            raise RuntimeError("张三 13800138000")
        return done

    monkeypatch.setattr("casework.waiting.attend", attend_unless_broken)
    for one in (broken, *sound):
        await queue(house, one.id)
    with caplog.at_level(logging.ERROR):
        await keep_once(house)
    for one in sound:
        assert len(await heard(house, one.id)) == 1
    assert await heard(house, broken.id) == [], "its half was undone"
    assert broken.id in caplog.text


async def test_a_worker_whose_browser_is_gone_is_signed_off_and_their_talk_goes_back(
    house: House, clock: FixedClock
) -> None:
    async with house.database.transaction() as session:
        worker = await make_staff(session, presence=Presence.ONLINE, seen_at=clock.now())
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
    await keep_once(house)
    clock.advance(timedelta(minutes=3))
    await keep_once(house)
    async with house.database.read() as session:
        assert (await session.get_one(Staff, worker.id)).presence is Presence.OFFLINE
        assert (await session.get_one(Conversation, conversation.id)).owner is Owner.QUEUED
    assert (await heard(house, conversation.id))[0] == house.wording.say("handoff.worker_gone")


async def test_a_round_that_fails_is_followed_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    stopping = asyncio.Event()

    async def fail(*_: object, **__: object) -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            stopping.set()
        raise RuntimeError("the database is away")

    monkeypatch.setattr("bot.desk.keeper.keep_once", fail)
    async with asyncio.timeout(5):
        await keep_watch(house, stopping, every_s=0.01)
    assert rounds == 3
