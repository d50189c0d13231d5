"""How a replica of Rasa comes to its model: it asks the model server, and swaps without dropping anybody.

Rasa can do that by itself (``models:`` in endpoints.yml, ETag, a scheduler), and that is what runs here. Four
things it does not do are added: what was downloaded must have the digest the server named; a model is loaded
beside the event loop and swapped in one assignment, so no message waits for it or meets half of it; a model
that cannot be loaded is not asked for again and the old one stays; and the last model that was loaded well
lies on disk, for a start while the server is away. A second model, the canary, rides along the same way.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import rasa.core.agent as rasa_agent
from rasa.core import jobs
from rasa.core.agent import Agent
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.processor import MessageProcessor
from rasa.utils.endpoints import EndpointConfig

logger = logging.getLogger(__name__)

NAME_HEADER = "X-Model-Name"
CANARY = "canary"
DEFAULT_PAUSE_S = 2
_CHUNK = 1 << 20
_LIMIT = aiohttp.ClientTimeout(total=120)


class Puller:
    """Puller: keeps one agent on the model the server says; remembers what it has and what was no good."""

    def __init__(self, agent: Agent, server: EndpointConfig, keep: Path | None = None) -> None:
        """``keep`` is the file that holds the last good model; None keeps none (the canary's)."""
        self.agent = agent
        self.server = server
        self.name: str | None = None
        self._keep = keep
        self._sha256: str | None = None
        self._bad: set[str] = set()

    async def pull(self) -> None:
        """Ask once; take over what is new. Raises nothing: whatever breaks, the present model goes on."""
        with tempfile.TemporaryDirectory(prefix="niangjia-pull-") as folder:
            file = Path(folder) / "model.tar.gz"
            try:
                found = await self._download(file)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                logger.debug("the model server cannot be asked: %s", type(error).__name__)
                return
            if found is None:
                return
            sha256, name = found
            if sha256 is None:
                self._unload()
                return
            await self._take_over(file, sha256, name)

    async def begin(self) -> None:
        """Pull at the start; with the server away, begin with the last model that was loaded well."""
        await self.pull()
        if self._sha256 is None and self._keep is not None and self._keep.is_file():
            name = self._keep.with_suffix(".name")
            await self._take_over(
                self._keep,
                await asyncio.to_thread(_digest, self._keep),
                name.read_text("utf-8") if name.is_file() else None,
            )

    async def _download(self, file: Path) -> tuple[str | None, str | None] | None:
        """Digest and name of a new model, now in ``file``; None: nothing new; (None, None): no model."""
        known = [f'"{sha256}"' for sha256 in (self._sha256, *sorted(self._bad)) if sha256]
        headers = {"If-None-Match": ", ".join(known)} if known else {}
        async with (
            self.server.session() as session,
            session.get(self.server.url, headers=headers, timeout=_LIMIT) as answer,
        ):
            if answer.status == 404:
                return None, None
            if answer.status != 200:
                return None
            promised = (answer.headers.get("ETag") or "").strip('"')
            digest = hashlib.sha256()
            with file.open("wb") as target:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    digest.update(chunk)
                    await asyncio.to_thread(target.write, chunk)
            if digest.hexdigest() != promised:
                logger.error("a model came with another digest than the server named; it is not loaded")
                return None
            return promised, answer.headers.get(NAME_HEADER)

    async def _take_over(self, file: Path, sha256: str, name: str | None) -> None:
        """Load a model beside the event loop, then swap."""
        try:
            processor = await asyncio.to_thread(self._load, file)
        except Exception as error:
            self._bad.add(sha256)
            logger.error("model %s cannot be loaded (%s); the present one stays", name, type(error).__name__)
            return
        self._swap(processor, sha256)
        self.name = name
        logger.info("model %s answers now", name)
        if self._keep is not None and file != self._keep:
            await asyncio.to_thread(_keep_file, file, name, self._keep)

    def _load(self, file: Path) -> MessageProcessor:
        agent = self.agent
        return MessageProcessor(
            model_path=file,
            tracker_store=agent.tracker_store,
            lock_store=agent.lock_store,
            action_endpoint=agent.action_endpoint,
            generator=agent.nlg,
            http_interpreter=agent.http_interpreter,
        )

    def _swap(self, processor: MessageProcessor, sha256: str) -> None:
        """One step for the event loop: a message under way keeps the processor it began with."""
        agent = self.agent
        agent.domain = processor.domain
        if self._keep is not None:  # the canary shares these; the live model's domain stays in them
            agent.tracker_store.domain = processor.domain
            if isinstance(agent.nlg, TemplatedNaturalLanguageGenerator):
                agent.nlg.responses = processor.domain.responses if processor.domain else {}
        agent.processor = processor
        agent.fingerprint = sha256
        self._sha256 = sha256

    def _unload(self) -> None:
        """No such model any more: the canary ends; the live one is never let go of."""
        if self._keep is None and self._sha256 is not None:
            self.agent.processor = None
            self._sha256 = self.name = None
            logger.info("the canary is over")


def puller_of(agent: Any) -> Puller | None:
    """The puller of an agent, or None where its model came from a file."""
    found = getattr(agent, "niangjia_puller", None)
    return found if isinstance(found, Puller) else None


def model_name(agent: Any) -> str | None:
    """The version an agent answers with, as the model server named it."""
    puller = puller_of(agent)
    return None if puller is None else puller.name


def canary_of(agent: Any) -> Agent | None:
    """The agent that answers the canary's conversations, while there is one that can."""
    canary = getattr(agent, "niangjia_canary", None)
    return canary if isinstance(canary, Agent) and canary.is_ready() else None


async def load_from_server(agent: Agent, model_server: EndpointConfig) -> Agent:
    """Rasa's ``load_from_server``: the first model, and the jobs that look for newer ones."""
    pause_s = int(model_server.kwargs.get("wait_time_between_pulls") or DEFAULT_PAUSE_S)
    live = Puller(agent, model_server, keep=_kept_file())
    agent.niangjia_puller = live
    other = copy.copy(agent)
    other.processor, other.niangjia_puller = None, None
    other_server = model_server.copy()
    other_server.url = f"{model_server.url.rpartition('/')[0]}/{CANARY}"
    canary = Puller(other, other_server)
    other.niangjia_puller = canary
    agent.niangjia_canary = other
    await live.begin()
    scheduler = await jobs.scheduler()
    for name, puller in (("live", live), (CANARY, canary)):
        scheduler.add_job(
            puller.pull, "interval", seconds=pause_s, id=f"pull-{name}", replace_existing=True, coalesce=True
        )
    return agent


def install() -> None:
    """Let Rasa load models this way; called once, before the server starts."""
    rasa_agent.load_from_server = load_from_server
    # The scheduler says "skipped: still running" of every pull that a download outlasts.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _kept_file() -> Path:
    var = Path(os.environ.get("NIANGJIA_VAR") or "var")
    return var / "replicas" / f"{os.environ.get('RASA_PORT', '5005')}.tar.gz"


def _keep_file(file: Path, name: str | None, keep: Path) -> None:
    """Keep a model for the next start; there whole, or not at all."""
    keep.parent.mkdir(parents=True, exist_ok=True)
    part = keep.with_suffix(".part")
    part.write_bytes(file.read_bytes())
    part.replace(keep)
    keep.with_suffix(".name").write_text(name or "", encoding="utf-8")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
