from __future__ import annotations

import asyncio

import pytest

from bot.desk.together import Kept, Together


async def test_who_asks_while_a_read_runs_gets_one_that_began_later() -> None:
    begun: list[asyncio.Event] = []

    async def read() -> int:
        number = len(begun)
        begun.append(asyncio.Event())
        await begun[number].wait()
        return number

    together = Together(read)
    first = asyncio.create_task(together.get())
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(together.get()) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert len(begun) == 1
    begun[0].set()
    assert await first == 0
    await asyncio.sleep(0.01)
    begun[1].set()
    assert await asyncio.gather(*later) == [1] * 5


async def test_who_goes_away_does_not_stop_the_read_of_the_others() -> None:
    gate = asyncio.Event()

    async def read() -> str:
        await gate.wait()
        return "read"

    together = Together(read)
    gone, stays = asyncio.create_task(together.get()), asyncio.create_task(together.get())
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    assert await stays == "read"


async def test_a_read_that_fails_is_tried_again_the_next_time() -> None:
    tried = 0

    async def read() -> str:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise OSError("gone")
        return "read"

    together, kept = Together(read), Kept[str]()
    with pytest.raises(OSError, match="gone"):
        await together.get()
    assert await together.get() == "read"
    tried = 0
    with pytest.raises(OSError, match="gone"):
        await kept.get("key", read)
    assert await kept.get("key", read) == "read"


async def test_what_was_made_is_made_once_until_newer_things_push_it_out() -> None:
    made: list[int] = []
    kept = Kept[int](most=2)

    async def get(key: int) -> int:
        async def make() -> int:
            await asyncio.sleep(0)
            made.append(key)
            return key

        return await kept.get(key, make)

    assert await asyncio.gather(*(get(1) for _ in range(10))) == [1] * 10
    await get(2)
    assert made == [1, 2]
    await get(3)
    await get(1)
    assert made == [1, 2, 3, 1]
