"""The launcher: one process for each training that is asked for, and none for one that is elsewhere."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from bot.house import House
from bot.training.launcher import AGAIN_AFTER, Launcher
from casework import training_jobs
from casework.clock import FixedClock
from casework.tables import JobState
from casework.training_jobs import LOST_AFTER
from tests.bot.desk.conftest import app, house, knowledge_is_read_once, templates_are_compiled_once

__all__ = ["app", "house", "knowledge_is_read_once", "templates_are_compiled_once"]


@pytest.fixture
def here(house: House) -> House:
    """The house as it is where the bot trains on its own machine (its own launcher does nothing in tests)."""
    return dataclasses.replace(house, settings=dataclasses.replace(house.settings, training="here"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs processes were started for; none really is."""
    found: list[int] = []
    monkeypatch.setattr(Launcher, "_start", lambda _self, job_id: found.append(job_id))
    return found


async def asked(house: House) -> int:
    async with house.database.transaction() as session:
        return (await training_jobs.request(session, None, None, house.clock.now())).id


async def test_a_process_is_started_once_for_a_job(here: House, started: list[int]) -> None:
    launcher = Launcher(here)
    assert await launcher.look() is None
    job = await asked(here)
    for _ in range(3):
        await launcher.look()
    assert started == [job]


async def test_a_job_that_nobody_took_is_given_to_another_process(here: House, started: list[int]) -> None:
    launcher = Launcher(here)
    job = await asked(here)
    for _ in range(AGAIN_AFTER + 1):
        await launcher.look()
    assert started == [job, job]


async def test_where_trainings_are_done_elsewhere_none_is_started(house: House, started: list[int]) -> None:
    assert house.settings.training == "elsewhere"
    await asked(house)
    await Launcher(house).look()
    assert started == []


async def test_a_job_whose_worker_is_gone_is_given_up(
    here: House, clock: FixedClock, started: list[int]
) -> None:
    job = await asked(here)
    async with here.database.transaction() as session:
        await training_jobs.take(session, "a worker", clock.now())
    clock.set(clock.now() + LOST_AFTER + timedelta(seconds=1))
    await Launcher(here).look()
    async with here.database.read() as session:
        assert (await training_jobs.get(session, job)).state is JobState.FAILED
    assert started == []
