"""Live feed: tells whoever watches a conversation that something was said in it, by any process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping

from bot.views import MessageView, Speaking, Typing
from casework.standing import Standing

PERIOD_S = 0.5
"""How often the database is asked for what other processes wrote (staff replies, notices)."""
PAGE = 100

AskStandings = Callable[[Collection[str]], Awaitable[Mapping[str, Standing]]]
"""How far each of these conversations has come, and who speaks in it."""
Happening = MessageView | Speaking | Typing
"""What a subscription gives."""
Fetch = Callable[[str, int, int], Awaitable[list[MessageView]]]
"""Messages of a conversation after an id, oldest first, at most so many."""

log = logging.getLogger(__name__)


class LiveFeed:
    """One poller for all subscribers, and a bell for what this process writes itself."""

    def __init__(self, standings: AskStandings, fetch: Fetch, period_s: float = PERIOD_S) -> None:
        self._standings = standings
        self._fetch = fetch
        self._period_s = period_s
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, Standing] = {}
        self._end = asyncio.Event()
        self._anyone = asyncio.Event()
        self._listeners: list[Callable[[str], None]] = []

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return sum(len(bells) for bells in self._bells.values())

    def wake(self, conversation_id: str) -> None:
        """Say that something was written in the conversation; costs nothing when nobody watches it."""
        for listener in self._listeners:
            listener(conversation_id)
        for bell in self._bells.get(conversation_id, ()):
            bell.set()

    def on_wake(self, listener: Callable[[str], None]) -> None:
        """Call this as well with the conversation something was written in."""
        self._listeners.append(listener)

    def close(self) -> None:
        """End every subscription, now and later ones at once: what is already written is still given out."""
        self._end.set()
        self._anyone.set()
        for conversation_id in self._bells:
            self.wake(conversation_id)

    async def run(self) -> None:
        """Poll until closed; a database that fails is asked again, and costs the subscribers only time."""
        failures = 0
        while not self._end.is_set():
            if not self._bells:
                self._anyone.clear()
                await self._anyone.wait()
                continue
            try:
                await self._poll()
                failures = 0
            except Exception as error:
                failures += 1
                # The error's text may quote a statement's parameters.
                log.warning("live feed: poll failed (%s), %d in a row", type(error).__name__, failures)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), self._period_s * min(2**failures, 20))

    async def watch(self, conversation_id: str, after: int) -> AsyncGenerator[Happening, None]:
        """Who speaks, and messages with an id above ``after`` as they come; ends when the feed closes.

        Who speaks (and a waiting member's place) is told at first and whenever it changes, that a worker is
        typing whenever that changes; messages come oldest first, each once.
        """
        bell = asyncio.Event()
        self._bells.setdefault(conversation_id, set()).add(bell)
        self._anyone.set()
        told: Speaking | None = None
        typing = Typing(False)
        try:
            while True:
                # Cleared before looking: what is written while we look rings again.
                bell.clear()
                try:
                    standing = (await self._standings([conversation_id])).get(conversation_id)
                    views = await self._fetch(conversation_id, after, PAGE)
                except Exception as error:
                    if self._end.is_set():
                        return
                    log.warning("live feed: a look failed (%s)", type(error).__name__)
                    await asyncio.sleep(self._period_s)
                    continue
                if standing is not None and (speaking := Speaking.of(standing)) != told:
                    told = speaking
                    yield speaking
                for view in views:
                    yield view
                    after = view.id
                if len(views) == PAGE:
                    continue
                if standing is not None and standing.typing is not typing.on:
                    typing = Typing(standing.typing)
                    yield typing
                if self._end.is_set():
                    return
                await bell.wait()
        finally:
            self._unsubscribe(conversation_id, bell)

    def _unsubscribe(self, conversation_id: str, bell: asyncio.Event) -> None:
        bells = self._bells[conversation_id]
        bells.discard(bell)
        if not bells:
            del self._bells[conversation_id]
            self._seen.pop(conversation_id, None)

    async def _poll(self) -> None:
        for conversation_id, standing in (await self._standings(tuple(self._bells))).items():
            if standing != self._seen.get(conversation_id):
                self._seen[conversation_id] = standing
                self.wake(conversation_id)
