"""niangjia inbox: gathers now, without the dialogue too, and prints what waits without personal data."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.inbox import app
from casework.database import Database
from casework.tables import Handling
from tests.conftest import TEST_KEY
from tests.e2e.house import ROOT
from tests.factories import FIRST_MOMENT, make_message

NOBODY_LISTENS = "1"


@pytest.fixture
def address(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installation with one message in it, far from any Rasa."""
    (tmp_path / "installed.db").write_bytes(migrated_sqlite.read_bytes())
    address = f"sqlite+aiosqlite:///{tmp_path}/installed.db"
    monkeypatch.setenv("NIANGJIA_HOME", str(ROOT))
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("RASA_PORT", NOBODY_LISTENS)
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())
    monkeypatch.setattr("casework.inbox_finding.LOOK_BACK", FIRST_MOMENT.resolution * 10**15)
    asyncio.run(_misunderstood(address))
    return address


async def _misunderstood(address: str) -> None:
    database = Database(address)
    async with database.transaction() as session:
        await make_message(
            session, text="俺垒的墙他量都不量，打13805310042", accepted=False, handling=Handling.DONE
        )
    await database.close()


def test_what_was_misunderstood_is_gathered_and_listed(address: str) -> None:
    gathered = CliRunner().invoke(app, ["gather"], catch_exceptions=False)
    assert gathered.output == "1 new messages, 0 known better, 1 new groups\n"
    again = CliRunner().invoke(app, ["gather"], catch_exceptions=False)
    assert again.output.startswith("0 new messages")
    listed = CliRunner().invoke(app, ["list"], catch_exceptions=False).output
    assert "open: 1" in listed
    assert "[电话]" in listed
    assert "13805310042" not in listed
