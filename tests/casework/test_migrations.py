"""Migrations: they build exactly what tables.py says, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from casework.database import Database
from casework.errors import ConfigurationError
from casework.tables import Base
from tests.casework.conftest import administer

Schema = dict[str, tuple[list[tuple[str, str]], list[tuple[str, bool, str, str]]]]
"""Checks (name, rule) and indexes (name, unique, columns, condition) by table."""


@pytest.fixture
async def postgres_database(postgres_server: str) -> AsyncIterator[Database]:
    """A migrated PostgreSQL database of the test's own, whose schema it may change."""
    await administer(postgres_server, "CREATE DATABASE altered TEMPLATE migrated")
    database = Database(f"{postgres_server}/altered")
    yield database
    await database.close()
    await administer(postgres_server, "DROP DATABASE altered WITH (FORCE)")


async def test_the_migrated_schema_is_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_migrated_checks_are_what_the_models_say(database: Database, tmp_path: Path) -> None:
    """Alembic does not compare check constraints and partial indexes, so the schemas are read back."""

    def schema(connection: Connection) -> Schema:
        inspector = inspect(connection)
        found: Schema = {}
        for table in Base.metadata.tables:
            found[table] = (
                sorted(
                    (each["name"] or "", each["sqltext"]) for each in inspector.get_check_constraints(table)
                ),
                sorted(
                    (
                        each["name"] or "",
                        bool(each["unique"]),
                        str(each["column_names"]),
                        str({key: str(value) for key, value in each.get("dialect_options", {}).items()}),
                    )
                    for each in inspector.get_indexes(table)
                ),
            )
        return found

    async with database.engine.connect() as connection:
        migrated = await connection.run_sync(schema)
    async with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("CREATE SCHEMA created"))
            await connection.execute(text("SET search_path TO created"))
            await connection.run_sync(Base.metadata.create_all)
            created = await connection.run_sync(schema)
        else:
            created = await _created_on_sqlite(tmp_path / "created.db", schema)
    assert migrated == created
    assert any(checks for checks, _ in migrated.values())


async def _created_on_sqlite(path: Path, schema: Callable[[Connection], Schema]) -> Schema:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        found = await connection.run_sync(schema)
    await engine.dispose()
    return found


async def test_upgrading_again_changes_nothing(database: Database) -> None:
    assert await database.is_current()
    await database.upgrade()
    assert await database.is_current()


async def test_a_new_database_is_not_current_until_it_is_upgraded(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'a folder' / 'new.db'}")
    assert not await database.is_current()
    assert not (tmp_path / "a folder").exists()
    await database.upgrade()
    assert await database.is_current()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files_in(tmp_path / "a folder")}
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm"), 0o600)
    await database.close()


def files_in(folder: Path) -> list[Path]:
    """The files of a folder."""
    return list(folder.iterdir())


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not await database.is_current()
    with pytest.raises(ConfigurationError, match="9999"):
        await database.upgrade()
    async with database.read() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_revisions_do_not_depend_on_code_that_changes() -> None:
    revisions = sorted((Path(__file__).parents[2] / "casework" / "migrations" / "versions").glob("*.py"))
    assert revisions[0].name.startswith("0001_")
    for revision in revisions:
        assert not re.search(r"^\s*(from|import) casework", revision.read_text(), re.MULTILINE), revision.name
