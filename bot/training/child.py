"""The child process in which Rasa trains: started, listened to, and ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from bot.cli.model import RASA_ENVIRONMENT
from casework.settings import Settings

STOP_PATIENCE_S = 5.0
NICE = 10
_STARTS = re.compile(r"Starting to train component '(\w+)'")
_TOLD = re.compile(r"(Starting to train|Finished training) component|held-out accuracy|acceptance thresholds")
MARKS: dict[str, tuple[float, float, float]] = {
    "": (0.02, 0.12, 12),
    "RulePolicy": (0.12, 0.16, 4),
    "UnionJiebaTokenizer": (0.16, 0.28, 7),
    "NgramFeaturizer": (0.28, 0.42, 9),
    "LinearIntentClassifier": (0.42, 0.90, 25),
    "AcceptanceGate": (0.90, 0.95, 3),
    "FactExtractor": (0.95, 0.99, 3),
}
"""Where each part begins and ends in a training (0 to 1), and its usual seconds on two cores."""


class TrainingFailed(Exception):
    """Rasa ended without a model; the last lines it said are in its text."""


class TrainingCancelled(Exception):
    """Somebody asked to cancel."""


Tell = Callable[[float, str | None], Awaitable[bool]]
"""Told how far the training is (0 to 1) and perhaps a line for the log; False where it shall end."""


async def train(settings: Settings, sentences: Path, out: Path, tell: Tell, every_s: float = 1.0) -> Path:
    """Train on a folder of sentences; the model's file. Raises TrainingFailed and TrainingCancelled.

    Whatever happens, no process is left behind.
    """
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
