"""The page about trainings: what would be learnt, the button, the progress, cancelling, and earlier ones."""

from __future__ import annotations

from bot.house import House
from casework import model_registry, samples, training_jobs
from casework.tables import JobStage, JobState, StaffRole
from tests.bot.desk.conftest import SignIn

HTML = {"Accept": "text/html"}


async def test_the_button_asks_for_a_training_once(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    assert "还没有训练过" in (await boss.page("/workbench/train")).text
    begun = await boss.post("/workbench/train", data={"why": "补了十句"}, headers=HTML)
    assert begun.status_code == 303
    again = await boss.post("/workbench/train", headers=HTML)
    assert again.status_code == 409
    assert "已经有一次训练在进行" in again.text
    async with house.database.read() as session:
        job = await training_jobs.current(session)
        assert job is not None
        assert (job.why, job.staff_id, job.state) == ("补了十句", boss.staff.id, JobState.QUEUED)


async def test_how_far_it_is_is_shown_and_it_can_be_cancelled(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    now = house.clock.now()
    async with house.database.transaction() as session:
        job = await training_jobs.request(session, boss.staff, None, now)
        await training_jobs.take(session, "here", now)
        await training_jobs.beat(
            session, job.id, now, stage=JobStage.TRAINING, progress=0.42, line="14923 sentences"
        )
    shown = (await boss.get("/workbench/train/progress")).text
    assert 'value="42"' in shown
    assert "14923 sentences" in shown
    assert 'data-under-way="yes"' in shown
    assert (await boss.post(f"/workbench/train/{job.id}/cancel", headers=HTML)).status_code == 303
    assert "正在取消" in (await boss.get("/workbench/train/progress")).text
    async with house.database.transaction() as session:
        assert not await training_jobs.beat(session, job.id, now)
        await training_jobs.end(session, job.id, JobState.CANCELLED, now)
    assert "取消了，什么都没有变" in (await boss.page("/workbench/train")).text
    late = await boss.post(f"/workbench/train/{job.id}/cancel", headers=HTML)
    assert late.status_code == 409
    assert (await boss.post("/workbench/train/99/cancel", headers=HTML)).status_code == 404


async def test_a_training_that_failed_says_what_to_do(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    now = house.clock.now()
    for error, words in (("worker_lost", "没了消息"), ("fault R-7K2M", "编号 R-7K2M")):
        async with house.database.transaction() as session:
            job = await training_jobs.request(session, boss.staff, None, now)
            await training_jobs.end(session, job.id, JobState.FAILED, now, error=error)
        shown = (await boss.page("/workbench/train")).text
        assert words in shown
        assert "正在回答的版本没有变" in shown


async def test_what_the_live_version_has_not_learnt_is_counted(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    now, data = house.clock.now(), house.settings.home / "data" / "nlu"
    async with house.database.transaction() as session:
        version = await model_registry.register(session, sha256="0" * 64, size=1, now=now)
        await model_registry.adopt(session, version, now, "first")
        await samples.add(
            session, boss.staff, "俺垒的墙他量都不量咋整", "ask_wage_arrears", house.knowledge, data, now
        )
    shown = (await boss.page("/workbench/train")).text
    assert "这次会学到 1 处改动" in shown
    assert "/workbench/examples/ask_wage_arrears" in shown


async def test_a_version_that_was_trained_is_linked(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    now = house.clock.now()
    async with house.database.transaction() as session:
        job = await training_jobs.request(session, boss.staff, "补了十句", now)
        await training_jobs.take(session, "here", now)
        version = await model_registry.register(session, sha256="0" * 64, size=1, now=now, job_id=job.id)
        await training_jobs.end(session, job.id, JobState.DONE, now)
    shown = (await boss.page("/workbench/train")).text
    assert f'id="trained">{version.name}</a>' in shown
