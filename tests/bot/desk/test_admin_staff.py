"""Accounts in the browser: one-time passwords are seen once, and nobody locks themselves or everybody out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.house import House
from casework import accounts, passwords, staff_sessions
from casework.tables import AuditEntry, Presence, Staff, StaffRole, StaffSession, Team
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_staff

STAFF = "/desk/admin/staff"
NEW = {"login": "Zhang.Min", "display_name": "张敏", "role": "agent", "badge": "a7"}


async def stored(house: House, staff_id: int) -> Staff:
    async with house.database.read() as session:
        return await accounts.get_staff(session, staff_id)


async def colleague(house: House, **values: object) -> Staff:
    async with house.database.transaction() as session:
        return await make_staff(session, **values)


def shown_password(text: str) -> str:
    found = re.search(r'id="fresh">([^<]+)<', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("role", StaffRole)
async def test_only_administrators_see_and_change_accounts(
    desk_client: SignIn, house: House, role: StaffRole
) -> None:
    browser = await desk_client(role)
    other = await colleague(house)
    expected = 200 if role is StaffRole.ADMIN else 403
    assert (await browser.page(STAFF)).status_code == expected
    assert (await browser.page(f"{STAFF}/{other.id}")).status_code == expected
    for deed in ("role", "disable", "password", "totp", "unlock", "sessions", "name", "team", "enable"):
        data = {"role": "agent", "display_name": "小李"}
        assert (await browser.post(f"{STAFF}/{other.id}/{deed}", data=data)).status_code == expected, deed


async def test_a_new_account_has_a_password_that_is_shown_once_and_must_be_changed(
    desk_client: SignIn, house: House
) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    answer = await admin.post(STAFF, data=NEW, headers={"Accept": "text/html"})
    fresh = shown_password(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    async with house.database.read() as session:
        person = await accounts.find_staff(session, "zhang.min")
        trail = list(await session.scalars(select(AuditEntry).where(AuditEntry.subject_id == str(person.id))))
    assert (person.display_name, person.role, person.badge) == ("张敏", StaffRole.AGENT, "A7")
    assert passwords.matches(person.password_hash, fresh)
    assert person.must_change_password
    assert {entry.actor for entry in trail} == {f"staff:{admin.staff.login}"}
    for path in (STAFF, f"{STAFF}/{person.id}"):
        assert fresh not in (await admin.page(path)).text
    assert fresh not in str([entry.detail for entry in trail])


async def test_a_login_that_is_taken_or_unusable_is_said_beside_its_field(
    desk_client: SignIn, house: House
) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    taken = await admin.post(STAFF, data=NEW | {"login": admin.staff.login})
    assert (taken.status_code, "这个登录名已经有人用了" in taken.text) == (422, True)
    assert 'value="张敏"' in taken.text
    assert 'aria-describedby="login-error"' in taken.text
    assert "没有这个角色" in (await admin.post(STAFF, data=NEW | {"role": "king"})).text
    assert "登录名用 2 到 40 个" in (await admin.post(STAFF, data=NEW | {"login": "张"})).text
    async with house.database.read() as session:
        assert [one.id for one in await accounts.list_staff(session)] == [admin.staff.id]


async def test_the_list_says_role_presence_and_what_keeps_somebody_out(
    desk_client: SignIn, house: House
) -> None:
    now = house.clock.now()
    await colleague(
        house, display_name="被锁的", locked_until=now + timedelta(minutes=9), presence=Presence.AWAY
    )
    await colleague(house, display_name="走了的", active=False)
    admin = await desk_client(StaffRole.ADMIN)
    text = (await admin.page(STAFF)).text
    assert "! 锁到" in text
    assert "◐ 离开" in text
    assert "走了的" not in text
    assert "走了的" in (await admin.page(f"{STAFF}?closed=1")).text


async def test_name_badge_role_and_team_of_a_colleague_are_changed(desk_client: SignIn, house: House) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    other = await colleague(house, badge="40")
    async with house.database.transaction() as session:
        team = Team(name="劳动组", created_at=house.clock.now())
        session.add(team)
    at = f"{STAFF}/{other.id}"
    named = await admin.post(f"{at}/name", data={"display_name": "李四", "badge": "41"})
    assert named.json()["location"] == f"{at}?done=name"
    await admin.post(f"{at}/role", data={"role": "supervisor"})
    await admin.post(f"{at}/team", data={"team": str(team.id)})
    found = await stored(house, other.id)
    assert (found.display_name, found.badge, found.role, found.team_id) == (
        "李四",
        "41",
        StaffRole.SUPERVISOR,
        team.id,
    )
    text = (await admin.page(f"{at}?done=team")).text
    assert "班组改好了" in text
    await admin.post(f"{at}/team", data={"team": ""})
    assert (await stored(house, other.id)).team_id is None
    assert (await admin.post(f"{at}/team", data={"team": "x"})).status_code == 422
    refused = await admin.post(f"{at}/name", data={"display_name": "李四", "badge": "??"})
    assert refused.json()["error"]["message"] == "工号用 1 到 10 位数字或大写字母。"


async def test_a_disabled_colleague_is_out_at_once_and_comes_back(desk_client: SignIn, house: House) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    agent = await desk_client()
    assert (await agent.page("/desk/profile")).status_code == 200
    await admin.post(f"{STAFF}/{agent.staff.id}/disable")
    assert (await agent.get("/desk/profile")).status_code == 401
    assert not (await stored(house, agent.staff.id)).active
    await admin.post(f"{STAFF}/{agent.staff.id}/enable")
    assert (await stored(house, agent.staff.id)).active


async def test_nobody_changes_their_own_role_or_closes_their_own_account(
    desk_client: SignIn, house: House
) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    await colleague(house, role=StaffRole.ADMIN)
    own = f"{STAFF}/{admin.staff.id}"
    for deed in ("role", "disable"):
        refused = await admin.post(f"{own}/{deed}", data={"role": "agent"})
        assert refused.status_code == 403
        assert "请让另一位管理员来做" in refused.json()["error"]["message"]
    text = (await admin.page(own)).text
    assert f"{own}/disable" not in text
    assert f"{own}/role" not in text
    assert (await stored(house, admin.staff.id)).role is StaffRole.ADMIN


async def test_a_reset_shows_a_new_password_once_and_signs_out(desk_client: SignIn, house: House) -> None:
    admin, agent = await desk_client(StaffRole.ADMIN), await desk_client(totp_on=True, totp_secret="JBSWY3DP")
    answer = await admin.post(f"{STAFF}/{agent.staff.id}/password", headers={"Accept": "text/html"})
    found = await stored(house, agent.staff.id)
    assert passwords.matches(found.password_hash, shown_password(answer.text))
    assert found.must_change_password
    assert (await agent.get("/desk/profile")).status_code == 401
    await admin.post(f"{STAFF}/{agent.staff.id}/totp")
    found = await stored(house, agent.staff.id)
    assert (found.totp_on, found.totp_secret) == (False, None)


async def test_a_lock_is_opened(desk_client: SignIn, house: House) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    locked = house.clock.now() + timedelta(minutes=5)
    other = await colleague(house, failed_logins=5, locked_until=locked)
    assert "现在解锁" in (await admin.page(f"{STAFF}/{other.id}")).text
    await admin.post(f"{STAFF}/{other.id}/unlock")
    found = await stored(house, other.id)
    assert (found.failed_logins, found.locked_until) == (0, None)
    assert "现在解锁" not in (await admin.page(f"{STAFF}/{other.id}")).text


async def open_sessions(house: House, person: Staff) -> list[StaffSession]:
    async with house.database.read() as session:
        return await staff_sessions.list_sessions(session, person, house.clock.now())


async def test_sessions_end_everywhere_but_here(desk_client: SignIn, house: House) -> None:
    admin = await desk_client(StaffRole.ADMIN, presence=Presence.ONLINE)
    elsewhere = await desk_client(staff=admin.staff)
    agent: DeskClient = await desk_client(presence=Presence.ONLINE)
    await admin.post(f"{STAFF}/{agent.staff.id}/sessions")
    assert await open_sessions(house, agent.staff) == []
    assert (await stored(house, agent.staff.id)).presence is Presence.OFFLINE
    await admin.post(f"{STAFF}/{admin.staff.id}/sessions")
    assert [one.id for one in await open_sessions(house, admin.staff)] == [admin.session.id]
    assert (await stored(house, admin.staff.id)).presence is Presence.ONLINE
    assert (await elsewhere.get("/desk/profile")).status_code == 401


async def test_an_account_that_does_not_exist_is_not_found(desk_client: SignIn) -> None:
    admin = await desk_client(StaffRole.ADMIN)
    assert (await admin.page(f"{STAFF}/999999")).status_code == 404
    assert (await admin.post(f"{STAFF}/999999/disable")).status_code == 404
