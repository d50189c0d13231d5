"""Before the house starts: a version that answers, and fits the pipeline as it is now."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from bot.cli.house import opened
from bot.cli.model import fits, newest_model, pipeline_digest, train_model
from bot.training.hashes import file_digest
from casework import model_registry
from casework.clock import SystemClock
from casework.settings import Settings
from casework.tables import ModelVersion
from casework.wording import Wording

PIPELINE = "pipeline"


def settle_model(chosen: Settings, *, retrain: bool, say: Callable[[str], None]) -> None:
    """Leave a live version whose file is here and fits; where there is none, train one and let it answer.

    NIANGJIA_MODEL names a file to begin with. Later versions come by training and the gate.
    """
    if not retrain and asyncio.run(_is_settled(chosen)):
        return
    file = None if retrain else newest_model(chosen)
    if file is None or not fits(chosen, file):
        why = "there is no trained model yet" if file is None else "the pipeline changed"
        say(f"{'you asked for it' if retrain else why}: training a model (about a minute)")
        file = train_model(chosen)
    asyncio.run(_adopt(chosen, file))


async def _is_settled(chosen: Settings) -> bool:
    """Whether the live version's file is here, whole, and made by the pipeline as it is now."""
    async with opened(chosen) as database, database.read() as session:
        version = await model_registry.live(session)
    if version is None or not _fits(chosen, version):
        return False
    return await asyncio.to_thread(_is_whole, chosen.models_dir / f"{version.name}.tar.gz", version.sha256)


def _fits(chosen: Settings, version: ModelVersion) -> bool:
    return bool(os.environ.get("NIANGJIA_MODEL")) or version.hashes.get(PIPELINE) == pipeline_digest(chosen)


def _is_whole(file: Path, sha256: str) -> bool:
    return file.is_file() and file_digest(file) == sha256


async def _adopt(chosen: Settings, file: Path) -> None:
    """Register a file, lay it where replicas get it from, and let it answer."""
    now = SystemClock().now()
    words = Wording.load(chosen.home / "data" / "knowledge")
    sha256 = await asyncio.to_thread(file_digest, file)
    async with opened(chosen) as database, database.transaction() as session:
        version = await model_registry.register(
            session,
            sha256=sha256,
            size=await asyncio.to_thread(os.path.getsize, file),
            now=now,
            hashes={PIPELINE: pipeline_digest(chosen)},
        )
        await asyncio.to_thread(_lay, file, chosen.models_dir / f"{version.name}.tar.gz")
        await model_registry.adopt(session, version, now, words.say("workbench.adopted"))


def _lay(file: Path, to: Path) -> None:
    """A copy of the file under its version's name; there whole or not at all."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f".{to.name}.part")
    shutil.copyfile(file, part)
    part.replace(to)
