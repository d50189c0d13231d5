"""Staff: the people who answer in conversations and work on cases."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotFound
from casework.tables import Staff, StaffRole

MAX_NAME = 40


async def add_staff(
    session: AsyncSession,
    login: str,
    display_name: str,
    role: StaffRole,
    now: datetime,
    *,
    actor: str = "system",
) -> Staff:
    """A new member of staff. Raises BadInput for an unusable or taken login or an unusable name."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", login):
        raise BadInput("a login is 2 to 40 of a-z 0-9 . _ -, starting with a letter", field="login")
    display_name = " ".join(display_name.split())
    if not 1 <= len(display_name) <= MAX_NAME:
        raise BadInput("a name is 1 to 40 characters", field="display_name", limit=MAX_NAME)
    if await session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise BadInput("this login is taken", field="login")
    staff = Staff(login=login, display_name=display_name, role=role, created_at=now)
    session.add(staff)
    await session.flush()
    audit.record(session, actor, "staff.added", "staff", staff.id, now=now, login=login, role=role.value)
    return staff


async def list_staff(session: AsyncSession, *, closed: bool = False) -> list[Staff]:
    """Everybody on the staff by login; with ``closed`` also the accounts that were closed."""
    query = select(Staff).order_by(Staff.login)
    return list(await session.scalars(query if closed else query.where(Staff.active)))


async def find_staff(session: AsyncSession, login: str) -> Staff:
    """The active member of staff with this login; raises NotFound."""
    staff = (await session.scalars(select(Staff).where(Staff.login == login, Staff.active))).one_or_none()
    if staff is None:
        raise NotFound("no such member of staff")
    return staff


async def close_account(session: AsyncSession, login: str, now: datetime, *, actor: str = "system") -> Staff:
    """Take away a member of staff's access; what they did stays under their name. Raises NotFound."""
    staff = await find_staff(session, login)
    staff.active = False
    audit.record(session, actor, "staff.closed", "staff", staff.id, now=now, login=login)
    return staff
