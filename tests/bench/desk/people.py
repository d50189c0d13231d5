"""The people who make the load: members who write, and workers whose pages do what the desk's scripts do."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import httpx

from tests.bench.desk.place import Talk, Worker
from tests.bench.desk_words import ANSWERS, a_sentence

BETWEEN_S = (10.0, 30.0)
"""A member writes again after so long."""
ANSWERED = 0.5
"""The share of messages a worker answers, after 2 to 8 seconds."""
LISTS = ("/desk/queue?tab=mine", "/desk/queue?tab=waiting")
LISTS_EVERY_S = 4.0
"""A conversation's page reads the lists beside it at most so often (around.js)."""
BEAT_S = 10.0
_LINE = re.compile(r'data-id="(\d+)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """A member's message: its id, when it was sent and when the answer to the request came."""

    talk: Talk
    id: int
    at: float
    taken: float


@dataclass
class Log:
    """What happened when, by ``time.perf_counter``."""

    sent: list[Sent] = field(default_factory=list)
    told: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """By conversation: the newest message its worker's stream had told of."""
    shown: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """By conversation: the newest message in a fetched fragment."""
    replied: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    unchanged: int = 0
    events: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class Member:
    """Somebody who writes every 10 to 30 seconds."""

    client: httpx.AsyncClient
    talk: Talk
    random: Random
    log: Log

    async def write(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(self.random.random() * BETWEEN_S[1])
        while True:
            await self.say()
            await asyncio.sleep(self.random.uniform(*BETWEEN_S))

    async def say(self) -> None:
        """One sentence."""
        body = {"client_message_id": uuid.uuid4().hex, "text": a_sentence(self.random)}
        at = time.perf_counter()
        try:
            response = await self.client.post(
                f"/api/v1/conversations/{self.talk.id}/messages",
                json=body,
                headers={"Authorization": f"Bearer {self.talk.token}"},
            )
            response.raise_for_status()
        except httpx.HTTPError as error:
            self.log.failed.append(f"message: {error!r}")
            return
        self.log.sent.append(Sent(self.talk, response.json()["message_id"], at, time.perf_counter()))


@dataclass
class Screen:
    """A worker's browser: the live stream, one conversation open, and the lists beside it."""

    client: httpx.AsyncClient
    worker: Worker
    number: int
    looks_at: dict[str, Talk]
    """Conversations this worker's stream is watched for; the first is the one that is open."""
    reads: int
    """Of so many of them, from the first, the worker's page also fetches the new turns."""
    random: Random
    log: Log
    _etags: dict[str, str] = field(default_factory=dict)
    _fetching: dict[str, bool] = field(default_factory=dict)
    _listing: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def work(self) -> None:
        """Listen until cancelled."""
        headers = self.worker.headers | {"Accept": "text/event-stream"}
        opened = next(iter(self.looks_at))
        await self._get(f"/desk/c/{opened}", page=True)
        self._do(self._beats(opened))
        try:
            async with self.client.stream("GET", "/desk/events", headers=headers, timeout=None) as stream:
                stream.raise_for_status()
                name = ""
                async for line in stream.aiter_lines():
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        self._heard(name, json.loads(line[6:]))
            self.log.failed.append("a stream ended")
        except httpx.HTTPError as error:
            self.log.failed.append(f"stream: {error!r}")
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _heard(self, name: str, data: dict[str, object]) -> None:
        self.log.events += 1
        if name == "conversation" and (talk := self.looks_at.get(str(data["id"]))) is not None:
            self.log.told[talk.id].append((int(str(data["message_id"])), time.perf_counter()))
            if talk.id in list(self.looks_at)[: self.reads]:
                self._do(self._news(talk))
            said = data["fresh"] and data["author"] == "member"
            if said and talk.worker is not None and self.random.random() < ANSWERED:
                self._do(self._reply(talk))
        if name == "queue" and not self._listing:
            self._listing = True
            self._do(self._read_lists())

    def _do(self, what: object) -> None:
        task = asyncio.create_task(what)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _news(self, talk: Talk) -> None:
        if talk.id in self._fetching:
            self._fetching[talk.id] = True
            return
        again = True
        while again:
            self._fetching[talk.id] = False
            shown = self.log.shown[talk.id]
            after = shown[-1][0] if shown else self.log.told[talk.id][0][0] - 1
            html = await self._get(f"/desk/c/{talk.id}/news?after={after}")
            newest = max(map(int, _LINE.findall(html)), default=0)
            if newest:
                shown.append((newest, time.perf_counter()))
            again = self._fetching[talk.id]
        del self._fetching[talk.id]

    async def _read_lists(self) -> None:
        await asyncio.sleep(LISTS_EVERY_S)
        self._listing = False
        for address in LISTS:
            headers = {"If-None-Match": self._etags[address]} if address in self._etags else {}
            at = time.perf_counter()
            with suppress(httpx.HTTPError):
                response = await self.client.get(address, headers=self.worker.headers | headers)
                self.log.lists.append(time.perf_counter() - at)
                self.log.unchanged += response.status_code == httpx.codes.NOT_MODIFIED
                self._etags[address] = response.headers.get("etag", "")

    async def _reply(self, talk: Talk) -> None:
        await asyncio.sleep(self.random.uniform(2, 8))
        data = {"text": self.random.choice(ANSWERS), "client_message_id": uuid.uuid4().hex}
        at = time.perf_counter()
        response = await self.client.post(f"/desk/c/{talk.id}/reply", data=data, headers=self.worker.headers)
        if response.status_code == httpx.codes.OK:
            self.log.replied.append(time.perf_counter() - at)
        else:
            self.log.failed.append(f"reply: {response.status_code} {response.text[:200]}")

    async def _beats(self, conversation_id: str) -> None:
        await asyncio.sleep(self.random.random() * BEAT_S)
        while True:
            await self.client.post(
                f"/desk/c/{conversation_id}/watch", data={"typing": "false"}, headers=self.worker.headers
            )
            await asyncio.sleep(BEAT_S)

    async def _get(self, path: str, *, page: bool = False) -> str:
        headers = self.worker.headers | ({"Accept": "text/html"} if page else {})
        try:
            response = await self.client.get(path, headers=headers)
            response.raise_for_status()
        except httpx.HTTPError as error:
            self.log.failed.append(f"{path.split('?', maxsplit=1)[0][:12]}: {error!r}")
            return ""
        return response.text
