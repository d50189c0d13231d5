"""Signing in and out: the pages in front of the desk. They work without JavaScript."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.api.limits import address_of
from bot.desk.browsers import browser_name
from bot.desk.entrance import Entrance, minutes_until
from bot.desk.sessions import (
    HOME,
    LOGIN,
    TOTP,
    HalfSignedIn,
    SeeOther,
    Signed,
    comes_from_here,
    forget,
    is_secure,
    recall,
    remember,
    safe_next,
    set_cookie,
)
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import accounts, second_factor, staff_sessions
from casework.errors import NotFound
from casework.tables import Staff

FORM_COOKIE = "niangjia_login"
SECURE_FORM_COOKIE = "__Host-niangjia-login"
MAX_PROOF = 64

router = APIRouter(include_in_schema=False)


def entrance_of(request: Request) -> Entrance:
    """The entrance of this process."""
    entrance: Entrance = request.app.state.entrance
    return entrance


@router.get(LOGIN)
@open_to(Role.PUBLIC)
async def login_page(request: Request, next: str = HOME) -> Response:  # the address says ?next=
    """The form for login and password; who is signed in goes on to the desk."""
    signed = await recall(request)
    if signed is not None:
        return _see(safe_next(next) if signed.session.confirmed else _with_next(TOTP, safe_next(next)))
    return await _login_form(request, safe_next(next))


@router.post(LOGIN)
@open_to(Role.PUBLIC)
async def login(
    request: Request,
    house: TheHouse,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = HOME,  # as above
) -> Response:
    """Sign in: a new session under a new token, and the old one of this browser ends."""
    say = house.wording.say
    wanted = safe_next(next)
    if not _is_our_form(request, house, csrf):
        return await _login_form(request, wanted, login=login, error=say("desk.sign_in_stale"), status=403)
    entrance = entrance_of(request)
    if seconds := entrance.knock(address_of(request)):
        return await _too_often(request, house, wanted, login, -(-seconds // 60))
    now = house.clock.now()
    attempt = await entrance.sign_in(house.database, login, password, now)
    if attempt.locked_until is not None:
        return await _too_often(request, house, wanted, login, minutes_until(attempt.locked_until, now))
    if attempt.staff is None:
        return await _login_form(request, wanted, login=login, error=say("desk.sign_in_wrong"), status=401)
    token = await _begin(request, house, attempt.staff)
    answer = _see(_with_next(TOTP, wanted) if attempt.staff.totp_on else wanted)
    remember(answer, request, token)
    return answer


@router.get(TOTP)
@open_to(Role.STAFF)
async def totp_page(request: Request, signed: HalfSignedIn, next: str = HOME) -> Response:
    """The form for the second factor's code."""
    if signed.session.confirmed:
        return _see(safe_next(next))
    return await page(request, "totp.html", csrf=signed.session.csrf_token, next=safe_next(next), error=None)


@router.post(TOTP)
@open_to(Role.STAFF)
async def totp(
    request: Request,
    signed: HalfSignedIn,
    house: TheHouse,
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = HOME,
) -> Response:
    """Confirm the session by a code; it goes on under a new token. Too many wrong ones end it."""
    wanted = safe_next(next)
    if signed.session.confirmed:
        return _see(wanted)
    now = house.clock.now()
    token, locked_until = None, None
    async with house.database.transaction() as session:
        staff = await accounts.lock_staff(session, signed.staff.id)
        if await second_factor.check_totp(session, staff, code, now):
            try:
                token = await staff_sessions.renew(session, signed.session.id, now)
            except NotFound as error:
                raise SeeOther(LOGIN) from error
        elif staff.locked_until is not None and staff.locked_until > now:
            locked_until = staff.locked_until
            await staff_sessions.end_session(session, staff, signed.session.id, now)
    if token is not None:
        answer = _see(wanted)
        remember(answer, request, token)
        return answer
    if locked_until is not None:
        minutes = minutes_until(locked_until, now)
        refused = await _too_often(request, house, wanted, signed.staff.login, minutes)
        forget(refused, request)
        return refused
    error_text = house.wording.say("refusal.bad_input_totp_code")
    return await page(
        request,
        "totp.html",
        status=401,
        csrf=signed.session.csrf_token,
        next=wanted,
        error=error_text,
    )


@router.post("/desk/logout")
@open_to(Role.STAFF)
async def logout(request: Request, signed: HalfSignedIn, house: TheHouse) -> Response:
    """Sign out of this browser."""
    await sign_out(house, signed)
    answer = _see(LOGIN)
    forget(answer, request)
    return answer


async def sign_out(house: House, signed: Signed) -> None:
    """End the session a request came in."""
    async with house.database.transaction() as session:
        await staff_sessions.end_session(session, signed.staff, signed.session.id, house.clock.now())


async def _begin(request: Request, house: House, staff: Staff) -> str:
    now = house.clock.now()
    before = await recall(request)
    async with house.database.transaction() as session:
        if before is not None:
            await staff_sessions.end_session(session, before.staff, before.session.id, now)
        browser = browser_name(request.headers.get("user-agent"))
        _, token = await staff_sessions.open_session(
            session, staff, browser, now, confirmed=not staff.totp_on
        )
    return token


async def _login_form(
    request: Request, wanted: str, *, login: str = "", error: str | None = None, status: int = 200
) -> Response:
    """The form, with the proof that it is ours in a field and in a cookie of its own."""
    house: House = request.app.state.house
    name = _form_cookie(request, house)
    proof = request.cookies.get(name, "")
    if len(proof) != MAX_PROOF or not proof.isalnum():
        proof = secrets.token_hex(MAX_PROOF // 2)
    answer = await page(
        request, "login.html", status=status, csrf=proof, next=wanted, login=login[:MAX_PROOF], error=error
    )
    set_cookie(answer, request, name, proof)
    return answer


async def _too_often(request: Request, house: House, wanted: str, login: str, minutes: int) -> Response:
    error = house.wording.say("desk.sign_in_locked", minutes=minutes)
    answer = await _login_form(request, wanted, login=login, error=error, status=429)
    answer.headers["Retry-After"] = str(minutes * 60)
    return answer


def _is_our_form(request: Request, house: House, shown: str) -> bool:
    expected = request.cookies.get(_form_cookie(request, house), "")
    equal = compare_digest(shown.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))
    return len(expected) == MAX_PROOF and equal and comes_from_here(request)


def _form_cookie(request: Request, house: House) -> str:
    return SECURE_FORM_COOKIE if is_secure(request, house) else FORM_COOKIE


def _with_next(path: str, wanted: str) -> str:
    return path if wanted == HOME else f"{path}?next={quote(wanted, safe='/')}"


def _see(where: str) -> RedirectResponse:
    return RedirectResponse(where, status_code=303)
