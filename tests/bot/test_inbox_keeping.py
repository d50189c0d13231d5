"""The keeper of the inbox: asks the model what else words might mean, and does without it where it must."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from bot.dialogue import Understanding
from bot.house import House
from bot.inbox_keeping import keep_gathering, keeper_of
from casework.tables import Handling, InboxGroup
from tests.bot.api import conftest as api
from tests.bot.fakes import Script, Trouble
from tests.factories import make_message

app, house, knowledge_is_read_once = api.app, api.house, api.knowledge_is_read_once


async def misunderstood(house: House, words: str) -> None:
    async with house.database.transaction() as session:
        await make_message(
            session,
            text=words,
            intent="ask_leave",
            confidence=0.3,
            accepted=False,
            handling=Handling.DONE,
            created_at=house.clock.now(),
        )


async def guesses(house: House) -> list[object]:
    async with house.database.read() as session:
        return [
            list(one.guesses) for one in await session.scalars(select(InboxGroup).order_by(InboxGroup.id))
        ]


async def test_the_three_likeliest_intents_are_kept_with_a_group(house: House, script: Script) -> None:
    await misunderstood(house, "俺垒的墙他量都不量，打13805310042")
    script.readings.append(
        Understanding(
            intent="ask_overtime", confidence=0.4, guesses=(("ask_overtime", 0.4), ("ask_leave", 0.3))
        )
    )
    keeper = keeper_of(house)
    assert (await keeper.gather_once()).messages == 1
    assert await guesses(house) == [[["ask_overtime", 0.4], ["ask_leave", 0.3]]]
    assert "13805310042" not in str(script.read)
    assert (await keeper.gather_once()).messages == 0


async def test_without_the_dialogue_the_reading_of_then_has_to_do(house: House, script: Script) -> None:
    await misunderstood(house, "俺垒的墙他量都不量")
    script.readings.append(Trouble.DOWN)
    await keeper_of(house).gather_once()
    assert await guesses(house) == [[["ask_leave", 0.3]]]


async def test_it_gathers_until_the_bot_stops(house: House, script: Script) -> None:
    await misunderstood(house, "俺垒的墙他量都不量")
    script.readings.append(Trouble.DOWN)
    stopping = asyncio.Event()
    running = asyncio.create_task(keep_gathering(keeper_of(house), stopping, every_s=0.01))
    async with asyncio.timeout(10):
        while not await guesses(house):  # noqa: ASYNC110  # the keeper tells nobody
            await asyncio.sleep(0.01)
    stopping.set()
    await running
