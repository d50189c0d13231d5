"""The place the load is put on: a filled database, the bot's process, and a dialogue that says little."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert, select

from bot.desk.sessions import COOKIE, CSRF_HEADER
from casework import staff_sessions
from casework.conversations import _token_hash
from casework.database import Database
from casework.tables import Conversation, Handoff, Owner, Presence, Staff
from tests.bench.desk_data import _handoff, fill
from tests.e2e.house import ROOT

READY_WITHIN_S = 60
PARSING_S = 0.003
"""What Rasa's server takes to read a sentence (docs/benchmarks.md); the stand-in waits as long."""
UNDERSTOOD = {
    "intent": "ask_wage_arrears",
    "topic": "labour.wage_arrears",
    "confidence": 0.93,
    "accepted": True,
    "facts": {},
}


@dataclass(frozen=True, slots=True)
class Talk:
    """An open conversation: who has it (a worker's place in the list), or None while it is queued."""

    id: str
    token: str
    worker: int | None


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker who is signed in."""

    cookie: str
    csrf: str

    @property
    def headers(self) -> dict[str, str]:
        """What their browser sends."""
        return {"Cookie": f"{COOKIE}={self.cookie}", CSRF_HEADER: self.csrf}


async def furnish(
    database: Database, cases: int, conversations: int, workers: int, seed: int
) -> tuple[list[Talk], list[Worker]]:
    """Fill the database as of now: half of the conversations wait, workers have the other half."""
    now = datetime.now(UTC)
    await database.upgrade()
    await fill(database, cases, conversations, workers, seed, now=now)
    talks, signed = [], []
    async with database.transaction() as session:
        for n, one in enumerate(await session.scalars(select(Conversation).order_by(Conversation.id))):
            one.token_hash = _token_hash(f"bench-token-{n:08d}")
            if one.owner is Owner.BOT:  # what only the bot answers is on no worker's screen
                one.owner, one.epoch, one.staff_id, one.queued_at = Owner.HUMAN, 1, n % workers + 1, now
                row = {"staff_id": one.staff_id, "priority": one.priority, "last_topic": one.last_topic}
                row |= {"id": one.id, "channel": one.channel, "district": one.district}
                await session.execute(insert(Handoff).values(_handoff(row, now)))
            worker = None if one.staff_id is None else one.staff_id - 1
            talks.append(Talk(one.id, f"bench-token-{n:08d}", worker))
        for person in await session.scalars(select(Staff).order_by(Staff.id)):
            person.presence, person.seen_at = Presence.ONLINE, now
            opened, token = await staff_sessions.open_session(session, person, "bench", now, confirmed=True)
            signed.append(Worker(token, opened.csrf_token))
    return talks, signed


@asynccontextmanager
async def dialogue() -> AsyncIterator[tuple[int, int]]:
    """Something that speaks the channel's contract on two ports, Rasa's and the action server's."""
    app = FastAPI()

    @app.get("/health")
    @app.get("/webhooks/switchboard/")
    async def well() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/webhooks/switchboard/parse")
    async def parse() -> dict[str, Any]:
        await asyncio.sleep(PARSING_S)
        return UNDERSTOOD

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    doors = [_door(), _door()]
    running = asyncio.create_task(server.serve(sockets=doors))
    try:
        yield doors[0].getsockname()[1], doors[1].getsockname()[1]
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def bot(var: Path, database_url: str, key: str, ports: tuple[int, int]) -> AsyncIterator[Bot]:
    """The bot's process, as ``niangjia serve`` runs it; stopped at the end."""
    with _door() as door:
        port = door.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("TELEGRAM_")}
    env |= {
        "DATABASE_URL": database_url,
        "NIANGJIA_VAR": str(var),
        "NIANGJIA_DATA_KEY": key,
        "PORT": str(port),
        "RASA_PORT": str(ports[0]),
        "ACTIONS_PORT": str(ports[1]),
        "RATE_MESSAGES_PER_MINUTE": "10000",
        "LOG_LEVEL": "WARNING",
    }
    process = _start(env, var / "bot.log")
    try:
        base_url = f"http://127.0.0.1:{port}"
        await _ready(process, base_url)
        yield Bot(base_url, psutil.Process(process.pid))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
        if trouble := (var / "bot.log").read_text()[-3000:]:
            print(f"\nthe bot's log:\n{trouble}")


@dataclass(frozen=True, slots=True)
class Bot:
    """The process under load."""

    base_url: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Resident memory."""
        return float(self.process.memory_info().rss / 1e6)


def _start(env: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=env, stdout=log, stderr=log
        )


async def _ready(process: subprocess.Popen[bytes], base_url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await client.get(f"{base_url}/desk/login")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
    raise RuntimeError("the bot did not start")


def _door() -> socket.socket:
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    return door
