"""Profile: what members of staff see and change of their own account."""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Path, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.entrance import minutes_until
from bot.desk.sessions import (
    LOGIN,
    PASSWORD,
    TOTP,
    HalfSignedIn,
    SeeOther,
    Signed,
    SignedIn,
    forget,
    remember,
)
from bot.desk.shell import page
from bot.desk.signing_in import entrance_of, sign_out
from bot.house import House
from bot.roles import Role, open_to
from casework import accounts, passwords, second_factor, staff_sessions
from casework.errors import BadInput, NotFound
from casework.signing_in import Attempt

PROFILE = "/desk/profile"
SECOND_FACTOR = "/desk/profile/totp"
DONE = frozenset({"password", "totp_on", "totp_off", "session", "sessions"})
"""What the profile page may confirm after a redirect."""

router = APIRouter(include_in_schema=False)


@router.get(PROFILE)
@open_to(Role.STAFF)
async def profile(request: Request, signed: SignedIn, house: TheHouse, done: str = "") -> Response:
    """Name, badge and role, where one is signed in, and the second factor."""
    return await _profile(request, signed, house, done=done if done in DONE else None)


@router.get(PASSWORD)
@open_to(Role.STAFF)
async def password_page(request: Request, signed: HalfSignedIn) -> Response:
    """The form for another password; the only page for who owes one."""
    _confirmed(signed)
    return await _password_form(request, signed)


@router.post(PASSWORD)
@open_to(Role.STAFF)
async def change_password(
    request: Request,
    signed: HalfSignedIn,
    house: TheHouse,
    current: Annotated[str, Form()] = "",
    fresh: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change one's own password: this session goes on under a new token, every other one ends."""
    _confirmed(signed)
    say = house.wording.say
    staff = signed.staff
    try:
        passwords.check_password(fresh, staff.login, staff.display_name)
    except BadInput as error:
        return await _password_form(request, signed, "fresh", house.wording.refuse(error))
    if fresh != again:
        return await _password_form(request, signed, "again", say("desk.password_twice"))
    entrance = entrance_of(request)
    now = house.clock.now()
    attempt = await entrance.check_own(house.database, staff.login, current, now)
    if attempt.staff is None:
        return await _password_form(request, signed, "current", _why(house, attempt))
    if fresh == current:
        return await _password_form(request, signed, "fresh", say("desk.password_same"))
    hashed = await entrance.hash(fresh)
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, staff.id)
        try:
            token = await staff_sessions.renew(session, signed.session.id, now)
        except NotFound as error:
            raise SeeOther(LOGIN) from error
        await accounts.set_password(session, person, hashed, now, but=signed.session.id)
    answer = _see(f"{PROFILE}?done=password")
    remember(answer, request, token)
    return answer


@router.post(f"{SECOND_FACTOR}/begin")
@open_to(Role.STAFF)
async def begin_totp(signed: SignedIn, house: TheHouse) -> Response:
    """Make a secret for the second factor; the next page shows it."""
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, signed.staff.id)
        await second_factor.begin_totp(session, person)
    return _see(SECOND_FACTOR)


@router.get(SECOND_FACTOR)
@open_to(Role.STAFF)
async def totp_page(request: Request, signed: SignedIn, house: TheHouse) -> Response:
    """The secret as a QR code and in letters, and the form for the first code."""
    if signed.staff.totp_on or signed.staff.totp_secret is None:
        return _see(PROFILE)
    return await _totp_form(request, signed, house)


@router.post(f"{SECOND_FACTOR}/confirm")
@open_to(Role.STAFF)
async def confirm_totp(
    request: Request, signed: SignedIn, house: TheHouse, code: Annotated[str, Form()] = ""
) -> Response:
    """Turn the second factor on by a first code."""
    try:
        async with house.database.transaction() as session:
            person = await accounts.lock_staff(session, signed.staff.id)
            await second_factor.confirm_totp(session, person, code, house.clock.now())
    except BadInput as error:
        return await _totp_form(request, signed, house, error=house.wording.refuse(error))
    return _see(f"{PROFILE}?done=totp_on")


@router.post(f"{SECOND_FACTOR}/off")
@open_to(Role.STAFF)
async def disable_totp(
    request: Request, signed: SignedIn, house: TheHouse, password: Annotated[str, Form()] = ""
) -> Response:
    """Turn the second factor off; asks for the password."""
    now = house.clock.now()
    attempt = await entrance_of(request).check_own(house.database, signed.staff.login, password, now)
    if attempt.staff is None:
        return await _profile(request, signed, house, error=_why(house, attempt), status=422)
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, signed.staff.id)
        await second_factor.disable_totp(session, person, now)
    return _see(f"{PROFILE}?done=totp_off")


@router.post(f"{PROFILE}/sessions/end-others")
@open_to(Role.STAFF)
async def end_other_sessions(signed: SignedIn, house: TheHouse) -> Response:
    """Sign out everywhere but here."""
    async with house.database.transaction() as session:
        await staff_sessions.end_all(session, signed.staff, house.clock.now(), but=signed.session.id)
    return _see(f"{PROFILE}?done=sessions")


@router.post(f"{PROFILE}/sessions/{{session_id}}/end")
@open_to(Role.STAFF)
async def end_session(
    request: Request, signed: SignedIn, house: TheHouse, session_id: Annotated[str, Path(max_length=32)]
) -> Response:
    """Sign out of one browser, this one or another."""
    if session_id == signed.session.id:
        await sign_out(house, signed)
        answer = _see(LOGIN)
        forget(answer, request)
        return answer
    async with house.database.transaction() as session:
        await staff_sessions.end_session(session, signed.staff, session_id, house.clock.now())
    return _see(f"{PROFILE}?done=session")


async def _profile(
    request: Request,
    signed: Signed,
    house: House,
    *,
    done: str | None = None,
    error: str | None = None,
    status: int = 200,
) -> Response:
    async with house.database.read() as session:
        sessions = await staff_sessions.list_sessions(session, signed.staff, house.clock.now())
    return await page(
        request,
        "profile.html",
        signed=signed,
        status=status,
        sessions=sessions,
        done=done,
        error=error,
    )


async def _password_form(
    request: Request, signed: Signed, field: str | None = None, error: str | None = None
) -> Response:
    return await page(
        request,
        "password.html",
        status=422 if error else 200,
        csrf=signed.session.csrf_token,
        login=signed.staff.login,
        due=signed.staff.must_change_password,
        least=passwords.MIN_LENGTH,
        field=field,
        error=error,
    )


async def _totp_form(request: Request, signed: Signed, house: House, error: str | None = None) -> Response:
    uri = second_factor.totp_uri(signed.staff, house.wording.say("desk.totp_issuer"))
    code = segno.make(uri, micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff")
    secret = signed.staff.totp_secret or ""
    return await page(
        request,
        "totp_setup.html",
        signed=signed,
        status=422 if error else 200,
        # segno's own drawing of an address we made: nothing in it was typed by anybody.
        qr_code=Markup(code),  # noqa: S704
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        error=error,
    )


def _why(house: House, attempt: Attempt) -> str:
    if attempt.locked_until is None:
        return house.wording.say("desk.password_wrong")
    return house.wording.say(
        "desk.sign_in_locked", minutes=minutes_until(attempt.locked_until, house.clock.now())
    )


def _confirmed(signed: Signed) -> None:
    if not signed.session.confirmed:
        raise SeeOther(TOTP)


def _see(where: str) -> RedirectResponse:
    return RedirectResponse(where, status_code=303)
