"""Keeping nothing longer than its rule: the retention sweep, hourly, in the bot's own process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.house import House
from casework import retention

log = logging.getLogger(__name__)

EVERY_S = 3600.0
AT_MOST_ROUNDS = 100
"""Rounds of one sweep; what is left then waits for the next hour, so that members never wait for it."""


async def sweep_once(house: House) -> int:
    """End what its rule says is over; returns how many records. Each round is a transaction of its own."""
    rules = retention.load_rules(house.settings.home / "data" / "knowledge" / "retention.yml")
    ended = 0
    for _ in range(AT_MOST_ROUNDS):
        async with house.database.transaction() as session:
            swept = await retention.sweep(session, house.clock.now(), rules, house.attachments)
        ended += swept.total
        if not swept.total:
            break
    return ended


async def keep_no_longer(house: House, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Sweep every hour until the bot stops; a failed sweep is logged and tried again at the next."""
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
        if stopping.is_set():
            return
        try:
            if ended := await sweep_once(house):
                log.info("retention ended %d records", ended)
        except Exception as error:
            log.error("the retention sweep failed (%s); it is tried again", type(error).__name__)
