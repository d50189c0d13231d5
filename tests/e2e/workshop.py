"""What the workbench's end-to-end tests do to a running house from outside its pages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry, samples
from casework.crypto import install_cipher, load_keys
from casework.database import Database
from casework.errors import BadInput
from casework.knowledge import Knowledge
from casework.settings import Settings
from tests.e2e.house import Member, RunningHouse

Result = TypeVar("Result")


def with_database(house: RunningHouse, deed: Callable[[AsyncSession, Settings], Awaitable[Result]]) -> Result:
    """Do something in the house's own database, as another process of the house would."""
    settings = Settings.from_env(house.environment)

    async def run() -> Result:
        install_cipher(load_keys(settings).cipher)
        database = Database(settings.database_url)
        try:
            async with database.transaction() as session:
                return await deed(session, settings)
        finally:
            await database.close()

    # Playwright's loop runs in the test's own thread.
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(lambda: asyncio.run(run())).result()


def live_name(house: RunningHouse) -> str:
    """The version the registry says is live."""

    async def ask(session: AsyncSession, settings: Settings) -> str:
        version = await model_registry.live(session)
        assert version is not None
        return version.name

    return with_database(house, ask)


def shuffle_labels(house: RunningHouse, how_many: int, seed: int) -> int:
    """Give random sentences one another's intents, as somebody who does not look would; how many moved."""

    async def poison(session: AsyncSession, settings: Settings) -> int:
        data = settings.home / "data" / "nlu"
        knowledge = Knowledge.load(settings.home / "data" / "knowledge")
        found = [
            (text, intent)
            for intent, texts in sorted((await samples.current(session, data)).sentences.items())
            for text in texts
        ]
        dice = random.Random(seed)  # noqa: S311  (shuffles sentences, guards nothing)
        chosen = dice.sample(found, how_many)
        intents = [intent for _, intent in chosen]
        dice.shuffle(intents)
        moved = 0
        for (text, _), intent in zip(chosen, intents, strict=True):
            try:
                await samples.move(session, None, text, intent, knowledge, data, datetime.now(UTC))
                moved += 1
            except BadInput:
                continue  # it drew its own intent
        return moved

    return with_database(house, poison)


@dataclass
class Replica:
    """One of the house's Rasa processes, asked directly, as only the bot may."""

    house: RunningHouse
    port: int
    client: httpx.Client
    """One for all questions: a client of its own for each would read the certificates each time."""

    def reads(self, text: str) -> dict[str, Any]:
        """What it makes of a text; raises httpx.HTTPError when it does not answer."""
        answer = self.client.post(
            f"http://127.0.0.1:{self.port}/webhooks/switchboard/parse",
            json={"text": text, "as_of": "2026-11-22"},
            headers={"Authorization": f"Bearer {(self.house.var / 'internal.token').read_text().strip()}"},
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def model(self) -> str | None:
        """The version it answers with, or None while it does not answer."""
        try:
            name: str | None = self.reads("你好")["model"]
        except httpx.HTTPError:
            return None
        return name

    def behaviour(self, texts: list[str]) -> bytes:
        """Everything it makes of the texts, byte for byte, the version's name aside."""
        readings = [{**self.reads(text), "model": None} for text in texts]
        return json.dumps(readings, ensure_ascii=False, sort_keys=True).encode()


def all_serve(replicas: list[Replica], name: str, within_s: float = 60) -> None:
    """Wait until every replica answers with this version."""
    deadline = time.monotonic() + within_s
    seen: list[str | None] = []
    while time.monotonic() < deadline:
        seen = [replica.model() for replica in replicas]
        if seen == [name] * len(replicas):
            return
        time.sleep(0.3)
    raise AssertionError(f"replicas serve {seen}, not {name}")


@dataclass
class Chatter:
    """A member who goes on writing while the models are swapped, and what became of every message."""

    member: Member
    texts: list[str]
    every_s: float = 0.2
    answers: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Chatter:
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join(timeout=30)

    def _talk(self) -> None:
        while not self._stop.is_set():
            text = self.texts[len(self.answers) % len(self.texts)]
            try:
                answer = self.member.say(text)
            except (AssertionError, httpx.HTTPError) as error:
                self.problems.append(f"{text}: {error}")
                answer = ""
            if not answer.strip():
                self.problems.append(f"{text}: nothing was said")
            self.answers.append(answer)
            self._stop.wait(self.every_s)


def register_broken(house: RunningHouse) -> str:
    """A version whose file is no model at all, waved through: what a swap must survive. Its name."""

    async def enter(session: AsyncSession, settings: Settings) -> str:
        content = b"this is no model " * 1000
        version = await model_registry.register(
            session, sha256=hashlib.sha256(content).hexdigest(), size=len(content), now=datetime.now(UTC)
        )
        version.passed = version.safe = True
        (settings.models_dir / f"{version.name}.tar.gz").write_bytes(content)
        return version.name

    return with_database(house, enter)


def rows(var: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of the house's SQLite file, read only."""
    with sqlite3.connect(f"file:{var / 'niangjia.db'}?mode=ro", uri=True) as connection:
        return list(connection.execute(query))
