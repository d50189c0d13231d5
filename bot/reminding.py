"""Reminding: every half minute says what is due, each reminder in a transaction of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.faults import log_fault, new_reference
from bot.house import House
from casework import reminder_sending

log = logging.getLogger(__name__)

EVERY_S = 30.0
PROMISES_EVERY = 10
"""Promised days of cases are looked at once in so many rounds: they are hours and days."""


async def remind_once(house: House, *, promises_too: bool = True) -> int:
    """One round; returns how many reminders were said. One that fails is logged and tried again later."""
    now = house.clock.now()
    if promises_too:
        async with house.database.transaction() as session:
            await reminder_sending.keep_promises(session, now, house.reminder_rules)
    async with house.database.read() as session:
        due = await reminder_sending.due(session, now)
    said = 0
    for reminder_id in due:
        said += await _remind(house, reminder_id)
    return said


async def keep_reminding(house: House, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Remind until the bot stops; a round that fails is logged and the next one comes all the same."""
    rounds = 0
    while not stopping.is_set():
        try:
            if said := await remind_once(house, promises_too=rounds % PROMISES_EVERY == 0):
                log.info("said %d reminders", said)
        except Exception as error:
            log_fault(log, new_reference(), "the keeper of reminders", error)
        rounds += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)


async def _remind(house: House, reminder_id: int) -> bool:
    try:
        async with house.database.transaction() as session:
            message = await reminder_sending.send_due(
                session,
                reminder_id,
                house.clock.now(),
                rules=house.reminder_rules,
                wording=house.wording,
            )
    except Exception as error:
        log_fault(log, new_reference(), f"reminder {reminder_id} could not be said", error)
        async with house.database.transaction() as session:
            await reminder_sending.put_off(session, reminder_id, house.clock.now())
        return False
    if message is None:
        return False
    house.switchboard.feed.wake(message.conversation_id)
    return True
