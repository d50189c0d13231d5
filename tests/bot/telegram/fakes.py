"""A switchboard that does what a test tells it to, over the real transcript."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.incoming import content_of
from bot.views import Incoming, Receipt, Speaking
from casework import conversations, messages
from casework.clock import Clock
from casework.database import Database
from casework.messages import Reply
from casework.tables import Author


class FakeSwitchboard:
    """Records messages as the real one does and answers each with ``答：…``; may be slow, refuse or break."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.received: list[Incoming] = []
        self.troubles: list[Exception] = []
        self.before_recording: Callable[[Incoming], Awaitable[None]] | None = None
        self.before_answering: Callable[[Incoming], Awaitable[None]] | None = None
        self._database = database
        self._clock = clock

    async def receive(self, incoming: Incoming) -> Receipt:
        """Record, think, answer once."""
        if self.before_recording is not None:
            await self.before_recording(incoming)
        if self.troubles:
            raise self.troubles.pop(0)
        self.received.append(incoming)
        now = self._clock.now()
        async with self._database.transaction() as session:
            conversation = await conversations.get(session, incoming.conversation_id)
            recorded = await messages.record_incoming(
                session,
                conversation,
                incoming.client_message_id,
                text=incoming.text,
                content=content_of(incoming),
                attachment_ids=incoming.attachment_ids,
                now=now,
            )
        if self.before_answering is not None:
            await self.before_answering(incoming)
        async with self._database.transaction() as session:
            await messages.record_replies(
                session,
                conversation.id,
                [Reply(text=f"答：{incoming.text or incoming.payload or '收到'}")],
                in_reply_to=recorded.message.id,
                author=Author.BOT,
                epoch_seen=None,
                now=now,
            )
        return Receipt(recorded.message.id, recorded.duplicate, Speaking(conversation.owner.value), [])
