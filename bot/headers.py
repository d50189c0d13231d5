"""Security headers: what every answer tells a browser it may not do."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # blob: and data: are for the preview of a photo the member is about to send.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
API_HEADERS = {"Cache-Control": "no-store"}
DESK_HEADERS = {
    "Cache-Control": "no-store",
    # With no-referrer browsers send forms with "Origin: null", and the desk asks where a form comes from.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
TRANSPORT_SECURITY = "max-age=31536000"
"""A year of https only, said only where https is spoken already."""

STAFF_ROOMS = ("/desk", "/workbench")


class SecurityHeaders:
    """Adds the headers to every answer that has not its own; what the API and the desk say is not kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and add the headers on the way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _of(scope["path"]).items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", TRANSPORT_SECURITY)
            await send(message)

        await self._app(scope, receive, with_headers)


def _of(path: str) -> dict[str, str]:
    if path.startswith("/api/"):
        return HEADERS | API_HEADERS
    if is_for_staff(path):
        return HEADERS | DESK_HEADERS
    return HEADERS


def is_for_staff(path: str) -> bool:
    """Whether an address belongs to the desk or to the workbench."""
    return any(path == room or path.startswith(f"{room}/") for room in STAFF_ROOMS)
