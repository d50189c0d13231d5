"""The retention sweep runs in the bot by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.house import House
from bot.keeping import keep_no_longer, sweep_once
from casework.clock import FixedClock
from casework.tables import Handling, Message
from tests.factories import make_message


async def told(house: House, clock: FixedClock) -> int:
    """A message that was said and handled now; its id."""
    async with house.database.transaction() as session:
        message = await make_message(
            session, text="没给钱", handling=Handling.DONE, created_at=clock.now(), handled_at=clock.now()
        )
    return message.id


async def text_of(house: House, message_id: int) -> str | None:
    async with house.database.read() as session:
        return (await session.get_one(Message, message_id)).text


async def test_what_is_over_is_ended_and_what_is_not_is_kept(house: House, clock: FixedClock) -> None:
    old = await told(house, clock)
    clock.advance(timedelta(days=20 * 365))
    new = await told(house, clock)
    assert await sweep_once(house) > 0
    assert await text_of(house, old) is None
    assert await text_of(house, new) == "没给钱"
    assert await sweep_once(house) == 0, "the second sweep finds nothing"


async def test_it_is_done_every_so_often_until_the_bot_stops(house: House, clock: FixedClock) -> None:
    old = await told(house, clock)
    clock.advance(timedelta(days=20 * 365))
    stopping = asyncio.Event()
    keeping = asyncio.create_task(keep_no_longer(house, stopping, every_s=0.01))
    async with asyncio.timeout(20):
        while await text_of(house, old) is not None:  # noqa: ASYNC110  # the database sends no event
            await asyncio.sleep(0.02)
    stopping.set()
    await asyncio.wait_for(keeping, 10)
