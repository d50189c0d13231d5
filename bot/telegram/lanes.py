"""Lanes: each chat's updates one after another, chats side by side, albums joined into one.

An update is settled when what it says is recorded (or needs no record): only then may Telegram forget it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from telegram import Message, Update

ALBUM_WAIT_S = 1.0
"""How long an album's next photo may take to arrive."""
NO_CHAT = 0
ALBUM_MAX = 10
"""Photos Telegram puts into one album."""


@dataclass(frozen=True, slots=True)
class Album:
    """Several photos or files a member sent as one; they arrive as one update each."""

    updates: tuple[Update, ...]

    @property
    def update_id(self) -> int:
        """The first photo's update, which names the whole."""
        return self.updates[0].update_id

    @property
    def messages(self) -> list[Message]:
        """The album's messages in order."""
        return [message for update in self.updates if (message := update.message) is not None]


Handle = Callable[[Update | Album], Awaitable[None]]


@dataclass(slots=True)
class _Waiting:
    update: Update
    settled: asyncio.Future[None]


@dataclass(slots=True)
class _Lane:
    waiting: deque[_Waiting] = field(default_factory=deque)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)


def lane_of(update: Update) -> int:
    """The chat whose order an update must keep (its user, where it has no chat)."""
    if chat := update.effective_chat:
        return chat.id
    return user.id if (user := update.effective_user) else NO_CHAT


class Lanes:
    """Runs a handler over updates: in order within a chat, in parallel over chats.

    When one fails, what waits behind it in its chat fails too, so that all are taken up again in order.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._lanes: dict[int, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, update: Update) -> asyncio.Future[None]:
        """Put an update into its chat's lane; the future ends when it is settled, or with what went wrong."""
        key = lane_of(update)
        waiting = _Waiting(update, asyncio.get_running_loop().create_future())
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            lane.waiting.append(waiting)
            task = asyncio.create_task(self._run(key, lane), name=f"telegram lane {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            lane.waiting.append(waiting)
        lane.arrival.set()
        return waiting.settled

    async def close(self, patience_s: float) -> None:
        """Let what is under way finish for so many seconds, then give it up (Telegram brings it again)."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, key: int, lane: _Lane) -> None:
        taken: list[_Waiting] = []
        try:
            while lane.waiting:
                await self._take(lane, taken)
                updates = tuple(sorted((item.update for item in taken), key=lambda update: update.update_id))
                await self._handle(updates[0] if len(updates) == 1 else Album(updates))
                for item in taken:
                    if not item.settled.done():
                        item.settled.set_result(None)
                taken.clear()
        except BaseException as error:
            self._fail([*taken, *lane.waiting], error)
            if not isinstance(error, Exception):
                raise
        finally:
            # No await since the lane was found empty, so nothing can have been put into it meanwhile.
            del self._lanes[key]

    async def _take(self, lane: _Lane, taken: list[_Waiting]) -> None:
        """Take the next update, or all photos of the next album once no more come."""
        taken.append(lane.waiting.popleft())
        group = _group(taken[0].update)
        while group is not None and len(taken) < ALBUM_MAX:
            if lane.waiting:
                if _group(lane.waiting[0].update) != group:
                    break
                taken.append(lane.waiting.popleft())
                continue
            lane.arrival.clear()
            try:
                async with asyncio.timeout(ALBUM_WAIT_S):
                    await lane.arrival.wait()
            except TimeoutError:
                break

    @staticmethod
    def _fail(items: list[_Waiting], error: BaseException) -> None:
        for item in items:
            if item.settled.done():
                continue
            if isinstance(error, Exception):
                item.settled.set_exception(error)
            else:
                item.settled.cancel()


def _group(update: Update) -> str | None:
    return update.message.media_group_id if update.message else None
