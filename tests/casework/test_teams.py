"""Teams: one topic in one team, closing one leaves nobody waiting for it, and all of it is written down."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import teams
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.handoff import hand_off
from casework.knowledge import Knowledge
from casework.tables import AuditEntry, Conversation, Owner, Staff, StaffRole, Team
from tests.factories import make_conversation, make_staff

KNOWLEDGE = Knowledge.load(Path(__file__).parents[2] / "data" / "knowledge")
WAGES, HEAT = "labour.wage_arrears", "heat.stop_work"


async def add(session: AsyncSession, staff: Staff, name: str, now: datetime, *topics: str) -> Team:
    return await teams.add_team(session, staff, name, topics, KNOWLEDGE, now)


async def test_a_new_team_takes_the_conversations_of_its_topics(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = await add(session, boss, " 劳动  维权组 ", now, WAGES)
        await make_staff(session, team_id=team.id)
        await make_staff(session, team_id=team.id, active=False)
        conversation = await make_conversation(session, last_topic=WAGES)
        await hand_off(session, conversation, "member_asked", now)
    async with database.read() as session:
        assert [(one.name, one.topics) for one in await teams.list_teams(session)] == [
            ("劳动 维权组", [WAGES])
        ]
        assert (await session.get_one(Conversation, conversation.id)).team_id == team.id
        assert await teams.member_counts(session) == {team.id: 1}


async def test_a_topic_belongs_to_one_team_at_most(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        first = await add(session, boss, "劳动组", now, WAGES)
        with pytest.raises(BadInput) as refused:
            await add(session, boss, "高温组", now, HEAT, WAGES)
        assert refused.value.values["field"] == "team_topic_taken"
        assert (refused.value.values["topic"], refused.value.values["team"]) == (WAGES, "劳动组")
        second = await add(session, boss, "高温组", now, HEAT)
        with pytest.raises(BadInput):
            await teams.change_team(session, boss, second.id, "高温组", [HEAT, WAGES], KNOWLEDGE, now)
        await teams.change_team(session, boss, first.id, "劳动组", [], KNOWLEDGE, now)
        await teams.change_team(session, boss, second.id, "综合组", [HEAT, WAGES], KNOWLEDGE, now)
    async with database.read() as session:
        assert {one.name: one.topics for one in await teams.list_teams(session)} == {
            "劳动组": [],
            "综合组": sorted([HEAT, WAGES]),
        }


async def test_a_closed_team_keeps_nobody_waiting(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = await add(session, boss, "劳动组", now, WAGES)
        worker = await make_staff(session, team_id=team.id)
        waiting = await make_conversation(session, last_topic=WAGES)
        await hand_off(session, waiting, "member_asked", now)
    async with database.transaction() as session:
        await teams.close_team(session, boss, team.id, now)
    async with database.read() as session:
        found = await session.get_one(Conversation, waiting.id)
        assert (found.owner, found.team_id) == (Owner.QUEUED, None)
        assert (await session.get_one(Staff, worker.id)).team_id is None
        assert await teams.list_teams(session) == []
        assert [one.id for one in await teams.list_teams(session, closed=True)] == [team.id]
    async with database.transaction() as session:
        with pytest.raises(BadInput):
            await teams.change_team(session, boss, team.id, "新名字", [], KNOWLEDGE, now)


async def test_a_team_comes_back_without_the_topics_others_took(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = await add(session, boss, "劳动组", now, WAGES, HEAT)
        await teams.close_team(session, boss, team.id, now)
        await add(session, boss, "高温组", now, HEAT)
    async with database.transaction() as session:
        assert (await teams.reopen_team(session, boss, team.id, now)).topics == [WAGES]


@pytest.mark.parametrize(
    ("name", "topics", "field"),
    [
        ("", [], "team_name"),
        ("组" * 41, [], "team_name"),
        ("组\x00", [], "team_name"),
        ("劳动组", [], "team_name_taken"),
        ("新组", ["labour.unheard_of"], "team_topic"),
    ],
)
async def test_what_no_team_can_be_is_refused_by_name(
    database: Database, now: datetime, name: str, topics: list[str], field: str
) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        await add(session, boss, "劳动组", now)
        with pytest.raises(BadInput) as refused:
            await add(session, boss, name, now, *topics)
        assert refused.value.values["field"] == field
    async with database.read() as session:
        assert len(await teams.list_teams(session)) == 1


async def test_only_who_may_edit_the_desk_changes_teams(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = await add(session, boss, "劳动组", now)
        for role in (StaffRole.AGENT, StaffRole.AUDITOR):
            person = await make_staff(session, role=role)
            with pytest.raises(NotAllowed):
                await add(session, person, "另一组", now)
            with pytest.raises(NotAllowed):
                await teams.change_team(session, person, team.id, "另一组", [], KNOWLEDGE, now)
            with pytest.raises(NotAllowed):
                await teams.close_team(session, person, team.id, now)
            with pytest.raises(NotAllowed):
                await teams.reopen_team(session, person, team.id, now)
        with pytest.raises(NotFound):
            await teams.close_team(session, boss, team.id + 999, now)


async def test_every_change_of_a_team_is_in_the_audit_trail(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        team = await add(session, boss, "劳动组", now, WAGES)
        await teams.change_team(session, boss, team.id, "维权组", [WAGES], KNOWLEDGE, now)
        for _ in range(2):
            await teams.close_team(session, boss, team.id, now)
        for _ in range(2):
            await teams.reopen_team(session, boss, team.id, now)
    async with database.read() as session:
        deeds = await session.scalars(
            select(AuditEntry.deed).where(AuditEntry.subject_kind == "team").order_by(AuditEntry.id)
        )
        assert list(deeds) == ["team.added", "team.changed", "team.closed", "team.reopened"]
