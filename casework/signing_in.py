"""Signing in: a login and a password become a member of staff, or one more failure.

In three steps, because verifying takes a while and nobody shall wait for it with a transaction open:
``credentials_of`` in a read, ``passwords.matches`` in a thread, ``book_attempt`` in a transaction.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.passwords import NOBODYS_HASH
from casework.tables import Staff

TRIES = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
MAX_STRANGERS = 20_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is verified against; of an unknown login or a closed account nobody's hash."""

    login: str
    staff_id: int | None
    password_hash: str
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: the member of staff, or nobody and until when the login is locked."""

    staff: Staff | None = None
    locked_until: datetime | None = None


async def credentials_of(session: AsyncSession, login: str, now: datetime) -> Credentials:
    """What there is to verify a login's password against; never tells whether there is such a login."""
    staff = (await session.scalars(select(Staff).where(Staff.login == login))).one_or_none()
    if staff is None:
        return Credentials(login, None, NOBODYS_HASH, None)
    usable = staff.password_hash if staff.active else None
    return Credentials(login, staff.id, usable or NOBODYS_HASH, _locked_until(staff, now))


async def book_attempt(
    session: AsyncSession, seen: Credentials, matched: bool, now: datetime, *, fresh_hash: str | None = None
) -> Attempt:
    """Write down whether the password was right; counts failures, and locks the login after five.

    ``fresh_hash`` replaces the hash of a right password when it was made at an outdated cost. A lock or a
    password that came while it was being verified counts. Failures are forgotten only once everything
    that is asked for was right, the second factor as well.
    """
    attempt = await book_check(session, seen, matched, now)
    if attempt.staff is not None:
        if fresh_hash is not None:
            attempt.staff.password_hash = fresh_hash
        if not attempt.staff.totp_on:
            book_success(session, attempt.staff, now)
    return attempt


async def book_check(session: AsyncSession, seen: Credentials, matched: bool, now: datetime) -> Attempt:
    """As ``book_attempt``, for somebody signed in who shows their password again; forgets no failures."""
    if seen.staff_id is None:
        return Attempt()
    staff = await session.get_one(Staff, seen.staff_id, with_for_update=True, populate_existing=True)
    if locked_until := _locked_until(staff, now):
        return Attempt(locked_until=locked_until)
    if matched and staff.active and staff.password_hash == seen.password_hash:
        return Attempt(staff=staff)
    return Attempt(locked_until=book_failure(session, staff, now))


def book_success(session: AsyncSession, staff: Staff, now: datetime) -> None:
    """A member of staff showed everything they are asked for: earlier failures are forgotten."""
    staff.failed_logins = 0
    staff.locked_until = None
    audit.record(session, audit.staff_actor(staff), "staff.signed_in", "staff", staff.id, now=now)


def book_failure(session: AsyncSession, staff: Staff, now: datetime) -> datetime | None:
    """One more wrong password or code; returns until when the login is locked, if it is now."""
    staff.failed_logins += 1
    locked_for = lock_after(staff.failed_logins)
    if locked_for is not None:
        staff.locked_until = now + locked_for
    audit.record(
        session,
        "system",
        "staff.sign_in_failed" if locked_for is None else "staff.locked",
        "staff",
        staff.id,
        now=now,
        failures=staff.failed_logins,
    )
    return None if locked_for is None else staff.locked_until


def lock_after(failures: int) -> timedelta | None:
    """How long so many failures in a row lock a login: 15 minutes after five, twice that after five more."""
    rounds, rest = divmod(failures, TRIES)
    if rest or not rounds:
        return None
    return min(FIRST_LOCK * (1 << min(rounds - 1, 10)), LONGEST_LOCK)


class Strangers:
    """Failures of logins that do not exist, counted as those that do: a lock tells nobody which it is.

    Kept in memory for the 20,000 tried last.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()

    def locked_until(self, login: str, now: datetime) -> datetime | None:
        """Until when a login is locked, if it is."""
        _, until = self._failures.get(login, (0, None))
        return until if until is not None and until > now else None

    def book_failure(self, login: str, now: datetime) -> datetime | None:
        """One more failure; returns until when the login is locked, if it is now."""
        if locked := self.locked_until(login, now):
            return locked
        failures = self._failures.get(login, (0, None))[0] + 1
        locked_for = lock_after(failures)
        until = None if locked_for is None else now + locked_for
        self._failures[login] = (failures, until)
        self._failures.move_to_end(login)
        if len(self._failures) > MAX_STRANGERS:
            self._failures.popitem(last=False)
        return until


def _locked_until(staff: Staff, now: datetime) -> datetime | None:
    return staff.locked_until if staff.locked_until is not None and staff.locked_until > now else None
