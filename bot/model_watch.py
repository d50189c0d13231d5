"""Model watch: looks every 20 s how a new version does with members, and takes back one that does badly.

What is judged, and by which limits, is in ``casework.model_watch`` and ``model_watch.yml``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.faults import log_fault, new_reference
from bot.house import House
from casework import model_watch
from casework.canary_share import on_canary
from casework.live_figures import LiveFigures
from casework.model_bands import Bands
from casework.model_watch import Look, OnCanary, Watched

EVERY_S = 20.0

log = logging.getLogger(__name__)


class ModelWatch:
    """Looks at the versions that are new, and remembers what they are compared with."""

    def __init__(self, house: House, on_canary: OnCanary = on_canary) -> None:
        """Raises KnowledgeError for limits that cannot be read."""
        self._house = house
        self._on_canary = on_canary
        self._bands = Bands.load(house.settings.home / "data" / "knowledge")
        self._baselines: dict[int, LiveFigures] = {}
        """By the promotion they belong to: what was before it changes no more, and counting it takes long."""

    async def look_once(self) -> list[Look]:
        """One round; returns what was acted on. A version that cannot be judged does not stop the next."""
        now = self._house.clock.now()
        async with self._house.database.read() as session:
            watched = await model_watch.watched(session, self._bands, now)
        self._baselines = {
            one.event_id: self._baselines[one.event_id] for one in watched if one.event_id in self._baselines
        }
        acted_on = []
        for one in watched:
            try:
                if (seen := await self._attend(one)) is not None:
                    acted_on.append(seen)
            except Exception as error:
                log_fault(log, new_reference(), f"version {one.name} could not be judged", error)
        return acted_on

    async def _attend(self, one: Watched) -> Look | None:
        now = self._house.clock.now()
        async with self._house.database.read() as session:
            baseline = self._baselines.get(one.event_id)
            if baseline is None:
                baseline = await model_watch.baseline_of(session, one, self._bands, now, self._on_canary)
            seen = await model_watch.look(session, one, baseline, self._bands, now, self._on_canary)
        if one.canary_share is None:
            self._baselines[one.event_id] = baseline
        if not seen.breaches:
            return None
        async with self._house.database.transaction() as session:
            instead = await model_watch.take_back(session, seen, self._bands, self._house.clock.now())
        if instead is None:
            return None
        broken = ", ".join(breach.figure for breach in seen.breaches)
        log.warning("version %s left its band (%s): %s answers", one.name, broken, instead.name)
        return seen


async def keep_looking(watch: ModelWatch, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Look until the bot stops; a round that fails is logged and the next one comes all the same."""
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
        if stopping.is_set():
            return
        try:
            await watch.look_once()
        except Exception as error:
            log_fault(log, new_reference(), "the watch over model versions", error)
