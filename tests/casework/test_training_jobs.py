"""Training jobs: one at a time, heard of while they run, and always over in the end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from casework import training_jobs
from casework.database import Database
from casework.errors import NotAllowed, NotFound
from casework.tables import JobStage, JobState, StaffRole, TrainingJob
from casework.training_jobs import LOST_AFTER, MOST_LINES, JobOver, TrainingUnderWay
from tests.factories import make_staff


async def begun(database: Database, now: datetime) -> TrainingJob:
    async with database.transaction() as session:
        asked = await training_jobs.request(session, None, "补了十句", now)
        taken = await training_jobs.take(session, "worker", now)
        assert taken is not None
        assert taken.id == asked.id
    return taken


async def test_one_training_at_a_time(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await training_jobs.request(session, None, None, now)
        with pytest.raises(TrainingUnderWay):
            await training_jobs.request(session, None, None, now)
        assert len(await training_jobs.latest(session)) == 1


async def test_the_next_one_may_begin_when_one_is_over(database: Database, now: datetime) -> None:
    for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        job = await begun(database, now)
        async with database.transaction() as session:
            ended = await training_jobs.end(session, job.id, state, now)
            assert (ended.state, ended.finished_at) == (state, now)
            assert await training_jobs.current(session) is None


async def test_only_who_teaches_may_ask_or_cancel(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        agent = await make_staff(session, role=StaffRole.AGENT)
        with pytest.raises(NotAllowed):
            await training_jobs.request(session, agent, None, now)
        job = await training_jobs.request(session, None, None, now)
        with pytest.raises(NotAllowed):
            await training_jobs.cancel(session, agent, job.id, now)


async def test_a_job_is_taken_once(database: Database, now: datetime) -> None:
    job = await begun(database, now)
    async with database.transaction() as session:
        assert await training_jobs.take(session, "another", now) is None
        found = await training_jobs.get(session, job.id)
        assert (found.worker, found.state, found.started_at) == ("worker", JobState.RUNNING, now)


async def test_another_job_than_the_one_meant_is_left_alone(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        job = await training_jobs.request(session, None, None, now)
        assert await training_jobs.take(session, "worker", now, job.id + 1) is None
        assert await training_jobs.take(session, "worker", now, job.id) is not None


async def test_what_the_worker_says_is_kept_and_progress_never_goes_back(
    database: Database, now: datetime
) -> None:
    job = await begun(database, now)
    later = now + timedelta(seconds=5)
    async with database.transaction() as session:
        for share, line in ((0.5, "one"), (0.3, "two"), (7.0, None)):
            assert await training_jobs.beat(
                session, job.id, later, stage=JobStage.TRAINING, progress=share, line=line
            )
        await training_jobs.beat(session, job.id, later, hashes={"data": "abc"})
        found = await training_jobs.get(session, job.id)
        assert (found.progress, found.log, found.beat_at) == (1.0, "one\ntwo", later)
        assert found.hashes == {"data": "abc"}


async def test_the_log_keeps_its_last_lines(database: Database, now: datetime) -> None:
    job = await begun(database, now)
    async with database.transaction() as session:
        for number in range(MOST_LINES + 5):
            await training_jobs.beat(session, job.id, now, line=f"line {number}")
        lines = ((await training_jobs.get(session, job.id)).log or "").splitlines()
        assert (len(lines), lines[0]) == (MOST_LINES, "line 5")


async def test_a_job_that_waits_is_cancelled_at_once_and_one_under_way_is_asked_to_stop(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        waiting = await training_jobs.request(session, None, None, now)
        await training_jobs.cancel(session, None, waiting.id, now)
        assert waiting.state is JobState.CANCELLED
        with pytest.raises(JobOver):
            await training_jobs.cancel(session, None, waiting.id, now)
    job = await begun(database, now)
    async with database.transaction() as session:
        await training_jobs.cancel(session, None, job.id, now)
        assert not await training_jobs.beat(session, job.id, now)
        assert (await training_jobs.get(session, job.id)).state is JobState.RUNNING


@pytest.mark.parametrize(("silent", "given_up"), [(LOST_AFTER, 0), (LOST_AFTER + timedelta(seconds=1), 1)])
async def test_a_worker_that_is_not_heard_of_for_a_minute_is_given_up(
    database: Database, now: datetime, silent: timedelta, given_up: int
) -> None:
    job = await begun(database, now)
    async with database.transaction() as session:
        assert await training_jobs.give_up_the_lost(session, now + silent) == given_up
    async with database.transaction() as session:
        found = await training_jobs.get(session, job.id)
        assert (found.state is JobState.FAILED, found.error == "worker_lost") == (bool(given_up),) * 2
        if given_up:
            assert not await training_jobs.beat(session, job.id, now), "a worker that comes back stops"
            await training_jobs.request(session, None, None, now)


async def test_a_job_that_is_over_stays_as_it_ended(database: Database, now: datetime) -> None:
    job = await begun(database, now)
    async with database.transaction() as session:
        await training_jobs.end(session, job.id, JobState.FAILED, now, error="worker_lost")
        await training_jobs.end(session, job.id, JobState.DONE, now)
        assert (await training_jobs.get(session, job.id)).state is JobState.FAILED
        with pytest.raises(NotFound):
            await training_jobs.get(session, job.id + 1)
