"""What travels between the bot and the fake Bot API: calls, refusals, scripted failures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Json = dict[str, Any]

MAX_CALLBACK_BYTES = 64
_JSON_PARAMS = frozenset({"reply_markup", "allowed_updates", "commands", "link_preview_options"})
_INT_PARAMS = frozenset({"chat_id", "message_id", "offset", "limit", "timeout"})


@dataclass
class Call:
    """One request the bot made."""

    method: str
    params: Json
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By parameter: (filename, content)."""
    at: float = 0.0
    """Seconds, monotonic."""
    outcome: str = "ok"
    """ok, dropped, or the status it was refused with."""
    result: Any = None

    @property
    def text(self) -> str:
        return str(self.params.get("text", ""))

    @property
    def chat_id(self) -> int | None:
        return self.params.get("chat_id")

    @property
    def buttons(self) -> list[Json]:
        """The inline buttons in reading order."""
        rows = (self.params.get("reply_markup") or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]


@dataclass
class Failure:
    """What matching calls get instead of an answer; status None breaks the connection after the deed."""

    method: str
    status: int | None
    description: str
    parameters: Json = field(default_factory=dict)
    chat_id: int | None = None
    times: int = 1


class Refused(Exception):
    """The Bot API's refusal of a call."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


class Broken(Response):
    """An answer that promises more than it brings: the client sees the connection break."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b'{"ok":', "more_body": False})


async def read_params(request: Request) -> tuple[Json, dict[str, tuple[str, bytes]]]:
    params: Json = dict(request.query_params)
    files = {}
    if "json" in request.headers.get("content-type", ""):
        params |= await request.json()
    elif request.method == "POST":
        for name, value in (await request.form()).items():
            if isinstance(value, UploadFile):
                files[name] = (value.filename or "", await value.read())
            else:
                params[name] = value
    for name in params.keys() & _JSON_PARAMS:
        if isinstance(params[name], str):
            params[name] = json.loads(params[name])
    for name in params.keys() & _INT_PARAMS:
        params[name] = int(params[name])
    return params, files


def check_markup(markup: Json | None) -> None:
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button.get("callback_data", "").encode()) <= MAX_CALLBACK_BYTES:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")


def chat_of(update: Json) -> int | None:
    for kind in ("message", "edited_message", "my_chat_member"):
        if kind in update:
            return int(update[kind]["chat"]["id"])
    return int(update["callback_query"]["from"]["id"]) if "callback_query" in update else None
