"""Accounts: who is on the staff, and what nobody may do to them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select

from casework import accounts, passwords, signing_in, staff_sessions
from casework.audit import staff_actor
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.passwords import check_password, hash_password, is_outdated, matches
from casework.signing_in import Attempt, Strangers, lock_after
from casework.tables import AuditEntry, Presence, Staff, StaffRole, Team
from tests.factories import make_staff

PASSWORD = "十个字的密码也能用呀"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.passwords.HASHER", PasswordHasher(1, 8, 1))


# --- adding and listing


async def test_staff_are_listed_by_login_until_their_account_is_closed(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await accounts.add_staff(session, "wang", " 王  班长 ", StaffRole.SUPERVISOR, now)
        await accounts.add_staff(session, "li", "小李", StaffRole.AGENT, now)
        assert [each.login for each in await accounts.list_staff(session)] == ["li", "wang"]
        await accounts.close_account(session, "wang", now)
        assert [each.login for each in await accounts.list_staff(session)] == ["li"]
        everybody = await accounts.list_staff(session, closed=True)
        assert [(each.display_name, each.active) for each in everybody] == [
            ("小李", True),
            ("王 班长", False),
        ]
        with pytest.raises(NotFound):
            await accounts.find_staff(session, "wang")
        assert (await accounts.find_staff(session, "wang", closed=True)).display_name == "王 班长"
        assert (await accounts.find_staff(session, "li")).role is StaffRole.AGENT
        deeds = list(await session.scalars(select(AuditEntry.deed).order_by(AuditEntry.id)))
    assert deeds == ["staff.added", "staff.added", "staff.closed"]


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("", "王"),
        ("W", "王"),
        ("Wang", "王"),
        ("王班长", "王"),
        ("w" * 41, "王"),
        ("wang\n", "王"),
        ("w13800138000", "王"),
        ("wang", ""),
        ("wang", "王" * 41),
        ("wang", "王\u202e"),
        ("li", "王"),
    ],
)
async def test_an_unusable_or_taken_login_or_name_is_refused(
    database: Database, now: datetime, login: str, name: str
) -> None:
    async with database.transaction() as session:
        await make_staff(session, login="li")
        with pytest.raises(BadInput):
            await accounts.add_staff(session, login, name, StaffRole.AGENT, now)


async def test_everybody_gets_the_next_free_badge_or_the_one_they_were_given(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        badges = []
        for login, wanted in (("a1", None), ("a2", "03"), ("a3", None), ("a4", None), ("a5", "B7")):
            added = await accounts.add_staff(session, login, "小李", StaffRole.AGENT, now, badge=wanted)
            badges.append(added.badge)
        assert badges == ["01", "03", "02", "04", "B7"]
        for badge in ("03", "", "b7", "０7", "A" * 11, "7 "):
            with pytest.raises(BadInput):
                await accounts.add_staff(session, "a6", "小李", StaffRole.AGENT, now, badge=badge)


async def test_a_colleague_may_be_renamed_and_given_another_badge_that_is_free(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        li = await make_staff(session, badge="01")
        await make_staff(session, badge="02")
        await accounts.rename(session, li, " 李  坐席 ", now, badge="07")
        assert (li.display_name, li.badge) == ("李 坐席", "07")
        await accounts.rename(session, li, "李坐席", now, badge="07")
        with pytest.raises(BadInput):
            await accounts.rename(session, li, "李坐席", now, badge="02")


async def test_a_team_is_joined_while_it_is_open(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        li = await make_staff(session)
        team = Team(name="劳动争议组", topics=[], created_at=now)
        closed = Team(name="旧组", topics=[], active=False, created_at=now)
        session.add_all([team, closed])
        await session.flush()
        await accounts.set_team(session, li, team, now)
        assert li.team_id == team.id
        with pytest.raises(BadInput):
            await accounts.set_team(session, li, closed, now)
        await accounts.set_team(session, li, None, now)
        assert li.team_id is None


# --- roles and closing


async def test_closing_an_account_ends_its_sessions_and_takes_it_offline(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        li = await make_staff(session, presence=Presence.ONLINE)
        _, token = await staff_sessions.open_session(session, li, None, now, confirmed=True)
        await accounts.disable(session, li, now)
        assert (li.active, li.presence) == (False, Presence.OFFLINE)
        assert await staff_sessions.find_session(session, token, now) is None
        await accounts.enable(session, li, now)
        assert li.active
        assert await staff_sessions.find_session(session, token, now) is None


async def test_the_last_admin_is_neither_closed_nor_demoted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, other = [await make_staff(session, role=StaffRole.ADMIN) for _ in range(2)]
        await make_staff(session, role=StaffRole.SUPERVISOR)
        await accounts.disable(session, other, now)
        with pytest.raises(NotAllowed) as refused:
            await accounts.disable(session, one, now)
        assert refused.value.values["reason"] == "last_admin"
        with pytest.raises(NotAllowed):
            await accounts.change_role(session, one, StaffRole.AGENT, now)
        assert (one.active, one.role) == (True, StaffRole.ADMIN)
        await accounts.enable(session, other, now)
        await accounts.change_role(session, one, StaffRole.AGENT, now, actor=staff_actor(other))
        assert one.role is StaffRole.AGENT


async def test_nobody_changes_their_own_role_or_closes_their_own_account(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, _ = [await make_staff(session, role=StaffRole.ADMIN) for _ in range(2)]
        for deed in (
            accounts.change_role(session, one, StaffRole.AUDITOR, now, actor=staff_actor(one)),
            accounts.disable(session, one, now, actor=staff_actor(one)),
        ):
            with pytest.raises(NotAllowed) as refused:
                await deed
            assert refused.value.values["reason"] == "own_account"


async def test_an_admin_without_a_password_is_not_somebody_who_could_sign_in(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await make_staff(session, role=StaffRole.SUPERVISOR, password_hash="x")
        admin = await make_staff(session, role=StaffRole.ADMIN)
        assert not await accounts.has_admin(session)
        await accounts.set_password(session, admin, "x", now)
        assert await accounts.has_admin(session)


# --- passwords


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("123456789", "password_length"),
        ("长" * 201, "password_length"),
        ("my-wang.wu-2026", "password_personal"),
        ("WANG.WU and more", "password_personal"),
        ("我是王班长我怕谁呀", "password_length"),
        ("我是王班长我怕谁呀呀", "password_personal"),
        ("1234567890", "password_common"),
        ("Password123", "password_common"),
        ("ＡＤＭＩＮ１２３４５", "password_common"),
        ("abababababab", "password_common"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_password(password, "wang.wu", "王 班长")
    assert refused.value.values["reason"] == reason


@pytest.mark.parametrize("password", ["correct horse battery", PASSWORD, "x9-Kp2_vv7Qm"])
def test_any_other_password_of_ten_characters_will_do(password: str) -> None:
    check_password(password, "wang.wu", "王 班长")


def test_a_password_is_kept_as_a_salted_argon2id_hash() -> None:
    hashed = hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert matches(hashed, PASSWORD)
    assert not matches(hashed, PASSWORD + " ")
    assert hash_password(PASSWORD) != hashed
    assert not matches("damaged", PASSWORD)
    assert not is_outdated(hashed)


def test_a_login_that_does_not_exist_takes_as_long_as_one_that_does() -> None:
    assert extract_parameters(passwords.NOBODYS_HASH) == extract_parameters(hash_password(PASSWORD))


def test_the_same_keys_on_another_keyboard_are_the_same_password(cheap_passwords: None) -> None:
    assert matches(hash_password("ｓｅｃｒｅｔ－１２３４"), "secret-1234")


async def test_a_reset_gives_a_password_that_must_be_changed_and_ends_every_session(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    async with database.transaction() as session:
        li = await make_staff(session, failed_logins=5, locked_until=now + MINUTE)
        _, token = await staff_sessions.open_session(session, li, None, now, confirmed=True)
        fresh = await accounts.reset_password(session, li, now, actor="staff:admin")
        check_password(fresh, li.login, li.display_name)
        assert matches(li.password_hash or "", fresh)
        assert (li.must_change_password, li.failed_logins, li.locked_until) == (True, 0, None)
        assert await staff_sessions.find_session(session, token, now) is None
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.actor, entry.deed) == ("staff:admin", "staff.password")
    assert fresh not in str(entry.detail)


# --- failures and locks


async def attempt(database: Database, login: str, password: str, now: datetime) -> Attempt:
    async with database.read() as session:
        seen = await signing_in.credentials_of(session, login, now)
    matched = matches(seen.password_hash, password)
    async with database.transaction() as session:
        return await signing_in.book_attempt(session, seen, matched, now)


async def somebody(database: Database, **values: object) -> Staff:
    async with database.transaction() as session:
        return await make_staff(session, login="li", password_hash=hash_password(PASSWORD), **values)


async def test_the_right_password_signs_in_and_forgets_earlier_failures(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    await somebody(database)
    for _ in range(4):
        assert await attempt(database, "li", "wrong", now) == Attempt()
    signed = (await attempt(database, "li", PASSWORD, now)).staff
    assert signed is not None
    assert (signed.login, signed.failed_logins) == ("li", 0)
    for _ in range(4):
        assert await attempt(database, "li", "wrong", now) == Attempt()


async def test_five_failures_lock_for_a_quarter_of_an_hour_and_five_more_for_half_an_hour(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    await somebody(database)
    answers = [await attempt(database, "li", "wrong", now) for _ in range(5)]
    assert [each.locked_until for each in answers] == [None] * 4 + [now + 15 * MINUTE]
    during = await attempt(database, "li", PASSWORD, now + 14 * MINUTE)
    assert during == Attempt(locked_until=now + 15 * MINUTE)
    later = now + 15 * MINUTE
    answers = [await attempt(database, "li", "wrong", later) for _ in range(5)]
    assert [each.locked_until for each in answers] == [None] * 4 + [later + 30 * MINUTE]
    assert (await attempt(database, "li", PASSWORD, later + 30 * MINUTE)).staff is not None


async def test_a_supervisor_ends_a_lock(database: Database, now: datetime, cheap_passwords: None) -> None:
    li = await somebody(database, failed_logins=5, locked_until=now + 15 * MINUTE)
    async with database.transaction() as session:
        await accounts.unlock(session, await accounts.lock_staff(session, li.id), now, actor="staff:wang")
    assert (await attempt(database, "li", PASSWORD, now)).staff is not None


async def test_a_lock_or_a_new_password_that_came_while_verifying_counts(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    li = await somebody(database)
    async with database.read() as session:
        seen = await signing_in.credentials_of(session, "li", now)
    async with database.transaction() as session:
        await accounts.set_password(session, await accounts.lock_staff(session, li.id), "another", now)
        assert (await signing_in.book_attempt(session, seen, True, now)).staff is None
    async with database.read() as session:
        seen = await signing_in.credentials_of(session, "li", now)
    async with database.transaction() as session:
        (await accounts.lock_staff(session, li.id)).locked_until = now + MINUTE
        await session.flush()
        assert (await signing_in.book_attempt(session, seen, True, now)).locked_until == now + MINUTE


async def test_a_closed_account_an_unknown_login_and_one_without_a_password_are_alike(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    await somebody(database, active=False)
    async with database.transaction() as session:
        await make_staff(session, login="none")
    async with database.read() as session:
        for login in ("li", "nobody", "none"):
            seen = await signing_in.credentials_of(session, login, now)
            assert seen.password_hash == passwords.NOBODYS_HASH
    for login in ("li", "nobody", "none"):
        assert await attempt(database, login, PASSWORD, now) == Attempt()


async def test_a_hash_of_another_cost_is_made_again(
    database: Database, now: datetime, cheap_passwords: None
) -> None:
    await somebody(database)
    async with database.transaction() as session:
        seen = await signing_in.credentials_of(session, "li", now)
        signed = await signing_in.book_attempt(session, seen, True, now, fresh_hash="fresh")
    assert signed.staff is not None
    assert signed.staff.password_hash == "fresh"


def test_locks_double_up_to_a_day() -> None:
    minutes = [
        None if (lock := lock_after(failures)) is None else lock / MINUTE for failures in range(0, 60, 5)
    ]
    assert minutes == [None, 15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440, 1440]
    assert lock_after(7) is None
    assert lock_after(10**9) == timedelta(hours=24)


def test_logins_that_do_not_exist_are_locked_alike(now: datetime) -> None:
    strangers = Strangers()
    until = now + 15 * MINUTE
    assert [strangers.book_failure("x", now) for _ in range(6)] == [None] * 4 + [until, until]
    assert strangers.locked_until("x", until - MINUTE) == until
    assert strangers.locked_until("x", until) is None
    assert strangers.locked_until("y", now) is None
    assert [strangers.book_failure("x", until) for _ in range(5)][-1] == until + 30 * MINUTE
