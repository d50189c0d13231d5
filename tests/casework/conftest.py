"""Every test of casework runs on SQLite and, where its binaries are present, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from casework.database import Database
from casework.tables import Base
from tests.postgres import find_binaries, private_postgres

NO_POSTGRES = "PostgreSQL is not installed here (apt-get install postgresql): only SQLite was tested"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a private PostgreSQL whose database ``migrated`` was built by the real migrations."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(NO_POSTGRES)
    with private_postgres(binaries) as server:
        asyncio.run(_build(server))
        yield server


@pytest.fixture
async def postgres_database(postgres_server: str) -> AsyncIterator[Database]:
    """The migrated PostgreSQL database, emptied after each test (making one takes a third of a second)."""
    database = Database(f"{postgres_server}/migrated")
    yield database
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(EMPTY)
    await database.close()


EMPTY = "DO $$ BEGIN {} END $$".format(
    " ".join(f"DELETE FROM {table.name};" for table in reversed(Base.metadata.sorted_tables))  # noqa: S608  # ours
)
"""One round trip instead of one for each table (TRUNCATE makes new files and takes four times as long)."""

KINDS = ["sqlite", *([pytest.param("postgresql", marks=pytest.mark.postgres)] if find_binaries() else [])]
"""Without its binaries PostgreSQL is left out here, and test_database says so once."""


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of the test's own, of each kind in turn."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


async def _build(server: str) -> None:
    await administer(server, "CREATE DATABASE migrated")
    database = Database(f"{server}/migrated")
    await database.upgrade()
    await database.close()


async def administer(server: str, statement: str) -> None:
    """Run a statement about databases themselves, which no transaction may hold."""
    engine = create_async_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
