"""A Bot API without a network: any other use of the network fails the test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from telegram.error import TelegramError
from telegram.request import RequestData

from bot.telegram.request import TelegramRequest

Json = dict[str, Any]
BOT = {"id": 7000000001, "is_bot": True, "first_name": "娘家人", "username": "niangjia_test_bot"}


@dataclass(frozen=True)
class Call:
    """One call the bot made."""

    method: str
    params: Json


class OfflineBotApi:
    """Answers calls from a script and keeps what was asked."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self.chunk = 4
        self._answers: dict[str, list[Any]] = {}
        self._message_id = 5000

    def answer(self, method: str, *answers: Any) -> None:
        """Script the next answers of a method: a result, (HTTP status, body), an exception, a function."""
        self._answers.setdefault(method, []).extend(answers)

    def made(self, method: str) -> list[Json]:
        return [call.params for call in self.calls if call.method == method]

    def texts(self) -> list[str]:
        return [params["text"] for params in self.made("sendMessage")]

    def request(self) -> TelegramRequest:
        return OfflineRequest(self)

    async def reply(self, method: str, params: Json) -> tuple[int, bytes]:
        self.calls.append(Call(method, params))
        scripted = self._answers.get(method)
        answer = scripted.pop(0) if scripted else self._usual(method, params)
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = await answer(params)
        status, body = answer if isinstance(answer, tuple) else (200, {"ok": True, "result": answer})
        return status, json.dumps(body).encode()

    def _usual(self, method: str, params: Json) -> Any:
        match method:
            case "getMe":
                return BOT
            case "getUpdates":
                return []
            case "sendMessage" | "sendPhoto" | "sendDocument":
                self._message_id += 1
                chat = {"id": int(params["chat_id"]), "type": "private"}
                return {
                    "message_id": self._message_id,
                    "date": 1,
                    "chat": chat,
                    "text": params.get("text", ""),
                }
            case "getFile":
                file_id = params["file_id"]
                return {"file_id": file_id, "file_unique_id": file_id, "file_path": f"documents/{file_id}"}
            case "editMessageReplyMarkup":
                return {
                    "message_id": int(params["message_id"]),
                    "date": 1,
                    "chat": {"id": 1, "type": "private"},
                }
        return True


class OfflineRequest(TelegramRequest):
    """The door's request class with its two ways to the network replaced."""

    def __init__(self, api: OfflineBotApi) -> None:
        super().__init__()
        self._api = api

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """Answer from the script."""
        name = urlsplit(url).path.rpartition("/")[2]
        params = dict(request_data.parameters) if request_data else {}
        return await self._api.reply(name, params)

    @asynccontextmanager
    async def open_file(self, file_path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Stream a scripted file in small pieces."""
        name = file_path.rpartition("/")[2]
        if name not in self._api.files:
            raise TelegramError("the file is not to be had (404)")
        yield _pieces(self._api.files[name], self._api.chunk)


async def _pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


Answer = Callable[[Json], Any]
