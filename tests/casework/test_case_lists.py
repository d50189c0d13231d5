"""Case lists: the right cases in the right order, page by page, masked, and along an index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_lists
from casework.case_lists import (
    EXPORT_COLUMNS,
    OPERATOR,
    CaseQuery,
    Order,
    counts,
    every_row,
    export_rows,
    list_cases,
)
from casework.case_numbers import format_number
from casework.clock import shanghai_day
from casework.columns import EncryptedJSON
from casework.database import Database
from casework.errors import BadInput, NotAllowed
from casework.spreadsheet import csv_safe
from casework.tables import AuditEntry, CaseState, Priority, StaffRole, Team
from tests.factories import make_case, make_member, make_staff


async def numbers(session: AsyncSession, now: datetime, staff: Any = OPERATOR, **query: Any) -> list[str]:
    page = await list_cases(session, CaseQuery(**query), staff, now)
    return [row.number for row in page.rows]


async def test_the_most_pressing_open_cases_come_first_and_then_the_oldest(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        late = await make_case(session, opened_at=now)
        early = await make_case(session, opened_at=now - timedelta(days=1))
        high = await make_case(session, opened_at=now, priority=Priority.HIGH.value)
        critical = await make_case(session, opened_at=now, priority=Priority.CRITICAL.value)
        closed = await make_case(session, closed_at=now, state=CaseState.RESOLVED)
    async with database.read() as session:
        assert await numbers(session, now) == [each.number for each in (critical, high, early, late)]
        assert (await numbers(session, now, open_only=False, state=CaseState.RESOLVED)) == [closed.number]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("open_only", [True, False])
async def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    database: Database, now: datetime, order: Order, open_only: bool
) -> None:
    """Equal moments, equal priorities and missing deadlines are where a page could slip."""
    async with database.transaction() as session:
        for index in range(23):
            await make_case(
                session,
                opened_at=now - timedelta(hours=index // 5),
                priority=index % 3,
                due_at=None if index % 4 == 0 else now + timedelta(hours=index % 3),
                closed_at=now if index % 6 == 5 else None,
            )
    async with database.read() as session:
        query = CaseQuery(order=order, open_only=open_only)
        whole = [row.id for row in (await list_cases(session, query, OPERATOR, now, 100)).rows]
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(30):
            step = CaseQuery(order=order, open_only=open_only, cursor=cursor)
            page = await list_cases(session, step, OPERATOR, now, 4)
            seen += [row.id for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == whole
        assert len(set(whole)) == (20 if open_only else 23)


async def test_every_filter_keeps_what_it_says(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        team = Team(name="欠薪组", created_at=now)
        session.add(team)
        await session.flush()
        day = shanghai_day(now)
        common: dict[str, Any] = {"opened_at": now - timedelta(hours=1)}
        await make_case(session, number=format_number(day, 1), **common)
        wanted: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
            "mine": ({"mine": True}, {"staff_id": staff.id}),
            "team": ({"team_id": team.id}, {"team_id": team.id}),
            "topic": ({"topic": "heat.report"}, {"topic": "heat.report"}),
            "type": ({"case_type": "heat_report"}, {"case_type": "heat_report"}),
            "district": ({"district": "历下区"}, {"district": "历下区"}),
            "priority": ({"priority": Priority.CRITICAL}, {"priority": 0}),
            "state": ({"state": CaseState.RETURNED}, {"state": CaseState.RETURNED}),
            "overdue": ({"overdue": True}, {"due_at": now - timedelta(minutes=1)}),
            "supervised": ({"supervised": True}, {"supervised_at": now}),
            "tail": ({"number_tail": "0077-" + format_number(day, 77)[-1]}, {}),
            "from": ({"opened_from": now}, {"opened_at": now}),
            "to": ({"opened_to": now - timedelta(days=1)}, {"opened_at": now - timedelta(days=2)}),
            "due": (
                {"due_from": now + timedelta(days=5), "due_to": now + timedelta(days=6)},
                {"due_at": now + timedelta(days=5)},
            ),
            "closed": (
                {"closed_only": True, "open_only": False},
                {"closed_at": now, "state": CaseState.RESOLVED},
            ),
        }
        for serial, (_, values) in enumerate(wanted.values(), start=68):
            await make_case(session, number=format_number(day, serial), **common | values)
        await make_case(
            session,
            number=format_number(day, 99),
            due_at=now - timedelta(days=1),
            waiting_for_member_since=now,
            **common,
        )
    async with database.read() as session:
        for serial, (name, (query, _)) in enumerate(wanted.items(), start=68):
            assert await numbers(session, now, staff, **query) == [format_number(day, serial)], name
        assert format_number(day, 68) not in await numbers(session, now, staff, unassigned=True)


@pytest.mark.parametrize("tail", ["", "abc", "12345678901234", "%", "１２"])
async def test_a_tail_that_is_no_number_is_refused(
    sqlite_database: Database, now: datetime, tail: str
) -> None:
    async with sqlite_database.read() as session:
        with pytest.raises(BadInput):
            await numbers(session, now, number_tail=tail)


@pytest.mark.parametrize(
    "cursor", ["x", "W10=", "WyJuZXdlc3QiXQ==", "WyJwcmVzc2luZyIsICJ4IiwgInkiLCAieiJd", "é", "bnVsbA=="]
)
async def test_a_cursor_from_elsewhere_is_refused(
    sqlite_database: Database, now: datetime, cursor: str
) -> None:
    async with sqlite_database.read() as session:
        with pytest.raises(BadInput):
            await numbers(session, now, cursor=cursor)


async def test_a_list_is_masked_for_everybody(database: Database, now: datetime) -> None:
    facts = {
        "person_name": "王建国",
        "phone": "13800001234",
        "story": "老板欠我钱，打 13900001111 找他。" + "长" * 100,
    }
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR, display_name="李班长")
        await make_case(session, facts=facts, staff_id=boss.id, summary="称呼：王建国")
    async with database.read() as session:
        (row,) = (await list_cases(session, CaseQuery(), boss, now)).rows
        assert (row.name, row.phone, row.staff_name) == ("王**", "138****1234", "李班长")
        assert "13900001111" not in row.gist
        assert len(row.gist) == case_lists.GIST + 1
        assert "王建国" not in repr(row)


async def test_who_may_not_look_sees_no_list(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        gone = await make_staff(session, active=False)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        with pytest.raises(NotAllowed):
            await list_cases(session, CaseQuery(), gone, now)
        with pytest.raises(NotAllowed):
            await list_cases(session, CaseQuery(), None, now)  # type: ignore[arg-type]  # fails closed
        assert (await list_cases(session, CaseQuery(), auditor, now)).rows == []
        for staff in (auditor, await make_staff(session)):
            with pytest.raises(NotAllowed):
                await collect(export_rows(session, CaseQuery(), staff, now))


async def test_the_tabs_count_open_cases(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        team = Team(name="欠薪组", created_at=now)
        session.add(team)
        await session.flush()
        staff = await make_staff(session, team_id=team.id)
        late = now - timedelta(minutes=1)
        await make_case(session, staff_id=staff.id, priority=0, due_at=late)
        await make_case(session, staff_id=staff.id, closed_at=now, priority=0, due_at=late, supervised_at=now)
        await make_case(session, team_id=team.id, supervised_at=now)
        await make_case(session, due_at=late, waiting_for_member_since=late)
    async with database.read() as session:
        found = await counts(session, staff, now)
        assert found == case_lists.CaseCounts(
            all=3, mine=1, team=1, unassigned=1, pressing=1, overdue=1, supervised=1, due_today=1
        )


async def test_an_export_is_masked_audited_and_complete(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_lists, "MAX_PAGE", 3)
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        cases = [
            await make_case(session, opened_at=now - timedelta(hours=index), due_at=now, rating=None)
            for index in range(7)
        ]
        cases[0].facts = {"person_name": "王建国", "phone": "13800001234", "story": "=1+1"}
    async with database.transaction() as session:
        rows = await collect(export_rows(session, CaseQuery(order=Order.NEWEST), boss, now))
    assert [row["number"] for row in rows] == [case.number for case in cases]
    assert tuple(rows[0]) == EXPORT_COLUMNS
    assert (rows[0]["name"], rows[0]["phone"], rows[0]["due_at"]) == (
        "王**",
        "138****1234",
        "2026-07-20 09:30",
    )
    assert (rows[0]["priority"], rows[0]["state"], rows[0]["overdue"]) == ("normal", "accepted", "0")
    async with database.read() as session:
        (entry,) = await session.scalars(select(AuditEntry).where(AuditEntry.deed == "cases.exported"))
        assert (entry.actor, entry.detail) == (f"staff:{boss.login}", {"rows": 7})


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert csv_safe(cell) == f"'{cell}"
    assert csv_safe("王=1") == "王=1"
    assert csv_safe("") == ""


async def collect(rows: AsyncIterator[dict[str, str]]) -> list[dict[str, str]]:
    return [row async for row in rows]


@pytest.mark.postgres
async def test_the_default_list_goes_along_an_index_with_a_hundred_thousand_cases(
    postgres_database: Database, now: datetime
) -> None:
    """A twentieth of them open: neither the first page nor the hundredth reads or sorts them all."""
    database = postgres_database
    async with database.transaction() as session:
        member = await make_member(session)
        staff = await make_staff(session)
        await session.execute(
            HUNDRED_THOUSAND, {"member": member.id, "facts": {"story": "长" * 200}, "now": now}
        )
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text("ANALYZE cases")
        )
    async with database.read() as session:
        first = await list_cases(session, CaseQuery(), staff, now)
        assert len(first.rows) == 50
        deep = first
        for _ in range(20):
            deep = await list_cases(session, CaseQuery(cursor=deep.next_cursor), staff, now)
        for query in (CaseQuery(), CaseQuery(cursor=deep.next_cursor)):
            plan = await explain(session, query, now)
            assert "ix_cases_open" in plan, plan
            assert "Seq Scan on cases" not in plan, plan
            assert plan.count("Sort  (") == plan.count("Incremental Sort  ("), plan
        newest = await explain(session, CaseQuery(open_only=False), now)
        assert "ix_cases_opened_at" in newest, newest
        assert "ix_cases_staff_id_closed_at" in await explain(session, CaseQuery(mine=True), now, staff)
        assert (await counts(session, staff, now)).all == 5000


HUNDRED_THOUSAND = text(
    """
    INSERT INTO cases (id, number, case_type, topic, topics, member_id, state, urgent, anonymous, facts,
                       urged_count, reopened_count, priority, risks, checked, version,
                       opened_at, updated_at, closed_at)
    SELECT lpad(to_hex(n), 32, '0'), 'N' || n, 'labour_dispute', 'labour.wage_arrears', '[]', :member,
           CASE WHEN n % 20 = 0 THEN 'accepted' ELSE 'archived' END, false, true, :facts,
           0, 0, n % 3, '[]', '[]', 1,
           moment, moment, CASE WHEN n % 20 = 0 THEN NULL ELSE CAST(:now AS timestamptz) END
    FROM generate_series(1, 100000) AS n, LATERAL (
        SELECT CAST(:now AS timestamptz) - n * interval '1 minute' AS moment
    ) AS opened
    """
).bindparams(bindparam("facts", type_=EncryptedJSON()))


async def explain(session: AsyncSession, query: CaseQuery, now: datetime, staff: Any = OPERATOR) -> str:
    statement = case_lists.page_statement(query, staff, now, 50)
    compiled = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    return "\n".join(await session.scalars(text(f"EXPLAIN {str(compiled).replace(':', chr(92) + ':')}")))


async def test_every_row_goes_through_all_pages(
    sqlite_database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_lists, "MAX_PAGE", 2)
    async with sqlite_database.transaction() as session:
        made = [await make_case(session) for _ in range(5)]
        rows = [row async for row in every_row(session, CaseQuery(), OPERATOR, now)]
    assert sorted(row.id for row in rows) == sorted(case.id for case in made)


async def test_the_deadlines_of_one_day_are_those_of_the_day_in_shanghai(
    database: Database, now: datetime
) -> None:
    start, end = case_lists.day_of(now)
    assert (start.isoformat(), end.isoformat()) == ("2026-07-20T00:00:00+08:00", "2026-07-21T00:00:00+08:00")
    async with database.transaction() as session:
        first = await make_case(session, due_at=start)
        last = await make_case(session, due_at=end - timedelta(minutes=1))
        await make_case(session, due_at=end)
        await make_case(session, due_at=start - timedelta(minutes=1))
        await make_case(session, due_at=start, waiting_for_member_since=now)
        await make_case(session, due_at=start, closed_at=now, state=CaseState.RESOLVED)
        await make_case(session)
        staff = await make_staff(session)
    async with database.read() as session:
        found = await numbers(session, now, due_from=start, due_to=end, order=Order.DUE)
        assert found == [first.number, last.number]
        assert (await counts(session, staff, now)).due_today == 2


async def test_a_case_that_a_team_has_waits_for_nobody_to_give_it_away(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        team = Team(name="欠薪组", created_at=now)
        session.add(team)
        await session.flush()
        await make_case(session, team_id=team.id, state=CaseState.ASSIGNED)
        free = await make_case(session)
    async with database.read() as session:
        assert await numbers(session, now, unassigned=True) == [free.number]
