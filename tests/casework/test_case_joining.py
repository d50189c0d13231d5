"""Joining cases: links in both threads, and a merged case that rests until it is taken out again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_joining, case_work, cases
from casework.case_life import deeds_open_to
from casework.database import Database
from casework.errors import BadInput, NotFound, TransitionRefused
from casework.privacy import forget_member
from casework.tables import Audience, Case, CaseState, Message
from casework.wording import Wording
from tests.factories import make_case, make_conversation, make_staff

WORDING = Wording.load(Path(__file__).parents[2] / "data" / "knowledge")


async def texts_in(session: AsyncSession, case: Case) -> list[str]:
    found = await session.scalars(
        select(Message.text).where(Message.conversation_id == case.conversation_id).order_by(Message.id)
    )
    return [text or "" for text in found]


async def test_linked_cases_find_each_other_from_either_side(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        one, two, three = [await make_case(session) for _ in range(3)]
        await case_joining.link(session, one, two, staff, now=now)
        await case_joining.link(session, three, one, staff, now=now)
        assert (await case_joining.joined(session, one)).linked == [two, three]
        assert (await case_joining.joined(session, two)).linked == [one]
        (event,) = await cases.thread(session, two)
        assert (event.deed, event.text, event.audience) == ("link", one.number, Audience.INTERNAL)
        for wrong in (one, two):
            with pytest.raises(BadInput):
                await case_joining.link(session, one, wrong, staff, now=now)
        await case_joining.unlink(session, two, one, staff, now=now)
        assert (await case_joining.joined(session, one)).linked == [three]
        with pytest.raises(NotFound):
            await case_joining.unlink(session, two, one, staff, now=now)
        assert await texts_in(session, one) == []


async def test_a_member_with_both_cases_is_told_once_which_number_goes_on(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case, into = await make_case(session, conversation), await make_case(session, conversation)
        await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
        (said,) = await texts_in(session, case)
        assert case.number in said
        assert into.number in said
        assert (case.merged_into_id, case.closed_at) == (into.id, now)
        assert await cases.progress(session, case) == []
        joined = await case_joining.joined(session, into)
        assert (joined.merged_here, joined.merged_into) == ([case], None)
        assert (await case_joining.joined(session, case)).merged_into is into
        assert [event.deed for event in await cases.thread(session, into)] == ["note"]


async def test_somebody_elses_number_is_told_to_nobody(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        case, into = await make_case(session), await make_case(session)
        event = await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
        assert (event.text, event.audience) == (None, Audience.INTERNAL)
        assert await texts_in(session, case) == []
        assert await texts_in(session, into) == []
        back = await case_joining.unmerge(session, case, staff, reason="不是一件事", now=now, wording=WORDING)
        assert back.audience is Audience.INTERNAL
        assert await texts_in(session, case) == []


async def test_a_merged_case_takes_nothing_but_notes_until_it_is_taken_out(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(session, conversation, state=CaseState.IN_PROGRESS, staff_id=staff.id)
        into = await make_case(session, conversation)
        await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
        assert {choice.deed.value for choice in deeds_open_to(case, staff)} == {"note", "unmerge"}
        with pytest.raises(TransitionRefused) as refused:
            await case_work.resolve(session, case, staff, reason="办完", now=now, wording=WORDING)
        assert "并到另一个工单" in WORDING.refuse(refused.value)
        with pytest.raises(TransitionRefused):
            await cases.urge(session, case, now)
        await case_work.note(session, case, staff, text="记一笔", now=now, wording=WORDING)
        await case_joining.unmerge(session, case, staff, reason="分开办", now=now, wording=WORDING)
        assert (case.merged_into_id, case.closed_at, case.state) == (None, None, CaseState.IN_PROGRESS)
        assert "分出来" in (await texts_in(session, case))[-1]
        await case_work.resolve(session, case, staff, reason="办完", now=now, wording=WORDING)


async def test_nothing_is_merged_into_itself_or_into_what_is_over(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session)
        over = await make_case(session, state=CaseState.RESOLVED, closed_at=now)
        merged = await make_case(session)
        await case_joining.merge(session, merged, staff, into=case, now=now, wording=WORDING)
        for into in (over, merged):
            with pytest.raises(TransitionRefused) as refused:
                await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
            assert into.number in WORDING.refuse(refused.value)
        with pytest.raises(BadInput):
            await case_joining.merge(session, case, staff, into=case, now=now, wording=WORDING)
        with pytest.raises(TransitionRefused):
            await case_joining.unmerge(session, case, staff, reason="?", now=now, wording=WORDING)
        assert case.merged_into_id is None


async def test_a_member_with_a_merged_case_can_still_be_forgotten(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case, into = await make_case(session, conversation), await make_case(session, conversation)
        await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
        forgotten = await forget_member(session, conversation.member_id, now, withdraw_open=True)
        assert forgotten.cases == 2
        assert (into.state, case.state) == (CaseState.WITHDRAWN, CaseState.ACCEPTED)
        assert case.closed_at is not None


async def test_two_cases_merged_into_each_other_at_once_end_with_one_that_goes_on(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        one, two = await make_case(session), await make_case(session)

    async def merge(case_id: str, into_id: str) -> bool:
        async with database.transaction() as session:
            case, into = await session.get_one(Case, case_id), await session.get_one(Case, into_id)
            try:
                await case_joining.merge(session, case, staff, into=into, now=now, wording=WORDING)
            except TransitionRefused:
                return False
            return True

    assert sorted(await asyncio.gather(merge(one.id, two.id), merge(two.id, one.id))) == [False, True]
    async with database.read() as session:
        found = [await session.get_one(Case, case.id) for case in (one, two)]
        assert sorted(case.merged_into_id is None for case in found) == [False, True]
