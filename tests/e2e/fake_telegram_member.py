"""Somebody at the other end of the fake Bot API: writes, sends files, presses buttons, blocks the bot."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from tests.bot.telegram import updates as build
from tests.e2e.fake_bot_wire import Call, Json

if TYPE_CHECKING:
    from tests.e2e.fake_bot_api import FakeBotApi


class FakeMember:
    """Somebody at the other end."""

    def __init__(self, api: FakeBotApi, chat_id: int, name: str) -> None:
        self.api, self.chat_id, self.name = api, chat_id, name

    def says(self, words: str) -> int:
        return self.api.push(build.text(self.chat_id, words, date=int(time.time())))

    def sends(self, update: Json) -> int:
        """Any other update, as ``tests.bot.telegram.updates`` builds them."""
        return self.api.push(update)

    def sends_photo(self, content: bytes, caption: str | None = None, **more: Any) -> int:
        file_id = self.api.add_file(content)
        return self.api.push(build.photo(self.chat_id, file_id, size=len(content), caption=caption, **more))

    def sends_album(self, contents: list[bytes], caption: str | None = None) -> list[int]:
        group = secrets.token_hex(4)
        return [
            self.sends_photo(content, None if number else caption, media_group_id=group)
            for number, content in enumerate(contents)
        ]

    def sends_document(
        self, content: bytes, filename: str, media_type: str, caption: str | None = None
    ) -> int:
        file_id = self.api.add_file(content)
        size = len(content)
        return self.api.push(
            build.document(self.chat_id, file_id, filename, media_type, size=size, caption=caption)
        )

    def presses(self, call: Call, title: str) -> int:
        """Press a button that a message of the bot shows."""
        button = next(button for button in self.api.shown_buttons(call) if button["text"] == title)
        return self.presses_data(call, button["callback_data"])

    def presses_data(self, call: Call, data: str) -> int:
        """Press with any data: what a forged client can do."""
        query = secrets.token_hex(8)
        self.api._queries.add(query)
        update = build.press(self.chat_id, data, query_id=query)
        update["callback_query"]["message"] = dict(
            self.api._messages[self.chat_id, call.result["message_id"]]
        )
        return self.api.push(update)

    def blocks(self) -> None:
        self.api._blocked.add(self.chat_id)
        self.api.push(build.membership(build.private_chat(self.chat_id), "kicked", self.chat_id))

    def blocks_silently(self) -> None:
        """Blocks the bot while Telegram's word of it has not come yet."""
        self.api._blocked.add(self.chat_id)

    def unblocks(self) -> None:
        self.api._blocked.discard(self.chat_id)
