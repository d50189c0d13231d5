"""Training jobs: one training at a time, from the button to the verdict, whoever's machine does it.

A job is asked for, taken by a worker, heard of every few seconds, and ends: done, failed or cancelled. What a
worker says of it is counts and stages, never a member's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit, samples
from casework.errors import NotFound, Refusal
from casework.permissions import Right, require
from casework.tables import JobStage, JobState, Staff, TrainingJob

UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
LOST_AFTER = timedelta(seconds=60)
"""A worker that has not been heard of for so long is gone."""
MOST_LINES = 200
MOST_WHY = 200
MOST_ERROR = 500


class TrainingUnderWay(Refusal):
    """Another training is not over yet."""

    code = "training_under_way"


class JobOver(Refusal):
    """The job has ended: nothing more can be said of it."""

    code = "job_over"


async def request(session: AsyncSession, staff: Staff | None, why: str | None, now: datetime) -> TrainingJob:
    """Ask for a training; ``staff`` None is the command line. Audited.

    Raises NotAllowed without the right TEACH, and TrainingUnderWay while another one is not over.
    """
    if staff is not None:
        require(staff, Right.TEACH)
    job = TrainingJob(
        staff_id=None if staff is None else staff.id,
        why=(why or "").strip()[:MOST_WHY] or None,
        changes_up_to=await samples.last_change_id(session),
        created_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(job)
    except IntegrityError:
        raise TrainingUnderWay("another training is not over") from None
    _audit(session, staff, "training.requested", job, now)
    return job


async def take(
    session: AsyncSession, worker: str, now: datetime, job_id: int | None = None
) -> TrainingJob | None:
    """Take the job that waits (or just ``job_id``, if it waits) for this worker; None where there is none."""
    query = select(TrainingJob).where(TrainingJob.state == JobState.QUEUED).limit(1)
    if job_id is not None:
        query = query.where(TrainingJob.id == job_id)
    job: TrainingJob | None = await session.scalar(query.with_for_update(skip_locked=True))
    if job is None:
        return None
    if job.cancel_requested_at is not None:
        _end(job, JobState.CANCELLED, now)
        return None
    job.state, job.stage, job.worker = JobState.RUNNING, JobStage.GATHERING, worker[:80]
    job.started_at = job.beat_at = now
    # What was changed while it waited is learnt too.
    job.changes_up_to = await samples.last_change_id(session)
    await session.flush()
    return job


async def beat(
    session: AsyncSession,
    job_id: int,
    now: datetime,
    *,
    stage: JobStage | None = None,
    progress: float | None = None,
    line: str | None = None,
    hashes: Mapping[str, Any] | None = None,
) -> bool:
    """Say that the worker lives, and how far it is; whether the job shall go on.

    False where somebody asked to cancel it, or it was given up meanwhile.
    """
    job = await get(session, job_id, lock=True)
    if job.state is not JobState.RUNNING:
        return False
    job.beat_at = now
    if stage is not None:
        job.stage = stage
    if progress is not None:
        job.progress = max(job.progress, min(1.0, progress))
    if hashes:
        job.hashes = {**job.hashes, **hashes}
    if line:
        job.log = "\n".join([*(job.log or "").splitlines(), line][-MOST_LINES:])
    await session.flush()
    return job.cancel_requested_at is None


async def cancel(session: AsyncSession, staff: Staff | None, job_id: int, now: datetime) -> TrainingJob:
    """Ask that a job ends; one that only waits ends at once. Audited.

    Raises NotAllowed without the right TEACH, NotFound, and JobOver.
    """
    if staff is not None:
        require(staff, Right.TEACH)
    job = await get(session, job_id, lock=True)
    if job.state not in UNDER_WAY:
        raise JobOver("the training is over")
    job.cancel_requested_at = now
    if job.state is JobState.QUEUED:
        _end(job, JobState.CANCELLED, now)
    _audit(session, staff, "training.cancelled", job, now)
    await session.flush()
    return job


async def end(
    session: AsyncSession, job_id: int, state: JobState, now: datetime, *, error: str | None = None
) -> TrainingJob:
    """End a job: done, failed (say why), or cancelled; one that is over already stays as it is."""
    job = await get(session, job_id, lock=True)
    if job.state in UNDER_WAY:
        _end(job, state, now, error)
        _audit(session, None, f"training.{state.value}", job, now)
        await session.flush()
    return job


async def give_up_the_lost(session: AsyncSession, now: datetime) -> int:
    """Fail the job whose worker has not been heard of for a minute; returns how many (0 or 1)."""
    lost = await session.scalars(
        select(TrainingJob)
        .where(TrainingJob.state == JobState.RUNNING, TrainingJob.beat_at < now - LOST_AFTER)
        .with_for_update()
    )
    jobs = lost.all()
    for job in jobs:
        _end(job, JobState.CANCELLED if job.cancel_requested_at else JobState.FAILED, now, "worker_lost")
        _audit(session, None, "training.lost", job, now)
    await session.flush()
    return len(jobs)


async def current(session: AsyncSession) -> TrainingJob | None:
    """The job that waits or is under way, or None."""
    found: TrainingJob | None = await session.scalar(
        select(TrainingJob).where(TrainingJob.state.in_(UNDER_WAY))
    )
    return found


async def latest(session: AsyncSession, limit: int = 20) -> Sequence[TrainingJob]:
    """The jobs, the latest first."""
    return (await session.scalars(select(TrainingJob).order_by(TrainingJob.id.desc()).limit(limit))).all()


async def get(session: AsyncSession, job_id: int, *, lock: bool = False) -> TrainingJob:
    """A job by its id; raises NotFound."""
    query = select(TrainingJob).where(TrainingJob.id == job_id).execution_options(populate_existing=True)
    found: TrainingJob | None = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("no such training")
    return found


def _end(job: TrainingJob, state: JobState, now: datetime, error: str | None = None) -> None:
    job.state, job.finished_at = state, now
    if state is JobState.DONE:
        job.progress = 1.0
    if error is not None:
        job.error = error[:MOST_ERROR]


def _audit(session: AsyncSession, staff: Staff | None, deed: str, job: TrainingJob, now: datetime) -> None:
    actor = "system" if staff is None else audit.staff_actor(staff)
    audit.record(session, actor, deed, "training", job.id, now=now)
