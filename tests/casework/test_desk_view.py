"""What the conversation page shows beside the transcript, and the case opened from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from casework import desk_view
from casework.case_from_talk import open_from_talk, possible_facts
from casework.conversation_priority import set_priority
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.knowledge import Knowledge
from casework.tables import Audience, AuditEntry, Author, Owner, Presence, Priority, StaffRole
from tests.factories import (
    make_attachment,
    make_conversation,
    make_member,
    make_message,
    make_staff,
)

KNOWLEDGE = Knowledge.load(Path(__file__).parents[2] / "data" / "knowledge")


async def test_colleagues_who_are_there_and_least_busy_come_first(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        busy = await make_staff(session, presence=Presence.ONLINE, seen_at=now)
        free = await make_staff(session, presence=Presence.ONLINE, seen_at=now)
        away = await make_staff(session, presence=Presence.AWAY, seen_at=now)
        gone = await make_staff(session, presence=Presence.ONLINE, seen_at=now - timedelta(minutes=5))
        await make_staff(session, role=StaffRole.AUDITOR, presence=Presence.ONLINE, seen_at=now)
        await make_staff(session, active=False)
        await make_conversation(session, owner=Owner.HUMAN, staff_id=busy.id)
        found = await desk_view.colleagues(session, now)
    assert [one.id for one in found] == [free.id, busy.id, away.id, gone.id]
    assert [one.load for one in found] == [0, 1, 0, 0]
    assert found[-1].presence is Presence.OFFLINE


async def test_a_bot_turn_leads_to_the_message_it_answered_also_on_an_earlier_page(
    database: Database,
) -> None:
    async with database.transaction() as session:
        asked = await make_message(session, intent="ask_wage_arrears", confidence=0.8)
        conversation_id = asked.conversation_id
        answer = await make_message(
            session,
            await session.get_one(desk_view.Conversation, conversation_id),
            author=Author.BOT,
            in_reply_to=asked.id,
        )
        found = await desk_view.answered_by(session, [answer])
    assert found[answer.id].intent == "ask_wage_arrears"


async def test_messages_of_another_conversation_are_not_ones_own(database: Database) -> None:
    async with database.transaction() as session:
        one, other = await make_message(session), await make_message(session)
        assert await desk_view.own_messages(session, one.conversation_id, [one.id, other.id]) == [one.id]


async def test_closed_accounts_and_unknown_ids_are_not_found(database: Database) -> None:
    async with database.transaction() as session:
        closed = await make_staff(session, active=False)
        with pytest.raises(NotFound):
            await desk_view.colleague(session, closed.id)
        with pytest.raises(NotFound):
            await desk_view.team(session, 4711)


async def test_a_case_takes_the_latest_facts_and_the_members_files_with_it(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="张三", phone="13800138000")
        worker = await make_staff(session)
        conversation = await make_conversation(
            session,
            member,
            owner=Owner.HUMAN,
            staff_id=worker.id,
            last_topic="labour.wage_arrears",
            priority=1,
        )
        await make_message(session, conversation, facts={"months_owed": "2", "employer": "示例公司"})
        told = await make_message(session, conversation, facts={"months_owed": "3", "temperature": "900"})
        await make_message(
            session, conversation, author=Author.STAFF, staff_id=worker.id, facts={"months_owed": "9"},
            audience=Audience.INTERNAL,
        )  # fmt: skip
        file = await make_attachment(session, conversation, message_id=told.id)
        case = await open_from_talk(session, conversation, worker, "labour_dispute", KNOWLEDGE, now)
        await session.refresh(file)
    assert case.topic == "labour.wage_arrears"
    assert case.facts["months_owed"] == "3"
    assert case.facts["employer"] == "示例公司"
    assert case.facts["phone"] == "13800138000"
    assert "temperature" not in case.facts
    assert not case.anonymous
    assert case.priority == Priority.HIGH
    assert file.case_id == case.id


async def test_a_case_of_a_type_the_topic_does_not_lead_to_has_that_types_topic(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, last_topic="tuition.aid")
        case = await open_from_talk(session, conversation, worker, "labour_dispute", KNOWLEDGE, now)
        assert case.topic == KNOWLEDGE.case_types["labour_dispute"].default_topic
        with pytest.raises(BadInput):
            await open_from_talk(session, conversation, worker, "no_such_type", KNOWLEDGE, now)


def test_an_impossible_fact_costs_only_itself(now: datetime) -> None:
    told = {"hired_on": "2999-01-01", "employer": "示例公司", "mood": "good", "phone": None}
    assert possible_facts(told, now.date()) == {"employer": "示例公司"}


async def test_a_priority_is_set_by_its_worker_or_a_supervisor_and_audited(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
        with_bot = await make_conversation(session)
        await set_priority(session, conversation.id, worker, Priority.HIGH, now)
        assert conversation.priority == Priority.HIGH
        await set_priority(session, conversation.id, supervisor, Priority.CRITICAL, now)
        assert conversation.priority == Priority.CRITICAL
        with pytest.raises(NotAllowed):
            await set_priority(session, conversation.id, colleague, Priority.NORMAL, now)
        with pytest.raises(NotAllowed):
            await set_priority(session, with_bot.id, supervisor, Priority.HIGH, now)
        entries = (
            await session.scalars(select(AuditEntry).where(AuditEntry.deed == "conversation.priority_set"))
        ).all()
    assert [entry.detail["priority"] for entry in entries] == ["high", "critical"]
