"""The child that trains: heard, and ended with everything it started."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot.training import child
from tests.bot.training.conftest import (
    BADLY,
    FOR_EVER,
    SILENT_AND_BUSY,
    STANDS_STILL,
    STANDS_STILL_ONCE,
    WELL,
    Behave,
)


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
    async with asyncio.timeout(5):  # what the child had started is no child of ours: it dies by itself
        while any(alive(pid) for pid in pids):  # noqa: ASYNC110 - the system says when
            await asyncio.sleep(0.01)
    assert time.monotonic() - began < 30
    assert os.getpid() not in pids


async def test_a_training_that_stands_still_is_begun_once_more(
    behave: Behave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "STILL_FOR_S", 2.0)
    told = await train(behave, STANDS_STILL_ONCE, tmp_path / "out")
    assert (tmp_path / "out" / "candidate.tar.gz").is_file()
    assert next(line for _, line in told if line).endswith("in its beginning: beginning once more")


async def test_one_that_always_stands_still_fails_and_says_where(
    behave: Behave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "STILL_FOR_S", 2.0)
    with pytest.raises(child.TrainingFailed, match="stood still for 2 s in NgramFeaturizer"):
        await train(behave, STANDS_STILL, tmp_path / "out")
    assert caplog.text.count('training.py", line') == 2  # both times, where it stood
    assert list((tmp_path / "out").iterdir()) == []


async def test_one_that_says_nothing_but_works_is_left_alone(
    behave: Behave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "STILL_FOR_S", 2.0)
    monkeypatch.setattr(child, "STILL_S", 0.1)
    told = await train(behave, SILENT_AND_BUSY, tmp_path / "out")
    assert (tmp_path / "out" / "candidate.tar.gz").is_file()
    assert not any("once more" in (line or "") for _, line in told)
