"""Limits: how often somebody may ask, and how much a request may carry."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

from pyrate_limiter import Duration, Rate, RateItem, StateBucket, TokenBucket
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.errors import TooLarge, respond
from casework.settings import Settings

JSON_LIMIT_BYTES = 64 * 1024
MULTIPART_OVERHEAD_BYTES = 64 * 1024
"""What a multipart body may have beside the file: borders, headers, small fields."""
TELEGRAM_PATH = "/telegram/"
TELEGRAM_LIMIT_BYTES = 1024 * 1024
"""An update may carry a long message with everything it quotes."""
MAX_KEYS = 20_000
"""Allowances kept at once; the longest unused one is forgotten, which forgives."""


class KeyedLimit:
    """So many deeds in an interval (ms) for each key: all at once if they like, then evenly."""

    def __init__(
        self,
        limit: int,
        interval: Duration | int,
        now_ms: Callable[[], int] | None = None,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._rate = Rate(limit, interval)
        self._now_ms = now_ms or _monotonic_ms
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, StateBucket] = OrderedDict()

    def spend(self, key: str) -> int:
        """Spend one deed of the key's allowance; returns 0, or the seconds to wait (nothing spent)."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = StateBucket([self._rate], algorithm=TokenBucket())
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        item = RateItem(key, self._now_ms())
        if bucket.put(item):
            return 0
        waiting = bucket.waiting(item)
        assert isinstance(waiting, int)  # noqa: S101  # awaitable only for stores on another server
        return max(1, math.ceil(waiting / 1000))


@dataclass(frozen=True)
class Limits:
    """The API's limits on how often."""

    messages: KeyedLimit
    """For each conversation."""
    conversations: KeyedLimit
    """New ones, for each address."""
    uploads: KeyedLimit
    """For each address."""
    calculations: KeyedLimit
    """For each address."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As the operator chose them."""
        return cls(
            messages=KeyedLimit(settings.rate_messages_per_minute, Duration.MINUTE),
            conversations=KeyedLimit(settings.rate_conversations_per_hour, Duration.HOUR),
            uploads=KeyedLimit(settings.rate_uploads_per_hour, Duration.HOUR),
            calculations=KeyedLimit(settings.rate_calculations_per_minute, Duration.MINUTE),
        )


def address_of(request: Request) -> str:
    """Where a request comes from, for limits: the address, or an IPv6 network's first 64 bits.

    Behind a proxy uvicorn puts the client's own address here (FORWARDED_ALLOW_IPS).
    """
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        # One household or phone has the whole network at its disposal.
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


MODELS_PATH = "/internal/models/"
"""Models come from our own trainers; who comes is checked before anything of the body is read."""
MODEL_LIMIT_BYTES = 2 * 1024**3


class BodyLimit:
    """Refuses a body that is too large before it is parsed: 64 KiB, or a file and its wrapping."""

    def __init__(self, app: ASGIApp, file_limit_bytes: int) -> None:
        self._app = app
        self._file_limit_bytes = file_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        limit = self._limit(scope["path"], headers.get(b"content-type", b""))
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await respond(scope, receive, send, TooLarge(limit))
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLarge(limit)
            return message

        await self._app(scope, counted, send)

    def _limit(self, path: str, content_type: bytes) -> int:
        if path.startswith(TELEGRAM_PATH):
            return TELEGRAM_LIMIT_BYTES
        if path.startswith(MODELS_PATH):
            return MODEL_LIMIT_BYTES
        if content_type.lower().startswith(b"multipart/form-data"):
            return self._file_limit_bytes + MULTIPART_OVERHEAD_BYTES
        return JSON_LIMIT_BYTES


def _monotonic_ms() -> int:
    return monotonic_ns() // 1_000_000
