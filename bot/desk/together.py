"""Together: what many open desks ask at the same moment is read, and rendered, once for all of them.

The live feed tells twenty desks of a change at once, and all of them fetch the same list a second later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 64


class Together(Generic[T]):
    """One read for everybody who asks before it begins; whoever asks while it runs shares the next one.

    Nobody is given what was read before they asked.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What is so now; raises what the read raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
            self._next.add_done_callback(_heard)
        return await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[T] | None) -> T:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._read()


class Kept(Generic[T]):
    """Things made once for each key, the latest few; who asks while one is being made waits for it."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._made: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What belongs to the key; what could not be made is tried again the next time."""
        task = self._made.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._made[key] = asyncio.ensure_future(_as_coroutine(make))
            task.add_done_callback(_heard)
            while len(self._made) > self._most:
                del self._made[next(iter(self._made))]
        return await asyncio.shield(task)


async def _as_coroutine(make: Callable[[], Awaitable[T]]) -> T:
    return await make()


def _heard(task: asyncio.Task[T]) -> None:
    """Whoever asked may have gone: nobody else would look at the error."""
    if not task.cancelled():
        task.exception()
