"""One training job from taking to storing, in a process of its own: data, training, measuring, the gate."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.cli.model import pipeline_digest
from bot.faults import log_fault, new_reference
from bot.training import child, storing
from bot.training.hashes import file_digest, ingredients
from bot.training.measuring import Measured, measure
from casework import model_registry, samples, training_jobs
from casework.clock import Clock
from casework.database import Database
from casework.settings import Settings
from casework.tables import JobStage, JobState, TrainingJob
from casework.wording import Wording

log = logging.getLogger(__name__)

BEAT_S = 2.0
_MEASURED_FROM, _STORED_FROM = 0.72, 0.96
"""How far a job is (0 to 1) when its model is trained, and when it is measured."""


@dataclass(frozen=True)
class Workplace:
    """Workplace: what a job needs around it."""

    settings: Settings
    database: Database
    clock: Clock


def worker_name() -> str:
    """Which machine and process this is."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def take_job(place: Workplace, job_id: int | None = None) -> TrainingJob | None:
    """Take the job that waits, or just this one; None where there is none."""
    async with place.database.transaction() as session:
        return await training_jobs.take(session, worker_name(), place.clock.now(), job_id)


async def run_job(place: Workplace, job: TrainingJob) -> JobState:
    """Do a job that was taken; how it ended. Whatever breaks ends the job with a reason and is not raised.

    Cancelled itself (the process is told to stop), it fails the job and raises on.
    """
    folder = Path(tempfile.mkdtemp(prefix="niangjia-training-"))
    try:
        version = await _do(place, job, folder)
        await _tell(place, job, line=f"{version}")
        return await _end(place, job, JobState.DONE)
    except child.TrainingCancelled:
        return await _end(place, job, JobState.CANCELLED)
    except child.TrainingFailed as error:
        await _tell(place, job, line=str(error))
        return await _end(place, job, JobState.FAILED, "training_failed")
    except asyncio.CancelledError:
        await _end(place, job, JobState.FAILED, "worker_stopped")
        raise
    except Exception as error:
        reference = new_reference()
        log_fault(log, reference, f"training job {job.id}", error)
        return await _end(place, job, JobState.FAILED, f"fault {reference}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _do(place: Workplace, job: TrainingJob, folder: Path) -> str:
    """Train, measure, judge and store; the version's name."""
    sentences, counted = await _freeze(place, folder)
    made_of = await asyncio.to_thread(ingredients, place.settings, sentences)
    made_of["pipeline"] = await asyncio.to_thread(pipeline_digest, place.settings)
    made_of["sentences"] = counted
    await _tell(place, job, hashes=made_of, line=f"{counted} sentences")

    async def tell(share: float, line: str | None) -> bool:
        return await _beat(place, job, JobStage.TRAINING, share * _MEASURED_FROM, line)

    model = await child.train(place.settings, sentences, folder, tell)
    made_of["weights"] = await asyncio.to_thread(_weights, model)
    measured = await _measured(place, job, model)
    await _tell(place, job, JobStage.STORING, _STORED_FROM)
    return await _store(place, job, model, measured, made_of)


def _weights(model: Path) -> str:
    from nlu.archive import weights_digest  # noqa: PLC0415  (the group "rasa")

    return weights_digest(model)


async def _freeze(place: Workplace, folder: Path) -> tuple[Path, int]:
    """Write the sentences as they are now into a folder; how many there are."""
    async with place.database.read() as session:
        found = await samples.current(session, place.settings.home / "data" / "nlu")
    sentences = folder / "nlu"
    sentences.mkdir()
    await asyncio.to_thread(samples.write, found, sentences)
    return sentences, sum(map(len, found.sentences.values()))


async def _measured(place: Workplace, job: TrainingJob, model: Path) -> Measured:
    steps = iter((0.75, 0.82, 0.90))

    async def say(what: str) -> None:
        await _tell(place, job, JobStage.MEASURING, next(steps, 0.92), what)

    beating = asyncio.create_task(_go_on_beating(place, job))
    try:
        return await measure(place.settings, place.database, model, place.clock.now(), say)
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _go_on_beating(place: Workplace, job: TrainingJob) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        await _beat(place, job)


async def _store(
    place: Workplace, job: TrainingJob, model: Path, measured: Measured, made_of: dict[str, object]
) -> str:
    """Bring the file to where replicas get it from, enter the version, and give the file its name."""
    sha256 = await asyncio.to_thread(file_digest, model)
    size, now = await asyncio.to_thread(os.path.getsize, model), place.clock.now()
    put = await storing.put(place.settings, model, sha256)
    async with place.database.transaction() as session:
        version = await model_registry.register(
            session,
            sha256=sha256,
            size=size,
            now=now,
            hashes=made_of,
            scores=measured.scores,
            why=job.why,
            staff_id=job.staff_id,
            job_id=job.id,
        )
        if measured.gate is not None and measured.against is not None:
            await model_registry.judge(
                session,
                version,
                gate=measured.gate,
                passed=bool(measured.passed),
                safe=bool(measured.safe),
                against=measured.against,
                now=now,
            )
        elif await model_registry.live(session) is None:
            words = Wording.load(place.settings.home / "data" / "knowledge")
            await model_registry.adopt(session, version, now, words.say("workbench.adopted"))
        name = version.name
    await put.under(name, measured.report)
    return name


async def _beat(
    place: Workplace,
    job: TrainingJob,
    stage: JobStage | None = None,
    progress: float | None = None,
    line: str | None = None,
    hashes: dict[str, object] | None = None,
) -> bool:
    now: datetime = place.clock.now()
    async with place.database.transaction() as session:
        return await training_jobs.beat(
            session, job.id, now, stage=stage, progress=progress, line=line, hashes=hashes
        )


async def _tell(
    place: Workplace,
    job: TrainingJob,
    stage: JobStage | None = None,
    progress: float | None = None,
    line: str | None = None,
    *,
    hashes: dict[str, object] | None = None,
) -> None:
    """Beat; raises TrainingCancelled where the job shall end."""
    if not await _beat(place, job, stage, progress, line, hashes):
        raise child.TrainingCancelled


async def _end(place: Workplace, job: TrainingJob, state: JobState, error: str | None = None) -> JobState:
    async with place.database.transaction() as session:
        ended = await training_jobs.end(session, job.id, state, place.clock.now(), error=error)
        return ended.state
