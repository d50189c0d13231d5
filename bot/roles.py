"""Who may use a route: every route says it, and a guard test fails for one that does not.

``@open_to(Role.PUBLIC)`` goes on the endpoint (below the route decorator), or around a mounted app.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

_MARK = "__niangjia_role__"


class Role(StrEnum):
    """Who a route is for."""

    PUBLIC = "public"
    """Anyone; shows nothing about anybody."""
    CONVERSATION = "conversation"
    """Whoever holds the conversation's token (``bot.api.doorkeeper``)."""
    CASE_LINK = "case_link"
    """Whoever holds the link to a case's page; shows how far it is, and nothing of what it is about."""
    CLAIM_LINK = "claim_link"
    """Whoever holds the link to a claim sheet: its member, who was told not to forward it."""
    REPLICA = "replica"
    """Our own processes elsewhere (Rasa's replicas, a trainer), by the internal token."""
    TELEGRAM = "telegram"
    """Telegram's servers, by the secret they repeat."""
    STAFF = "staff"
    """A member of staff who has signed in."""


class _Mark:
    """Gives the mark back as a decorator that keeps the endpoint's type."""

    def __init__(self, role: Role) -> None:
        self._role = role

    def __call__(self, endpoint: T) -> T:
        setattr(endpoint, _MARK, self._role)
        return endpoint


def open_to(role: Role) -> _Mark:
    """Declare who an endpoint (or a mounted app) is for."""
    return _Mark(role)


def role_of(endpoint: object) -> Role | None:
    """The role an endpoint declared, or None when it declared none."""
    role = getattr(endpoint, _MARK, None)
    return role if isinstance(role, Role) else None
