"""Reception: what happens with a member who came through Telegram, once their update was understood.

Whatever is said here is stored in the transcript with its outbox entry, like everything members get.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot.incoming import PAYLOAD_OF_COMMAND
from bot.views import PRIVACY_VERSION, Incoming, Receipt
from casework import answer_votes, conversations, members, messages
from casework.clock import Clock
from casework.database import Database
from casework.errors import Refusal
from casework.knowledge import Wording
from casework.messages import Reply
from casework.tables import Author, Channel, Owner


class Receiver(Protocol):
    """The switchboard, as far as this door needs it."""

    async def receive(self, incoming: Incoming) -> Receipt:
        """Record and answer one message; raises Refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Guest:
    """The conversation a Telegram chat stands for, and who speaks in it."""

    chat_id: int
    conversation_id: str
    owner: Owner


class Reception:
    """Knows guests, hands their messages to the switchboard, and says what only this door has to say."""

    def __init__(
        self,
        database: Database,
        switchboard: Receiver,
        wording: Wording,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        """``wake`` tells the deliverer that the outbox has something new."""
        self._database = database
        self._switchboard = switchboard
        self._wording = wording
        self._clock = clock
        self._wake = wake

    async def greet(self, chat_id: int, written_at: datetime | None) -> Guest:
        """The guest behind a private chat, no longer blocked; ``written_at`` is Telegram's, None for a press.

        The first time they get the privacy note, in the transaction that makes them a member, so once (and
        again after they were forgotten, or when the note changed). Whoever writes on after it has agreed
        (PIPL art. 14: a voluntary, explicit act after being told).
        """
        now = self._clock.now()
        note = self._wording.say("telegram.first_contact")
        is_new = False
        async with self._database.transaction() as session:
            conversation = await conversations.conversation_for(session, Channel.TELEGRAM, str(chat_id), now)
            member = await members.get(session, conversation.member_id)
            if member.consent_version != PRIVACY_VERSION:
                told_at = await _said_at(session, conversation.id, note)
                is_new = told_at is None
                if told_at is None:
                    await self._store(session, conversation.id, note)
                elif written_at is None or written_at > told_at:
                    await members.record_consent(session, member.id, PRIVACY_VERSION, now)
        if is_new:
            self._wake()
        return Guest(chat_id, conversation.id, conversation.owner)

    async def hand_in(self, incoming: Incoming) -> Receipt | None:
        """Give a message to the switchboard; a refusal becomes a sentence to the member, and None."""
        try:
            return await self._switchboard.receive(incoming)
        except Refusal as refusal:
            await self.say(incoming.conversation_id, self._wording.refuse(refusal))
            return None
        finally:
            self._wake()

    async def say(self, conversation_id: str, text: str) -> None:
        """Tell the member something of this door's own."""
        async with self._database.transaction() as session:
            await self._store(session, conversation_id, text)
        self._wake()

    async def answer_here(self, guest: Guest, client_message_id: str, shown: str, answer: str) -> None:
        """Record a message that holds nothing to understand, with this door's own answer, once.

        ``shown`` stands for it in the transcript.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            conversation = await conversations.get(session, guest.conversation_id)
            recorded = await messages.record_incoming(
                session, conversation, client_message_id, text=shown, now=now
            )
            await self._store(session, conversation.id, answer, in_reply_to=recorded.message.id)
        self._wake()

    async def take_vote(self, guest: Guest, message_id: int, helpful: bool) -> bool:
        """Keep whether an answer helped; where it newly did not, say what else there is.

        False, and a sentence to the member, where there is no such answer in their conversation.
        """
        now = self._clock.now()
        try:
            async with self._database.transaction() as session:
                conversation = await conversations.lock(session, guest.conversation_id)
                news = await answer_votes.vote(session, conversation.id, message_id, helpful, now)
                if news and not helpful and conversation.owner is Owner.BOT:
                    human = (self._wording.say("dialogue.human_button"), PAYLOAD_OF_COMMAND["human"])
                    next_step = self._wording.say("telegram.vote_next")
                    await self._store(session, conversation.id, next_step, buttons=[human])
        except Refusal as refusal:
            await self.say(guest.conversation_id, self._wording.refuse(refusal))
            return False
        self._wake()
        return True

    async def note_block(self, chat_id: int) -> None:
        """The member blocked the bot."""
        async with self._database.transaction() as session:
            await members.mark_blocked(session, Channel.TELEGRAM, str(chat_id), self._clock.now())

    async def _store(
        self,
        session: AsyncSession,
        conversation_id: str,
        text: str,
        in_reply_to: int | None = None,
        buttons: Sequence[tuple[str, str]] = (),
    ) -> None:
        await messages.record_replies(
            session,
            conversation_id,
            [Reply(text=text, buttons=buttons)],
            in_reply_to=in_reply_to,
            author=Author.SYSTEM,
            epoch_seen=None,
            now=self._clock.now(),
        )


async def _said_at(session: AsyncSession, conversation_id: str, text: str) -> datetime | None:
    """When this door last said exactly this in a conversation; what was erased counts as never said."""
    found: datetime | None = None
    after = 0
    while page := await messages.transcript(session, conversation_id, after=after):
        for message in page:
            if message.author is Author.SYSTEM and message.text == text:
                found = message.created_at
        after = page[-1].id
    return found
