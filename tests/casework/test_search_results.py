"""What a search found, as a list shows it: masked, in order, at the cost of a few queries."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from casework import search
from casework.database import Database
from casework.errors import NotAllowed
from casework.search import Found
from casework.search_results import describe
from casework.tables import Author, Owner, StaffRole
from tests.factories import make_case, make_conversation, make_member, make_message, make_staff


async def test_what_was_found_is_shown_masked_in_the_order_it_was_found(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, display_name="王坐席")
        reader = await make_staff(session, role=StaffRole.AUDITOR)
        member = await make_member(session, name="赵铁柱", phone="13905310531")
        talk = await make_conversation(
            session, member, owner=Owner.HUMAN, staff_id=worker.id, last_message_at=now
        )
        for text in ("第一句", "欠薪的事打13905310531"):
            await search.index_message(session, await make_message(session, talk, text=text))
        await make_message(session, talk, text="机器人说的", author=Author.BOT)
        case = await make_case(
            session,
            talk,
            facts={"story": "欠薪三个月，电话13905310531", "person_name": "钱多多"},
            opened_at=now - timedelta(days=1),
        )
        await search.index_case(session, case)
    async with database.read() as session:
        results = await search.find(session, "欠薪", now)
        hits = await describe(session, results.found, reader)
    assert [(hit.kind, hit.id, hit.why) for hit in hits] == [
        ("conversation", talk.id, "text"),
        ("case", case.id, "text"),
    ]
    shown = repr(hits)
    for hidden in ("赵铁柱", "钱多多", "13905310531"):
        assert hidden not in shown
    first, second = hits
    assert (first.name, first.worker, first.owner, first.number) == ("赵**", "王坐席", Owner.HUMAN, None)
    assert first.gist.startswith("欠薪的事打")
    assert (second.name, second.number, second.state) == ("钱**", case.number, case.state)
    assert second.gist.startswith("欠薪三个月")


async def test_what_is_gone_by_now_is_left_out(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        reader = await make_staff(session)
        case = await make_case(session)
    found = [Found("conversation", "gone", now, "text"), Found("case", case.id, now, "number")]
    async with database.read() as session:
        assert [hit.id for hit in await describe(session, found, reader)] == [case.id]
        assert await describe(session, [], reader) == []


async def test_whoever_may_not_look_sees_no_results(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        gone = await make_staff(session, active=False)
    async with database.read() as session:
        with pytest.raises(NotAllowed):
            await describe(session, [], gone)
