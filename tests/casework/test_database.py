"""The database: who may write when, what is undone, and what a connection is set to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from casework import database as database_module
from casework.columns import NaiveTime
from casework.database import Database, DatabaseBusy, ReadOnly
from casework.tables import CaseSerial, Member, Station
from tests.factories import make_member


@pytest.mark.postgres
async def test_postgresql_is_tested_as_well_as_sqlite(postgres_database: Database) -> None:
    async with postgres_database.read() as session:
        assert "PostgreSQL" in str(await session.scalar(text("SELECT version()")))


async def test_a_transaction_keeps_what_was_done(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="张三")
    async with database.read() as session:
        found = await session.get(Member, member.id)
    assert found is not None
    assert found.name == "张三"
    assert found.created_at == now


async def test_a_transaction_undoes_everything_when_something_is_raised(database: Database) -> None:
    async def half_a_deed() -> None:
        async with database.transaction() as session:
            await make_member(session)
            raise LookupError

    with pytest.raises(LookupError):
        await half_a_deed()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Member)) == 0


async def test_a_cancelled_transaction_is_undone_and_lets_the_next_one_in(database: Database) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as session:
            await make_member(session)
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Member)) == 0


async def test_what_was_loaded_can_still_be_read_after_the_commit(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="李四")
    assert member.name == "李四"


async def test_a_reading_session_refuses_new_records(database: Database) -> None:
    async with database.read() as session:
        session.add(Member(created_at=datetime.now().astimezone()))
        with pytest.raises(ReadOnly):
            await session.flush()


async def test_a_reading_session_refuses_statements_that_write(database: Database) -> None:
    async with database.read() as session:
        for statement in (update(Member).values(name=None), insert(CaseSerial).values(last=1)):
            with pytest.raises(ReadOnly):
                await session.execute(statement)


async def test_a_reading_session_cannot_write_behind_the_orm_either(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(Exception, match=r"readonly|read-only"):
            await session.execute(text("DELETE FROM members"))


async def test_a_transaction_inside_itself_is_refused_at_once_on_sqlite(sqlite_database: Database) -> None:
    async with sqlite_database.transaction():
        with pytest.raises(RuntimeError, match="already open in this task"):
            async with sqlite_database.transaction():
                pass
    async with sqlite_database.transaction() as session:
        await make_member(session)


async def test_a_writer_that_never_gets_its_turn_is_told_so(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_QUEUE_TIMEOUT_S", 0.05)

    async def another() -> None:
        async with sqlite_database.transaction():
            pass

    async with sqlite_database.transaction():
        with pytest.raises(DatabaseBusy):
            await asyncio.create_task(another())


async def test_sqlite_is_set_up_on_every_connection(sqlite_database: Database) -> None:
    expected = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": 1}
    async with sqlite_database.transaction() as session:
        for pragma, value in expected.items():
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value


async def test_a_row_that_points_at_nothing_is_refused(database: Database, now: datetime) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO channel_identities (member_id, channel, external_hash, created_at)"
                    " VALUES ('nobody', 'web', 'x', CURRENT_TIMESTAMP)"
                )
            )


async def test_an_enumeration_takes_only_its_own_values(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO channel_identities (member_id, channel, external_hash, created_at)"
                    " VALUES (:member, 'pigeon', 'x', CURRENT_TIMESTAMP)"
                ),
                {"member": member.id},
            )


async def test_a_moment_comes_back_as_aware_utc_whatever_zone_it_was_given_in(database: Database) -> None:
    told = datetime(2026, 1, 1, 7, 59, 59, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with database.transaction() as session:
        member = await make_member(session, created_at=told)
    async with database.read() as session:
        found = await session.scalar(select(Member.created_at).where(Member.id == member.id))
    assert found is not None
    assert found == told
    assert found.utcoffset() == timedelta(0)
    assert found.hour == 23


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(NaiveTime):
        async with database.transaction() as session:
            await make_member(session, created_at=datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test


async def test_a_coordinate_outside_the_earth_is_refused(database: Database) -> None:
    station = Station(
        code="x", name="示例站", kind="legal", district="历下区", source="示例", latitude=91.0,
        checked_on=datetime(2026, 7, 1).date(),  # noqa: DTZ001  # only the date is used
    )  # fmt: skip
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            session.add(station)


async def test_an_error_of_the_database_does_not_repeat_the_members_data(database: Database) -> None:
    async def collide() -> None:
        async with database.transaction() as session:
            first = await make_member(session)
            session.expunge(first)
            await make_member(session, id=first.id, name="王小明", phone_hash="secret-hash")

    with pytest.raises(IntegrityError) as caught:
        await collide()
    assert "secret-hash" not in str(caught.value)
    assert "王小明" not in str(caught.value)


async def test_many_coroutines_write_at_once_without_losing_a_count(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        session.add(CaseSerial(day=now.date(), last=0))

    async def count_one() -> None:
        async with database.transaction() as session:
            await session.execute(update(CaseSerial).values(last=CaseSerial.last + 1))

    await asyncio.gather(*(count_one() for _ in range(40)))
    async with database.read() as session:
        assert await session.scalar(select(CaseSerial.last)) == 40


COUNTING = """
import asyncio, sys
from sqlalchemy import select
from casework.database import Database
from casework.tables import CaseSerial

async def main() -> None:
    database = Database(sys.argv[1])
    async def count_one() -> None:
        async with database.transaction() as session:
            # Reads first, writes later: what deadlocks when the lock is only taken at the write.
            row = (await session.scalars(select(CaseSerial).with_for_update())).one()
            await asyncio.sleep(0.001)
            row.last += 1
    for _ in range(10):
        await asyncio.gather(*(count_one() for _ in range(10)))
    await database.close()

asyncio.run(main())
"""


async def test_processes_write_one_database_at_once_and_none_is_turned_away(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        session.add(CaseSerial(day=now.date(), last=0))
    await asyncio.to_thread(_run_together, COUNTING, database.url, processes=3)
    async with database.read() as session:
        assert await session.scalar(select(CaseSerial.last)) == 300


UPGRADING = """
import asyncio, sys
from casework.database import Database

async def main() -> None:
    database = Database(sys.argv[1])
    await database.upgrade()
    assert await database.is_current()
    await database.close()

asyncio.run(main())
"""


async def test_processes_that_start_together_on_a_new_machine_build_one_schema(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'var' / 'new.db'}"
    await asyncio.to_thread(_run_together, UPGRADING, url, processes=3)
    database = Database(url)
    assert await database.is_current()
    await database.close()


def _run_together(program: str, url: str, processes: int) -> None:
    root = Path(database_module.__file__).parents[1]
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, url],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(processes)
    ]
    for process in running:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output.decode()[-2000:]
