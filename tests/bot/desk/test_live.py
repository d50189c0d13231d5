from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from bot.app import end_streams
from bot.desk.live import PEOPLE_EVERY, DeskFeed
from bot.house import House
from casework import handoff, staff_sessions, staff_talk
from casework.tables import Alert, AlertKind, Conversation, Owner, Presence, Priority, Staff, StaffRole
from tests.bot.api.conftest import Stream, new_phone
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_conversation, make_message, make_staff


def told(stream: Stream, name: str) -> list[dict[str, Any]]:
    """The data of a stream's events of one name, so far."""
    blocks = [block.splitlines() for block in stream.text.replace("\r\n", "\n").split("\n\n")[:-1]]
    return [
        json.loads(line.removeprefix("data: "))
        for block in blocks
        if f"event: {name}" in block
        for line in block
        if line.startswith("data: ")
    ]


async def listening(worker: DeskClient, path: str = "/desk/events", **headers: str) -> Stream:
    """A stream that has said how the queue stands."""
    stream = worker.stream(path, **headers)
    await stream.until(lambda _: bool(told(stream, "queue")))
    return stream


async def queue_up(house: House, **values: Any) -> Conversation:
    now = house.clock.now()
    async with house.database.transaction() as session:
        defaults = {"owner": Owner.QUEUED, "queued_at": now, "waiting_since": now, "told_waiting_at": now}
        return await make_conversation(session, **defaults | values)


async def soon(asked: Callable[[], Awaitable[Any]], patience_s: float = 5.0) -> None:
    """Wait until what is asked is so."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not await asked():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


def feed_of(app: FastAPI) -> DeskFeed:
    feed: DeskFeed = app.state.desk_feed
    return feed


async def test_a_stream_begins_with_how_the_queue_stands(house: House, desk_client: SignIn) -> None:
    await queue_up(house, priority=Priority.HIGH.value)
    worker = await desk_client()
    stream = await listening(worker)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert told(stream, "hello") == [{"me": worker.staff.id}]
    (queue,) = told(stream, "queue")
    assert queue["counts"] == {"waiting": 1, "mine": 0, "team": 0, "all": 1, "unread": 0}
    assert (queue["urgent"], queue["news"]) == (1, None)
    assert told(stream, "conversation") == []
    await stream.hang_up()


async def test_what_another_process_writes_reaches_every_desk(house: House, desk_client: SignIn) -> None:
    streams = [await listening(await desk_client()) for _ in range(3)]
    talk = await queue_up(house)
    for stream in streams:
        await stream.until(lambda _, s=stream: bool(told(s, "conversation")))  # type: ignore[misc]
        assert told(stream, "conversation")[0]["id"] == talk.id
        await stream.until(lambda _, s=stream: len(told(s, "queue")) > 1)  # type: ignore[misc]
        assert told(stream, "queue")[-1]["news"] == "waiting"
        await stream.hang_up()


async def test_something_pressing_is_said_to_be(house: House, desk_client: SignIn) -> None:
    stream = await listening(await desk_client())
    await queue_up(house, priority=Priority.CRITICAL.value)
    await stream.until(lambda _: len(told(stream, "queue")) > 1)
    assert told(stream, "queue")[-1]["news"] == "urgent"
    await stream.hang_up()


async def test_a_members_message_is_told_at_once_with_who_owns_it(
    app: FastAPI, house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    phone = await new_phone(worker)
    async with house.database.transaction() as session:
        talk = await session.get_one(Conversation, phone.conversation_id)
        talk = await handoff.take_over(session, talk, worker.staff, house.clock.now())
    feed_of(app)._period_s = 60.0
    stream = await listening(worker)
    await phone.say("还在吗")
    await stream.until(lambda _: bool(told(stream, "conversation")), patience_s=2.0)
    one = told(stream, "conversation")[-1]
    assert (one["id"], one["owner"], one["staff_id"]) == (phone.conversation_id, "human", worker.staff.id)
    assert (one["author"], one["fresh"], one["epoch"]) == ("member", True, talk.epoch)
    await stream.until(lambda _: told(stream, "queue")[-1]["counts"]["unread"] == 1)
    await stream.hang_up()


async def test_nothing_a_member_said_or_is_called_goes_over_the_feed(
    house: House, desk_client: SignIn
) -> None:
    stream = await listening(await desk_client())
    talk = await queue_up(house)
    async with house.database.transaction() as session:
        await make_message(session, talk, text="俺叫张大山")
    await stream.until(lambda _: any(one["message_id"] for one in told(stream, "conversation")))
    assert "张大山" not in stream.text
    await stream.hang_up()


async def test_a_desk_that_comes_back_hears_what_went_on_meanwhile(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    silent, spoke = await queue_up(house), await queue_up(house)
    async with house.database.transaction() as session:
        seen = await make_message(session, silent)
        await make_message(session, spoke)
    for stream in (
        await listening(worker, f"/desk/events?last={seen.id}"),
        await listening(worker, **{"Last-Event-ID": str(seen.id)}),
    ):
        assert [one["id"] for one in told(stream, "conversation")] == [spoke.id]
        await stream.hang_up()


async def test_a_conversation_given_back_to_the_bot_is_told(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house)
    stream = await listening(await desk_client())
    async with house.database.transaction() as session:
        kept = await session.get_one(Conversation, talk.id)
        kept.owner, kept.queued_at, kept.epoch = Owner.BOT, None, 1
    await stream.until(lambda _: bool(told(stream, "conversation")))
    assert told(stream, "conversation")[-1]["owner"] == "bot"
    await stream.until(lambda _: told(stream, "queue")[-1]["counts"]["waiting"] == 0)
    await stream.hang_up()


async def test_an_alert_reaches_whom_it_is_for_and_nobody_else(house: House, desk_client: SignIn) -> None:
    worker, other = await desk_client(), await desk_client()
    boss = await desk_client(StaffRole.SUPERVISOR)
    talk = await queue_up(house)
    async with house.database.transaction() as session:
        old = Alert(
            kind=AlertKind.MENTION,
            staff_id=worker.staff.id,
            conversation_id=talk.id,
            created_at=house.clock.now(),
        )
        session.add(old)
    streams = [await listening(one) for one in (worker, other, boss)]
    async with house.database.transaction() as session:
        for staff_id in (worker.staff.id, None):
            session.add(
                Alert(
                    kind=AlertKind.WARNING,
                    staff_id=staff_id,
                    conversation_id=talk.id,
                    created_at=house.clock.now(),
                )
            )
    for stream in (streams[0], streams[2]):
        await stream.until(lambda _, s=stream: bool(told(s, "alert")))  # type: ignore[misc]
    assert [one["unread"] for one in told(streams[0], "alert")] == [2]
    assert [one["unread"] for one in told(streams[2], "alert")] == [1]
    assert told(streams[0], "alert")[0]["id"] != old.id
    assert told(streams[1], "alert") == []
    for stream in streams:
        await stream.hang_up()


async def test_presence_and_who_is_looking_are_told(house: House, desk_client: SignIn) -> None:
    worker, colleague = await desk_client(), await desk_client()
    talk = await queue_up(house)
    stream = await listening(worker)
    await colleague.post("/desk/presence", data={"presence": "online"})
    await stream.until(lambda _: bool(told(stream, "presence")))
    assert told(stream, "presence") == [{"staff_id": colleague.staff.id, "presence": Presence.ONLINE.value}]
    async with house.database.transaction() as session:
        await staff_talk.watch(session, colleague.staff, talk.id, house.clock.now(), typing=True)
    await stream.until(lambda _: bool(told(stream, "watchers")))
    assert told(stream, "watchers") == [
        {"id": talk.id, "watching": [{"staff_id": colleague.staff.id, "typing": True}]}
    ]
    await stream.hang_up()


async def test_a_stream_ends_with_its_session_and_no_other_does(house: House, desk_client: SignIn) -> None:
    gone = await desk_client()
    other = await desk_client(staff=gone.staff)
    ended, kept = await listening(gone), await listening(other)
    async with house.database.transaction() as session:
        await staff_sessions.end_session(session, gone.staff, gone.session.id, house.clock.now())
    await ended.end()
    assert told(ended, "bye") == [{"reason": "session"}]
    assert not kept.ended
    await kept.hang_up()


async def test_a_closed_account_hears_nothing_more(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    stream = await listening(worker)
    async with house.database.transaction() as session:
        (await session.get_one(Staff, worker.staff.id)).active = False
    await stream.end()
    assert told(stream, "bye") == [{"reason": "session"}]


async def test_who_has_the_desk_open_is_noted_as_there(house: House, desk_client: SignIn) -> None:
    worker, away = await desk_client(), await desk_client()
    stream = await listening(worker)

    async def seen(staff: Staff) -> Any:
        async with house.database.read() as session:
            return (await session.get_one(Staff, staff.id)).seen_at

    await soon(lambda: seen(worker.staff))
    assert await seen(worker.staff) == house.clock.now()
    assert await seen(away.staff) is None
    await stream.hang_up()


async def test_twenty_desks_cost_as_many_queries_as_one(
    app: FastAPI, house: House, desk_client: SignIn
) -> None:
    await queue_up(house)
    feed = feed_of(app)
    feed._period_s = 60.0
    asked: list[str] = []
    me = asyncio.current_task()

    def note(*arguments: Any) -> None:
        if asyncio.current_task() is me:  # the keeper has a look at the database now and then
            asked.append(arguments[2])

    event.listen(house.database._reader.sync_engine, "before_cursor_execute", note)

    async def cost(round_: int) -> int:
        feed._round = round_
        asked.clear()
        await feed.poll()
        return sum(one.lstrip().upper().startswith("SELECT") for one in asked)

    streams = [await listening(await desk_client())]
    alone = [await cost(round_) for round_ in range(PEOPLE_EVERY)]
    streams += [await listening(await desk_client()) for _ in range(19)]
    assert feed.subscribers == 20
    assert [await cost(round_) for round_ in range(PEOPLE_EVERY)] == alone
    assert alone == [5, 1, 3, 1]
    for stream in streams:
        await stream.hang_up()


async def test_nobody_listening_costs_no_query(app: FastAPI, house: House, desk_client: SignIn) -> None:
    stream = await listening(await desk_client())
    await stream.hang_up()
    feed_of(app)._period_s = 0.01
    await asyncio.sleep(0.7)
    asked: list[str] = []
    event.listen(
        house.database._reader.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )
    await asyncio.sleep(0.2)
    assert [one for one in asked if "watchers" in one] == []


async def test_stopping_says_goodbye_to_every_desk(app: FastAPI, desk_client: SignIn) -> None:
    stream = await listening(await desk_client())
    end_streams(app)
    await stream.end()
    assert told(stream, "bye") == [{"reason": "stopping"}]


async def test_a_database_that_fails_costs_only_time(
    house: House, desk_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await listening(await desk_client())

    async def fails(*_: object) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("casework.desk_feed.stamps", fails)
        talk = await queue_up(house)
        await asyncio.sleep(0.7)
        assert told(stream, "conversation") == []
    await stream.until(lambda _: bool(told(stream, "conversation")))
    assert told(stream, "conversation")[0]["id"] == talk.id
    await stream.hang_up()


async def test_the_feed_is_closed_to_who_is_not_signed_in(app: FastAPI, house: House) -> None:
    async with house.database.transaction() as session:
        await make_staff(session)
    stream = Stream(app, "/desk/events", {"Accept": "text/event-stream"})
    await stream.end()
    assert stream.status == 401
