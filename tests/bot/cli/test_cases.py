"""``niangjia cases`` on a real database: lists, shows and exports, masked; the old commands still work."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from bot.cli import app
from casework.case_numbers import format_number
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.tables import AuditEntry, Case, CaseState, Priority, StaffRole
from tests.conftest import TEST_KEY
from tests.factories import make_case, make_staff

DAY = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
FACTS = {"person_name": "王建国", "phone": "13800001234", "story": "=打 13900001111 找老板"}
T = TypeVar("T")


def number(serial: int) -> str:
    return format_number(DAY.date(), serial)


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of its own with three open cases and a closed one, a boss and an agent."""
    (tmp_path / "niangjia.db").write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path))
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("NIANGJIA_STAFF", raising=False)

    async def furnish(session: AsyncSession) -> None:
        await make_staff(session, login="boss", role=StaffRole.SUPERVISOR)
        agent = await make_staff(session, login="agent")
        await make_case(session, number=number(1), facts=FACTS, district="历下区")
        await make_case(session, number=number(2), staff_id=agent.id, priority=Priority.CRITICAL.value)
        await make_case(session, number=number(3), topic="heat.report", opened_at=DAY - timedelta(days=3))
        await make_case(session, number=number(4), state=CaseState.RESOLVED, closed_at=DAY)

    in_database(tmp_path, furnish)


def in_database(place: Path, deed: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def run() -> T:
        install_cipher(Cipher([TEST_KEY]))
        database = Database(f"sqlite+aiosqlite:///{place / 'niangjia.db'}")
        async with database.transaction() as session:
            result = await deed(session)
        await database.close()
        return result

    return asyncio.run(run())


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def listed(*words: str) -> list[str]:
    result = run(*words)
    assert result.exit_code == 0, result.exception
    return [line.split("\t")[0] for line in result.output.splitlines()]


@pytest.mark.parametrize(
    ("words", "serials"),
    [
        ((), [2, 3, 1]),
        (("--state", "resolved"), [4]),
        (("--topic", "heat.report"), [3]),
        (("--district", "历下区"), [1]),
        (("--priority", "critical"), [2]),
        (("--number", number(3)[-6:]), [3]),
        (("--from", "2026-07-20"), [2, 1]),
        (("--to", "2026-07-19"), [3]),
        (("--mine", "--as", "agent"), [2]),
        (("--limit", "1"), [2]),
        (("--type", "heat_report"), []),
    ],
)
def test_cases_are_listed_as_asked(words: tuple[str, ...], serials: list[int]) -> None:
    assert listed("cases", "list", *words) == [number(serial) for serial in serials]


def test_closed_cases_are_listed_on_request() -> None:
    assert sorted(listed("cases", "list", "--all")) == sorted(number(serial) for serial in (1, 2, 3, 4))


def test_the_old_command_lists_the_same() -> None:
    assert listed("staff", "cases") == listed("cases", "list")


@pytest.mark.parametrize("group", [("cases", "show"), ("staff", "case")])
def test_a_case_is_shown_masked(group: tuple[str, str]) -> None:
    result = run(*group, number(1).lower())
    assert result.exit_code == 0
    assert "王**" in result.output
    assert "138****1234" in result.output
    assert not {"王建国", "13800001234", "13900001111"} & set(result.output.split())
    assert isinstance(run(*group, number(77)).exception, NotFound)


def test_an_export_is_masked_safe_and_for_our_eyes_only(tmp_path: Path) -> None:
    out = tmp_path / "cases.csv"
    result = run("cases", "export", "--out", str(out), "--as", "boss")
    assert result.exit_code == 0, result.exception
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    written = out.read_text("utf-8-sig")
    assert not [secret for secret in ("王建国", "13800001234", "13900001111") if secret in written]
    rows = {row["number"]: row for row in csv.DictReader(written.splitlines())}
    assert set(rows) == {number(serial) for serial in (1, 2, 3)}
    assert rows[number(1)]["gist"].startswith("'=")
    as_json = tmp_path / "cases.json"
    run("cases", "export", "--out", str(as_json), "--format", "json", "--all")
    assert len(json.loads(as_json.read_text("utf-8"))) == 4

    async def trail(session: AsyncSession) -> list[Any]:
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.deed == "cases.exported"))
        return [(entry.actor, entry.detail) for entry in entries]

    assert in_database(tmp_path, trail) == [("staff:boss", {"rows": 3}), ("operator", {"rows": 4})]


def test_who_may_not_export_gets_no_file(tmp_path: Path) -> None:
    out = tmp_path / "cases.csv"
    assert isinstance(run("cases", "export", "--out", str(out), "--as", "agent").exception, NotAllowed)
    assert not out.exists()


@pytest.mark.parametrize("words", [("--mine",), ("--from", "gestern"), ("--number", "x")])
def test_what_cannot_be_read_is_refused(words: tuple[str, ...]) -> None:
    assert isinstance(run("cases", "list", *words).exception, BadInput)


def test_a_deed_is_done_from_the_command_line(tmp_path: Path) -> None:
    assert run("staff", "deed", number(1), "assign", "--as", "agent").exit_code == 0
    assert run("staff", "deed", number(1), "start", "--as", "agent").exit_code == 0
    assert run("staff", "deed", number(1), "resolve", "--as", "agent", "--reason", "补发了").exit_code == 0
    assert isinstance(run("staff", "deed", number(2), "note", "--as", "agent").exception, BadInput)

    async def state(session: AsyncSession) -> CaseState:
        return (await session.scalars(select(Case.state).where(Case.number == number(1)))).one()

    assert in_database(tmp_path, state) is CaseState.RESOLVED
