"""A replica keeps to the model the server names: whole, checked, swapped in one step, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from nlu.model_pulling import NAME_HEADER, Puller, canary_of, model_name, puller_of

GOOD, BETTER = b"good model", b"better model"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class FakeServer:
    """A model server as the puller sees it: an endpoint whose session answers with what is set here."""

    status: int = 200
    content: bytes = GOOD
    etag: str | None = None
    name: str = "2026-11-23-1"
    away: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = "http://bot.invalid/internal/models/live"

    def session(self) -> Any:
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(get=self._get)

    @asynccontextmanager
    async def _get(self, url: str, *, headers: dict[str, str], **_: object) -> AsyncIterator[Any]:
        self.asked.append(headers.get("If-None-Match", ""))
        if self.away:
            raise aiohttp.ClientConnectionError("refused")
        etag = self.etag or f'"{digest(self.content)}"'
        status = 304 if self.status == 200 and etag in self.asked[-1] else self.status
        yield SimpleNamespace(
            status=status,
            headers={"ETag": etag, NAME_HEADER: self.name},
            content=SimpleNamespace(iter_chunked=self._chunks),
        )

    async def _chunks(self, _size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), 4):
            yield self.content[start : start + 4]


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def agent() -> Any:
    return SimpleNamespace(
        processor=None, domain=None, fingerprint="x", tracker_store=SimpleNamespace(domain=None), nlg=None
    )


@pytest.fixture(autouse=True)
def models_are_what_they_contain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is loaded as its content; one that says it is bad cannot be."""

    def load(_puller: Puller, file: Path) -> Any:
        content = file.read_bytes()
        if b"bad" in content:
            raise ValueError("no model")
        return SimpleNamespace(content=content, domain=None)

    monkeypatch.setattr(Puller, "_load", load)


@pytest.fixture
def puller(agent: Any, server: Any, tmp_path: Path) -> Puller:
    return Puller(agent, server, keep=tmp_path / "replicas" / "5005.tar.gz")


async def test_a_new_model_is_taken_over_and_asked_for_once(
    puller: Puller, agent: Any, server: FakeServer
) -> None:
    await puller.pull()
    first = agent.processor
    assert (first.content, puller.name) == (GOOD, "2026-11-23-1")
    await puller.pull()
    assert agent.processor is first
    assert server.asked == ["", f'"{digest(GOOD)}"']
    server.content, server.name = BETTER, "2026-11-23-2"
    await puller.pull()
    assert (agent.processor.content, puller.name) == (BETTER, "2026-11-23-2")


async def test_a_model_with_another_digest_than_was_named_is_not_loaded(
    puller: Puller, agent: Any, server: FakeServer
) -> None:
    await puller.pull()
    server.etag = f'"{digest(BETTER)}"'
    server.content = BETTER[:-1]
    await puller.pull()
    assert agent.processor.content == GOOD
    server.content = BETTER
    await puller.pull()
    assert agent.processor.content == BETTER, "whole at the second try"


async def test_a_model_that_cannot_be_loaded_leaves_the_old_one_and_is_not_asked_for_again(
    puller: Puller, agent: Any, server: FakeServer
) -> None:
    await puller.pull()
    server.content, server.name = b"a bad one", "2026-11-23-2"
    for _ in range(3):
        await puller.pull()
    assert (agent.processor.content, puller.name) == (GOOD, "2026-11-23-1")
    assert digest(b"a bad one") in server.asked[-1]
    server.content, server.name = BETTER, "2026-11-23-3"
    await puller.pull()
    assert puller.name == "2026-11-23-3"


@pytest.mark.parametrize("status", [204, 401, 404, 500, 503])
async def test_the_live_model_is_never_let_go_of(
    puller: Puller, agent: Any, server: FakeServer, status: int
) -> None:
    await puller.pull()
    server.status = status
    await puller.pull()
    assert agent.processor.content == GOOD
    server.away = True
    await puller.pull()
    assert agent.processor.content == GOOD


async def test_with_the_server_away_a_replica_begins_with_its_last_good_model(
    puller: Puller, server: FakeServer, tmp_path: Path
) -> None:
    await puller.pull()
    server.away = True
    fresh: Any = SimpleNamespace(processor=None, tracker_store=SimpleNamespace(domain=None), nlg=None)
    again = Puller(fresh, server, keep=tmp_path / "replicas" / "5005.tar.gz")  # type: ignore[arg-type]
    await again.begin()
    assert (fresh.processor.content, again.name) == (GOOD, "2026-11-23-1")
    server.away = False
    await again.pull()
    assert server.asked[-1] == f'"{digest(GOOD)}"', "and knows that it has it"


async def test_without_a_server_and_a_kept_model_it_goes_on_asking(
    puller: Puller, agent: Any, server: FakeServer
) -> None:
    server.away = True
    await puller.begin()
    assert agent.processor is None
    server.away = False
    await puller.pull()
    assert agent.processor.content == GOOD


async def test_a_canary_goes_when_there_is_none_any_more(agent: Any, server: FakeServer) -> None:
    canary = Puller(agent, server)  # type: ignore[arg-type]
    await canary.pull()
    assert agent.processor.content == GOOD
    server.status = 404
    await canary.pull()
    assert (agent.processor, canary.name) == (None, None)
    server.status = 200
    await canary.pull()
    assert agent.processor.content == GOOD, "the same one may begin again"


async def test_the_canary_leaves_the_live_models_domain_in_the_shared_store(
    agent: Any, server: FakeServer
) -> None:
    agent.tracker_store.domain = "of the live model"
    await Puller(agent, server).pull()  # type: ignore[arg-type]
    assert agent.tracker_store.domain == "of the live model"


def test_an_agent_that_came_from_a_file_has_no_name_and_no_canary() -> None:
    agent = SimpleNamespace()
    assert (puller_of(agent), model_name(agent), canary_of(agent)) == (None, None, None)
