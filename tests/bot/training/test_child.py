"""The child that trains: heard, and ended with everything it started."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot.training import child
from tests.bot.training.conftest import BADLY, FOR_EVER, WELL, Behave


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


Told = list[tuple[float, str | None]]


async def train(behave: Behave, how: str, out: Path, *, until: int | None = None) -> Told:
    """What was told; it is asked to end after ``until`` times."""
    told: Told = []

    async def tell(progress: float, line: str | None) -> bool:
        told.append((progress, line))
        return until is None or len(told) < until

    settings = behave(how)
    await asyncio.to_thread(out.mkdir)
    await child.train(settings, settings.home / "data" / "nlu", out, tell, every_s=0.1)
    return told


async def test_a_training_leaves_a_model_and_says_how_far_it_is(behave: Behave, tmp_path: Path) -> None:
    told = await train(behave, WELL, tmp_path / "out")
    assert (tmp_path / "out" / "candidate.tar.gz").is_file()
    shares = [progress for progress, _ in told]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert any("held-out accuracy" in (line or "") for _, line in told)


async def test_a_training_that_breaks_says_its_last_words(behave: Behave, tmp_path: Path) -> None:
    with pytest.raises(child.TrainingFailed, match="something is wrong"):
        await train(behave, BADLY, tmp_path / "out")


async def test_cancelling_ends_the_child_and_what_it_started(behave: Behave, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(child.TrainingCancelled):
        await train(behave, FOR_EVER, tmp_path / "out", until=12)
    pids = [int(pid) for pid in (tmp_path / "home" / "pids").read_text().split()]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert time.monotonic() - began < 30
    assert os.getpid() not in pids
