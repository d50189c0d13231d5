"""Buttons: short opaque names for what a press means, good in one conversation only."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import BadInput, NotFound
from casework.tables import ButtonToken, Message

MAX_BUTTON_TITLE = 80
TOKEN_PREFIX = "b:"  # noqa: S105  # a prefix, not a password
_TOKEN_BYTES = 12  # 16 url-safe characters; Telegram takes 64 bytes of callback data


def new_buttons(buttons: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Titles with fresh tokens, as a message keeps them; raises BadInput for a title of none or over 80."""
    return [{"title": _title(title), "payload": _new_token()} for title, _ in buttons]


def remember(
    session: AsyncSession, message: Message, shown: Sequence[dict[str, str]], meant: Sequence[tuple[str, str]]
) -> None:
    """Keep what each shown button of a stored message means."""
    for button, (_, payload) in zip(shown, meant, strict=True):
        session.add(
            ButtonToken(
                token=button["payload"],
                conversation_id=message.conversation_id,
                message_id=message.id,
                payload=payload,
                title=button["title"],
                created_at=message.created_at,
            )
        )


async def resolve_button(session: AsyncSession, conversation_id: str, token: str) -> str:
    """The payload behind a button of this conversation; raises NotFound for any other token."""
    return (await find_button(session, conversation_id, token)).payload


async def find_button(session: AsyncSession, conversation_id: str, token: str) -> ButtonToken:
    """The button of this conversation with this token; raises NotFound for any other token."""
    if not token.isascii() or len(token) > len(TOKEN_PREFIX) + 2 * _TOKEN_BYTES or "\x00" in token:
        raise NotFound("no such button")
    button = await session.get(ButtonToken, token)
    if button is None or button.conversation_id != conversation_id:
        raise NotFound("no such button")
    return button


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def _title(text: str) -> str:
    title = text.strip()
    if not 1 <= len(title) <= MAX_BUTTON_TITLE:
        raise BadInput("a button's title is 1 to 80 characters", field="title", limit=MAX_BUTTON_TITLE)
    return title
