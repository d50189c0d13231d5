"""The library's Bot, with one way more to ask for updates: as Telegram sent them, unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telegram import Update
from telegram.ext import ExtBot

Json = dict[str, Any]
CALL_LIMIT_S = 15.0


class Unreadable(ValueError):
    """What the library cannot read as an update; ``update_id`` is None when it has not even that."""

    def __init__(self, update_id: int | None) -> None:
        super().__init__(f"update {update_id} cannot be read")
        self.update_id = update_id


class DoorBot(ExtBot[None]):
    """Fetches raw updates: the library reads a batch as a whole, so one it cannot read would hold up all.

    (It would also log the whole batch, members' words and all.)
    """

    async def raw_updates(
        self, *, offset: int | None, limit: int, long_poll_s: int, allowed: Sequence[str]
    ) -> list[Json]:
        """Updates from ``offset`` on, which confirms those before it; raises TelegramError."""
        data: Json = {"limit": limit, "timeout": long_poll_s, "allowed_updates": list(allowed)}
        if offset is not None:
            data["offset"] = offset
        answer = await self._post("getUpdates", data, read_timeout=CALL_LIMIT_S + long_poll_s)
        return list(answer) if isinstance(answer, (list, tuple)) else []

    def read_update(self, raw: Json) -> Update:
        """One update as the library's own object; raises Unreadable."""
        update_id = raw.get("update_id")
        if not isinstance(update_id, int):
            raise Unreadable(None)
        try:
            return Update.de_json(raw, self)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unreadable(update_id) from error
