"""What every test may ask for: a cipher, a clock that stands still, and a migrated database of its own."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework.clock import FixedClock
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.settings import Settings

TEST_KEY = bytes(range(32))
MONDAY_MORNING = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
"""Monday 2026-07-20, 09:30 in Jinan: a working day in the hot season."""

LONGEST_FIRST = (
    "e2e/test_workbench.py",
    "e2e/test_desk_pages.py",
    "nlu/test_label_errors.py",
    "nlu/test_bench_nlu_sides.py",
    "e2e/test_resilience.py",
    "nlu/test_diet.py",
    "e2e/test_desk.py",
    "e2e/test_telegram.py",
    "dialogue/test_dialogue.py",
)
"""Files that take more than a minute: begun first, or one worker would be at the last of them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest in front; the rest stays as it is."""
    here = Path(__file__).parent
    turn = {here / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: turn.get(item.path, len(turn)))


@pytest.fixture(autouse=True)
def cipher() -> Iterator[Cipher]:
    """The test's cipher, installed for the process and taken away again."""
    cipher = Cipher([TEST_KEY])
    install_cipher(cipher)
    yield cipher
    install_cipher(None)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at a Monday morning in Jinan."""
    return FixedClock(MONDAY_MORNING)


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    """What the clock says at the start of the test."""
    return clock.now()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file built once by the real migrations, to be copied for each test."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"

    async def migrate() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.upgrade()
        # Leave WAL for the copy: everything must be in the one file.
        async with database.engine.connect() as connection:
            await connection.commit()
        await database.close()

    asyncio.run(migrate())
    assert not path.with_name("migrated.db-wal").exists()
    return path


@pytest.fixture
async def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database of the test's own, at ``tmp_path / "niangjia.db"``."""
    path = tmp_path / "niangjia.db"
    shutil.copyfile(migrated_sqlite, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield database
    await database.close()


@pytest.fixture
async def database(sqlite_database: Database) -> Database:
    """A migrated database of the test's own (tests/casework runs its tests on PostgreSQL as well)."""
    return sqlite_database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a development installation whose own files live in the test's folder."""
    return Settings.from_env(
        {
            "NIANGJIA_VAR": str(tmp_path),
            "NIANGJIA_MODELS": str(tmp_path / "models"),
            "TRAINING": "elsewhere",  # no test starts a training by pressing the button
            "NIANGJIA_INTERNAL_TOKEN": "an-internal-token-for-tests",
            "NIANGJIA_DATA_KEY": base64.b64encode(TEST_KEY).decode(),
        }
    )
