"""Doorkeeper: who may enter a conversation, and how often."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.api.errors import NoSuchConversation, RateLimited, Unauthenticated
from bot.api.limits import KeyedLimit, Limits, address_of
from bot.house import House
from casework import conversations
from casework.errors import NotFound
from casework.tables import Conversation

_bearer = HTTPBearer(
    auto_error=False, scheme_name="conversation", description="The token that came with the conversation."
)


def house_of(request: Request) -> House:
    """The house this application runs in."""
    house: House = request.app.state.house
    return house


def limits_of(request: Request) -> Limits:
    """The limits this application keeps."""
    limits: Limits = request.app.state.limits
    return limits


TheHouse = Annotated[House, Depends(house_of)]
TheLimits = Annotated[Limits, Depends(limits_of)]
ConversationId = Annotated[str, Path(description="As POST /conversations gave it.")]


async def conversation_of(
    conversation_id: ConversationId,
    house: TheHouse,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Conversation:
    """The conversation whose token was shown; raises Unauthenticated (401) or NoSuchConversation (404)."""
    if shown is None or not shown.credentials:
        raise Unauthenticated()
    try:
        async with house.database.read() as session:
            return await conversations.authenticate(session, conversation_id, shown.credentials)
    except NotFound as error:
        raise NoSuchConversation() from error


TheConversation = Annotated[Conversation, Depends(conversation_of)]


async def message_allowance(conversation: TheConversation, limits: TheLimits) -> None:
    """Spend one message of the conversation's allowance; raises RateLimited (429)."""
    _spend(limits.messages, conversation.id)


async def conversation_allowance(request: Request, limits: TheLimits) -> None:
    """Spend one new conversation of the address's allowance; raises RateLimited (429)."""
    _spend(limits.conversations, address_of(request))


async def upload_allowance(request: Request, conversation: TheConversation, limits: TheLimits) -> None:
    """Spend one upload of the address's allowance, once the token is known; raises RateLimited (429)."""
    _spend(limits.uploads, address_of(request))


async def calculation_allowance(request: Request, limits: TheLimits) -> None:
    """Spend one calculation of the address's allowance; raises RateLimited (429)."""
    _spend(limits.calculations, address_of(request))


def _spend(limit: KeyedLimit, key: str) -> None:
    seconds = limit.spend(key)
    if seconds:
        raise RateLimited(seconds)
