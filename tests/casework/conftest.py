"""Every test of casework runs on SQLite and, where its binaries are present, on PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from casework.database import Database
from tests.postgres import find_binaries, private_postgres

NO_POSTGRES = "PostgreSQL is not installed here (apt-get install postgresql): only SQLite was tested"
_serial = itertools.count(1)


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
    """A migrated PostgreSQL database of the test's own."""
    name = f"test_{next(_serial)}"
    await _administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    database = Database(f"{postgres_server}/{name}")
    yield database
    await database.close()
    await _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of the test's own, of each kind in turn."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


async def _build(server: str) -> None:
    await _administer(server, "CREATE DATABASE migrated")
    database = Database(f"{server}/migrated")
    await database.upgrade()
    await database.close()


async def _administer(server: str, statement: str) -> None:
    engine = create_async_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
