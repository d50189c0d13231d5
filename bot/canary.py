"""Canary: keeps in memory how many percent of the conversations are on the canary, as the registry says."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.dialogue import RasaDialogue
from bot.faults import log_fault, new_reference
from bot.house import House
from casework import model_registry

log = logging.getLogger(__name__)

EVERY_S = 2.0


async def look_once(house: House, dialogue: RasaDialogue) -> int:
    """Read the share, and tell the dialogue; the share in percent."""
    async with house.database.read() as session:
        dialogue.canary_share = await model_registry.canary_now(session)
    return dialogue.canary_share


async def keep_canary(house: House, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Look until the bot stops; a round that fails is logged and the next one comes all the same."""
    dialogue = house.dialogue
    while isinstance(dialogue, RasaDialogue) and not stopping.is_set():
        try:
            await look_once(house, dialogue)
        except Exception as error:
            log_fault(log, new_reference(), "the keeper of the canary", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
