"""Keeper: every few seconds does what is due at the desk: nobody waits unheard, and nothing stays stuck."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from bot.faults import log_fault, new_reference
from bot.house import House
from casework import case_clock, waiting
from casework.desk_rules import DeskRules, read_desk_rules

log = logging.getLogger(__name__)

EVERY_S = 2.0
CASES_EVERY = 15
"""Deadlines of cases are looked at once in so many rounds: they are hours and days."""


async def keep_once(house: House, *, cases_too: bool = True) -> int:
    """One round; returns how many conversations and cases something was done in.

    Each conversation has a transaction of its own: one that fails is logged and does not stop the rest.
    """
    now = house.clock.now()
    async with house.database.read() as session:
        rules = await read_desk_rules(session, house.desk_rules)
        due = await waiting.attention(session, now, rules)
        gone = await waiting.gone_staff(session, now, rules)
    if gone:
        async with house.database.transaction() as session:
            await waiting.sign_off_the_gone(session, now, rules)
    done = 0
    for conversation_id in due:
        done += await _attend(house, conversation_id, rules)
    if cases_too:
        async with house.database.transaction() as session:
            done += await case_clock.keep_cases(session, rules, now)
    return done


async def keep_watch(house: House, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Keep until the bot stops; a round that fails is logged and the next one comes all the same."""
    rounds = 0
    while not stopping.is_set():
        try:
            await keep_once(house, cases_too=rounds % CASES_EVERY == 0)
        except Exception as error:
            log_fault(log, new_reference(), "the desk's keeper", error)
        rounds += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)


async def _attend(house: House, conversation_id: str, rules: DeskRules) -> bool:
    try:
        async with house.database.transaction() as session:
            done = await waiting.attend(
                session, conversation_id, house.clock.now(), rules, house.knowledge.wording
            )
    except Exception as error:
        log_fault(log, new_reference(), f"conversation {conversation_id} could not be attended to", error)
        return False
    if done:
        house.switchboard.feed.wake(conversation_id)
    return done
