"""What the desk costs the database: as many statements whether one or a hundred wait, one or twenty look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from bot.desk.live import PEOPLE_EVERY, DeskFeed
from bot.house import House
from casework import staff_sessions
from casework.tables import Owner
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_conversation, make_message

MANY = 60


COUNTING: ContextVar[bool] = ContextVar("COUNTING", default=False)


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """What is read for whoever is inside; what the keeper and the feed read by themselves is not theirs.

    Tasks inherit the mark from the task that starts them, so work handed on is counted too.
    """
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        statement = arguments[2].lstrip()
        if COUNTING.get() and statement.upper().startswith(("SELECT", "WITH")):
            asked.append(statement)

    engine = house.database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    mark = COUNTING.set(True)
    try:
        yield asked
    finally:
        COUNTING.reset(mark)
        event.remove(engine, "before_cursor_execute", note)


async def queue_up(house: House, count: int) -> None:
    """So many members wait, each of whom said something."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        for _ in range(count):
            talk = await make_conversation(
                session, owner=Owner.QUEUED, queued_at=now, waiting_since=now, told_waiting_at=now
            )
            await make_message(session, talk, text="还没有人理我")


async def cost(house: House, ask: Callable[[], Awaitable[httpx.Response]]) -> int:
    with counted(house) as asked:
        assert (await ask()).status_code == 200
    return len(asked)


@pytest.mark.parametrize(("path", "most"), [("/desk", 6), ("/desk/queue", 4), ("/desk/queue?tab=all", 4)])
async def test_a_longer_queue_costs_no_more_statements(
    house: House, desk_client: SignIn, path: str, most: int
) -> None:
    worker = await desk_client()
    await queue_up(house, 1)
    one = await cost(house, lambda: worker.page(path))
    await queue_up(house, MANY)
    many = await cost(house, lambda: worker.page(path))
    assert 0 < many == one <= most


async def test_a_list_that_did_not_move_costs_a_look_at_the_session_and_at_the_queue(
    house: House, desk_client: SignIn
) -> None:
    await queue_up(house, 3)
    worker = await desk_client()
    etag = (await worker.get("/desk/queue")).headers["etag"]
    with counted(house) as asked:
        assert (await worker.get("/desk/queue", headers={"If-None-Match": etag})).status_code == 304
    assert len(asked) == 2


async def test_twenty_workers_who_fetch_the_list_at_once_share_its_making(
    house: House, desk_client: SignIn
) -> None:
    await queue_up(house, 5)
    workers = [await desk_client() for _ in range(20)]

    async def fetch(some: list[DeskClient]) -> tuple[int, set[str]]:
        with counted(house) as asked:
            answers = await asyncio.gather(*(one.get("/desk/queue") for one in some))
        assert {one.status_code for one in answers} == {200}
        made = [one for one in asked if staff_sessions.StaffSession.__tablename__ not in one]
        return len(made), {one.text for one in answers}

    alone, told = await fetch(workers[:1])
    await queue_up(house, 1)
    together, told_to_all = await fetch(workers)
    assert len(told) == len(told_to_all) == 1
    # How many share one look depends on who is first through the door; without sharing it were 20 times.
    assert alone <= together <= 10 * alone


async def test_a_round_of_the_feed_costs_the_same_for_more_desks_and_a_longer_queue(
    app: FastAPI, house: House, desk_client: SignIn
) -> None:
    feed: DeskFeed = app.state.desk_feed
    feed._period_s = 60.0

    async def rounds() -> list[int]:
        found = []
        for round_ in range(PEOPLE_EVERY):
            feed._round = round_
            with counted(house) as asked:
                await feed.poll()
            found.append(len(asked))
        return found

    await queue_up(house, 1)
    streams = []
    for desks, waiting in ((1, 0), (19, MANY)):
        for _ in range(desks):
            stream = (await desk_client()).stream("/desk/events")
            await stream.until(lambda text: "event: queue" in text)
            streams.append(stream)
        await queue_up(house, waiting)
        await rounds()  # hears what is new
        if desks == 1:
            alone = await rounds()
    assert feed.subscribers == 20
    assert await rounds() == alone
    assert 0 < sum(alone) <= 10
    for stream in streams:
        await stream.hang_up()
