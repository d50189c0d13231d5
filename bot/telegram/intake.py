"""Intake: updates are taken until they are recorded; only one that breaks on its own is given up."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from telegram import Update
from telegram.constants import ChatType

from bot.telegram.door_bot import Unreadable
from bot.telegram.lanes import Handle, Lanes

MAX_ATTEMPTS = 5
"""Failures after which an update is given up, if others went well meanwhile: then it is not the house."""


class Apologise(Protocol):
    """Logs what went wrong with an update and tells its member, as far as that is possible."""

    async def __call__(self, update_id: int, chat_id: int | None, error: Exception, *, final: bool) -> None:
        """``chat_id`` is a private chat's, or None; ``final`` when the update will not be tried again."""
        ...


class NotRecorded(Exception):
    """An update could not be recorded now; Telegram shall bring it again."""


class Intake:
    """Takes updates from polling and webhook alike."""

    def __init__(self, handle: Handle, apologise: Apologise) -> None:
        self._lanes = Lanes(handle)
        self._apologise = apologise
        self._failures: dict[int, int] = {}
        self._successes = 0
        self._successes_at_first_failure: dict[int, int] = {}

    async def take(self, update: Update) -> None:
        """Wait until an update is settled; raises NotRecorded when it must come again.

        Returns normally for one that is given up: it failed five times while others did not.
        """
        settled = self._lanes.submit(update)
        try:
            await settled
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise NotRecorded(f"update {update.update_id}: the door closed") from None
        except Exception as error:
            await self._failed(update, error)
            return
        self._successes += 1
        self._forget(update.update_id)

    async def pass_over(self, raw: dict[str, Any], error: Unreadable) -> None:
        """Settle what cannot be read as an update: it would not get better by coming again."""
        await self._apologise(error.update_id or 0, _private_chat(raw), error, final=True)

    async def close(self, patience_s: float = 10.0) -> None:
        """Let what is under way finish for so many seconds."""
        await self._lanes.close(patience_s)

    async def _failed(self, update: Update, error: Exception) -> None:
        update_id = update.update_id
        chat = update.effective_chat
        chat_id = chat.id if chat is not None and chat.type == ChatType.PRIVATE else None
        failures = self._failures[update_id] = self._failures.get(update_id, 0) + 1
        before = self._successes_at_first_failure.setdefault(update_id, self._successes)
        if failures >= MAX_ATTEMPTS and self._successes > before:
            self._forget(update_id)
            await self._apologise(update_id, chat_id, error, final=True)
            return
        if failures == 1:
            await self._apologise(update_id, chat_id, error, final=False)
        raise NotRecorded(f"update {update_id}: attempt {failures}") from error

    def _forget(self, update_id: int) -> None:
        self._failures.pop(update_id, None)
        self._successes_at_first_failure.pop(update_id, None)


def _private_chat(raw: dict[str, Any]) -> int | None:
    """The private chat an update came from, looked for without trusting its shape."""
    for part in raw.values():
        if not isinstance(part, dict):
            continue
        inner = part.get("message")
        for holder in (part, inner if isinstance(inner, dict) else {}):
            chat = holder.get("chat")
            if (
                isinstance(chat, dict)
                and chat.get("type") == ChatType.PRIVATE
                and isinstance(chat.get("id"), int)
            ):
                return int(chat["id"])
    return None
