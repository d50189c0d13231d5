"""The desk's errors: a page for whoever looks at one, JSON for scripts, and both in words for staff."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api import errors
from bot.api.doorkeeper import house_of
from bot.desk.sessions import wants_page
from bot.desk.shell import render
from bot.faults import log_fault, new_reference
from bot.headers import is_for_staff
from casework.errors import Refusal
from casework.wording import Wording

Handler = Callable[[Request, Exception], Awaitable[Response]]

log = logging.getLogger(__name__)


def install_desk_errors(app: FastAPI) -> None:
    """Answer what goes wrong under ``/desk`` as staff need it; everything else stays as it is."""
    for kind in (HTTPException, RequestValidationError, Refusal):
        handler = app.exception_handlers[kind]
        app.add_exception_handler(kind, _at_the_desk(handler))  # type: ignore[arg-type]


def refusal_text(wording: Wording, refusal: Refusal) -> str:
    """A refusal in words for staff where there are any (``desk.refusal.*``), else in those for members.

    What says which input was wrong comes before what only says that one was.
    """
    detail = refusal.values.get("reason") or refusal.values.get("field")
    exact, general = f"{refusal.code}_{detail}", refusal.code
    for key in (f"desk.refusal.{exact}", f"refusal.{exact}", f"desk.refusal.{general}"):
        if wording.has(key) and wording.placeholders(key) <= refusal.values.keys():
            return wording.say(key, **refusal.values)
    return wording.refuse(refusal)


class DeskFaults:
    """What nobody expected, while staff wanted to see a page: a page with a reference number."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; where a page of the desk breaks, say so on one."""
        if scope["type"] != "http" or not is_for_staff(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            raise
        except Exception as error:
            if started or not wants_page(request):
                raise
            reference = new_reference()
            where = getattr(scope.get("route"), "path", "no route")
            log_fault(log, reference, f"{scope['method']} {where}", error)
            await _page(request, 500, "", reference=reference)(scope, receive, send)


def _at_the_desk(otherwise: Handler) -> Handler:
    async def handler(request: Request, error: Exception) -> Response:
        response = await otherwise(request, error)
        if not is_for_staff(request.url.path):
            return response
        if not isinstance(response, JSONResponse):
            return response
        message = _message(request, error)
        if wants_page(request):
            return _page(request, response.status_code, message)
        if isinstance(error, Refusal):
            details = [
                {name: error.values[name]}
                for name in ("limit", "length", "reason", "field")
                if isinstance(error.values.get(name), (str, int))
            ]
            body = {"error": {"code": error.code, "message": message, "details": details}}
            return JSONResponse(body, status_code=response.status_code)
        return response

    return handler


def _message(request: Request, error: Exception) -> str:
    wording = house_of(request).wording
    if isinstance(error, Refusal):
        return refusal_text(wording, error)
    if isinstance(error, errors.ApiError):
        return wording.say(f"api.{error.code}", **error.values)
    if isinstance(error, HTTPException):
        return wording.say(f"api.{errors.CODE_OF_STATUS.get(error.status_code, 'bad_request')}")
    return wording.say("api.invalid")


def _page(request: Request, status: int, message: str, reference: str | None = None) -> Response:
    text = render(request, "error.html", status=status, message=message, reference=reference)
    return Response(text, status_code=status, media_type="text/html", headers={"Cache-Control": "no-store"})
