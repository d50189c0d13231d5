"""Inbox keeping: every half minute puts what was misunderstood into the training workbench's inbox.

What a message was read as is stored with it; what else it might have meant only a model can say, so the
dialogue is asked outside any transaction. Without it the stored reading has to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from bot.dialogue import DialogueClient, DialogueError
from bot.faults import log_fault, new_reference
from bot.house import House
from casework.clock import Clock, shanghai_day
from casework.database import Database
from casework.inbox_finding import Found, Look, find
from casework.inbox_gathering import Gathered, Guesses, put
from casework.inbox_rules import InboxRules

EVERY_S = 30.0
AT_ONCE = 200
"""Messages gathered in one transaction: members must not wait for it."""

log = logging.getLogger(__name__)


class InboxKeeper:
    """Gathers, and remembers from where on it has to look."""

    def __init__(self, database: Database, dialogue: DialogueClient, rules: InboxRules, clock: Clock) -> None:
        self._database = database
        self._dialogue = dialogue
        self._rules = rules
        self._clock = clock
        self._last: Look | None = None

    async def gather_once(self) -> Gathered:
        """One round, until nothing is left; gives what it did."""
        done = Gathered()
        while True:
            now = self._clock.now()
            async with self._database.read() as session:
                found, look = await find(session, self._rules, now, last=self._last, limit=AT_ONCE)
            guesses = await self._guesses(found)
            gathered = Gathered()
            if found:
                async with self._database.transaction() as session:
                    gathered = await put(session, found, self._rules, now, guesses)
            self._last = look
            done = done + gathered
            if gathered == Gathered() or sum(bool(one.reasons) for one in found) < AT_ONCE:
                return done

    async def _guesses(self, found: Iterable[Found]) -> dict[int, Guesses]:
        """What the live model makes of each; nothing where it cannot be asked."""
        guesses: dict[int, Guesses] = {}
        today = shanghai_day(self._clock.now())
        for one in found:
            try:
                read = await self._dialogue.parse(one.text, today)
            except DialogueError:
                break
            guesses[one.message_id] = read.guesses or (
                () if read.intent is None else ((read.intent, read.confidence),)
            )
        return guesses


def keeper_of(house: House) -> InboxKeeper:
    """The keeper of an open house; raises KnowledgeError for rules that cannot be read."""
    rules = InboxRules.load(house.settings.home / "data" / "knowledge", house.knowledge)
    return InboxKeeper(house.database, house.dialogue, rules, house.clock)


async def keep_gathering(keeper: InboxKeeper, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Gather until the bot stops; a round that fails is logged and the next one comes all the same."""
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
        if stopping.is_set():
            return
        try:
            if (done := await keeper.gather_once()).messages:
                log.info("%d messages came into the inbox, %d groups began", done.messages, done.groups)
        except Exception as error:
            log_fault(log, new_reference(), "the keeper of the inbox", error)
