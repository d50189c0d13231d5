"""One supervisor for the three processes: starts them, restarts what dies, stops them cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from casework.errors import ConfigurationError

STOP_PATIENCE_S = 10.0
"""How long a process may take to stop before it is killed."""
STEADY_S = 60.0
"""A process that ran this long starts its back-off anew."""
MAX_BACKOFF_S = 30.0
LOG_LIMIT_BYTES = 10 * 1024 * 1024

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One process to keep running: its command, where it says it is well, and its port."""

    name: str
    command: Sequence[str]
    health_url: str
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)


def port_is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Supervisor:
    """Keeps programs running until told to stop."""

    def __init__(self, programs: Sequence[Program], log_dir: Path, say: Say) -> None:
        self._programs = programs
        self._log_dir = log_dir
        self._say = say
        self._stopping = asyncio.Event()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    def check_ports(self) -> None:
        """Refuse to start over somebody else's port; raises ConfigurationError saying which."""
        for program in self._programs:
            if not port_is_free(program.port):
                raise ConfigurationError(
                    f"port {program.port} ({program.name}) is in use: is niangjia already running? "
                    "Stop it, or choose other ports with PORT, RASA_PORT and ACTIONS_PORT"
                )

    async def run(self, when_ready: Callable[[], Awaitable[None]]) -> None:
        """Run until SIGINT or SIGTERM; ``when_ready`` is called once, when all are well."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        announcer = asyncio.create_task(self._announce(when_ready))
        await self._stopping.wait()
        self._say("stopping …")
        announcer.cancel()
        await asyncio.gather(*(self._stop(name) for name in list(self._running)))
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(announcer, *keepers, return_exceptions=True)
        self._say("stopped")

    async def _announce(self, when_ready: Callable[[], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            for program in self._programs:
                while not await _is_well(client, program):  # noqa: ASYNC110  # another process sends no event
                    await asyncio.sleep(0.3)
                self._say(f"{program.name} is ready")
        await when_ready()

    async def _keep(self, program: Program) -> None:
        loop = asyncio.get_running_loop()
        backoff = 1.0
        while not self._stopping.is_set():
            started = loop.time()
            log = self._open_log(program)
            try:
                process = await asyncio.create_subprocess_exec(
                    *program.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **program.environment},
                    start_new_session=True,
                )
            finally:
                log.close()
            self._running[program.name] = process
            code = await process.wait()
            self._running.pop(program.name, None)
            if self._stopping.is_set():
                return
            if loop.time() - started > STEADY_S:
                backoff = 1.0
            self._say(
                f"{program.name} ended with code {code}; starting it again in {backoff:.0f} s "
                f"(its log: {self._log_path(program)})"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_S)

    async def _stop(self, name: str) -> None:
        process = self._running.get(name)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout=STOP_PATIENCE_S)
        except TimeoutError:
            self._say(f"{name} did not stop in {STOP_PATIENCE_S:.0f} s and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _log_path(self, program: Program) -> Path:
        return self._log_dir / f"{program.name}.log"

    def _open_log(self, program: Program) -> BinaryIO:
        path = self._log_path(program)
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")


async def _is_well(client: httpx.AsyncClient, program: Program) -> bool:
    try:
        response = await client.get(program.health_url)
    except httpx.HTTPError:
        return False
    return response.status_code == httpx.codes.OK


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]
