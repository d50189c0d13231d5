"""The child process in which Rasa trains: started, listened to, and ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil

from bot.cli.model import RASA_ENVIRONMENT
from casework.settings import Settings

log = logging.getLogger(__name__)

STOP_PATIENCE_S = 5.0
STILL_FOR_S = 120.0
"""A training that took no processor time for so long will not end by itself."""
STILL_S = 1.0
"""Less processor time than this is none: what waits for ever still looks at the clock now and then."""
STACKS_WITHIN_S = 1.0
NICE = 10
_STARTS = re.compile(r"Starting to train component '(\w+)'")
_TOLD = re.compile(r"(Starting to train|Finished training) component|held-out accuracy|acceptance thresholds")
MARKS: dict[str, tuple[float, float, float]] = {
    "": (0.02, 0.30, 14),
    "RulePolicy": (0.30, 0.34, 2),
    "UnionJiebaTokenizer": (0.34, 0.36, 1),
    "NgramFeaturizer": (0.36, 0.48, 6),
    "LinearIntentClassifier": (0.48, 0.94, 23),
    "AcceptanceGate": (0.94, 0.96, 1),
    "FactExtractor": (0.96, 0.99, 3),
}
"""Where each part begins and ends in a training (0 to 1), and its usual seconds on two cores."""


class TrainingFailed(Exception):
    """Rasa ended without a model; the last lines it said are in its text."""


class TrainingStalled(TrainingFailed):
    """Rasa neither went on nor ended."""


class TrainingCancelled(Exception):
    """Somebody asked to cancel."""


Tell = Callable[[float, str | None], Awaitable[bool]]
"""Told how far the training is (0 to 1) and perhaps a line for the log; False where it shall end."""


async def train(settings: Settings, sentences: Path, out: Path, tell: Tell, every_s: float = 1.0) -> Path:
    """Train on a folder of sentences; the model's file. Raises TrainingFailed and TrainingCancelled.

    One that stands still is ended and begun once more. Whatever happens, no process is left behind.
    """
    try:
        return await _train(settings, sentences, out, tell, every_s)
    except TrainingStalled as error:
        if not await tell(0.0, f"{error}: beginning once more"):
            raise TrainingCancelled from None
    return await _train(settings, sentences, out, tell, every_s)


async def _train(settings: Settings, sentences: Path, out: Path, tell: Tell, every_s: float) -> Path:
    model = out / "candidate.tar.gz"
    command = [
        *(sys.executable, "-m", "nlu.training", "--data", str(sentences), "data/stories"),
        *("--out", str(out), "--name", model.name, "--anew"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=settings.home,
        env={**os.environ, **RASA_ENVIRONMENT, "PYTHONHASHSEED": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_be_nice,
    )
    said: list[str] = []
    try:
        await _listen(process, said, tell, every_s)
        code = await process.wait()
    finally:
        await _end(process)
    if code != 0 or not model.is_file():
        raise TrainingFailed("\n".join(said[-5:]) or f"exit code {code}")
    return model


async def _listen(process: asyncio.subprocess.Process, said: list[str], tell: Tell, every_s: float) -> None:
    part, since = "", time.monotonic()
    pulse = Pulse(process.pid)
    lines = _lines(process)
    waiting: asyncio.Future[str | None] = asyncio.ensure_future(anext(lines, None))
    while True:
        done, _ = await asyncio.wait([waiting], timeout=every_s)
        line = None
        if done:
            line = waiting.result()
            if line is None:
                return
            said.append(line)
            if (found := _STARTS.search(line)) is not None:
                part, since = found[1], time.monotonic()
            waiting = asyncio.ensure_future(anext(lines, None))
            if not _TOLD.search(line):
                continue
        if not await tell(_progress(part, time.monotonic() - since), line):
            waiting.cancel()
            raise TrainingCancelled
        if await asyncio.to_thread(pulse.still_for) > STILL_FOR_S:
            where = await _stacks(process, waiting, lines)
            log.warning("the training stood still for %.0f s:\n%s", STILL_FOR_S, where)
            raise TrainingStalled(f"it stood still for {STILL_FOR_S:.0f} s in {part or 'its beginning'}")


async def _stacks(
    process: asyncio.subprocess.Process, waiting: asyncio.Future[str | None], lines: AsyncIterator[str]
) -> str:
    """What each thread is doing: ``nlu.training`` prints it on SIGUSR1."""
    said = []
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGUSR1)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STACKS_WITHIN_S):
            while (line := await waiting) is not None:
                said.append(line)
                waiting = asyncio.ensure_future(anext(lines, None))
    waiting.cancel()
    return "\n".join(said)


class Pulse:
    """Pulse: since when a process, with all it started, has not taken any processor time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._taken = -STILL_S
        self._since = time.monotonic()

    def still_for(self) -> float:
        """Seconds of standing still; 0 for a process that is gone, which is for others to notice."""
        try:
            process = psutil.Process(self._pid)
            taken = sum(_seconds(one) for one in (process, *process.children(recursive=True)))
        except psutil.Error:
            return 0.0
        if abs(taken - self._taken) >= STILL_S:
            self._taken, self._since = taken, time.monotonic()
        return time.monotonic() - self._since


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stderr is not None  # noqa: S101  # it was asked for
    while line := await process.stderr.readline():
        if text := line.decode(errors="replace").strip():
            yield text


def _progress(part: str, seconds: float) -> float:
    """How far a training is: a part nears its end the longer it takes, and never reaches it by itself."""
    start, end, usual = MARKS.get(part, MARKS[""])
    return start + (end - start) * (1 - math.exp(-seconds / usual))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process and what it started (its folds train in processes of their own)."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_PATIENCE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def _be_nice() -> None:
    """Members are answered on the same machine: they come first."""
    os.nice(NICE)
