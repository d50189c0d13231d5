"""The wall as a page, and giving conversations to others from it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.house import House
from casework import handoff
from casework.tables import Conversation, Owner, Presence, StaffRole, Team
from tests.bot.desk.conftest import SignIn
from tests.factories import make_case, make_conversation, make_message, make_staff

WATCHERS = {StaffRole.SUPERVISOR, StaffRole.ADMIN, StaffRole.AUDITOR}


async def somebody_waits(house: House, minutes: int = 50) -> Conversation:
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await make_conversation(session, last_topic="labour.wage_arrears")
        since = now - timedelta(minutes=minutes)
        await make_message(session, conversation, text="我叫王小明，13800001234", created_at=since)
        await handoff.hand_off(session, conversation, "member_asked", since)
        return conversation


@pytest.mark.parametrize("role", StaffRole)
@pytest.mark.parametrize("path", ["/desk/wall", "/desk/wall/board"])
async def test_only_who_watches_sees_the_wall(desk_client: SignIn, role: StaffRole, path: str) -> None:
    browser = await desk_client(role)
    assert (await browser.page(path)).status_code == (200 if role in WATCHERS else 403)


async def test_the_wall_shows_who_waits_and_nobody_s_name_or_words(desk_client: SignIn, house: House) -> None:
    conversation = await somebody_waits(house)
    async with house.database.transaction() as session:
        await make_staff(
            session, display_name="赵坐席", badge="12", presence=Presence.ONLINE, seen_at=house.clock.now()
        )
        late = await make_case(session, due_at=house.clock.now() - timedelta(hours=1))
    browser = await desk_client(StaffRole.SUPERVISOR)
    text = (await browser.page("/desk/wall")).text
    wages = house.knowledge.articles["labour.wage_arrears"].label
    assert f'href="/desk/c/{conversation.id}">{wages}' in text
    assert "50 分钟" in text
    assert "赵坐席 <small>工号 12</small>" in text
    assert late.number in text
    assert "王小明" not in text
    assert "1234" not in text


async def test_an_empty_wall_says_that_nobody_waits(desk_client: SignIn) -> None:
    browser = await desk_client(StaffRole.AUDITOR)
    text = (await browser.page("/desk/wall/board")).text
    assert "没有人在等" in text
    assert "没有超期的工单" in text
    assert "<html" not in text


async def test_a_supervisor_gives_a_waiting_conversation_to_a_colleague_or_a_team(
    desk_client: SignIn, house: House
) -> None:
    conversation = await somebody_waits(house)
    async with house.database.transaction() as session:
        colleague = await make_staff(session)
        team = Team(name="劳动维权组", created_at=house.clock.now())
        session.add(team)
    browser = await desk_client(StaffRole.SUPERVISOR)
    for to in (f"staff:{colleague.id}", f"team:{team.id}"):
        response = await browser.post("/desk/wall/reassign", data={"conversation": conversation.id, "to": to})
        assert (response.status_code, response.json()["owner"]) == (200, "queued")
    async with house.database.read() as session:
        now_is = await session.get_one(Conversation, conversation.id)
    assert (now_is.owner, now_is.team_id) == (Owner.QUEUED, team.id)
    board = (await browser.page("/desk/wall/board")).text
    assert "劳动维权组" in board


async def test_without_a_script_the_browser_comes_back_to_the_wall(desk_client: SignIn, house: House) -> None:
    conversation = await somebody_waits(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    response = await browser.post(
        "/desk/wall/reassign",
        data={"conversation": conversation.id, "to": f"staff:{browser.staff.id}", "csrf": browser.csrf},
        headers={"Accept": "text/html"},
    )
    assert (response.status_code, response.headers["location"]) == (303, "/desk/wall")
    async with house.database.read() as session:
        assert (await session.get_one(Conversation, conversation.id)).reserved_for_id == browser.staff.id


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_who_does_not_direct_others_reassigns_nothing(
    desk_client: SignIn, house: House, role: StaffRole
) -> None:
    conversation = await somebody_waits(house)
    browser = await desk_client(role)
    response = await browser.post(
        "/desk/wall/reassign", data={"conversation": conversation.id, "to": f"staff:{browser.staff.id}"}
    )
    assert response.status_code == 403
    if role is StaffRole.AUDITOR:
        assert "改派" not in (await browser.page("/desk/wall")).text


async def test_a_reassignment_from_elsewhere_is_refused(desk_client: SignIn, house: House) -> None:
    conversation = await somebody_waits(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    del browser.headers["X-CSRF-Token"]
    response = await browser.post(
        "/desk/wall/reassign", data={"conversation": conversation.id, "to": f"staff:{browser.staff.id}"}
    )
    assert response.status_code == 403
    async with house.database.read() as session:
        assert (await session.get_one(Conversation, conversation.id)).reserved_for_id is None


@pytest.mark.parametrize("to", ["staff:999999", "team:999999", "staff:x", "7", "", "bot:1", "staff:１"])
async def test_a_conversation_cannot_be_given_to_nobody(desk_client: SignIn, house: House, to: str) -> None:
    conversation = await somebody_waits(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    response = await browser.post("/desk/wall/reassign", data={"conversation": conversation.id, "to": to})
    assert response.status_code == 422


async def test_an_auditor_and_a_closed_team_are_given_nothing(desk_client: SignIn, house: House) -> None:
    conversation = await somebody_waits(house)
    async with house.database.transaction() as session:
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        team = Team(name="旧组", active=False, created_at=house.clock.now())
        session.add(team)
    browser = await desk_client(StaffRole.SUPERVISOR)
    for to, status in ((f"staff:{auditor.id}", 403), (f"team:{team.id}", 422)):
        response = await browser.post("/desk/wall/reassign", data={"conversation": conversation.id, "to": to})
        assert response.status_code == status
    missing = await browser.post("/desk/wall/reassign", data={"conversation": "x", "to": f"team:{team.id}"})
    assert missing.status_code == 404
