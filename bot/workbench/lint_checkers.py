"""The checker of sentences as they are typed: made once for each state of the training set."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.house import House
from casework import samples
from casework.sample_files import TrainingSet, read_files
from casework.sample_lint import NEAR_OTHER, Checker, GoldGuard, NearIndex, gold_texts
from casework.sample_rules import known_facts
from casework.tables import SampleChange


@dataclass
class _Made:
    """What was made for one folder of sentences; the index of its files takes seconds, the rest does not."""

    files: TrainingSet
    base: NearIndex
    gold: GoldGuard
    checkers: dict[tuple[int, ...], Checker] = field(default_factory=dict)


_MADE: dict[Path, _Made] = {}
_MAKING = threading.Lock()


async def checker(house: House) -> Checker:
    """The checker for the sentences as they are now; raises KnowledgeError where they cannot be read."""
    async with house.database.read() as session:
        changes = await samples.changes(session)
    return await asyncio.to_thread(_checker, house.settings.home, changes)


def _checker(home: Path, changes: Sequence[SampleChange]) -> Checker:
    folder = home / "data" / "nlu"
    version = tuple(change.id for change in changes)
    with _MAKING:
        files = read_files(folder)
        made = _MADE.get(folder)
        if made is None or made.files is not files:
            texts = [text for texts in files.sentences.values() for text in texts]
            made = _MADE[folder] = _Made(files, NearIndex(texts, NEAR_OTHER), GoldGuard(gold_texts(home)))
        if version not in made.checkers:
            training_set = samples.folded(files, changes)
            # The one before is of no use any more.
            made.checkers = {version: Checker(training_set, made.base, known_facts(folder), made.gold)}
        return made.checkers[version]
