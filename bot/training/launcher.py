"""Launcher: starts a process for the training somebody asked for, and gives up one that was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys

from bot.faults import log_fault, new_reference
from bot.house import House
from casework import training_jobs
from casework.settings import Settings
from casework.tables import JobState

log = logging.getLogger(__name__)

EVERY_S = 1.0
AGAIN_AFTER = 30
"""Rounds after which a job that nobody took is given to another process."""


class Launcher:
    """Launcher: which job a process was started for, and how long ago."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._started_for: int | None = None
        self._rounds = 0

    async def look(self) -> int | None:
        """One round; the id of the job a process was started for, or None."""
        house = self._house
        async with house.database.read() as session:
            job = await training_jobs.current(session)
        if job is None:
            return None
        if job.state is JobState.RUNNING:
            async with house.database.transaction() as session:
                if await training_jobs.give_up_the_lost(session, house.clock.now()):
                    log.warning("training job %d was given up: its worker is gone", job.id)
            return None
        self._rounds = self._rounds + 1 if job.id == self._started_for else 0
        if job.id == self._started_for and self._rounds < AGAIN_AFTER:
            return None
        self._started_for, self._rounds = job.id, 0
        if house.settings.training != "here":
            return None
        await asyncio.to_thread(self._start, job.id)
        return job.id

    def _start(self, job_id: int) -> None:
        """Start the worker apart from the bot: it goes on when the bot is restarted."""
        settings = self._house.settings
        logs = settings.var_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "trainer.log").open("ab") as said:
            subprocess.Popen(
                [sys.executable, "-m", "bot", "trainer", "--job", str(job_id)],
                cwd=settings.home,
                env={**os.environ, **_told(settings)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )


def _told(settings: Settings) -> dict[str, str]:
    """What the worker must know to work on the very same installation."""
    return {
        "NIANGJIA_HOME": str(settings.home),
        "NIANGJIA_VAR": str(settings.var_dir),
        "NIANGJIA_MODELS": str(settings.models_dir),
        "DATABASE_URL": settings.database_url,
        "NIANGJIA_INTERNAL_TOKEN": settings.internal_token,
        **({"NIANGJIA_DATA_KEY": settings.data_key} if settings.data_key else {}),
    }


async def keep_training(house: House, stopping: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Look for trainings to start until the bot stops; a round that fails is logged and the next comes."""
    launcher = Launcher(house)
    while not stopping.is_set():
        try:
            await launcher.look()
        except Exception as error:
            log_fault(log, new_reference(), "the keeper of trainings", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
