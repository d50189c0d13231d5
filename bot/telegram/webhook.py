"""Webhook: the route Telegram posts updates to, open only to who repeats our secret."""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response

from bot.roles import Role, open_to
from bot.telegram.intake import NotRecorded

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY = 1024 * 1024
_RETRY_AFTER = {"Retry-After": "5"}

router = APIRouter()


class WebhookDoor(Protocol):
    """The Telegram door, as the route needs it (``app.state.telegram``, None without a token)."""

    @property
    def webhook_secret(self) -> str | None:
        """What Telegram has to repeat; None closes the route."""
        ...

    async def take(self, update: dict[str, Any]) -> None:
        """Settle one update; raises NotRecorded when it shall come again, ValueError for what is none."""
        ...


@router.post("/telegram/webhook", include_in_schema=False)
@open_to(Role.TELEGRAM)
async def receive_update(request: Request) -> Response:
    """Take one update: 200 once it is recorded, 403 without the secret, 503 when it shall come again."""
    door: WebhookDoor | None = getattr(request.app.state, "telegram", None)
    secret = door.webhook_secret if door is not None else None
    if door is None or not secret:
        return Response(status_code=404)
    shown = request.headers.get(SECRET_HEADER, "")
    if not hmac.compare_digest(shown.encode(), secret.encode()):
        return Response(status_code=403)
    body = await _read(request)
    if body is None:
        return Response(status_code=413)
    try:
        update = json.loads(body)
        if not isinstance(update, dict):
            raise ValueError("an update is an object")
        await door.take(update)
    except NotRecorded:
        return Response(status_code=503, headers=_RETRY_AFTER)
    except ValueError:
        return Response(status_code=400)
    return Response(status_code=200)


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is more than a megabyte."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
