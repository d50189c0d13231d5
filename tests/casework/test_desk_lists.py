from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from casework import desk_feed, desk_lists
from casework.database import Database
from casework.desk_find import quick_find
from casework.desk_lists import QueueQuery, QueueRow, Tab, queue_counts, queue_rows
from casework.errors import BadInput, NotFound
from casework.staff_talk import note, watch
from casework.tables import (
    Author,
    Channel,
    Conversation,
    Handling,
    Member,
    Owner,
    Presence,
    Priority,
    Staff,
    Team,
)
from tests.factories import make_conversation, make_member, make_message, make_staff

MINUTE = timedelta(minutes=1)


async def rows_of(
    database: Database, staff: Staff, now: datetime, tab: Tab = Tab.WAITING, **wanted: object
) -> list[QueueRow]:
    async with database.read() as session:
        return await queue_rows(session, QueueQuery.read({"tab": tab, **wanted}), staff, now)


async def queued(session: AsyncSession, now: datetime, minutes: int, **values: object) -> Conversation:
    since = now - minutes * MINUTE
    owner = {"owner": Owner.QUEUED, "queued_at": since, "waiting_since": since, "last_message_at": since}
    return await make_conversation(session, **owner | values)


async def test_the_most_pressing_stands_first_and_then_who_waits_longest(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        new = await queued(session, now, 1)
        old = await queued(session, now, 50)
        high = await queued(session, now, 2, priority=Priority.HIGH.value)
        critical = await queued(session, now, 1, priority=Priority.CRITICAL.value, risks=["injury"])
    rows = await rows_of(database, staff, now)
    assert [row.id for row in rows] == [critical.id, high.id, old.id, new.id]
    assert rows[0].risks == ("injury",)
    assert rows[0].priority is Priority.CRITICAL


async def test_a_row_shows_the_members_latest_words_masked_and_cut(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        member = await make_member(session, name="张大山")
        talk = await queued(session, now, 5)
        talk.member_id = member.id
        await make_message(session, talk, text="早先说的")
        await make_message(session, talk, text="我电话13812345678，" + "工钱没给" * 20)
        await make_message(session, talk, text="请稍等", author=Author.BOT, handling=Handling.NOT_NEEDED)
    (row,) = await rows_of(database, staff, now)
    assert row.name == "张**"
    assert "13812345678" not in row.said
    assert row.said.startswith("我电话")
    assert len(row.said) == desk_lists.FIRST_WORDS
    assert row.last_author is Author.BOT


async def test_a_phone_at_the_edge_of_the_cut_does_not_slip_through(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        talk = await queued(session, now, 5)
        await make_message(session, talk, text="欠" * 30 + "13812345678")
    (row,) = await rows_of(database, staff, now)
    assert "1381" not in row.said


async def test_each_tab_holds_what_it_says_and_its_count_agrees(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        team = Team(name="劳动争议组", topics=[], created_at=now)
        session.add(team)
        await session.flush()
        me = await make_staff(session, team_id=team.id)
        other = await make_staff(session)
        waiting = await queued(session, now, 4)
        for_team = await queued(session, now, 3, team_id=team.id)
        for_me = await queued(session, now, 2, reserved_for_id=me.id)
        mine = await make_conversation(session, owner=Owner.HUMAN, staff_id=me.id)
        wrapping = await make_conversation(session, owner=Owner.WRAP_UP, staff_id=me.id, wrap_up_at=now)
        theirs = await make_conversation(session, owner=Owner.HUMAN, staff_id=other.id, team_id=team.id)
        urgent = await make_conversation(session, priority=Priority.HIGH.value, last_message_at=now)
        old_urgent = await make_conversation(
            session, priority=Priority.HIGH.value, last_message_at=now - timedelta(days=2)
        )
        await make_conversation(session, last_message_at=now)
        await make_conversation(session, team_id=team.id)
    wanted = {
        Tab.WAITING: {waiting.id, for_team.id, for_me.id},
        Tab.MINE: {for_me.id, mine.id, wrapping.id},
        Tab.TEAM: {for_team.id, theirs.id},
        Tab.ALL: {waiting.id, for_team.id, for_me.id, mine.id, wrapping.id, theirs.id, urgent.id},
    }
    assert old_urgent.id not in wanted[Tab.ALL]
    for tab, ids in wanted.items():
        assert {row.id for row in await rows_of(database, me, now, tab)} == ids, tab
    async with database.read() as session:
        assert await queue_counts(session, me, now) == {tab: len(ids) for tab, ids in wanted.items()}
        assert (await queue_counts(session, other, now))[Tab.TEAM] == 0


async def test_a_conversation_merely_looked_at_counts_nowhere(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        talk = await make_conversation(session)
        await watch(session, staff, talk.id, now)
    async with database.read() as session:
        assert [one.id for one in await desk_feed.stamps(session, now)] == [talk.id]
        assert set((await queue_counts(session, staff, now)).values()) == {0}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"topic": "labour.wage_arrears"}, {"a"}),
        ({"topic": "labour."}, {"a", "b"}),
        ({"district": "历下区"}, {"b"}),
        ({"channel": "telegram"}, {"c"}),
        ({"priority": "1"}, {"b", "c"}),
        ({"priority": "0"}, {"c"}),
        ({"topic": "labour.", "priority": "1"}, {"b"}),
    ],
)
async def test_filters_narrow_the_queue(
    database: Database, now: datetime, wanted: dict[str, str], found: set[str]
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        names = {
            (await queued(session, now, 1, last_topic="labour.wage_arrears")).id: "a",
            (
                await queued(session, now, 1, last_topic="labour.contract", district="历下区", priority=1)
            ).id: "b",
            (await queued(session, now, 1, channel=Channel.TELEGRAM, priority=0)).id: "c",
        }
    assert {names[row.id] for row in await rows_of(database, staff, now, **wanted)} == found


@pytest.mark.parametrize(
    "values",
    [{"tab": "nobody"}, {"channel": "fax"}, {"priority": "9"}, {"priority": "x"}, {"topic": "x" * 61}],
)
def test_a_question_that_is_none_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        QueueQuery.read(values)


def test_a_question_survives_being_written_down() -> None:
    query = QueueQuery(
        Tab.ALL, topic="heat.", district="章丘区", channel=Channel.WEB, priority=Priority.CRITICAL
    )
    assert QueueQuery.read(query.values()) == query


async def test_what_was_put_aside_stands_last_until_its_time(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        later = now + timedelta(hours=1)
        aside = await make_conversation(
            session, owner=Owner.HUMAN, staff_id=staff.id, priority=0, snoozed_until=later
        )
        open_ = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id)
    rows = await rows_of(database, staff, now, Tab.MINE)
    assert [row.id for row in rows] == [open_.id, aside.id]
    assert rows[1].snoozed_until == later
    rows = await rows_of(database, staff, later + MINUTE, Tab.MINE)
    assert [row.id for row in rows] == [aside.id, open_.id]
    assert rows[0].snoozed_until is None


async def test_the_owner_of_an_unanswered_conversation_sees_it_unread(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        asked = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id, waiting_since=now)
        answered = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id)
    unread = {row.id: row.unread for row in await rows_of(database, staff, now, Tab.MINE)}
    assert unread == {asked.id: True, answered.id: False}


async def test_the_queue_costs_two_queries_however_long_it_is(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        for minutes in range(30):
            await make_message(session, await queued(session, now, minutes))
    asked: list[str] = []
    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert len(await rows_of(database, staff, now)) == 30
    assert len([one for one in asked if one.lstrip().upper().startswith("SELECT")]) == 2


async def test_closed_conversations_are_never_scanned(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        team = Team(name="劳动争议组", topics=[], created_at=now)
        session.add(team)
        await session.flush()
        staff = await make_staff(session, team_id=team.id)
        member = await make_member(session)
        session.add_all(
            [
                Conversation(member_id=member.id, channel=Channel.WEB, created_at=now, last_message_at=now)
                for _ in range(3000)
            ]
        )
        await queued(session, now, 1)
    if database.engine.dialect.name == "postgresql":
        async with database.transaction() as session:
            await session.execute(text("ANALYZE"))
    for tab in Tab:
        plan = await explained(database, staff, now, tab)
        assert "scan conversations" not in plan.replace("scan conversations using", ""), (tab, plan)
        assert "seq scan on conversations" not in plan, (tab, plan)


async def explained(database: Database, staff: Staff, now: datetime, tab: Tab) -> str:
    """The plan of a tab's first query."""
    asked: list[tuple[str, object]] = []
    engine = database._reader.sync_engine

    def note_statement(_c: object, _cu: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note_statement)
    await rows_of(database, staff, now, tab)
    event.remove(engine, "before_cursor_execute", note_statement)
    statement, parameters = next(one for one in asked if one[0].lstrip().upper().startswith("SELECT"))
    explain = "EXPLAIN " if database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    async with database.engine.connect() as connection:
        result = await connection.exec_driver_sql(explain + statement, parameters)  # type: ignore[arg-type]
        return "\n".join(" ".join(str(cell) for cell in row) for row in result).lower()


async def test_a_note_among_staff_moves_a_stamp(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        talk = await queued(session, now, 1)
    async with database.read() as session:
        (before,) = await desk_feed.stamps(session, now)
    async with database.transaction() as session:
        said = await note(session, talk.id, staff, "先核实单位", now)
    async with database.read() as session:
        (after,) = await desk_feed.stamps(session, now)
    assert (before.message_id, after.message_id, after.author) == (0, said.id, Author.STAFF)


async def test_a_filter_is_kept_replaced_by_its_name_and_forgotten(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff, other = await make_staff(session), await make_staff(session)
        await desk_lists.save_filter(session, staff, " 章丘  欠薪 ", QueueQuery(district="章丘区"), now)
        again = await desk_lists.save_filter(session, staff, "章丘 欠薪", QueueQuery(Tab.ALL), now)
        kept = await desk_lists.list_filters(session, staff)
        assert [(one.id, one.name, one.query) for one in kept] == [(again.id, "章丘 欠薪", {"tab": "all"})]
        with pytest.raises(NotFound):
            await desk_lists.delete_filter(session, other, again.id)
        await desk_lists.delete_filter(session, staff, again.id)
        assert await desk_lists.list_filters(session, staff) == []


async def test_a_filter_without_a_name_and_a_twenty_first_are_refused(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        for name in ("  ", "长" * 31):
            with pytest.raises(BadInput):
                await desk_lists.save_filter(session, staff, name, QueueQuery(), now)
        for number in range(desk_lists.MAX_FILTERS):
            await desk_lists.save_filter(session, staff, f"第 {number}", QueueQuery(), now)
        with pytest.raises(BadInput):
            await desk_lists.save_filter(session, staff, "多出来的", QueueQuery(), now)


async def test_presence_is_kept_with_when_it_was_heard(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        await desk_feed.set_presence(session, staff.id, Presence.AWAY, now)
    async with database.read() as session:
        (found,) = await desk_feed.people(session)
        assert (found.presence, found.seen_at) == (Presence.AWAY, now)


async def test_the_palette_finds_a_conversation_by_the_beginning_of_its_id(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        talk = await queued(session, now, 1)
        (await session.get_one(Member, talk.member_id)).name = "张大山"
    async with database.read() as session:
        found = await quick_find(session, talk.id[:8].upper(), now)
        assert [(one.kind, one.id, one.name, one.why) for one in found] == [
            ("conversation", talk.id, "张**", "id")
        ]
        assert await quick_find(session, "一", now) == []
