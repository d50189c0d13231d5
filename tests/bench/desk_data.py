"""A hotline of any size for benchmarks: staff, members, cases and open conversations, findable by search.

``fill`` writes past the rules, in bulk, what the rules would have written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_numbers import format_number
from casework.clock import shanghai_day
from casework.database import Database
from casework.search_index import (
    WHO_IS_HEARD,
    terms_of_case,
    terms_of_event,
    terms_of_member,
    terms_of_message,
)
from casework.search_terms import Kind, mark
from casework.tables import (
    Audience,
    Author,
    Base,
    Case,
    CaseEvent,
    CaseState,
    Channel,
    Conversation,
    Handling,
    Handoff,
    Member,
    Message,
    Owner,
    Staff,
    StaffRole,
    Team,
)
from tests.bench.desk_words import ANSWERS, DISTRICTS, TOPICS, a_firm, a_name, a_phone, a_sentence, a_summary

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAYS = 400
"""How far back the oldest case lies."""
SHARE_OPEN = 0.03
Row = dict[str, Any]
_CHUNK = 2_000
_STATES_OPEN = (CaseState.ACCEPTED, CaseState.ASSIGNED, CaseState.IN_PROGRESS, CaseState.RETURNED)
_STATES_CLOSED = (CaseState.RESOLVED, CaseState.FOLLOWED_UP, CaseState.ARCHIVED, CaseState.WITHDRAWN)


async def fill(
    database: Database, cases: int, conversations: int, staff: int, seed: int, *, now: datetime = NOW
) -> None:
    """Fill a migrated, empty database; the same seed gives the same hotline, save for encryption's nonces.

    ``conversations`` are open (queue, humans, some with the bot) with 6 to 30 messages each; staff have the
    logins bench0, bench1 … and no password; the first is a supervisor.
    """
    random = Random(seed)  # noqa: S311  # made-up people, not keys
    async with database.transaction() as session:
        await _without_index(session)
        await _write(session, Team, [{"id": 1, "name": "示例一组", "topics": [], "created_at": now}])
        await _write(session, Staff, [_worker(n, now) for n in range(staff)])
        index: list[tuple[int, str, str]] = []
        given: Counter[Any] = Counter()
        for start in range(0, cases, _CHUNK):
            moments = [
                now - timedelta(days=DAYS) * (1 - n / cases) for n in range(start, min(start + _CHUNK, cases))
            ]
            made = [_case(random, given, moment, staff, now) for moment in moments]
            await _write(session, Member, [each[0] for each in made])
            await _write(session, Case, [each[1] for each in made])
            await _write(session, CaseEvent, [event for each in made for event in each[2]])
            for member, case, events in made:
                index += _lines(Kind.MEMBER, member["id"], terms_of_member(member["name"], member["phone"]))
                words = terms_of_case(case["number"], case["summary"], case["facts"])
                words = words.union(*(terms_of_event(event["text"]) for event in events))
                index += _lines(Kind.CASE, case["id"], words)
            await _write_index(session, index)
        await _talk(session, random, conversations, staff, now)
        await _with_index(session)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE"))


def _worker(n: int, now: datetime) -> Row:
    return {
        "id": n + 1,
        "login": f"bench{n}",
        "display_name": f"示例坐席{n}",
        "badge": f"{n + 1:03d}",
        "role": StaffRole.AGENT if n else StaffRole.SUPERVISOR,
        "team_id": 1,
        "created_at": now,
    }


def _member(random: Random, moment: datetime) -> Row:
    return {
        "id": f"{random.getrandbits(128):032x}",
        "name": a_name(random),
        "phone": a_phone(random),
        "created_at": moment,
    }


def _case(
    random: Random, given: Counter[Any], moment: datetime, staff: int, now: datetime
) -> tuple[Row, Row, list[Row]]:
    """A member, their case, and its thread."""
    member = _member(random, moment)
    topic = random.choice(list(TOPICS))
    firm, district = a_firm(random), random.choice(DISTRICTS)
    day = shanghai_day(moment)
    given[day] += 1
    # The newest are the ones still open, as it is on a hotline.
    is_open = (now - moment).days < DAYS * 0.2 and random.random() < SHARE_OPEN * 5
    state = random.choice(_STATES_OPEN if is_open else _STATES_CLOSED)
    closed_at = None if is_open else min(now, moment + timedelta(hours=random.randint(5, 200)))
    nobody = state in (CaseState.ACCEPTED, CaseState.RETURNED) or not staff
    summary = a_summary(random, topic, firm, district)
    case = {
        "id": f"{random.getrandbits(128):032x}",
        "number": format_number(day, given[day]),
        "case_type": TOPICS[topic][0],
        "topic": topic,
        "topics": [topic],
        "member_id": member["id"],
        "state": state,
        "urgent": random.random() < 0.05,
        "district": district,
        "summary": summary,
        "facts": {"person_name": member["name"], "phone": member["phone"], "employer": firm},
        "staff_id": None if nobody else random.randint(1, staff),
        "priority": random.choices((0, 1, 2), (2, 13, 85))[0],
        "due_at": moment + timedelta(days=random.randint(3, 30)),
        "rating": None if is_open else random.choice((None, None, 3, 4, 5)),
        "opened_at": moment,
        "updated_at": closed_at or moment,
        "closed_at": closed_at,
    }
    thread = [_event(case["id"], "accept", None, moment)]
    if closed_at is not None:
        thread.append(_event(case["id"], "resolve", random.choice(ANSWERS), closed_at))
    return member, case, thread


def _event(case_id: str, deed: str, said: str | None, moment: datetime) -> Row:
    return {
        "case_id": case_id,
        "deed": deed,
        "audience": Audience.MEMBER,
        "author": Author.SYSTEM,
        "text": said,
        "created_at": moment,
    }


async def _talk(session: AsyncSession, random: Random, count: int, staff: int, now: datetime) -> None:
    """Open conversations: half in the queue, most of the others with a human."""
    index: list[tuple[int, str, str]] = []
    members, threads, said, handoffs = [], [], [], []
    for n in range(count):
        begun = now - timedelta(minutes=random.randint(2, 180))
        member = _member(random, begun)
        owner = (Owner.QUEUED, Owner.HUMAN, Owner.QUEUED, Owner.BOT if n % 8 == 3 else Owner.HUMAN)[n % 4]
        worker = n % staff + 1 if owner is Owner.HUMAN else None
        topic = random.choice(list(TOPICS))
        thread = {
            "id": f"{random.getrandbits(128):032x}",
            "member_id": member["id"],
            "channel": Channel.WEB,
            "owner": owner,
            "epoch": 0 if owner is Owner.BOT else 1,
            "staff_id": worker,
            "queued_at": None if owner is Owner.BOT else begun,
            "waiting_since": begun if owner is Owner.QUEUED else None,
            "priority": random.choices((0, 1, 2), (3, 17, 80))[0],
            "district": random.choice(DISTRICTS),
            "last_topic": topic,
            "created_at": begun,
            "last_message_at": now - timedelta(seconds=random.randint(0, 100)),
        }
        members.append(member)
        threads.append(thread)
        index += _lines(Kind.MEMBER, member["id"], terms_of_member(member["name"], member["phone"]))
        index += _lines(Kind.CONVERSATION, thread["id"], {mark(Kind.CONVERSATION)})
        for turn in range(random.randint(3, 15)):
            words = (
                a_summary(random, topic, a_firm(random), thread["district"])
                if turn == 0
                else a_sentence(random)
            )
            spoken = _turn(random, thread, turn, words, begun + timedelta(seconds=20 * turn))
            for message in spoken:
                if message["author"] in WHO_IS_HEARD:
                    index += _lines(Kind.CONVERSATION, thread["id"], terms_of_message(message["text"]))
            said += spoken
        if owner is not Owner.BOT:
            handoffs.append(_handoff(thread, begun))
    await _write(session, Member, members)
    await _write(session, Conversation, threads)
    await _write(session, Message, said)
    await _write(session, Handoff, handoffs)
    await _write_index(session, index)


def _turn(random: Random, thread: Row, turn: int, words: str, moment: datetime) -> list[Row]:
    """What a member said, and what was answered."""
    common = {"conversation_id": thread["id"], "epoch": thread["epoch"], "created_at": moment}
    asked = {"author": Author.MEMBER, "client_message_id": f"bench-{turn}", "text": words}
    worker = thread["staff_id"] if turn else None
    answer = {
        "author": Author.BOT if worker is None else Author.STAFF,
        "staff_id": worker,
        "text": random.choice(ANSWERS),
    }
    blank = {"client_message_id": None, "staff_id": None, "handling": Handling.NOT_NEEDED}
    return [blank | common | asked | {"handling": Handling.DONE}, blank | common | answer]


def _handoff(thread: Row, moment: datetime) -> Row:
    taken = None if thread["staff_id"] is None else moment + timedelta(minutes=1)
    return {
        "conversation_id": thread["id"],
        "channel": thread["channel"],
        "reason": "member_asked",
        "topic": thread["last_topic"],
        "district": thread["district"],
        "priority": thread["priority"],
        "staff_id": thread["staff_id"],
        "queued_at": moment,
        "taken_at": taken,
        "first_reply_at": taken,
    }


# ---- writing in bulk


async def _write(session: AsyncSession, table: type[Base], rows: list[Row]) -> None:
    if rows:
        await session.execute(insert(cast(Table, table.__table__)), rows)


def _lines(kind: Kind, ref: str, words: Iterable[int]) -> Iterator[tuple[int, str, str]]:
    return ((word, kind.value, ref) for word in words)


async def _write_index(session: AsyncSession, rows: list[tuple[int, str, str]]) -> None:
    """Write search terms (each once) and empty the list."""
    connection = await session.connection()
    unique = sorted(set(rows))
    rows.clear()
    raw = await connection.get_raw_connection()
    if connection.dialect.name == "postgresql":
        driver = cast(Any, raw.driver_connection)
        await driver.copy_records_to_table("search_terms", records=unique, columns=["term", "kind", "ref"])
    else:
        await connection.exec_driver_sql(
            "INSERT INTO search_terms (term, kind, ref) VALUES (?, ?, ?)", unique
        )


async def _without_index(session: AsyncSession) -> None:
    """On PostgreSQL the indexes of the search are built at the end, which is several times as fast."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("ALTER TABLE search_terms DROP CONSTRAINT pk_search_terms")
        await connection.exec_driver_sql("DROP INDEX ix_search_terms_ref")


async def _with_index(session: AsyncSession) -> None:
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(
            "ALTER TABLE search_terms ADD CONSTRAINT pk_search_terms PRIMARY KEY (term, kind, ref)"
        )
        await connection.exec_driver_sql("CREATE INDEX ix_search_terms_ref ON search_terms (kind, ref)")
        for table, key in (("staff", "id"), ("teams", "id")):
            await connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), (SELECT max({key}) FROM {table}))"  # noqa: S608
            )
