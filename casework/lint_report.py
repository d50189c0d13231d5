"""Lint report: what the last look at the whole training set found, kept as a file, and what was dismissed.

The findings are a file in the folder of what the installation keeps (``var``), written whole or not at all by
the process that looked. What somebody said is right stands in the database, by keys nobody could read a
sentence from, so it survives the next look.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput
from casework.permissions import Right, require
from casework.sample_files import TrainingSet, as_yaml
from casework.sample_lint import Finding, LintKind
from casework.tables import DeskSetting, Staff

FILE = "lint.json"
RUNNING = "lint.running"
GIVEN_UP_AFTER = timedelta(minutes=10)
"""A look that takes longer has died."""
DISMISSED = "lint_dismissed"
MOST_DISMISSED = 20_000


@dataclass(frozen=True)
class LintReport:
    """Lint report: the findings, and when, of which sentences and how long it took."""

    at: datetime
    data: str
    """Digest of the sentences it was about."""
    sentences: int
    seconds: float
    labels: bool
    """Whether labels were looked at too, which takes the group of packages that trains."""
    findings: tuple[Finding, ...]

    def about(self, training_set: TrainingSet) -> bool:
        """Whether the sentences are still those it was about."""
        return self.data == digest(training_set)

    def standing(self, training_set: TrainingSet, dismissed: Iterable[str]) -> list[Finding]:
        """The findings that still hold: not dismissed, their sentences where they were."""
        without = frozenset(dismissed)
        return [one for one in self.findings if one.key not in without and _stands(one, training_set)]


def confirmed(
    report: LintReport, training_set: TrainingSet, dismissed: Collection[str]
) -> list[tuple[str, str]]:
    """(intent, sentence) of what looked wrongly labelled, and somebody said is right."""
    return [
        (one.intent, one.text)
        for one in report.findings
        if one.kind is LintKind.LABEL and one.key in dismissed and _stands_there(one, training_set)
    ]


def _stands_there(finding: Finding, training_set: TrainingSet) -> bool:
    return training_set.plain(finding.text) in training_set.blocks.get(finding.intent, {})


def _stands(finding: Finding, training_set: TrainingSet) -> bool:
    if finding.kind is LintKind.TOO_FEW:
        return True
    others = training_set.blocks.get(finding.other_intent, {})
    return _stands_there(finding, training_set) and (
        not finding.other or training_set.plain(finding.other) in others
    )


def digest(training_set: TrainingSet) -> str:
    """What tells two training sets apart: a digest of every sentence and where it stands."""
    return hashlib.sha256(as_yaml(training_set.sentences).encode()).hexdigest()


def write(folder: Path, report: LintReport) -> None:
    """Put the report in its place, whole or not at all, readable by this account alone."""
    content = {
        "at": report.at.isoformat(),
        "data": report.data,
        "sentences": report.sentences,
        "seconds": round(report.seconds, 1),
        "labels": report.labels,
        "findings": [finding.as_dict() for finding in report.findings],
    }
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".lint-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    Path(name).replace(folder / FILE)


def read(folder: Path) -> LintReport | None:
    """The last report; None where there is none or it cannot be read (one of another version)."""
    try:
        content: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        findings = tuple(Finding(**{**one, "kind": LintKind(one["kind"])}) for one in content["findings"])
        return LintReport(
            datetime.fromisoformat(content["at"]),
            content["data"],
            content["sentences"],
            content["seconds"],
            content["labels"],
            findings,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begin(folder: Path, now: datetime) -> bool:
    """Say that a look begins; False where one is under way already. ``end`` it whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    if running_since(folder, now) is not None:
        return False
    (folder / RUNNING).unlink(missing_ok=True)
    try:
        with (folder / RUNNING).open("x", encoding="ascii") as file:
            file.write(now.isoformat())
    except FileExistsError:
        return False
    return True


def end(folder: Path) -> None:
    """Say that the look is over."""
    (folder / RUNNING).unlink(missing_ok=True)


def running_since(folder: Path, now: datetime) -> datetime | None:
    """When the look began that is under way, or None; one of more than ten minutes has died."""
    try:
        began = datetime.fromisoformat((folder / RUNNING).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return began if now - began < GIVEN_UP_AFTER else None


async def dismissed(session: AsyncSession) -> frozenset[str]:
    """The keys of the findings somebody said are right as they are."""
    setting = await session.get(DeskSetting, DISMISSED)
    return frozenset() if setting is None else frozenset(setting.value.get("keys", ()))


async def dismiss(session: AsyncSession, staff: Staff, keys: Sequence[str], now: datetime) -> None:
    """Remember that findings are none; audited. Raises NotAllowed without TEACH, BadInput ``finding``."""
    require(staff, Right.TEACH)
    if not keys or any(len(key) > 40 or not (key.isascii() and key.isalnum()) for key in keys):
        raise BadInput("no such finding", field="finding")
    setting = await _setting(session, now)
    known = [*setting.value.get("keys", ()), *keys]
    setting.value = {"keys": list(dict.fromkeys(known))[-MOST_DISMISSED:]}
    await _changed(session, staff, setting, "lint.dismissed", len(keys), now)


async def take_back(session: AsyncSession, staff: Staff, now: datetime) -> None:
    """Forget everything that was dismissed; audited. Raises NotAllowed without TEACH."""
    require(staff, Right.TEACH)
    setting = await _setting(session, now)
    number = len(setting.value.get("keys", ()))
    setting.value = {"keys": []}
    await _changed(session, staff, setting, "lint.taken_back", number, now)


async def _setting(session: AsyncSession, now: datetime) -> DeskSetting:
    setting = await session.scalar(select(DeskSetting).where(DeskSetting.key == DISMISSED).with_for_update())
    if setting is None:
        setting = DeskSetting(key=DISMISSED, value={}, updated_at=now)
        session.add(setting)
    return setting


async def _changed(
    session: AsyncSession, staff: Staff, setting: DeskSetting, deed: str, number: int, now: datetime
) -> None:
    setting.updated_at, setting.updated_by_id = now, staff.id
    await session.flush()
    audit.record(session, audit.staff_actor(staff), deed, "desk_setting", DISMISSED, now=now, findings=number)
