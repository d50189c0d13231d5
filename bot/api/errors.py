"""Errors: one shape for everything that goes wrong, in Chinese, with nothing of what was sent in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.faults import log_fault, new_reference
from bot.house import House
from casework.errors import AttachmentRefused, BadInput, NotAllowed, NotFound, Refusal, TransitionRefused

log = logging.getLogger(__name__)

STATUS_OF_REFUSAL: dict[type[Refusal], int] = {
    NotFound: 404,
    NotAllowed: 403,
    TransitionRefused: 409,
    BadInput: 422,
    Refusal: 409,
}
STATUS_OF_FILE = {"too_large": 413, "type": 415, "mismatch": 415, "per_day": 429}
"""By the reason a file is refused for; any other is 422."""
CODE_OF_STATUS = {400: "bad_request", 404: "no_such_page", 405: "method_not_allowed"}


class ApiError(HTTPException):
    """An error the API answers with: its code names the wording ``api.<code>``."""

    code = "bad_request"
    status = 400
    details: Sequence[dict[str, Any]] = ()

    def __init__(self, headers: dict[str, str] | None = None, **values: object) -> None:
        super().__init__(self.status, self.code, headers)
        self.values = values


class Unauthenticated(ApiError):
    """No token was shown."""

    code = "unauthenticated"
    status = 401

    def __init__(self) -> None:
        super().__init__({"WWW-Authenticate": "Bearer"})


class NoSuchConversation(ApiError):
    """No such conversation, or not with this token; the two are never told apart."""

    code = "not_found"
    status = 404


class TooLarge(ApiError):
    """A body above the limit (bytes)."""

    code = "too_large"
    status = 413

    def __init__(self, limit_bytes: int) -> None:
        mib = limit_bytes // (1024 * 1024)
        super().__init__(limit=f"{mib} MB" if mib else f"{limit_bytes // 1024} KB")


class BadForm(ApiError):
    """A body that is not a form with a file in the field ``file``."""

    code = "bad_form"
    status = 400

    def __init__(self, field: str) -> None:
        super().__init__(field=field)


class BadInputs(ApiError):
    """Inputs a calculator cannot take; ``details`` says of each field what to do."""

    code = "calculator_inputs"
    status = 422

    def __init__(self, details: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self.details = details


class TooSlow(ApiError):
    """An upload that did not end within the time it may take."""

    code = "too_slow"
    status = 408


class RateLimited(ApiError):
    """Too often; ``seconds`` to wait."""

    code = "rate_limited"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__({"Retry-After": str(seconds)}, seconds=seconds)


class NotReady(ApiError):
    """Not yet, or no longer, able to answer."""

    code = "not_ready"
    status = 503


def install_errors(app: FastAPI) -> None:
    """Answer every error in the one shape."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Refusal, _refusal)


class Faults:
    """The last resort: the unexpected becomes a 500 with a reference number, logged without what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and answer for what breaks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            log.info("the client went away in the middle of a request")
        except Exception as error:
            reference = new_reference()
            log_fault(log, reference, _where(scope), error)
            if not started:
                message = _house(scope).wording.say("api.fault", reference=reference)
                response = _response(500, "fault", message, [{"reference": reference}])
                await response(scope, receive, send)


async def respond(scope: Scope, receive: Receive, send: Send, error: ApiError) -> None:
    """Answer with an error from outside the routes."""
    _note(scope, error.status, error.code)
    await _of_api_error(scope, error)(scope, receive, send)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ApiError):
        _note(request.scope, error.status, error.code)
        return _of_api_error(request.scope, error)
    assert isinstance(error, HTTPException)  # noqa: S101  # what the handler is registered for
    code = CODE_OF_STATUS.get(error.status_code, "bad_request")
    _note(request.scope, error.status_code, code)
    message = _house(request.scope).wording.say(f"api.{code}")
    return _response(error.status_code, code, message, headers=dict(error.headers or {}))


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what the handler is registered for
    # pydantic's own errors carry the input; only where and what kind is told.
    details = [
        {"field": ".".join(str(part) for part in problem["loc"])[:200], "problem": problem["type"]}
        for problem in error.errors()[:20]
    ]
    _note(request.scope, 422, "invalid")
    return _response(422, "invalid", _house(request.scope).wording.say("api.invalid"), details)


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101  # what the handler is registered for
    reason = error.values.get("reason")
    if isinstance(error, AttachmentRefused) and isinstance(reason, str) and reason in STATUS_OF_FILE:
        status = STATUS_OF_FILE[reason]
    else:
        status = next(status for kind, status in STATUS_OF_REFUSAL.items() if isinstance(error, kind))
    _note(request.scope, status, error.code)
    named = ("limit", "length", "reason", "field")
    details = [{name: error.values[name] for name in named if name in error.values}]
    return _response(
        status, error.code, _house(request.scope).wording.refuse(error), [d for d in details if d]
    )


def _note(scope: Scope, status: int, code: str) -> None:
    """Log a refusal by its route: the address itself may hold what somebody typed."""
    log.info("refused %s: %d %s", _where(scope), status, code)


def _where(scope: Scope) -> str:
    return f"{scope['method']} {getattr(scope.get('route'), 'path', 'no route')}"


def _of_api_error(scope: Scope, error: ApiError) -> JSONResponse:
    message = _house(scope).wording.say(f"api.{error.code}", **error.values)
    return _response(error.status, error.code, message, error.details, dict(error.headers or {}))


def _response(
    status: int,
    code: str,
    message: str,
    details: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body = {"error": {"code": code, "message": message, "details": list(details)}}
    return JSONResponse(body, status_code=status, headers=headers)


def _house(scope: Scope) -> House:
    house = scope["app"].state.house
    assert isinstance(house, House)  # noqa: S101  # set before the first request
    return house
