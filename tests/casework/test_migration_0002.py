"""From the first version to the desk: a database that was in use keeps every row, and the desk can go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

import casework.migrations
from casework import handoff, messages, waiting
from casework.crypto import current_cipher
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.tables import (
    Alert,
    AlertKind,
    Audience,
    Case,
    Conversation,
    Message,
    Owner,
    Presence,
    Priority,
    Staff,
)
from casework.wording import Wording
from tests.casework.conftest import KINDS, administer

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
THEN = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
"""Monday 9:30 in Jinan."""
OWNERS = ("bot", "queued", "human")


@pytest.fixture
async def sqlite_first(tmp_path: Path) -> AsyncIterator[Database]:
    """The first version's database on SQLite."""
    database = await _first_version(f"sqlite+aiosqlite:///{tmp_path / 'first.db'}")
    yield database
    await database.close()


@pytest.fixture
async def postgres_first(postgres_server: str) -> AsyncIterator[Database]:
    """The first version's database on PostgreSQL."""
    await administer(postgres_server, "CREATE DATABASE first_version")
    database = await _first_version(f"{postgres_server}/first_version")
    yield database
    await database.close()
    await administer(postgres_server, "DROP DATABASE first_version WITH (FORCE)")


@pytest.fixture(params=KINDS)
def first_version(request: pytest.FixtureRequest) -> Database:
    """A database at revision 0001 with somebody's work in it, of each kind in turn."""
    found: Database = request.getfixturevalue(
        "sqlite_first" if request.param == "sqlite" else "postgres_first"
    )
    return found


async def _first_version(url: str) -> Database:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade_to, "0001")
        await connection.run_sync(_fill)
    await engine.dispose()
    return Database(url)


def _upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(casework.migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _fill(connection: Connection) -> None:
    """Rows by SQL, as the first version left them: one conversation of each owner, and an urgent one."""
    then = THEN if connection.dialect.name == "postgresql" else THEN.replace(tzinfo=None)
    known = MetaData()
    known.reflect(connection)

    def add(table: str, **values: Any) -> None:
        connection.execute(insert(known.tables[table]).values(**values))

    def sealed(text: str) -> bytes:
        return current_cipher().encrypt(text.encode())

    add("staff", id=1, login="xiaoli", display_name="李坐席", role="agent", active=True, created_at=then)
    add("staff", id=2, login="gone", display_name="王", role="admin", active=False, created_at=then)
    for number, owner in enumerate(OWNERS, start=1):
        add("members", id=f"m{number}", name=sealed("张三"), created_at=then)
        add(
            "conversations",
            id=f"c{number}",
            member_id=f"m{number}",
            channel="telegram" if number == 1 else "web",
            token_hash=None if number == 1 else f"hash{number}",
            owner=owner,
            epoch=number,
            staff_id=1 if owner == "human" else None,
            urgent=owner == "queued",
            urgent_reason="crisis.medical" if owner == "queued" else None,
            handoff_reason=None if owner == "bot" else "member_asked",
            queued_at=then if owner == "queued" else None,
            last_topic="labour.wage_arrears",
            created_at=then,
            last_message_at=then,
        )
        for index, author in enumerate(("member", "bot"), start=1):
            add(
                "messages",
                id=10 * number + index,
                conversation_id=f"c{number}",
                author=author,
                client_message_id="x1" if author == "member" else None,
                in_reply_to=10 * number + 1 if author == "bot" else None,
                epoch=0,
                text=sealed(f"{author}说的话"),
                handling="done" if author == "member" else "not_needed",
                attempts=1,
                created_at=then,
            )
    add(
        "cases",
        id="k1",
        number="JN-20260720-0001-0",
        case_type="labour_dispute",
        topic="labour.wage_arrears",
        topics=["labour.wage_arrears"],
        member_id="m1",
        conversation_id="c1",
        opened_by_message_id=11,
        state="accepted",
        urgent=False,
        anonymous=False,
        facts=sealed('{"employer":"示例公司"}'),
        urged_count=2,
        reopened_count=0,
        version=3,
        opened_at=then,
        updated_at=then,
    )
    add(
        "case_events",
        id=1,
        case_id="k1",
        deed="open",
        audience="member",
        author="member",
        to_state="accepted",
        text=sealed("登记"),
        created_at=then,
    )
    add("case_serials", day=date(2026, 7, 20), last=1)
    add(
        "audit_log",
        id=1,
        at=then,
        actor="bot",
        deed="case.opened",
        subject_kind="case",
        subject_id="k1",
        detail={"urgent": False},
    )
    if connection.dialect.name == "postgresql":
        for table in ("staff", "messages", "case_events", "audit_log"):
            # The first version gave these ids by itself; the next is a new one.
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
            )


def _rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by its columns."""
    known = MetaData()
    known.reflect(connection)
    return {
        table.name: [
            dict(row._mapping)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in known.sorted_tables
        if table.name != "alembic_version"
    }


async def test_every_row_of_the_first_version_is_kept_as_it_was(first_version: Database) -> None:
    async with first_version.engine.connect() as connection:
        before = await connection.run_sync(_rows)
    assert not await first_version.is_current()
    await first_version.upgrade()
    assert await first_version.is_current()
    async with first_version.engine.connect() as connection:
        after = await connection.run_sync(_rows)
    assert sum(map(len, before.values())) == 18
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0]} for row in after[table]] if rows else after[table]
        assert kept == rows, table
    new = set(after) - set(before)
    assert "handoffs" in new
    assert all(not after[table] for table in new), "nothing is made up"


async def test_what_is_new_has_its_quiet_value(first_version: Database) -> None:
    await first_version.upgrade()
    async with first_version.read() as session:
        for conversation in await session.scalars(select(Conversation)):
            assert (conversation.risks, conversation.for_supervisor) == ([], False)
            assert conversation.priority == (Priority.CRITICAL if conversation.urgent else Priority.NORMAL)
            assert conversation.blocked_until is None
            assert conversation.waiting_since == conversation.queued_at
        for message in await session.scalars(select(Message)):
            assert (message.audience, message.facts, message.accepted) == (Audience.MEMBER, None, None)
        for staff in await session.scalars(select(Staff)):
            assert (staff.presence, staff.password_hash, staff.totp_on) == (Presence.OFFLINE, None, False)
        case = (await session.scalars(select(Case))).one()
        assert (case.priority, case.checked, case.facts) == (Priority.NORMAL, [], {"employer": "示例公司"})


async def test_the_database_refuses_after_the_upgrade_what_the_desk_forbids(first_version: Database) -> None:
    await first_version.upgrade()

    async def a_bot_with_a_worker() -> None:
        async with first_version.transaction() as session:
            (await session.get_one(Conversation, "c1")).staff_id = 1

    async def a_wrap_up_without_a_time() -> None:
        async with first_version.transaction() as session:
            (await session.get_one(Conversation, "c3")).owner = Owner.WRAP_UP

    for wrong in (a_bot_with_a_worker, a_wrap_up_without_a_time):
        with pytest.raises(IntegrityError):
            await wrong()


async def test_the_desk_goes_on_where_the_first_version_stopped(first_version: Database) -> None:
    """Whoever was in the queue or with a human is watched over, answered and handed back."""
    await first_version.upgrade()
    rules, wording = load_desk_rules(KNOWLEDGE), Wording.load(KNOWLEDGE)
    now = THEN + timedelta(minutes=31)
    async with first_version.transaction() as session:
        assert await waiting.attention(session, now, rules) == ["c2"]
        assert await waiting.attend(session, "c2", now, rules, wording)
        assert (await session.scalars(select(Alert.kind))).all() == [AlertKind.BREACH]
        worker = await session.get_one(Staff, 1)
        queued = await session.get_one(Conversation, "c2")
        assert (await handoff.take_over(session, queued, worker, now, wording=wording)).staff_id == 1
        owned = await session.get_one(Conversation, "c3")
        assert (await handoff.hand_back(session, owned, worker, now, wording=wording)).owner is Owner.BOT
        said = await messages.transcript(session, "c3")
    assert [one.text for one in said[:2]] == ["member说的话", "bot说的话"]


async def test_two_processes_that_start_together_upgrade_once(first_version: Database) -> None:
    another = Database(first_version.url)
    await asyncio.gather(first_version.upgrade(), another.upgrade())
    assert await another.is_current()
    await another.close()
    async with first_version.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert "handoffs" in tables
