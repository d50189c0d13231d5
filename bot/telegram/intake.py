"""Intake: updates are taken until they are recorded; only one that breaks on its own is given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from telegram import Update

from bot.telegram.lanes import ALBUM_WAIT_S, Handle, Lanes

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
"""Failures after which an update is given up, if others went well meanwhile: then it is not the house."""

Apologise = Callable[[Update, Exception], Awaitable[None]]


class NotRecorded(Exception):
    """An update could not be recorded now; Telegram shall bring it again."""


class Intake:
    """Takes updates from polling and webhook alike."""

    def __init__(self, handle: Handle, apologise: Apologise, album_wait_s: float = ALBUM_WAIT_S) -> None:
        """``apologise`` logs an update's first failure and tells the member, as far as that is possible."""
        self._lanes = Lanes(handle, album_wait_s)
        self._apologise = apologise
        self._failures: dict[int, int] = {}
        self._successes = 0
        self._successes_at_first_failure: dict[int, int] = {}

    async def take(self, update: Update) -> None:
        """Wait until an update is settled; raises NotRecorded when it must come again.

        Returns normally for one that is given up: it failed five times while others did not.
        """
        update_id = update.update_id
        settled = self._lanes.submit(update)
        try:
            await settled
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise NotRecorded(f"update {update_id}: the door closed") from None
        except Exception as error:
            await self._failed(update, error)
            return
        self._successes += 1
        self._forget(update_id)

    async def close(self, patience_s: float = 10.0) -> None:
        """Let what is under way finish for so many seconds."""
        await self._lanes.close(patience_s)

    async def _failed(self, update: Update, error: Exception) -> None:
        update_id = update.update_id
        failures = self._failures[update_id] = self._failures.get(update_id, 0) + 1
        before = self._successes_at_first_failure.setdefault(update_id, self._successes)
        if failures == 1:
            await self._apologise(update, error)
        if failures >= MAX_ATTEMPTS and self._successes > before:
            log.error("telegram update %s is given up after %s attempts", update_id, failures)
            self._forget(update_id)
            return
        raise NotRecorded(f"update {update_id}: attempt {failures}") from error

    def _forget(self, update_id: int) -> None:
        self._failures.pop(update_id, None)
        self._successes_at_first_failure.pop(update_id, None)
