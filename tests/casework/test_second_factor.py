"""Second factor: a code opens once, and a wrong one counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest

from casework import accounts, second_factor
from casework.database import Database
from casework.errors import BadInput, NotAllowed
from casework.tables import Staff
from tests.factories import make_staff

STEP = timedelta(seconds=30)


def code(staff: Staff, at: datetime) -> str:
    assert staff.totp_secret is not None
    return pyotp.TOTP(staff.totp_secret).at(at)


async def begun(database: Database) -> Staff:
    async with database.transaction() as session:
        li = await make_staff(session, login="li")
        await second_factor.begin_totp(session, li)
        return li


async def test_the_second_factor_counts_once_a_code_was_shown(database: Database, now: datetime) -> None:
    li = await begun(database)
    async with database.transaction() as session:
        li = await accounts.lock_staff(session, li.id)
        uri = second_factor.totp_uri(li, "娘家人")
        assert uri.startswith("otpauth://totp/")
        assert f"secret={li.totp_secret}" in uri
        assert not await second_factor.check_totp(session, li, code(li, now), now)
        for wrong in ("", "123", "abcdef", "１２３４５６", code(li, now + 10 * STEP)):
            with pytest.raises(BadInput):
                await second_factor.confirm_totp(session, li, wrong, now)
        assert not li.totp_on
        shown = code(li, now)
        await second_factor.confirm_totp(session, li, f"{shown[:3]} {shown[3:]}", now)
        assert li.totp_on
        with pytest.raises(NotAllowed):
            await second_factor.begin_totp(session, li)


async def test_a_code_opens_once_and_half_a_minute_either_way(database: Database, now: datetime) -> None:
    li = await begun(database)
    async with database.transaction() as session:
        li = await accounts.lock_staff(session, li.id)
        await second_factor.confirm_totp(session, li, code(li, now), now)
        assert not await second_factor.check_totp(session, li, code(li, now), now)
        assert not await second_factor.check_totp(session, li, code(li, now - STEP), now)
        assert await second_factor.check_totp(session, li, code(li, now + STEP), now)
        assert not await second_factor.check_totp(session, li, code(li, now + STEP), now + STEP)
        assert not await second_factor.check_totp(session, li, code(li, now + STEP), now + 3 * STEP)
        later = now + 9 * STEP
        assert await second_factor.check_totp(session, li, code(li, later - STEP), later)


async def test_five_wrong_codes_lock_and_a_right_one_does_not_open_then(
    database: Database, now: datetime
) -> None:
    li = await begun(database)
    async with database.transaction() as session:
        li = await accounts.lock_staff(session, li.id)
        await second_factor.confirm_totp(session, li, code(li, now - STEP), now)
        for _ in range(5):
            assert not await second_factor.check_totp(session, li, "000000", now)
        assert li.locked_until == now + timedelta(minutes=15)
        assert not await second_factor.check_totp(session, li, code(li, now), now)
        freed = now + timedelta(minutes=15)
        assert await second_factor.check_totp(session, li, code(li, freed), freed)
        assert (li.failed_logins, li.locked_until) == (0, None)


async def test_the_secret_is_encrypted_at_rest_and_goes_with_the_factor(
    database: Database, now: datetime
) -> None:
    li = await begun(database)
    async with database.engine.connect() as connection:
        (kept,) = (await connection.exec_driver_sql("SELECT totp_secret FROM staff")).one()
    assert li.totp_secret is not None
    assert li.totp_secret.encode() not in bytes(kept if isinstance(kept, bytes) else str(kept).encode())
    async with database.transaction() as session:
        li = await accounts.lock_staff(session, li.id)
        await second_factor.confirm_totp(session, li, code(li, now), now)
        await accounts.reset_second_factor(session, li, now)
        assert (li.totp_on, li.totp_secret, li.totp_last_step) == (False, None, None)
        with pytest.raises(NotAllowed):
            second_factor.totp_uri(li, "娘家人")
