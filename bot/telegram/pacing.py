"""Flood limits: how fast Telegram lets a bot speak, kept by waiting rather than by being refused.

python-telegram-bot brings a limiter of its own, but only with a package we do not need otherwise.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

JSONDict = dict[str, Any]
Answer = bool | JSONDict | list[JSONDict]

MESSAGES_PER_SECOND = 30
CHAT_BURST = 5
"""Messages one chat may get at once before the pace of one a second begins."""
CHAT_PACE_S = 1.0
_REMEMBERED_CHATS = 10_000
_SLACK_S = 0.5

_SPOKEN = frozenset({"sendMessage", "sendPhoto", "sendDocument"})
"""Calls that Telegram counts as messages."""


def retry_seconds(error: RetryAfter) -> float:
    """How long Telegram asked us to be quiet, in seconds."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


class Pacing(BaseRateLimiter[None]):
    """Keeps to 30 messages a second over all chats and one a second in each, after a short burst.

    A chat that was refused with "retry after" stays quiet that long; the refusal itself is raised, so
    that the outbox can put the message off without holding anything up. A global refusal (one about a
    call without a chat) quietens nothing else: Telegram counts chats and methods apart.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take a monotonic clock in seconds and a way to wait."""
        self._now = now
        self._sleep = sleep
        self._recent: deque[float] = deque()
        self._next_in_chat: OrderedDict[str, float] = OrderedDict()
        self._quiet_until: dict[str, float] = {}

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Answer:
        """Wait for this call's turn and make it; raises what the call raises, RetryAfter included."""
        chat = str(data["chat_id"]) if "chat_id" in data else None
        if endpoint in _SPOKEN and chat is not None:
            await self._wait_turn(chat)
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as refusal:
            if chat is not None:
                self._quiet_until[chat] = self._now() + retry_seconds(refusal) + _SLACK_S
            raise

    def quiet_for(self, chat_id: str) -> float:
        """Seconds until Telegram wants to hear of this chat again; 0 when it may be written to."""
        until = self._quiet_until.get(chat_id)
        if until is None:
            return 0.0
        left = until - self._now()
        if left <= 0:
            del self._quiet_until[chat_id]
            return 0.0
        return left

    async def _wait_turn(self, chat: str) -> None:
        """Wait until both the chat and the whole bot may speak, and take that turn."""
        while (wait := max(self.quiet_for(chat), self._chat_wait(chat), self._bot_wait())) > 0:
            await self._sleep(wait)
        now = self._now()
        self._recent.append(now)
        # A token bucket kept as one number: when the chat's bucket will be full again.
        full_at = max(self._next_in_chat.pop(chat, now), now) + CHAT_PACE_S
        self._next_in_chat[chat] = full_at
        if len(self._next_in_chat) > _REMEMBERED_CHATS:
            self._next_in_chat.popitem(last=False)

    def _chat_wait(self, chat: str) -> float:
        full_at = self._next_in_chat.get(chat, 0.0)
        return full_at - self._now() - (CHAT_BURST - 1) * CHAT_PACE_S

    def _bot_wait(self) -> float:
        now = self._now()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        return 0.0 if len(self._recent) < MESSAGES_PER_SECOND else self._recent[0] + 1.0 - now
