"""niangjia db: what the operator asks of the database from the command line."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.database import app
from casework import canned, search
from casework.database import Database
from tests.conftest import TEST_KEY
from tests.factories import FIRST_MOMENT, make_case, make_conversation, make_message


@pytest.fixture
def installation(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation with a case and a message that the search knows nothing of."""
    path = tmp_path / "older.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite+aiosqlite:///{path}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())

    async def begin() -> None:
        async with database.transaction() as session:
            thread = await make_conversation(session)
            await make_message(session, thread, text="拖欠工资")
            await make_case(session, thread, summary="拖欠工资")
        await database.close()

    asyncio.run(begin())
    return database


def test_reindex_makes_an_older_installation_findable_and_says_how_far_it_is(installation: Database) -> None:
    outcome = CliRunner().invoke(app, ["reindex", "--batch", "2"])
    assert outcome.exit_code == 0, outcome.output
    assert "indexed 2 records" in outcome.stderr
    assert "3 records were new" in outcome.stdout

    async def found() -> set[str]:
        async with installation.read() as session:
            results = await search.find(session, "拖欠", FIRST_MOMENT + timedelta(days=1))
        await installation.close()
        return {hit.kind for hit in results.found}

    assert asyncio.run(found()) == {"case", "conversation"}
    again = CliRunner().invoke(app, ["reindex"])
    assert "0 records were new" in again.stdout


def test_an_upgrade_brings_the_canned_replies_once_and_leaves_what_staff_made_of_them(
    installation: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIANGJIA_HOME", str(Path(__file__).parents[3]))
    assert CliRunner().invoke(app, ["upgrade"]).exit_code == 0

    async def change_one() -> int:
        async with installation.transaction() as session:
            replies = await canned.list_canned(session)
            replies[0].active = False
            return len(replies)

    async def count_again() -> int:
        async with installation.read() as session:
            found = len(await canned.list_canned(session))
        await installation.close()
        return found

    shipped = asyncio.run(change_one())
    assert shipped > 40
    assert CliRunner().invoke(app, ["upgrade"]).exit_code == 0
    assert asyncio.run(count_again()) == shipped - 1
