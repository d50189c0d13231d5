"""Requests to the Bot API: python-telegram-bot's own, and files read as a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import HTTPXRequest

CHUNK = 64 * 1024
JSONDict = dict[str, Any]


class FileSource(Protocol):
    """Whatever can read a file of the Bot API piece by piece."""

    def open_file(self, file_path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file's bytes in pieces; raises NetworkError, TimedOut or TelegramError."""
        ...


class TelegramRequest(HTTPXRequest):
    """HTTPXRequest that can also stream a file (the library's own download holds it in memory whole).

    Takes the settings of HTTPXRequest: pool size, time limits in seconds, proxy, httpx_kwargs.
    """

    @asynccontextmanager
    async def open_file(self, file_path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a file by what ``getFile`` answered: an address, or a path when the server runs in local mode.

        Raises NetworkError, TimedOut, or TelegramError when the server no longer has it.
        """
        address = urlsplit(file_path)
        if address.scheme not in ("http", "https"):
            yield _read_local(Path(file_path))
            return
        url = urlunsplit(address._replace(path=quote(address.path)))
        try:
            async with self._client.stream("GET", url, headers={"User-Agent": self.USER_AGENT}) as response:
                if response.status_code != httpx.codes.OK:
                    # Not the address: it holds the token.
                    raise TelegramError(f"the file is not to be had ({response.status_code})")
                yield response.aiter_bytes(CHUNK)
        except httpx.TimeoutException as error:
            raise TimedOut from error
        except httpx.HTTPError as error:
            raise NetworkError(f"httpx.{type(error).__name__} while reading a file") from error

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        """Parse what the Bot API answered; raises TelegramError, without logging members' words."""
        try:
            answer: JSONDict = json.loads(payload.decode("utf-8", "replace"))
        except ValueError as error:
            raise TelegramError("the Bot API answered something that is not JSON") from error
        return answer


async def _read_local(path: Path) -> AsyncIterator[bytes]:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise TelegramError("the local Bot API server's file cannot be read") from error
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()
