"""The whole application in this process, with a scripted dialogue and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from bot.app import create_app
from bot.house import House
from casework.clock import FixedClock
from casework.crisis import CrisisRules
from casework.database import Database
from casework.entitlements.registry import Entitlements
from casework.knowledge import Knowledge
from casework.rates import Rates
from casework.settings import Settings
from tests.bot.fakes import FakeDialogue, Script


@pytest.fixture(autouse=True)
def knowledge_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a hundred YAML files takes longer than most tests; nothing changes what was read."""
    monkeypatch.setattr("bot.app.Knowledge.load", read_knowledge)
    monkeypatch.setattr("bot.app.CrisisRules.load", read_crisis_rules)
    monkeypatch.setattr("bot.app.Rates.load", read_rates)
    monkeypatch.setattr("bot.app.Entitlements.load", read_entitlements)


read_knowledge = cache(Knowledge.load)
read_crisis_rules = cache(CrisisRules.load)
read_rates = cache(Rates.load)
read_entitlements = cache(Entitlements.load)


class Compiled(BytecodeCache):
    """Templates compiled once for all applications of this process; a changed one has another checksum."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._code.get((bucket.key, bucket.checksum))) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = Compiled()


@pytest.fixture(autouse=True)
def templates_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling the desk's templates takes longer than most tests, and each test has an application."""
    for module in ("bot.desk.shell", "bot.web.pages"):
        monkeypatch.setattr(f"{module}.Environment", partial(Environment, bytecode_cache=COMPILED))


@pytest.fixture
async def app(
    settings: Settings, database: Database, script: Script, clock: FixedClock
) -> AsyncIterator[FastAPI]:
    """The application, started; ``settings`` point at the same file as ``database``."""
    assert settings.database_url == database.url
    app = create_app(settings, dialogue=FakeDialogue(script), clock=clock)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def house(app: FastAPI) -> House:
    found: House = app.state.house
    return found


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser or a union app."""
    async with new_client(app) as client:
        yield client


def new_client(app: FastAPI, address: str = "203.0.113.7") -> httpx.AsyncClient:
    """A client at an address of its own."""
    transport = httpx.ASGITransport(app=app, client=(address, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://niangjia.test")


@dataclass
class Phone:
    """A member's conversation over the API."""

    client: httpx.AsyncClient
    conversation_id: str
    token: str

    @property
    def url(self) -> str:
        """Where the conversation is."""
        return f"/api/v1/conversations/{self.conversation_id}"

    @property
    def headers(self) -> dict[str, str]:
        """What opens it."""
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, path: str, json: Any) -> httpx.Response:
        """Post JSON to something of the conversation."""
        return await self.client.post(f"{self.url}{path}", json=json, headers=self.headers)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Get something of the conversation."""
        return await self.client.get(f"{self.url}{path}", params=params, headers=self.headers)

    async def say(self, text: str, client_message_id: str = "m1") -> httpx.Response:
        """Send a text."""
        return await self.post("/messages", {"client_message_id": client_message_id, "text": text})


async def new_phone(client: httpx.AsyncClient, **wanted: Any) -> Phone:
    """Begin a conversation."""
    response = await client.post("/api/v1/conversations", json=wanted)
    assert response.status_code == 201, response.text
    return Phone(client, response.json()["conversation_id"], response.json()["token"])


@pytest.fixture
async def phone(client: httpx.AsyncClient) -> Phone:
    return await new_phone(client)


PATIENCE_S = 20.0
"""How long a stream may take: waited for only when something is wrong or the machine has much else to do."""


class Stream:
    """An event stream, read while it is open (httpx's ASGI transport would wait for its end)."""

    def __init__(self, app: FastAPI, path: str, headers: dict[str, str]) -> None:
        self._app = app
        self._scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("203.0.113.7", 40000),
            "server": ("niangjia.test", 80),
            "state": {},
        }
        self._gone = asyncio.Event()
        self._asked = False
        self._news = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.ended = False
        self._task = asyncio.create_task(self._run())

    async def until(self, enough: Callable[[str], bool], patience_s: float = PATIENCE_S) -> str:
        """Wait until the text received so far is enough; returns it."""
        async with asyncio.timeout(patience_s):
            while not enough(self.text) and not self.ended:
                self._news.clear()
                await self._news.wait()
        assert enough(self.text), self.text
        return self.text

    async def end(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until the server ends the stream."""
        await asyncio.wait_for(asyncio.shield(self._task), patience_s)

    async def hang_up(self) -> None:
        """Go away, as a closed tab does."""
        self._gone.set()
        await asyncio.wait_for(self._task, PATIENCE_S)

    async def _run(self) -> None:
        await self._app(self._scope, self._receive, self._send)
        self.ended = True
        self._news.set()

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message.get("body", b"").decode()
        self._news.set()
