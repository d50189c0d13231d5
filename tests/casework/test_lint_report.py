"""The report of the last look: kept whole, about certain sentences, without what was dismissed."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from casework import lint_report
from casework.database import Database
from casework.errors import BadInput, NotAllowed
from casework.lint_report import FILE, RUNNING, LintReport
from casework.sample_files import TrainingSet
from casework.sample_lint import Finding, LintKind
from casework.tables import AuditEntry, StaffRole
from tests.factories import make_staff

SET = TrainingSet.of({"ask_overtime": ["加班没钱", "夜班费没见着"], "ask_leave": ["想歇年假"]}, {})
LABEL = Finding(LintKind.LABEL, "ask_overtime", "加班没钱", other_intent="ask_leave", detail="2.10")
PAIR = Finding(LintKind.NEAR_OTHER, "ask_overtime", "夜班费没见着", "想歇年假", "ask_leave", "0.80")
FEW = Finding(LintKind.TOO_FEW, "ask_leave", detail="1/60")


def report(now: datetime) -> LintReport:
    return LintReport(now, lint_report.digest(SET), len(SET), 41.26, True, (LABEL, PAIR, FEW))


def test_a_report_is_read_as_it_was_written_and_by_nobody_else(tmp_path: Path, now: datetime) -> None:
    lint_report.write(tmp_path / "var", report(now))
    read = lint_report.read(tmp_path / "var")
    assert read is not None
    assert read.findings == (LABEL, PAIR, FEW)
    assert (read.at, read.seconds, read.labels) == (now, 41.3, True)
    assert stat.S_IMODE((tmp_path / "var" / FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"at": "x", "findings": [{"kind": "new"}]}'])
def test_a_report_of_another_kind_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    assert lint_report.read(tmp_path) is None
    assert lint_report.read(tmp_path / "nowhere") is None


def test_a_report_knows_whether_the_sentences_are_still_those(now: datetime) -> None:
    assert report(now).about(SET)
    moved = TrainingSet.of({"ask_overtime": ["夜班费没见着"], "ask_leave": ["想歇年假", "加班没钱"]}, {})
    assert not report(now).about(moved)


def test_what_was_moved_removed_or_dismissed_is_found_no_longer(now: datetime) -> None:
    moved = TrainingSet.of({"ask_overtime": ["夜班费没见着"], "ask_leave": ["想歇年假", "加班没钱"]}, {})
    without_other = TrainingSet.of({"ask_overtime": ["加班没钱", "夜班费没见着"]}, {})
    assert report(now).standing(SET, ()) == [LABEL, PAIR, FEW]
    assert report(now).standing(moved, ()) == [PAIR, FEW]
    assert report(now).standing(without_other, ()) == [LABEL, FEW]
    assert report(now).standing(SET, {LABEL.key}) == [PAIR, FEW]


def test_only_one_looks_at_a_time_and_one_that_died_does_not_count(tmp_path: Path, now: datetime) -> None:
    assert lint_report.begin(tmp_path / "var", now)
    assert not lint_report.begin(tmp_path / "var", now + timedelta(minutes=9))
    assert lint_report.running_since(tmp_path / "var", now + timedelta(minutes=1)) == now
    later = now + timedelta(minutes=10)
    assert lint_report.running_since(tmp_path / "var", later) is None
    assert lint_report.begin(tmp_path / "var", later)
    lint_report.end(tmp_path / "var")
    assert lint_report.running_since(tmp_path / "var", later) is None
    (tmp_path / "var" / RUNNING).write_text("?", encoding="ascii")
    assert lint_report.begin(tmp_path / "var", later)


async def test_what_is_dismissed_stays_dismissed_until_it_is_taken_back(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        await lint_report.dismiss(session, supervisor, [LABEL.key], now)
    async with database.transaction() as session:
        await lint_report.dismiss(session, supervisor, [PAIR.key, LABEL.key], now)
    async with database.transaction() as session:
        assert await lint_report.dismissed(session) == {LABEL.key, PAIR.key}
        await lint_report.take_back(session, supervisor, now)
    async with database.read() as session:
        assert await lint_report.dismissed(session) == frozenset()
        deeds = (await session.scalars(select(AuditEntry.deed))).all()
    assert sorted(deeds) == ["lint.dismissed", "lint.dismissed", "lint.taken_back"]


async def test_who_may_not_teach_may_not_dismiss(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        agent = await make_staff(session, role=StaffRole.AGENT)
        with pytest.raises(NotAllowed):
            await lint_report.dismiss(session, agent, [LABEL.key], now)
        with pytest.raises(NotAllowed):
            await lint_report.take_back(session, agent, now)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        for keys in ([], ["工资"], ["x" * 41], ["a b"]):
            with pytest.raises(BadInput):
                await lint_report.dismiss(session, supervisor, keys, now)
