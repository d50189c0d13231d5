"""Switchboard: the one entry for every incoming message of every channel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from datetime import timedelta
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from bot.answering import Answering, Outcome
from bot.dialogue import DialogueClient
from bot.incoming import BUTTON_PREFIX, UnknownButton, checked, content_of
from bot.live import Happening, LiveFeed
from bot.transcript import as_views, read_transcript
from bot.views import AttachmentView, Button, Incoming, MessageView, Receipt, Source, Speaking
from casework import buttons, conversations, messages
from casework.clock import Clock
from casework.crisis import CrisisRules
from casework.database import Database
from casework.errors import NotFound
from casework.reminder_rules import ReminderRules
from casework.standing import Standing, standings, told_owner
from casework.tables import Message, Owner
from casework.wording import Wording

__all__ = ["AttachmentView", "Button", "Incoming", "MessageView", "Receipt", "Source", "Switchboard"]

MAX_PAGE = 200

log = logging.getLogger(__name__)


class Turns:
    """A lock for each conversation, first come first served, kept only while somebody needs it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._locks)

    def of(self, conversation_id: str) -> asyncio.Lock:
        """The conversation's lock; hold on to it for as long as it is waited for or held."""
        return self._locks.setdefault(conversation_id, asyncio.Lock())


class Switchboard:
    """Records every message first, then answers each once, in order within its conversation."""

    def __init__(
        self,
        database: Database,
        dialogue: DialogueClient,
        *,
        crisis: CrisisRules,
        wording: Wording,
        reminder_rules: ReminderRules,
        clock: Clock,
        time_limit_s: float,
        attachments_per_message: int,
    ) -> None:
        self._database = database
        self._wording = wording
        self._clock = clock
        self._attachments_per_message = attachments_per_message
        self._answering = Answering(
            database,
            dialogue,
            crisis=crisis,
            wording=wording,
            reminder_rules=reminder_rules,
            clock=clock,
            time_limit_s=time_limit_s,
        )
        self._recording = Turns()
        self._answering_one = Turns()
        self._turns: dict[int, asyncio.Task[Outcome]] = {}
        self._recorded_here: set[int] = set()
        self.feed = LiveFeed(self._standings, self.messages)

    async def receive(self, incoming: Incoming) -> Receipt:
        """Record one message and answer it, in order within its conversation.

        The same ``client_message_id`` again waits for the first one's replies and gets those. Raises
        Refusal (BadInput, NotFound) for what cannot be taken; nothing is recorded then. A caller that
        goes away while waiting does not stop the answer.
        """
        incoming = checked(incoming, self._attachments_per_message)
        # On PostgreSQL two transactions may commit in either order: who came first is recorded first.
        async with self._recording.of(incoming.conversation_id):
            message, duplicate = await self._record(incoming)
        if not duplicate:
            self.feed.wake(message.conversation_id)
        outcome = await self._answered(message)
        async with self._database.read() as session:
            replies = await as_views(session, outcome.replies)
            speaking = await self._speaking(session, message.conversation_id, outcome.owner)
        return Receipt(message.id, duplicate, speaking, replies)

    async def recover(self, settled_for: timedelta = timedelta(0)) -> int:
        """Take up the messages a crash left pending, oldest first in each conversation; returns how many.

        Only those at least ``settled_for`` old: a younger one may be under another process's hands. One
        that cannot be answered is logged and stays pending for the next time.
        """
        async with self._database.read() as session:
            pending = await messages.pending(session)
        until = self._clock.now() - settled_for
        left = [one for one in pending if one.created_at <= until and one.id not in self._turns]
        for message in left:
            try:
                await self._answered(message)
            except Exception as error:
                log.error("message %d stays pending: %s", message.id, type(error).__name__)
        return len(left)

    async def messages(self, conversation_id: str, after: int = 0, limit: int = 100) -> list[MessageView]:
        """A conversation's messages with an id greater than ``after``, oldest first, at most 200."""
        async with self._database.read() as session:
            return await read_transcript(session, conversation_id, after, min(limit, MAX_PAGE))

    async def subscribe(self, conversation_id: str, after: int) -> AsyncIterator[MessageView]:
        """Messages as they come, from any process, starting after message ``after``; ends at shutdown."""
        async with aclosing(self.watch(conversation_id, after)) as events:
            async for event in events:
                if isinstance(event, MessageView):
                    yield event

    def watch(self, conversation_id: str, after: int) -> AsyncGenerator[Happening, None]:
        """As ``subscribe``, and who speaks and types in the conversation: see ``LiveFeed.watch``."""
        return self.feed.watch(conversation_id, after)

    async def close(self, patience_s: float = 5.0) -> None:
        """End the subscriptions and let turns under way finish; one that does not stays pending."""
        self.feed.close()
        turns = list(self._turns.values())
        if not turns:
            return
        _, unfinished = await asyncio.wait(turns, timeout=patience_s)
        for turn in unfinished:
            turn.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _record(self, incoming: Incoming) -> tuple[Message, bool]:
        async with self._database.transaction() as session:
            conversation = await conversations.get(session, incoming.conversation_id)
            text = incoming.text
            if incoming.payload is not None:
                text = await self._label(session, incoming)
            elif incoming.location is not None:
                text = self._wording.say("switchboard.shared_location")
            recorded = await messages.record_incoming(
                session,
                conversation,
                incoming.client_message_id,
                text=text,
                content=content_of(incoming),
                attachment_ids=incoming.attachment_ids,
                now=self._clock.now(),
                begun=True,
            )
        if not recorded.duplicate:
            self._recorded_here.add(recorded.message.id)
        return recorded.message, recorded.duplicate

    async def _answered(self, message: Message) -> Outcome:
        """Wait for the message's turn and its outcome; callers with the same message share one turn."""
        turn = self._turns.get(message.id)
        if turn is None:
            turn = asyncio.create_task(self._take_turn(message.conversation_id, message.id))
            self._turns[message.id] = turn
            turn.add_done_callback(lambda done: self._turn_is_over(message.id, done))
        return await asyncio.shield(turn)

    def _turn_is_over(self, message_id: int, turn: asyncio.Task[Outcome]) -> None:
        self._turns.pop(message_id, None)
        self._recorded_here.discard(message_id)
        if not turn.cancelled() and turn.exception() is not None:
            log.error("turn of message %d ended in %s", message_id, type(turn.exception()).__name__)

    async def _take_turn(self, conversation_id: str, message_id: int) -> Outcome:
        """Answer what is pending up to this message, oldest first, and return this one's outcome."""
        async with self._answering_one.of(conversation_id):
            while True:
                async with self._database.read() as session:
                    found = await messages.oldest_pending(session, conversation_id, up_to=message_id)
                    if found is None:
                        owner = (await conversations.get(session, conversation_id)).owner
                        return Outcome(await messages.replies_to(session, message_id), owner)
                message, conversation = found
                if message.id not in self._recorded_here:
                    async with self._database.transaction() as session:
                        message.attempts = await messages.begin_attempt(session, message.id)
                outcome = await self._answering.answer(message, conversation)
                self.feed.wake(conversation_id)
                if message.id == message_id:
                    return outcome

    async def _label(self, session: AsyncSession, incoming: Incoming) -> str:
        """What the transcript shows for a button or a command; raises UnknownButton."""
        payload = incoming.payload or ""
        if not payload.startswith(BUTTON_PREFIX):
            return self._wording.say(f"switchboard.command_{payload}")
        try:
            return (await buttons.find_button(session, incoming.conversation_id, payload)).title
        except NotFound as error:
            raise UnknownButton() from error

    async def _speaking(self, session: AsyncSession, conversation_id: str, owner: Owner) -> Speaking:
        """Who speaks after a message: its outcome's owner, with what is known of them now."""
        told = told_owner(owner)
        if told is not Owner.BOT:
            found = (await standings(session, [conversation_id], self._clock.now())).get(conversation_id)
            if found is not None and found.owner is told:
                return Speaking.of(found)
        return Speaking(told.value)

    async def _standings(self, conversation_ids: Collection[str]) -> Mapping[str, Standing]:
        async with self._database.read() as session:
            return await standings(session, conversation_ids, self._clock.now())
