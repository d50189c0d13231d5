"""Second factor: six digits from an app (TOTP, RFC 6238), each of which opens once."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest

import pyotp
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotAllowed
from casework.signing_in import book_failure, book_success
from casework.tables import Staff

STEP_S = 30
WINDOW = (-1, 0, 1)
"""A clock may be half a minute wrong either way."""


async def begin_totp(session: AsyncSession, staff: Staff) -> None:
    """Give a new secret, which counts once ``confirm_totp`` was shown a code of it.

    Raises NotAllowed while the second factor is on: it is turned off first.
    """
    if staff.totp_on:
        raise NotAllowed("the second factor is on", reason="totp_on")
    staff.totp_secret = pyotp.random_base32()
    staff.totp_last_step = None


def totp_uri(staff: Staff, issuer: str) -> str:
    """The address (otpauth://…) an authenticator app reads the secret from; raises NotAllowed without one."""
    if staff.totp_secret is None:
        raise NotAllowed("there is no secret yet", reason="totp_off")
    return pyotp.TOTP(staff.totp_secret).provisioning_uri(name=staff.login, issuer_name=issuer)


async def confirm_totp(session: AsyncSession, staff: Staff, code: str, now: datetime) -> None:
    """Turn the second factor on; raises BadInput (``totp_code``) for a code of something else."""
    if staff.totp_on:
        raise NotAllowed("the second factor is on", reason="totp_on")
    if not _spend(staff, code, now):
        raise BadInput("not a code of this secret", reason="totp_code")
    staff.totp_on = True
    audit.record(session, audit.staff_actor(staff), "staff.totp_on", "staff", staff.id, now=now)


async def check_totp(session: AsyncSession, staff: Staff, code: str, now: datetime) -> bool:
    """Whether the code opens; one that was taken before does not, and a wrong one counts as a failure.

    The caller holds the row (``accounts.lock_staff``).
    """
    if staff.locked_until is not None and staff.locked_until > now:
        return False
    if staff.totp_on and _spend(staff, code, now):
        book_success(session, staff, now)
        return True
    book_failure(session, staff, now)
    return False


async def disable_totp(session: AsyncSession, staff: Staff, now: datetime) -> None:
    """Turn one's own second factor off; the caller has verified the password."""
    staff.totp_secret = None
    staff.totp_on = False
    staff.totp_last_step = None
    audit.record(session, audit.staff_actor(staff), "staff.totp_off", "staff", staff.id, now=now)


def _spend(staff: Staff, code: str, now: datetime) -> bool:
    code = "".join(code.split())
    if staff.totp_secret is None or len(code) != 6 or not code.isascii():
        return False
    totp = pyotp.TOTP(staff.totp_secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    for step in (present + shift for shift in WINDOW):
        if step > (staff.totp_last_step or 0) and compare_digest(totp.generate_otp(step), code):
            staff.totp_last_step = step
            return True
    return False
