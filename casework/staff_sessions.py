"""Staff sessions: the browsers in which staff are signed in, and how each of them ends.

The browser holds a random token; the database holds its SHA-256. A session is over 12 hours after it
began, after an hour of silence, when it is ended, and when its account is closed.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import NotFound
from casework.tables import Presence, Staff, StaffSession

LASTS = timedelta(hours=12)
IDLE = timedelta(minutes=60)
UNCONFIRMED_LASTS = timedelta(minutes=10)
"""How long the second factor may take."""
SEEN_EVERY = timedelta(minutes=1)
"""``seen_at`` is written at most this often."""
MAX_BROWSER = 120


async def open_session(
    session: AsyncSession, staff: Staff, browser: str | None, now: datetime, *, confirmed: bool
) -> tuple[StaffSession, str]:
    """A new session and its token, which is told once; unconfirmed until the second factor is given."""
    token = _new_token()
    opened = StaffSession(
        staff_id=staff.id,
        token_hash=_hash(token),
        csrf_token=_new_token(),
        browser=(browser or "")[:MAX_BROWSER] or None,
        confirmed=confirmed,
        created_at=now,
        seen_at=now,
        expires_at=now + (LASTS if confirmed else UNCONFIRMED_LASTS),
    )
    session.add(opened)
    await session.flush()
    return opened, token


async def find_session(session: AsyncSession, token: str, now: datetime) -> tuple[StaffSession, Staff] | None:
    """The open session of a token and whose it is; None when there is none, it is over, or the account is."""
    row = (
        await session.execute(
            select(StaffSession, Staff)
            .join(Staff, Staff.id == StaffSession.staff_id)
            .where(StaffSession.token_hash == _hash(token), Staff.active, *open_conditions(now))
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def session_is_open(session: AsyncSession, session_id: str, now: datetime) -> bool:
    """Whether a session, known by its id, still opens the desk (for what stays connected)."""
    found = await session.scalar(
        select(StaffSession.id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(StaffSession.id == session_id, StaffSession.confirmed, Staff.active, *open_conditions(now))
    )
    return found is not None


def is_due(found: StaffSession, now: datetime) -> bool:
    """Whether it is time to write down that the session was seen."""
    return now - found.seen_at >= SEEN_EVERY


async def touch(session: AsyncSession, session_id: str, now: datetime) -> None:
    """Write down that an open session was seen, at most once a minute; one that is over stays over."""
    await session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.seen_at <= now - SEEN_EVERY, *open_conditions(now))
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


async def renew(session: AsyncSession, session_id: str, now: datetime, *, confirmed: bool = True) -> str:
    """A new token and a new CSRF token for a session whose powers grow; the old ones open nothing.

    Raises NotFound for a session that is over.
    """
    found = await session.get(StaffSession, session_id, with_for_update=True, populate_existing=True)
    if found is None or not _is_open(found, now):
        raise NotFound("this session is over")
    token = _new_token()
    found.token_hash = _hash(token)
    found.csrf_token = _new_token()
    if confirmed and not found.confirmed:
        found.confirmed = True
        found.expires_at = now + LASTS
    found.seen_at = now
    return token


async def list_sessions(session: AsyncSession, staff: Staff, now: datetime) -> list[StaffSession]:
    """Where a member of staff is signed in now, the most recently seen first."""
    query = select(StaffSession).where(StaffSession.staff_id == staff.id, *open_conditions(now))
    return list(await session.scalars(query.order_by(StaffSession.seen_at.desc(), StaffSession.id)))


async def end_session(session: AsyncSession, staff: Staff, session_id: str, now: datetime) -> None:
    """End one of a member of staff's own sessions, and with the last one take them offline.

    Raises NotFound for anybody else's.
    """
    found = await session.get(StaffSession, session_id)
    if found is None or found.staff_id != staff.id:
        raise NotFound("no such session")
    if found.ended_at is not None:
        return
    found.ended_at = now
    audit.record(session, audit.staff_actor(staff), "staff.signed_out", "staff", staff.id, now=now)
    await session.flush()
    if not await list_sessions(session, staff, now):
        gone = update(Staff).where(Staff.id == staff.id).values(presence=Presence.OFFLINE)
        await session.execute(gone.execution_options(synchronize_session="evaluate"))


async def end_all(session: AsyncSession, staff: Staff, now: datetime, *, but: str | None = None) -> int:
    """End every session of a member of staff (``but`` one, by its id); returns how many."""
    query = select(StaffSession).where(
        StaffSession.staff_id == staff.id, StaffSession.ended_at.is_(None), StaffSession.id != (but or "")
    )
    found = list(await session.scalars(query))
    for each in found:
        each.ended_at = now
    return len(found)


def open_conditions(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of a session that still opens the desk, for queries (its account may be closed)."""
    return (
        StaffSession.ended_at.is_(None),
        StaffSession.expires_at > now,
        StaffSession.seen_at > now - IDLE,
    )


def _is_open(found: StaffSession, now: datetime) -> bool:
    return found.ended_at is None and found.expires_at > now and found.seen_at > now - IDLE


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
