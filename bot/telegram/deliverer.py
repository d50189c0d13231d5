"""Deliverer: brings what the outbox promised to members' Telegram chats, in order, at least once.

Telegram knows no idempotency key. A part is sent, then marked as sent; when the answer to a send is lost
(a dropped connection, a time-out, a crash between the two) nobody can know whether the member got that one
part, and it is sent again. Parts that were marked are never sent again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.faults import log_fault, new_reference
from bot.telegram.pacing import Pacing, retry_seconds
from bot.telegram.parts import Compose
from casework import outbox
from casework.clock import Clock
from casework.database import Database
from casework.errors import NotFound
from casework.outbox import Due
from casework.sealed_files import FileDamaged

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Conversations delivered to side by side."""
GLANCE_S = 1.0
"""How often the outbox is looked at for what other processes wrote."""
ATTEMPT_LIMIT_S = 45.0
"""One attempt must end before its claim does (``outbox.LEASE``), or two deliverers would send the same."""
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0


class Deliverer:
    """Sends due outbox entries until it is stopped; a failure of one never stops the rest."""

    def __init__(
        self,
        bot: Bot,
        database: Database,
        clock: Clock,
        compose: Compose,
        pacing: Pacing,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``jitter`` gives a number from 0 to 1 that spreads retries."""
        self._bot = bot
        self._database = database
        self._clock = clock
        self._compose = compose
        self._pacing = pacing
        self._jitter = jitter
        self._news = asyncio.Event()
        self._stopping = False
        self._sending: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at the outbox now: something was written in this process."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until ``stop``."""
        while not self._stopping:
            self._news.clear()
            try:
                claimed = await self._claim()
            except Exception as error:
                # Whatever this is, replies must go out again once it is over.
                log_fault(log, new_reference(), "the outbox cannot be read", error)
                await self._wait(asyncio.Event())
                continue
            for due in claimed:
                task = asyncio.create_task(self._deliver(due), name=f"outbox entry {due.entry_id}")
                self._sending.add(task)
                task.add_done_callback(self._ended)
            if not claimed:
                await self._wait(self._news)
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=ATTEMPT_LIMIT_S)

    def stop(self) -> None:
        """Let ``run`` end once what is being sent is sent."""
        self._stopping = True
        self._news.set()

    async def deliver_due(self) -> int:
        """Deliver what is due now and return how many entries were tried."""
        claimed = await self._claim()
        await asyncio.gather(*(self._deliver(due) for due in claimed))
        return len(claimed)

    async def _claim(self) -> list[Due]:
        now = self._clock.now()
        places = AT_ONCE - len(self._sending)
        if places <= 0:
            return []
        async with self._database.read() as session:
            next_at = await outbox.next_due_at(session)
        if next_at is None or next_at > now:
            return []
        async with self._database.transaction() as session:
            return await outbox.claim_due(session, now, places)

    async def _wait(self, event: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(GLANCE_S):
                await event.wait()
        except TimeoutError:
            return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        # The conversation's next entry may go now.
        self.wake()
        if not task.cancelled() and (error := task.exception()) is not None:
            log_fault(log, new_reference(), task.get_name(), error)

    async def _deliver(self, due: Due) -> None:
        """Send what is left of one entry and book the outcome."""
        now = self._clock.now()
        if due.external_id is None:
            await self._fail(due, "the member is not known on Telegram any more", None)
            return
        if (quiet := self._pacing.quiet_for(due.external_id)) > 0:
            await self._fail(due, "Telegram asked for silence in this chat", now + timedelta(seconds=quiet))
            return
        try:
            async with asyncio.timeout(ATTEMPT_LIMIT_S):
                await self._send(due, int(due.external_id))
        except TimeoutError:
            await self._fail(due, "the attempt took too long", self._retry_at(due))
        except Forbidden:
            async with self._database.transaction() as session:
                await outbox.mark_blocked(session, due.entry_id, self._clock.now())
        except RetryAfter as error:
            wait = timedelta(seconds=retry_seconds(error) + 0.5 + self._jitter())
            await self._fail(due, "flood limit", self._clock.now() + wait)
        except (BadRequest, ChatMigrated) as error:
            # The server's words may quote what we sent.
            log.error("outbox entry %s was refused by Telegram: %s", due.entry_id, type(error).__name__)
            await self._fail(due, f"{type(error).__name__}: {_reason(error)}", None)
        except InvalidToken:
            log.error("Telegram refuses the token; messages wait")
            await self._fail(due, "Telegram refuses the token", self._retry_at(due))
        except TelegramError as error:
            await self._fail(due, type(error).__name__, self._retry_at(due))
        except NotFound:
            # The member was forgotten while this was on its way.
            log.info("outbox entry %s is no longer there", due.entry_id)
        except FileDamaged as error:
            log_fault(log, new_reference(), f"outbox entry {due.entry_id}", error)
            await self._fail(due, "the file is missing or altered", None)
        except Exception as error:
            log_fault(log, new_reference(), f"outbox entry {due.entry_id}", error)
            await self._fail(due, type(error).__name__, self._retry_at(due))

    async def _send(self, due: Due, chat_id: int) -> None:
        parts = await self._compose(due.message)
        for number, part in enumerate(parts, start=1):
            if number <= due.parts_sent:
                continue
            await part.send(self._bot, chat_id)
            async with self._database.transaction() as session:
                if number < len(parts):
                    await outbox.mark_part_sent(session, due.entry_id, number)
                else:
                    await outbox.mark_sent(session, due.entry_id, self._clock.now())
        if len(parts) <= due.parts_sent:
            async with self._database.transaction() as session:
                await outbox.mark_sent(session, due.entry_id, self._clock.now())

    async def _fail(self, due: Due, error: str, retry_at: datetime | None) -> None:
        if retry_at is not None and self._clock.now() - due.message.created_at >= GIVE_UP_AFTER:
            log.error("outbox entry %s is given up after %s attempts", due.entry_id, due.attempts)
            retry_at = None
        try:
            async with self._database.transaction() as session:
                await outbox.mark_failed(session, due.entry_id, error, retry_at)
        except NotFound:
            log.info("outbox entry %s is no longer there", due.entry_id)

    def _retry_at(self, due: Due) -> datetime:
        """Twice as long after each attempt, up to five minutes, spread so that not all come back at once."""
        pause = min(FIRST_PAUSE_S * 2.0 ** min(due.attempts - 1, 20), LONGEST_PAUSE_S)
        return self._clock.now() + timedelta(seconds=pause * (0.5 + 0.5 * self._jitter()))


def _reason(error: TelegramError) -> str:
    """The server's reason by its first words: codes and phrases of Telegram's own, not ours."""
    return str(error.message)[:60]
