"""A job from taking to storing: what becomes of the model, and how each kind of trouble ends."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.training import run
from bot.training.measuring import Measured
from bot.training.run import Workplace, run_job, take_job
from casework import model_registry, samples, training_jobs
from casework.knowledge import Knowledge
from casework.tables import JobState, ModelState, ModelVersion, TrainingJob
from tests.bot.training.conftest import BADLY, FOR_EVER, ROOT, WELL

Place = Callable[[str], Workplace]
NEW = "俺垒的墙他量都不量咋整"


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What measuring will find: it needs real models, and tests of its own."""
    found: dict[str, Any] = {"passed": True, "safe": True}

    async def measure(_settings: Any, database: Any, _model: Path, _now: Any, say: Any) -> Measured:
        await say("gold set")
        if error := found.get("error"):
            raise error
        async with database.read() as session:
            live = await model_registry.live(session)
        gate = None if live is None else {"findings": []}
        judged = (None, None) if live is None else (found["passed"], found["safe"])
        return Measured({"accuracy": 0.85}, "<p>报告</p>", gate, *judged, live)

    monkeypatch.setattr(run, "measure", measure)
    return found


async def job_at(place: Workplace) -> TrainingJob:
    async with place.database.transaction() as session:
        await training_jobs.request(session, None, "补了十句", place.clock.now())
    job = await take_job(place)
    assert job is not None
    return job


async def made_by(place: Workplace, job: TrainingJob) -> ModelVersion:
    async with place.database.read() as session:
        return next(one for one in await model_registry.versions(session) if one.job_id == job.id)


async def test_a_job_ends_with_a_version_whose_file_is_where_replicas_get_it(workplace: Place) -> None:
    place = workplace(WELL)
    job = await job_at(place)
    assert await run_job(place, job) is JobState.DONE
    version = await made_by(place, job)
    file = place.settings.models_dir / f"{version.name}.tar.gz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == version.sha256
    assert (place.settings.models_dir / f"{version.name}.report.html").read_text("utf-8") == "<p>报告</p>"
    assert version.why == "补了十句"
    assert version.scores == {"accuracy": 0.85}
    assert set(version.hashes) >= {"data", "config", "dictionary", "code", "seed", "weights", "pipeline"}
    assert [one.name for one in place.settings.models_dir.iterdir() if ".part" in one.name] == []


async def test_the_first_version_answers_at_once_and_the_next_waits_for_somebody(workplace: Place) -> None:
    place = workplace(WELL)
    first = await job_at(place)
    await run_job(place, first)
    made = await made_by(place, first)
    assert made.state is ModelState.LIVE
    knowledge = Knowledge.load(ROOT / "data" / "knowledge")
    async with place.database.read() as session:
        promoted = (await model_registry.events(session, made.id))[0]
    assert promoted.reason == knowledge.wording.say("workbench.adopted")
    async with place.database.transaction() as session:
        data = place.settings.home / "data" / "nlu"
        await samples.add(session, None, NEW, "ask_wage_arrears", knowledge, data, place.clock.now())
    second = await job_at(place)
    await run_job(place, second)
    version = await made_by(place, second)
    assert (version.state, version.passed, version.safe) == (ModelState.CANDIDATE, True, True)
    before = await made_by(place, first)
    assert version.hashes["data"] != before.hashes["data"]
    assert version.hashes["config"] == before.hashes["config"]


async def test_the_same_sentences_make_the_same_model(workplace: Place, tmp_path: Path) -> None:
    place = workplace(WELL)
    digests = []
    for _ in range(2):
        job = await job_at(place)
        await run_job(place, job)
        async with place.database.read() as session:
            digests.append((await training_jobs.get(session, job.id)).hashes["data"])
    assert digests[0] == digests[1]


async def test_a_training_that_breaks_fails_the_job_and_changes_nothing(workplace: Place) -> None:
    place = workplace(BADLY)
    job = await job_at(place)
    assert await run_job(place, job) is JobState.FAILED
    async with place.database.read() as session:
        ended = await training_jobs.get(session, job.id)
        assert ended.error == "training_failed"
        assert "something is wrong" in (ended.log or "")
        assert await model_registry.versions(session) == []


async def test_what_nobody_expected_fails_the_job_with_a_reference(
    workplace: Place, measured: dict[str, Any]
) -> None:
    measured["error"] = RuntimeError("boom")
    place = workplace(WELL)
    job = await job_at(place)
    assert await run_job(place, job) is JobState.FAILED
    async with place.database.read() as session:
        assert ((await training_jobs.get(session, job.id)).error or "").startswith("fault ")


async def test_a_cancelled_job_ends_within_seconds(workplace: Place) -> None:
    place = workplace(FOR_EVER)
    job = await job_at(place)
    working = asyncio.create_task(run_job(place, job))
    await asyncio.sleep(1.5)
    async with place.database.transaction() as session:
        await training_jobs.cancel(session, None, job.id, place.clock.now())
    assert await asyncio.wait_for(working, 20) is JobState.CANCELLED


async def test_a_worker_that_is_told_to_stop_gives_the_job_back_as_failed(workplace: Place) -> None:
    place = workplace(FOR_EVER)
    job = await job_at(place)
    working = asyncio.create_task(run_job(place, job))
    await asyncio.sleep(1.0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    async with place.database.read() as session:
        ended = await training_jobs.get(session, job.id)
    assert (ended.state, ended.error) == (JobState.FAILED, "worker_stopped")


async def test_a_verdict_is_kept_with_its_version(workplace: Place, measured: dict[str, Any]) -> None:
    place = workplace(WELL)
    await run_job(place, await job_at(place))
    measured.update(passed=False, safe=False)
    (place.settings.home / "data" / "nlu" / "more.yml").write_text(
        'version: "3.1"\nnlu:\n- intent: ask_leave\n  examples: |\n    - 年假几天\n', encoding="utf-8"
    )
    job = await job_at(place)
    await run_job(place, job)
    version = await made_by(place, job)
    assert (version.passed, version.safe, version.gate) == (False, False, {"findings": []})
