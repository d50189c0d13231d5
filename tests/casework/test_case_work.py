"""Working a case: what staff do, what the member is told of it, and who is alerted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_work, cases
from casework.buttons import resolve_button
from casework.case_types import CaseTypes
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.tables import (
    Alert,
    AlertKind,
    Audience,
    AuditEntry,
    Author,
    Case,
    CaseState,
    Channel,
    Conversation,
    Message,
    OutboxEntry,
    Owner,
    Priority,
    StaffRole,
    Team,
)
from casework.wording import Wording
from tests.factories import make_case, make_conversation, make_staff

HOME = Path(__file__).parents[2]
WORDING = Wording.load(HOME / "data" / "knowledge")
TYPES = CaseTypes.load(HOME / "data" / "knowledge" / "case_types.yml")


def new_case(conversation: Conversation, **values: Any) -> cases.NewCase:
    defaults: dict[str, Any] = {
        "case_type": "labour_dispute",
        "topic": "labour.wage_arrears",
        "member_id": conversation.member_id,
        "conversation_id": conversation.id,
        "facts": {"story": "三个月没发工资", "district": "历下区"},
    }
    return cases.NewCase(**defaults | values)


async def said_in(session: AsyncSession, conversation_id: str | None) -> list[Message]:
    found = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.author == Author.SYSTEM)
        .order_by(Message.id)
    )
    return list(found)


async def alerts(session: AsyncSession, case: Case) -> Sequence[tuple[AlertKind, int | None, str | None]]:
    await session.flush()
    found = await session.scalars(select(Alert).where(Alert.case_id == case.id).order_by(Alert.id))
    return [(alert.kind, alert.staff_id, alert.detail) for alert in found]


# ---- what staff do


async def test_what_staff_do_reaches_the_member_through_the_outbox(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=Channel.TELEGRAM)
        staff = await make_staff(session)
        case = await make_case(session, conversation, state=CaseState.IN_PROGRESS)
        await case_work.resolve(session, case, staff, reason="工资已补发", now=now, wording=WORDING)
        (notice,) = await said_in(session, conversation.id)
        assert notice.text is not None
        assert case.number in notice.text
        assert "工资已补发" in notice.text
        entry = (await session.scalars(select(OutboxEntry))).one()
        assert entry.message_id == notice.id


async def test_a_resolved_case_asks_for_a_rating_with_buttons_that_work(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(session, conversation, state=CaseState.IN_PROGRESS)
        await case_work.resolve(session, case, staff, reason="办好了", now=now, wording=WORDING)
        (notice,) = await said_in(session, conversation.id)
        buttons = (notice.content or {})["buttons"]
        assert [button["title"] for button in buttons] == ["5 分", "4 分", "3 分", "2 分", "1 分"]
        payload = await resolve_button(session, conversation.id, buttons[-1]["payload"])
        assert payload == f'/rate_case{{"case_no":"{case.number}","rating":1}}'


async def test_a_notice_is_also_said_while_a_human_owns_the_conversation(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id, epoch=3)
        case = await make_case(session, conversation)
        await case_work.assign(session, case, staff, to=staff, now=now, wording=WORDING)
        assert len(await said_in(session, conversation.id)) == 1


async def test_internal_deeds_are_not_told(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(session, conversation, state=CaseState.ASSIGNED)
        await case_work.note(session, case, staff, text="内部", now=now, wording=WORDING)
        await case_work.send_back(session, case, staff, reason="不归我", now=now, wording=WORDING)
        assert await said_in(session, conversation.id) == []


async def test_a_case_opened_by_phone_has_no_conversation_to_tell(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session, conversation_id=None)
        await case_work.assign(session, case, staff, to=staff, now=now, wording=WORDING)
        assert case.staff_id == staff.id


async def test_taking_a_case_from_a_colleague_is_a_supervisors(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        one, two = await make_staff(session), await make_staff(session)
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        case = await make_case(session)
        await case_work.assign(session, case, one, to=one, now=now, wording=WORDING)
        with pytest.raises(NotAllowed):
            await case_work.assign(session, case, two, to=two, now=now, wording=WORDING, reason="我来")
        assert case.staff_id == one.id
        await case_work.assign(session, case, boss, to=two, now=now, wording=WORDING, reason="休假")
        assert case.staff_id == two.id


async def test_nothing_is_assigned_to_a_closed_account(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        gone = await make_staff(session, active=False)
        case = await make_case(session)
        with pytest.raises(NotAllowed):
            await case_work.assign(session, case, staff, to=gone, now=now, wording=WORDING)
        assert case.state is CaseState.ACCEPTED


async def test_more_time_is_given_until_a_day_that_lies_ahead(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session, state=CaseState.ASSIGNED)
        with pytest.raises(BadInput):
            await case_work.extend(session, case, staff, reason="等", due_at=now, now=now, wording=WORDING)
        due = now + timedelta(days=5)
        await case_work.extend(session, case, staff, reason="等", due_at=due, now=now, wording=WORDING)
        assert case.due_at == due


async def test_a_case_goes_its_whole_way(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        case = await cases.open_case(session, new_case(conversation), now)
        common: dict[str, Any] = {"now": now, "wording": WORDING}
        await case_work.assign(session, case, boss, to=staff, **common)
        await case_work.start(session, case, staff, **common)
        await case_work.inform_member(session, case, staff, text="已联系单位", **common)
        await case_work.resolve(session, case, staff, reason="已补发", **common)
        await cases.rate(session, case, 1, now)
        await case_work.assign(session, case, boss, to=staff, **common)
        await case_work.start(session, case, staff, **common)
        await case_work.resolve(session, case, staff, reason="这回真补发了", **common)
        await cases.rate(session, case, 5, now)
        await case_work.follow_up(session, case, staff, reason="满意", **common)
        await case_work.archive(session, case, staff, reason=None, **common)
        assert case.state is CaseState.ARCHIVED
        with pytest.raises(TransitionRefused):
            await case_work.reopen(session, case, boss, reason="再来", **common)


# ---- the deeds of the desk


async def test_a_case_opened_by_staff_tells_the_member_its_number(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await case_work.open_for_member(
            session,
            new_case(conversation),
            staff,
            now=now,
            wording=WORDING,
            public_url="https://niangjia.example",
        )
        (notice,) = await said_in(session, conversation.id)
        assert case.number in (notice.text or "")
        assert "https://niangjia.example/case/" in (notice.text or "")


async def test_a_case_given_to_somebody_alerts_them_and_not_oneself(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        one, two = await make_staff(session), await make_staff(session)
        case, own = await make_case(session), await make_case(session)
        await case_work.assign(session, case, one, to=two, now=now, wording=WORDING)
        await case_work.assign(session, own, one, to=one, now=now, wording=WORDING)
        assert await alerts(session, case) == [(AlertKind.ASSIGNED, two.id, None)]
        assert await alerts(session, own) == []


async def test_a_case_given_to_a_team_alerts_its_members_and_becomes_whose_starts_it(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        team = Team(name="欠薪组", created_at=now)
        session.add(team)
        await session.flush()
        one, two = [await make_staff(session, team_id=team.id) for _ in range(2)]
        await make_staff(session, team_id=team.id, active=False)
        await make_staff(session, team_id=team.id, role=StaffRole.AUDITOR)
        giver = await make_staff(session)
        case = await make_case(session)
        await case_work.assign(session, case, giver, team=team, now=now, wording=WORDING)
        assert (case.team_id, case.staff_id) == (team.id, None)
        assert {staff_id for _, staff_id, _ in await alerts(session, case)} == {one.id, two.id}
        await case_work.start(session, case, two, now=now, wording=WORDING)
        assert case.staff_id == two.id


async def test_a_case_goes_to_somebody_and_not_to_a_team_that_was_closed(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        team = Team(name="旧组", active=False, created_at=now)
        session.add(team)
        await session.flush()
        staff = await make_staff(session)
        case = await make_case(session)
        for wrong in ({}, {"team": team}):
            with pytest.raises(BadInput):
                await case_work.assign(session, case, staff, now=now, wording=WORDING, **wrong)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        with pytest.raises(NotAllowed):
            await case_work.assign(session, case, staff, to=auditor, now=now, wording=WORDING)
        assert case.state is CaseState.ACCEPTED


async def test_asking_the_member_stops_the_clock_until_they_supplement(
    database: Database, now: datetime
) -> None:
    due = now + timedelta(days=2)
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(
            session, conversation, state=CaseState.IN_PROGRESS, due_at=due, warned_at=now, staff_id=staff.id
        )
        await case_work.ask_member(session, case, staff, text="请发工资流水", now=now, wording=WORDING)
        assert case.waiting_for_member_since == now
        (notice,) = await said_in(session, conversation.id)
        assert "请发工资流水" in (notice.text or "")
        later = now + timedelta(hours=5)
        await case_work.ask_member(session, case, staff, text="还要工牌", now=later, wording=WORDING)
        assert case.waiting_for_member_since == now
        await case_work.inform_member(session, case, staff, text="不急", now=later, wording=WORDING)
        assert case.waiting_for_member_since == now
        await cases.add_supplement(session, case, text="流水在这", message_id=None, now=later)
        assert (case.waiting_for_member_since, case.due_at) == (None, due + timedelta(hours=5))
        assert case.warned_at is None
        assert await alerts(session, case) == [(AlertKind.WARNING, staff.id, "supplement")]


async def test_the_deadline_moves_by_working_time_only(sqlite_database: Database, now: datetime) -> None:
    """Asked on Monday 09:30 in Jinan, brought on Tuesday 09:30: one working day lies between."""
    rules = load_desk_rules(HOME / "data" / "knowledge")
    due = now + timedelta(hours=1)
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session, state=CaseState.IN_PROGRESS, due_at=due)
        await case_work.ask_member(session, case, staff, text="请发工资流水", now=now, wording=WORDING)
        later = now + timedelta(days=1)
        paused = rules.hours.between(now, later)
        await cases.add_supplement(session, case, text="在这", message_id=None, now=later, rules=rules)
        assert case.waiting_for_member_since is None
        assert case.due_at == rules.hours.add(due, paused) == due + timedelta(days=1)


async def test_a_member_who_urges_reaches_whoever_works_the_case_or_the_supervisors(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        mine, nobodys = await make_case(session, staff_id=staff.id), await make_case(session)
        await cases.urge(session, mine, now)
        await cases.urge(session, nobodys, now)
        assert await alerts(session, mine) == [(AlertKind.WARNING, staff.id, "urge")]
        assert await alerts(session, nobodys) == [(AlertKind.WARNING, None, "urge")]


async def test_a_bad_rating_reaches_the_supervisors_and_makes_the_case_pressing(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session, state=CaseState.RESOLVED)
        content = await make_case(session, state=CaseState.RESOLVED)
        critical = await make_case(session, state=CaseState.RESOLVED, priority=Priority.CRITICAL.value)
        await cases.rate(session, case, 1, now)
        await cases.rate(session, content, 5, now)
        await cases.rate(session, critical, 1, now)
        assert await alerts(session, case) == [(AlertKind.BAD_RATING, None, None)]
        assert await alerts(session, content) == []
        assert [each.priority for each in (case, content, critical)] == [
            Priority.HIGH, Priority.NORMAL, Priority.CRITICAL,
        ]  # fmt: skip


async def test_a_note_alerts_the_colleagues_it_names(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session, login="wang")
        zhang = await make_staff(session, login="zhang")
        dotted = await make_staff(session, login="li.si")
        await make_staff(session, login="gone", active=False)
        case = await make_case(session)
        text = "@zhang. 看一下，@li.si 也看，@gone @wang @nobody"
        await case_work.note(session, case, staff, text=text, now=now, wording=WORDING)
        assert {alert[:2] for alert in await alerts(session, case)} == {
            (AlertKind.MENTION, zhang.id),
            (AlertKind.MENTION, dotted.id),
        }


async def test_pressing_and_supervising_are_internal_and_alert_whoever_works_the_case(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        agent, worker = await make_staff(session), await make_staff(session)
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        case = await make_case(session, conversation, staff_id=worker.id, state=CaseState.ASSIGNED)
        await case_work.press(session, case, agent, now=now, wording=WORDING)
        with pytest.raises(NotAllowed):
            await case_work.supervise(session, case, agent, reason="看着", now=now, wording=WORDING)
        event = await case_work.supervise(session, case, boss, reason="涉众", now=now, wording=WORDING)
        assert (event.audience, event.text, case.supervised_at) == (Audience.INTERNAL, "涉众", now)
        assert await said_in(session, conversation.id) == []
        assert await alerts(session, case) == [
            (AlertKind.WARNING, worker.id, "press"),
            (AlertKind.WARNING, worker.id, "supervise"),
        ]


async def test_a_changed_priority_says_why_and_needs_a_reason(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session)
        common: dict[str, Any] = {"now": now, "wording": WORDING}
        with pytest.raises(BadInput):
            await case_work.set_priority(session, case, staff, Priority.HIGH, reason=" ", **common)
        with pytest.raises(BadInput):
            await case_work.set_priority(session, case, staff, Priority.NORMAL, reason="同样", **common)
        event = await case_work.set_priority(
            session, case, staff, Priority.HIGH, reason="时效快到了", **common
        )
        assert (event.text, case.priority) == ("改为紧急：时效快到了", Priority.HIGH)


async def test_amended_facts_name_what_changed_and_not_its_value(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await cases.open_case(session, new_case(conversation), now)
        changes = {"phone": "13800001234", "district": "天桥区", "story": "三个月没发工资", "employer": None}
        event = await case_work.amend_facts(
            session, case, staff, changes, case_types=TYPES, now=now, wording=WORDING
        )
        assert event.text == "电话、区县"
        assert (case.facts["phone"], case.district, case.anonymous) == ("13800001234", "天桥区", False)
        assert "区县：天桥区" in (case.summary or "")
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.subject_id == case.id))
        assert "13800001234" not in str([entry.detail for entry in entries])
        case_id = case.id
    async with database.read() as session:
        assert (await session.get_one(Case, case_id)).facts["district"] == "天桥区"


@pytest.mark.parametrize("changes", [{}, {"district": "历下区"}, {"monthly_wage": "-1"}, {"salary": "1"}])
async def test_impossible_facts_or_none_change_nothing(
    sqlite_database: Database, now: datetime, changes: dict[str, Any]
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await cases.open_case(session, new_case(conversation), now)
        before = dict(case.facts)
        with pytest.raises(BadInput) as refused:
            await case_work.amend_facts(
                session, case, staff, changes, case_types=TYPES, now=now, wording=WORDING
            )
        assert WORDING.refuse(refused.value)
        assert case.facts == before
        assert [event.deed for event in await cases.thread(session, case)] == ["accept"]


async def test_materials_are_ticked_off_one_by_one(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session)
        common: dict[str, Any] = {"case_types": TYPES, "now": now, "wording": WORDING}
        await case_work.check_material(session, case, staff, 2, True, **common)
        event = await case_work.check_material(session, case, staff, 0, True, **common)
        assert event is not None
        assert event.text == f"已备：{TYPES['labour_dispute'].checklist[0]}"
        assert await case_work.check_material(session, case, staff, 0, True, **common) is None
        assert case.checked == [0, 2]
        await case_work.check_material(session, case, staff, 2, False, **common)
        assert case.checked == [0]
        for place in (-1, 99):
            with pytest.raises(BadInput):
                await case_work.check_material(session, case, staff, place, True, **common)


async def test_the_link_is_said_only_where_there_is_a_public_address(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(session, conversation)
        await case_work.assign(session, case, staff, to=staff, now=now, wording=WORDING)
        (without,) = await said_in(session, conversation.id)
        assert "/case/" not in (without.text or "")


async def test_an_auditor_does_nothing_to_a_case(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        case = await make_case(session)
        with pytest.raises(NotAllowed):
            await case_work.note(session, case, auditor, text="看过", now=now, wording=WORDING)
        assert await session.scalar(select(func.count()).select_from(Alert)) == 0


async def test_a_team_is_found_unless_it_was_closed(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        open_team, closed = (
            Team(name="欠薪组", created_at=now),
            Team(name="旧组", active=False, created_at=now),
        )
        session.add_all([open_team, closed])
        await session.flush()
        assert await case_work.find_team(session, open_team.id) is open_team
        for team_id in (closed.id, closed.id + 1):
            with pytest.raises(NotFound):
                await case_work.find_team(session, team_id)


@pytest.mark.parametrize(
    ("values", "priority"),
    [
        ({}, Priority.NORMAL),
        ({"urgent": True}, Priority.HIGH),
        ({"urgent": True, "priority": Priority.CRITICAL}, Priority.CRITICAL),
    ],
)
async def test_an_urgent_case_is_pressing_from_the_start(
    sqlite_database: Database, now: datetime, values: dict[str, Any], priority: Priority
) -> None:
    async with sqlite_database.transaction() as session:
        case = await cases.open_case(session, new_case(await make_conversation(session), **values), now)
        assert case.priority == priority
