"""Switchboard: the one entry for every incoming message of every channel."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.views import AttachmentView, Button, Incoming, MessageView, Receipt, Source

__all__ = ["AttachmentView", "Button", "Incoming", "MessageView", "Receipt", "Source", "Switchboard"]


class Switchboard:
    """Records, orders, and answers; who speaks in a conversation is decided here."""

    async def receive(self, incoming: Incoming) -> Receipt:
        """Record one message and answer it, in order per conversation; raises Refusal (BadInput, NotFound) only."""
        raise NotImplementedError

    async def recover(self) -> int:
        """Take up messages a crash left pending; returns how many."""
        raise NotImplementedError

    async def messages(self, conversation_id: str, after: int = 0, limit: int = 100) -> list[MessageView]:
        """A conversation's messages with an id greater than ``after``, oldest first."""
        raise NotImplementedError

    def subscribe(self, conversation_id: str, after: int) -> AsyncIterator[MessageView]:
        """Messages as they come, from any process, starting after message ``after``; ends at shutdown."""
        raise NotImplementedError
