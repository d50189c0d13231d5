"""Entrance: verifies passwords out of everybody's way, and counts who tries too often."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

from pyrate_limiter import Duration

from bot.api.limits import KeyedLimit
from casework import passwords, signing_in
from casework.database import Database
from casework.signing_in import Attempt, Credentials, Strangers

TRIES_PER_ADDRESS = 20
INTERVAL = 10 * Duration.MINUTE
AT_ONCE = 2
"""Passwords verified at the same time: each takes 64 MiB and a core."""
MAX_LOGIN = 40


class Entrance:
    """One for the process: the tries of each address, and of logins that do not exist."""

    def __init__(self) -> None:
        self._addresses = KeyedLimit(TRIES_PER_ADDRESS, INTERVAL)
        self._strangers = Strangers()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def knock(self, address: str) -> int:
        """Spend one try of an address; returns 0, or the seconds to wait."""
        return self._addresses.spend(address)

    async def sign_in(self, database: Database, login: str, password: str, now: datetime) -> Attempt:
        """Who signs in with a login and a password: somebody, or nobody and until when it is locked.

        A login that does not exist costs the same time and is locked after the same number of failures.
        """
        login = login.strip().lower()[:MAX_LOGIN]
        seen = await self._look_up(database, login, now)
        locked_until = seen.locked_until or self._strangers.locked_until(login, now)
        if locked_until is not None:
            return Attempt(locked_until=locked_until)
        matched = await self._verify(seen, password)
        if seen.staff_id is None:
            return Attempt(locked_until=self._strangers.book_failure(login, now))
        fresh = await self.hash(password) if matched and passwords.is_outdated(seen.password_hash) else None
        async with database.transaction() as session:
            return await signing_in.book_attempt(session, seen, matched, now, fresh_hash=fresh)

    async def check_own(self, database: Database, login: str, password: str, now: datetime) -> Attempt:
        """Whether somebody who is signed in knows their password; counts failures as signing in does."""
        seen = await self._look_up(database, login, now)
        if seen.locked_until is not None:
            return Attempt(locked_until=seen.locked_until)
        matched = await self._verify(seen, password)
        async with database.transaction() as session:
            return await signing_in.book_check(session, seen, matched, now)

    async def hash(self, password: str) -> str:
        """The hash of a password, made in a thread."""
        async with self._turns:
            return await asyncio.to_thread(passwords.hash_password, password)

    async def _look_up(self, database: Database, login: str, now: datetime) -> Credentials:
        async with database.read() as session:
            return await signing_in.credentials_of(session, login, now)

    async def _verify(self, seen: Credentials, password: str) -> bool:
        async with self._turns:
            return await asyncio.to_thread(passwords.matches, seen.password_hash, password)


def minutes_until(locked_until: datetime, now: datetime) -> int:
    """Whole minutes to wait, at least one."""
    return max(1, math.ceil((locked_until - now) / timedelta(minutes=1)))
