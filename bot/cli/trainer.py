"""train, trainer: ask for a training and watch it; do the trainings others asked for."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.cli.house import opened, settings
from bot.cli.model import train_model
from bot.cli.models import print_verdict
from casework import model_registry, training_jobs
from casework.clock import SystemClock
from casework.database import Database
from casework.tables import JobState, ModelVersion, TrainingJob

console = Console(highlight=False)
LOOK_S = 2.0
STAGES = {
    "waiting": "waiting for a worker",
    "gathering": "gathering sentences",
    "training": "training",
    "measuring": "comparing with the live model",
    "judging": "at the gate",
    "storing": "storing",
}


def train(
    config: Annotated[str, typer.Option(help="Pipeline configuration, e.g. configs/diet.yml")] = "config.yml",
    why: Annotated[str | None, typer.Option(help="What changed; kept with the version")] = None,
) -> None:
    """Train a candidate on the sentences as they are now, and let the gate compare it with the live model.

    Exits 1 when the gate refuses it. With another --config a model is trained into models/, unregistered.
    """
    chosen = settings()
    if config != "config.yml":
        typer.echo(f"trained {train_model(chosen, config)}")
        return
    version = asyncio.run(_train_here(why))
    if version is None:
        raise typer.Exit(1)
    console.print(f"[bold]{version.name}[/bold]")
    print_verdict(version)
    if version.passed:
        console.print(f"to let it answer: niangjia model promote {version.name}")
    elif version.passed is False:
        raise typer.Exit(1)


def trainer(
    job: Annotated[int | None, typer.Option(help="Only this job, if it waits")] = None,
    once: Annotated[bool, typer.Option(help="End when nothing waits")] = False,
) -> None:
    """Do the trainings that are asked for, until it is stopped."""
    asyncio.run(_work(job, once or job is not None))


async def _train_here(why: str | None) -> ModelVersion | None:
    from bot.training.run import Workplace, run_job  # noqa: PLC0415  (only trainings need it)

    chosen, clock = settings(), SystemClock()
    async with opened(chosen) as database:
        await database.upgrade()
        place = Workplace(chosen, database, clock)
        # Asked for and taken in one breath, or the bot's launcher would start a worker for it.
        async with database.transaction() as session:
            asked = await training_jobs.request(session, None, why, clock.now())
            job = await training_jobs.take(session, "command line", clock.now(), asked.id)
        if job is None:
            return None
        watching = asyncio.create_task(_watch(database, job.id))
        try:
            state = await run_job(place, job)
        finally:
            await watching
        async with database.read() as session:
            ended = await training_jobs.get(session, job.id)
            versions = await model_registry.versions(session)
    if state is not JobState.DONE:
        console.print(f"{state.value}: {ended.error or ''}\n{ended.log or ''}", style="red")
        return None
    return next(one for one in versions if one.job_id == job.id)


async def _watch(database: Database, job_id: int) -> None:
    """Show how far a job is until it is over."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as shown:
        bar = shown.add_task("", total=1.0)
        while True:
            async with database.read() as session:
                job: TrainingJob = await training_jobs.get(session, job_id)
            shown.update(bar, completed=job.progress, description=STAGES[job.stage.value])
            if job.state not in training_jobs.UNDER_WAY:
                return
            await asyncio.sleep(0.5)


async def _work(job_id: int | None, once: bool) -> None:
    from bot.training.run import Workplace, run_job, take_job  # noqa: PLC0415  (as above)

    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # asyncio.run made one
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    chosen = settings()
    async with opened(chosen) as database:
        place = Workplace(chosen, database, SystemClock())
        try:
            while True:
                job = await take_job(place, job_id)
                if job is not None:
                    console.print(f"training job {job.id}")
                    console.print(f"training job {job.id}: {(await run_job(place, job)).value}")
                elif once:
                    return
                else:
                    await asyncio.sleep(LOOK_S)
                if job_id is not None:
                    return
        except asyncio.CancelledError:
            console.print("stopped")
