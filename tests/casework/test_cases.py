"""Cases: opened once, owned by one member, told to the member, and worked on by staff."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_work, cases
from casework.case_life import Actor
from casework.case_numbers import format_number
from casework.cases import NewCase, UrgedRecently
from casework.clock import shanghai_day
from casework.database import Database
from casework.errors import BadCaseNumber, BadInput, NotFound, TransitionRefused
from casework.tables import (
    Audience,
    Author,
    Case,
    CaseEvent,
    CaseState,
    Conversation,
    Message,
)
from casework.wording import Wording
from tests.factories import make_case, make_conversation, make_member, make_message, make_staff

WORDING = Wording.load(Path(__file__).parents[2] / "data" / "knowledge")


def new_case(conversation: Conversation, **values: Any) -> NewCase:
    defaults: dict[str, Any] = {
        "case_type": "labour_dispute",
        "topic": "labour.wage_arrears",
        "member_id": conversation.member_id,
        "conversation_id": conversation.id,
        "facts": {"story": "三个月没发工资", "district": "历下区", "months_owed": "3"},
    }
    return NewCase(**defaults | values)


async def said_in(session: AsyncSession, conversation_id: str | None) -> list[Message]:
    found = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.author == Author.SYSTEM)
        .order_by(Message.id)
    )
    return list(found)


# ---- opening


async def test_a_case_is_opened_with_a_number_of_the_day(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await make_message(session)
        conversation = await session.get_one(Conversation, message.conversation_id)
        opened = await cases.open_case(
            session, new_case(conversation, message_id=message.id, topics=("labour.overtime",)), now
        )
        case_id = opened.id
    async with database.read() as session:
        case = await session.get_one(Case, case_id)
        assert case.number == format_number(shanghai_day(now), 1)
        assert case.state is CaseState.ACCEPTED
        assert case.topics == ["labour.wage_arrears", "labour.overtime"]
        assert (case.district, case.anonymous, case.closed_at) == ("历下区", True, None)
        assert case.facts == {"story": "三个月没发工资", "district": "历下区", "months_owed": "3"}
        (event,) = await cases.progress(session, case)
        assert (event.deed, event.from_state, event.to_state) == ("accept", None, "accepted")
        assert (event.author, event.message_id) == (Author.MEMBER, message.id)


async def test_the_same_message_opens_one_case_however_often_it_is_handled(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        message = await make_message(session)
        conversation = await session.get_one(Conversation, message.conversation_id)
    new = new_case(conversation, message_id=message.id)

    async def once() -> str:
        async with database.transaction() as session:
            return (await cases.open_case(session, new, now)).number

    assert len(set(await asyncio.gather(*(once() for _ in range(5))))) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Case)) == 1
        assert await session.scalar(select(func.count()).select_from(CaseEvent)) == 1


@pytest.mark.parametrize(
    ("facts", "anonymous"),
    [
        ({}, True),
        ({"person_name": "王师傅"}, False),
        ({"phone": "13800001234"}, False),
        ({"phone": " "}, True),
    ],
)
async def test_a_case_without_name_and_phone_is_anonymous(
    sqlite_database: Database, now: datetime, facts: dict[str, str], anonymous: bool
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        case = await cases.open_case(session, new_case(conversation, facts=facts), now)
        assert case.anonymous is anonymous


@pytest.mark.parametrize(
    "facts",
    [
        {"monthly_wage": "-6500"},
        {"monthly_wage": "0"},
        {"amount_owed": "NaN"},
        {"amount_owed": "Infinity"},
        {"amount_owed": "一万"},
        {"months_owed": "601"},
        {"hired_on": "2023-02-30"},
        {"hired_on": "1800-01-01"},
        {"left_on": "2031-01-01"},
        {"temperature": "390"},
        {"story": "长" * 4001},
        {"story": ["甲", "乙"]},
        {"salary": "1"},
        {"district": True},
    ],
)
async def test_an_impossible_fact_is_refused_and_nothing_is_opened(
    sqlite_database: Database, now: datetime, facts: dict[str, Any]
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(BadInput) as refused:
            await cases.open_case(session, new_case(conversation, facts=facts), now)
        assert refused.value.values["fact"] == next(iter(facts))
        assert await session.scalar(select(func.count()).select_from(Case)) == 0
        assert "日期或金额" in WORDING.refuse(refused.value)


async def test_possible_facts_are_kept_as_texts(sqlite_database: Database, now: datetime) -> None:
    facts = {
        "hired_on": "2023-03-05",
        "monthly_wage": 6500,
        "temperature": "39.5",
        "wish": None,
        "employer": "",
    }
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        case = await cases.open_case(session, new_case(conversation, facts=facts), now)
        assert case.facts == {"hired_on": "2023-03-05", "monthly_wage": "6500", "temperature": "39.5"}


async def test_staff_can_open_a_case_for_a_caller(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        member = await make_member(session)
        new = NewCase(case_type="general", topic="case.open", member_id=member.id, conversation_id=None)
        case = await cases.open_case(session, new, now, actor=Actor.of_staff(staff))
        (event,) = await cases.thread(session, case)
        assert (event.author, event.staff_id) == (Author.STAFF, staff.id)


# ---- finding


async def test_a_member_finds_their_case_by_its_number_however_written(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        case = await cases.open_case(session, new_case(conversation), now)
        written = case.number.replace("-", " ").lower()
        assert await cases.case_for_member(session, conversation.member_id, written) is case


async def test_somebody_elses_case_looks_exactly_like_none(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        case = await cases.open_case(session, new_case(await make_conversation(session)), now)
        stranger = await make_member(session)
        missing = format_number(shanghai_day(now), 77)
        with pytest.raises(NotFound) as theirs:
            await cases.case_for_member(session, stranger.id, case.number)
        with pytest.raises(NotFound) as nobodys:
            await cases.case_for_member(session, stranger.id, missing)
        assert (str(theirs.value), theirs.value.values) == (str(nobodys.value), nobodys.value.values)
        with pytest.raises(BadCaseNumber):
            await cases.case_for_member(session, stranger.id, "JN-1")
        with pytest.raises(NotFound):
            await cases.case_by_number(session, missing)
        assert await cases.case_by_number(session, case.number) is case


async def test_my_cases_come_newest_first(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        await cases.open_case(session, new_case(await make_conversation(session)), now)
        first = await cases.open_case(session, new_case(conversation), now)
        second = await cases.open_case(session, new_case(conversation), now)
        third = await cases.open_case(session, new_case(conversation), now + timedelta(days=1))
        assert await cases.cases_of(session, conversation.member_id) == [third, second, first]


async def test_progress_shows_the_member_what_is_theirs_and_no_internal_note(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session)
        await case_work.note(session, case, staff, text="像是老赖", now=now, wording=WORDING)
        await case_work.assign(session, case, staff, to=staff, now=now, wording=WORDING)
        await case_work.start(session, case, staff, now=now, wording=WORDING)
        await case_work.extend(
            session,
            case,
            staff,
            reason="等单位回函",
            due_at=now + timedelta(days=3),
            now=now,
            wording=WORDING,
        )
        await case_work.send_back(session, case, staff, reason="不归我管", now=now, wording=WORDING)
        lines = await cases.progress_lines(session, case, WORDING)
        assert lines == [
            "07-20 09:30 已派给工作人员",
            "07-20 09:30 工作人员开始办理",
            "07-20 09:30 办理需要延长：等单位回函",
        ]
        assert [event.deed for event in await cases.thread(session, case)] == [
            "note", "assign", "start", "extend", "return",
        ]  # fmt: skip
        assert {event.audience for event in await cases.progress(session, case)} == {Audience.MEMBER}


# ---- what the member does


async def test_a_supplement_is_added_once_for_each_message(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await make_message(session)
        conversation = await session.get_one(Conversation, message.conversation_id)
        case = await make_case(session, conversation)
        first = await cases.add_supplement(session, case, text="还有工牌", message_id=message.id, now=now)
        again = await cases.add_supplement(session, case, text="还有工牌", message_id=message.id, now=now)
        assert first is again
        files_only = await make_message(session, conversation, text=None)
        silent = await cases.add_supplement(session, case, text=None, message_id=files_only.id, now=now)
        assert (silent.text, silent.message_id) == (None, files_only.id)
        with pytest.raises(BadInput):
            await cases.add_supplement(session, case, text=" ", message_id=None, now=now)


async def test_a_case_that_is_over_takes_no_supplement(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session, state=CaseState.ARCHIVED)
        with pytest.raises(TransitionRefused):
            await cases.add_supplement(session, case, text="还有", message_id=None, now=now)


async def test_a_case_is_urged_once_a_day(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        case = await make_case(session)
        await cases.urge(session, case, now)
        with pytest.raises(UrgedRecently) as refused:
            await cases.urge(session, case, now + timedelta(hours=23, minutes=59))
        assert refused.value.values == {"number": case.number, "next_at": "07-21 09:30"}
        assert "07-21 09:30" in WORDING.refuse(refused.value)
        await cases.urge(session, case, now + timedelta(hours=24))
        assert case.urged_count == 2


async def test_the_same_message_urges_once_even_when_handled_twice(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        message = await make_message(session)
        case = await make_case(session, await session.get_one(Conversation, message.conversation_id))
        first = await cases.urge(session, case, now, message_id=message.id)
        assert await cases.urge(session, case, now, message_id=message.id) is first
        assert case.urged_count == 1


async def test_a_closed_case_cannot_be_urged(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        await cases.urge(session, case, now)
        await cases.withdraw(session, case, now)
        assert case.closed_at == now
        with pytest.raises(TransitionRefused):
            await cases.urge(session, case, now)


@pytest.mark.parametrize("rating", [3, 4, 5])
async def test_a_good_rating_is_kept(sqlite_database: Database, now: datetime, rating: int) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session, state=CaseState.RESOLVED)
        event = await cases.rate(session, case, rating, now)
        assert (case.rating, case.state, event.deed) == (rating, CaseState.RESOLVED, "rate")


@pytest.mark.parametrize("rating", [1, 2])
async def test_a_bad_rating_reopens_the_case(database: Database, now: datetime, rating: int) -> None:
    async with database.transaction() as session:
        case = await make_case(session, state=CaseState.RESOLVED, closed_at=now)
        event = await cases.rate(session, case, rating, now, comment="钱还没到")
        assert (case.rating, case.state, case.closed_at) == (rating, CaseState.ACCEPTED, None)
        assert (event.deed, event.text, case.reopened_count) == ("reopen", "钱还没到", 1)


@pytest.mark.parametrize("rating", [0, 6, -1])
async def test_a_rating_outside_one_to_five_is_refused(
    sqlite_database: Database, now: datetime, rating: int
) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session, state=CaseState.RESOLVED)
        with pytest.raises(BadInput):
            await cases.rate(session, case, rating, now)
        assert case.rating is None


async def test_what_the_member_does_is_not_said_to_them_twice(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        case = await cases.open_case(session, new_case(conversation), now)
        await cases.urge(session, case, now)
        await cases.add_supplement(session, case, text="还有工牌", message_id=None, now=now)
        await cases.withdraw(session, case, now)
        assert await said_in(session, conversation.id) == []
