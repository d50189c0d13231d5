"""Accounts: who is on the staff, what they may be, and whether they may come in.

Who may ask for a deed is the route's to check (``Right.EDIT_STAFF``); what no one may do is checked here:
the last admin stays, and nobody changes their own role or closes their own account.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit, passwords
from casework.errors import BadInput, NotAllowed, NotFound
from casework.redaction import redact
from casework.staff_sessions import end_all
from casework.tables import Presence, Staff, StaffRole, Team

MAX_NAME = 40


async def add_staff(
    session: AsyncSession,
    login: str,
    display_name: str,
    role: StaffRole,
    now: datetime,
    *,
    badge: str | None = None,
    actor: str = "system",
) -> Staff:
    """A new member of staff without a password; without ``badge`` they get the next free number.

    Raises BadInput for an unusable or taken login or badge, or an unusable name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", login) or redact(login) != login:
        raise BadInput("a login is 2 to 40 of a-z 0-9 . _ -, starting with a letter", field="login")
    display_name = _usable_name(display_name)
    if await session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise BadInput("this login is taken", reason="login_taken")
    badge = await _next_badge(session) if badge is None else await _usable_badge(session, badge)
    staff = Staff(login=login, display_name=display_name, role=role, badge=badge, created_at=now)
    session.add(staff)
    await session.flush()
    audit.record(session, actor, "staff.added", "staff", staff.id, now=now, login=login, role=role.value)
    return staff


async def list_staff(session: AsyncSession, *, closed: bool = False) -> list[Staff]:
    """Everybody on the staff by login; with ``closed`` also the accounts that were closed."""
    query = select(Staff).order_by(Staff.login)
    return list(await session.scalars(query if closed else query.where(Staff.active)))


async def find_staff(session: AsyncSession, login: str, *, closed: bool = False) -> Staff:
    """The member of staff with this login, with ``closed`` also of a closed account; raises NotFound."""
    staff = (await session.scalars(select(Staff).where(Staff.login == login))).one_or_none()
    if staff is None or not (staff.active or closed):
        raise NotFound("no such member of staff")
    return staff


async def get_staff(session: AsyncSession, staff_id: int) -> Staff:
    """A member of staff by id, also with a closed account; raises NotFound."""
    staff = await session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("no such member of staff")
    return staff


async def lock_staff(session: AsyncSession, staff_id: int) -> Staff:
    """A member of staff by id, to be changed in this transaction and by nobody else; raises NotFound."""
    staff = await session.get(Staff, staff_id, with_for_update=True, populate_existing=True)
    if staff is None:
        raise NotFound("no such member of staff")
    return staff


async def has_admin(session: AsyncSession) -> bool:
    """Whether there is an admin who could sign in."""
    query = select(Staff.id).where(
        Staff.active, Staff.role == StaffRole.ADMIN, Staff.password_hash.is_not(None)
    )
    return await session.scalar(query.limit(1)) is not None


async def disable(session: AsyncSession, staff: Staff, now: datetime, *, actor: str = "system") -> None:
    """Take away a member of staff's access at once; what they did stays under their name.

    Raises NotAllowed for one's own account and for the last admin.
    """
    if not staff.active:
        return
    _refuse_own(staff, actor)
    await _keep_an_admin(session, staff)
    staff.active = False
    staff.presence = Presence.OFFLINE
    await end_all(session, staff, now)
    audit.record(session, actor, "staff.closed", "staff", staff.id, now=now, login=staff.login)


async def enable(session: AsyncSession, staff: Staff, now: datetime, *, actor: str = "system") -> None:
    """Give a closed account back, with the password it had."""
    if staff.active:
        return
    staff.active = True
    _forgive(staff)
    audit.record(session, actor, "staff.reopened", "staff", staff.id, now=now, login=staff.login)


async def close_account(session: AsyncSession, login: str, now: datetime, *, actor: str = "system") -> Staff:
    """``disable`` by login; raises NotFound as well."""
    staff = await find_staff(session, login)
    await disable(session, staff, now, actor=actor)
    return staff


async def change_role(
    session: AsyncSession, staff: Staff, role: StaffRole, now: datetime, *, actor: str = "system"
) -> None:
    """Give another role, from the next request on; raises NotAllowed for one's own and the last admin's."""
    if role is staff.role:
        return
    _refuse_own(staff, actor)
    await _keep_an_admin(session, staff)
    audit.record(
        session,
        actor,
        "staff.role",
        "staff",
        staff.id,
        now=now,
        **{"from": staff.role.value, "to": role.value},
    )
    staff.role = role


async def set_team(
    session: AsyncSession, staff: Staff, team: Team | None, now: datetime, *, actor: str = "system"
) -> None:
    """Put a member of staff into a team, or into none; raises BadInput for a team that is closed."""
    if team is not None and not team.active:
        raise BadInput("this team is closed", field="team")
    staff.team_id = None if team is None else team.id
    audit.record(session, actor, "staff.team", "staff", staff.id, now=now, team=staff.team_id)


async def rename(
    session: AsyncSession,
    staff: Staff,
    display_name: str,
    now: datetime,
    *,
    badge: str | None = None,
    actor: str = "system",
) -> None:
    """Give another name and, if one is given, another badge; raises BadInput for an unusable or taken one."""
    staff.display_name = _usable_name(display_name)
    if badge is not None and badge != staff.badge:
        staff.badge = await _usable_badge(session, badge)
    audit.record(session, actor, "staff.renamed", "staff", staff.id, now=now, badge=staff.badge)


async def set_password(
    session: AsyncSession,
    staff: Staff,
    password_hash: str,
    now: datetime,
    *,
    actor: str | None = None,
    must_change: bool = False,
    but: str | None = None,
) -> None:
    """Take a new password by its hash; every session ends (``but`` one, by its id).

    The caller has asked ``passwords.check_password`` and hashed outside the transaction.
    """
    staff.password_hash = password_hash
    staff.must_change_password = must_change
    ended = await end_all(session, staff, now, but=but)
    by = actor or audit.staff_actor(staff)
    audit.record(session, by, "staff.password", "staff", staff.id, now=now, sessions_ended=ended)


async def reset_password(session: AsyncSession, staff: Staff, now: datetime, *, actor: str = "system") -> str:
    """A one-time password that opens nothing but its own change; returned to be read out, kept nowhere.

    Ends every session and a lock-out.
    """
    fresh = passwords.one_time_password()
    hashed = await asyncio.to_thread(passwords.hash_password, fresh)
    await set_password(session, staff, hashed, now, actor=actor, must_change=True)
    _forgive(staff)
    return fresh


async def reset_second_factor(
    session: AsyncSession, staff: Staff, now: datetime, *, actor: str = "system"
) -> None:
    """Take the second factor away from somebody who lost it; every session ends."""
    staff.totp_secret = None
    staff.totp_on = False
    staff.totp_last_step = None
    await end_all(session, staff, now)
    audit.record(session, actor, "staff.totp_reset", "staff", staff.id, now=now)


async def end_sessions(
    session: AsyncSession, staff: Staff, now: datetime, *, but: str | None = None, actor: str = "system"
) -> int:
    """Sign a member of staff out everywhere (``but`` one session, by its id); returns how many ended."""
    ended = await end_all(session, staff, now, but=but)
    if actor != audit.staff_actor(staff):
        staff.presence = Presence.OFFLINE
    audit.record(session, actor, "staff.sessions_ended", "staff", staff.id, now=now, sessions_ended=ended)
    return ended


async def unlock(session: AsyncSession, staff: Staff, now: datetime, *, actor: str = "system") -> None:
    """End a lock-out after wrong passwords, and forget them."""
    _forgive(staff)
    audit.record(session, actor, "staff.unlocked", "staff", staff.id, now=now)


def _forgive(staff: Staff) -> None:
    staff.failed_logins = 0
    staff.locked_until = None


def _usable_name(display_name: str) -> str:
    name = " ".join(display_name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise BadInput("a name is 1 to 40 characters", field="display_name", limit=MAX_NAME)
    return name


async def _usable_badge(session: AsyncSession, badge: str) -> str:
    if not re.fullmatch(r"[0-9A-Z]{1,10}", badge):
        raise BadInput("a badge is 1 to 10 of 0-9 A-Z", field="badge")
    if await session.scalar(select(Staff.id).where(Staff.badge == badge)) is not None:
        raise BadInput("this badge is taken", reason="badge_taken")
    return badge


async def _next_badge(session: AsyncSession) -> str:
    taken = set(await session.scalars(select(Staff.badge).where(Staff.badge.is_not(None))))
    return next(
        badge for badge in (f"{number:02d}" for number in range(1, len(taken) + 2)) if badge not in taken
    )


def _refuse_own(staff: Staff, actor: str) -> None:
    if actor == audit.staff_actor(staff):
        raise NotAllowed("nobody does this to their own account", reason="own_account")


async def _keep_an_admin(session: AsyncSession, staff: Staff) -> None:
    if staff.role is not StaffRole.ADMIN or not staff.active:
        return
    # Locked in one order, so that two admins who close each other's account at once do not both succeed.
    admins = await session.scalars(
        select(Staff.id)
        .where(Staff.role == StaffRole.ADMIN, Staff.active)
        .order_by(Staff.id)
        .with_for_update()
    )
    if set(admins) <= {staff.id}:
        raise NotAllowed("the last admin stays", reason="last_admin")
