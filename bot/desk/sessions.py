"""Who is at the desk: sessions by cookie, the right each route asks for, and proof that a form is ours.

A route of the desk takes ``signed: Annotated[Signed, Depends(needs(Right.LOOK))]``; everything that
changes something must carry the session's CSRF token, which the dependency checks by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from hmac import compare_digest
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.api.doorkeeper import house_of
from bot.api.errors import ApiError
from bot.house import House
from casework import staff_sessions
from casework.permissions import Right, require
from casework.tables import Staff, StaffSession

HOME = "/desk"
LOGIN = "/desk/login"
TOTP = "/desk/totp"
PASSWORD = "/desk/profile/password"  # noqa: S105  # an address
COOKIE = "niangjia_staff"
SECURE_COOKIE = "__Host-niangjia"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_NEXT = 500

_MARK = "__niangjia_right__"
ANYBODY = "anybody"
"""The mark of a route for whoever is signed in, whatever their role."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who sent a request: a member of staff and the session they sent it in.

    Both were read before the route ran and belong to no open session: to change one, get it again.
    """

    staff: Staff
    session: StaffSession


class NotSignedIn(ApiError):
    """There is no session, or it is over."""

    code = "not_signed_in"
    status = 401


class PasswordDue(ApiError):
    """The password must be changed before anything else."""

    code = "password_due"
    status = 403


class BadCsrf(ApiError):
    """The request does not show that it comes from a page of ours."""

    code = "csrf"
    status = 403


class SeeOther(Exception):
    """The browser is sent to another page of ours."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


Door = Callable[[Request], Awaitable[Signed]]


@cache
def needs(right: Right) -> Door:
    """The dependency of a route for staff who have this right; gives ``Signed``.

    Without a session a page goes to the sign-in page and everything else gets 401; without the right 403.
    """

    async def with_right(request: Request) -> Signed:
        signed = await signed_in(request)
        require(signed.staff, right)
        return signed

    return _marked(with_right, right)


async def signed_in(request: Request) -> Signed:
    """The dependency of a route for whoever is signed in, whatever their role."""
    signed = await half_signed_in(request)
    if not signed.session.confirmed:
        raise SeeOther(TOTP) if wants_page(request) else NotSignedIn()
    if signed.staff.must_change_password:
        raise SeeOther(PASSWORD) if wants_page(request) else PasswordDue()
    return signed


async def half_signed_in(request: Request) -> Signed:
    """As ``signed_in``, also while the second factor or a new password is owed: for the pages taking them."""
    house = house_of(request)
    signed = await recall(request)
    if signed is None:
        raise SeeOther(_login_page(request)) if wants_page(request) else NotSignedIn()
    if request.method not in SAFE_METHODS:
        await check_csrf(request, signed.session.csrf_token)
    now = house.clock.now()
    if staff_sessions.is_due(signed.session, now):
        async with house.database.transaction() as session:
            await staff_sessions.touch(session, signed.session.id, now)
    return signed


async def recall(request: Request) -> Signed | None:
    """Who a request's cookie belongs to, or None."""
    house = house_of(request)
    token = request.cookies.get(cookie_name(request, house))
    if not token:
        return None
    async with house.database.read() as session:
        found = await staff_sessions.find_session(session, token, house.clock.now())
    return None if found is None else Signed(staff=found[1], session=found[0])


async def check_csrf(request: Request, expected: str) -> None:
    """Refuse (BadCsrf) a request of another site, or one without the token in its header or form."""
    if not comes_from_here(request):
        raise BadCsrf()
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and request.headers.get("content-type", "").lower().startswith(FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    if not shown or not compare_digest(shown.encode("utf-8", "surrogatepass"), expected.encode()):
        await request.close()
        raise BadCsrf()


def safe_next(wanted: str | None) -> str:
    """Where to go after signing in: a page of the desk; the desk itself when the wish is anything else."""
    if (
        wanted is None
        or not wanted.startswith(HOME)
        or len(wanted) > MAX_NEXT
        or not wanted.isprintable()
        or "\\" in wanted
    ):
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    own = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    odd = any(part in ("..", ".", "") for part in parts.path.split("/")[1:])
    if parts.scheme or parts.netloc or not own or odd:
        return HOME
    return HOME if parts.path in (LOGIN, TOTP) else wanted


def wants_page(request: Request) -> bool:
    """Whether a browser is going to show the answer as a page (a script asks for something else)."""
    return "text/html" in request.headers.get("accept", "")


def is_secure(request: Request, house: House) -> bool:
    """Whether cookies must travel over https only: they came that way, or this is production."""
    return request.url.scheme == "https" or house.settings.environment == "production"


def cookie_name(request: Request, house: House) -> str:
    """What the session's cookie is called; the prefix makes browsers hold us to its strictness."""
    return SECURE_COOKIE if is_secure(request, house) else COOKIE


def remember(response: Response, request: Request, token: str) -> None:
    """Give the browser the token of its session."""
    set_cookie(response, request, cookie_name(request, house_of(request)), token)


def forget(response: Response, request: Request) -> None:
    """Take the session's cookie away."""
    house = house_of(request)
    response.delete_cookie(
        cookie_name(request, house), secure=is_secure(request, house), httponly=True, samesite="strict"
    )


def set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    """A cookie that no script reads and no other site sends; gone with the browser."""
    secure = is_secure(request, house_of(request))
    response.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="strict")


def right_of(dependant: Dependant) -> Right | str | None:
    """The right a route asks for, ``anybody`` signed in, or None when it asks for nothing (for a guard)."""
    found = getattr(dependant.call, _MARK, None)
    if isinstance(found, str):
        return found
    return next((right for each in dependant.dependencies if (right := right_of(each)) is not None), None)


async def see_other(request: Request, error: Exception) -> Response:
    """Answer SeeOther; to be registered with the application."""
    assert isinstance(error, SeeOther)  # noqa: S101  # what the handler is registered for
    return RedirectResponse(error.where, status_code=303)


def _marked(door: Door, right: str) -> Door:
    setattr(door, _MARK, right)
    return door


def _login_page(request: Request) -> str:
    if request.method not in SAFE_METHODS:
        return LOGIN
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = safe_next(f"{request.url.path}{query}")
    return LOGIN if wanted == HOME else f"{LOGIN}?next={quote(wanted, safe='/')}"


def comes_from_here(request: Request) -> bool:
    """Whether a browser that says where a request comes from says it comes from a page of ours."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    # Only the host: behind a proxy the scheme here may be another than the browser's.
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


_marked(signed_in, ANYBODY)
_marked(half_signed_in, ANYBODY)

SignedIn = Annotated[Signed, Depends(signed_in)]
HalfSignedIn = Annotated[Signed, Depends(half_signed_in)]
