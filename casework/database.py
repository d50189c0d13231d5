"""The database: one place that opens, commits and closes, for SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.pool import NullPool

from casework.errors import CaseworkError, ConfigurationError
from casework.migrations import is_at_head, upgrade_to_head

BUSY_TIMEOUT_MS = 5000
_QUEUE_TIMEOUT_S = 10.0


class DatabaseBusy(CaseworkError):
    """A write waited ten seconds for its turn: some transaction is kept open while waiting for something."""


class ReadOnly(CaseworkError):
    """A session opened by ``Database.read()`` was asked to write."""


class Database:
    """A connection pool to one database; making it does no I/O."""

    def __init__(self, url: str) -> None:
        """Take an address as ``settings.database_url`` holds it (async driver named)."""
        self.url = url
        parsed = make_url(url)
        self._sqlite_file = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
        if self._sqlite_file is not None:
            self.engine = create_async_engine(url, hide_parameters=True)
            _prepare_sqlite(self.engine, begin="BEGIN IMMEDIATE")
            self._reader = create_async_engine(url, hide_parameters=True)
            _prepare_sqlite(self._reader, begin="BEGIN", read_only=True)
        else:
            self.engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10)
            self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading = async_sessionmaker(
            self._reader, expire_on_commit=False, sync_session_class=_ReadOnlySession
        )
        self._turn = asyncio.Lock() if self._sqlite_file is not None else None
        self._writer: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end, or undone when anything is raised.

        Opened at the edge, once per request, update or action, and never around a call to another
        server. On SQLite writers of one process take turns (fairly, without polling), those of several
        wait for each other up to 5 s. Raises DatabaseBusy, and RuntimeError when opened inside itself.
        """
        async with self._my_turn(), self._writing() as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent moment and cannot write (raises ReadOnly)."""
        async with self._reading() as session:
            yield session

    async def upgrade(self) -> None:
        """Bring the schema to the newest revision, making a SQLite file where there is none.

        Usable inside a running loop and by several processes at once. Raises ConfigurationError
        when the database belongs to a newer version of this software.
        """
        if self._sqlite_file is not None:
            self._sqlite_file.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its journal files the mode of this one: nobody else on the machine may read them.
            self._sqlite_file.touch(mode=0o600)
        # Foreign keys stay off while migrating: SQLite alters a table by copying it, and dropping
        # the original would cascade into its children. They are checked before the commit.
        engine = create_async_engine(self.url, hide_parameters=True, poolclass=NullPool)
        if self._sqlite_file is not None:
            _prepare_sqlite(engine, begin="BEGIN IMMEDIATE", foreign_keys=False)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade)
        finally:
            await engine.dispose()

    async def is_current(self) -> bool:
        """Whether the schema is at the newest revision."""
        if self._sqlite_file is not None and not self._sqlite_file.exists():
            return False
        async with self.engine.connect() as connection:
            return await connection.run_sync(is_at_head)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self._reader.dispose()
        await self.engine.dispose()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        me = asyncio.current_task()
        if self._writer is not None and self._writer is me:
            raise RuntimeError("a transaction is already open in this task; pass its session on instead")
        try:
            async with asyncio.timeout(_QUEUE_TIMEOUT_S):
                await self._turn.acquire()
        except TimeoutError as error:
            raise DatabaseBusy("no turn to write within ten seconds") from error
        self._writer = me
        try:
            yield
        finally:
            self._writer = None
            self._turn.release()


class _ReadOnlySession(Session):
    """A session that refuses to write before the database has to."""


@event.listens_for(_ReadOnlySession, "before_flush")
def _refuse_flush(session: Session, context: object, instances: object) -> None:
    if session.new or session.dirty or session.deleted:
        raise ReadOnly("this session only reads; open Database.transaction() to write")


@event.listens_for(_ReadOnlySession, "do_orm_execute")
def _refuse_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise ReadOnly("this session only reads; open Database.transaction() to write")


def _prepare_sqlite(
    engine: AsyncEngine, begin: str, *, foreign_keys: bool = True, read_only: bool = False
) -> None:
    """Set what SQLite forgets with each connection, and begin transactions ourselves."""

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, record: object) -> None:
        # The driver would begin late and in the mode it likes; "begin" below does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
            if read_only:
                cursor.execute("PRAGMA query_only=ON")
        finally:
            cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        # A writer that only upgrades its lock at the first write may deadlock with another process.
        connection.exec_driver_sql(begin)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Replicas that start together take turns; the lock ends with the transaction.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7205759403792794)")
    upgrade_to_head(connection)
    if connection.dialect.name != "sqlite":
        return
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise ConfigurationError(f"the migration would leave {len(broken)} rows without what they refer to")
