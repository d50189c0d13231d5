"""Answering: what is said to one recorded message, by the crisis rules, the dialogue, or nobody."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.dialogue import (
    Answer,
    DialogueClient,
    DialogueError,
    DialogueTimeout,
    Said,
    Understanding,
    Utterance,
)
from bot.faults import log_fault, new_reference
from bot.incoming import PAYLOAD_OF_COMMAND, as_files, as_position, as_words
from bot.ratings import pressed_rating, take_rating
from bot.reminder_words import reminder_word, take_word
from casework import audit, buttons, conversations, handoff, messages
from casework.clock import Clock, shanghai_day
from casework.crisis import CrisisLevel, CrisisRules, remembered_as
from casework.database import Database
from casework.errors import StaleEpoch
from casework.messages import Reply
from casework.reminder_rules import ReminderRules
from casework.tables import Author, Conversation, Message, Owner
from casework.triage import triage
from casework.wording import Wording

MAX_ATTEMPTS = 3
"""A message that was begun so often without an end breaks something: it goes to a human."""
CRISIS_CONFIDENCE = 0.8
"""How sure the model must be to speak up in a conversation a human owns."""
SYSTEM_FAILURE = "system_failure"
CRISIS_TOPIC = "crisis."
CRISIS_INTENT = "crisis_"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was stored in answer to a message, and who speaks in the conversation now."""

    replies: list[Message]
    owner: Owner


@dataclass(frozen=True, slots=True)
class Alarm:
    """A crisis noticed in a message: its kind, what to say, and whether that is all there is to say."""

    kind: str
    level: CrisisLevel
    reply: Reply
    alone: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the dialogue said to a message, how it read it, and in how many milliseconds."""

    said: Sequence[Said]
    understanding: Understanding | None
    answer_ms: int


class Answering:
    """Answers one message at a time; the switchboard sees to it that each is answered once and in order."""

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
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._crisis = crisis
        self._wording = wording
        self._reminder_rules = reminder_rules
        self._clock = clock
        self._time_limit_s = time_limit_s

    async def answer(self, message: Message, conversation: Conversation) -> Outcome:
        """Answer a pending message and mark it done, all in one transaction.

        ``conversation`` is the conversation as it was when the turn began. Whatever breaks in the dialogue
        becomes a sentence with a reference number; raises only when the database itself fails.
        """
        alarm = self._alarm(message, conversation)
        if alarm is None and (taken := await self._take_word(message, conversation)) is not None:
            return taken
        if conversation.owner is not Owner.BOT:
            if (rated := await self._take_rating(message, conversation)) is not None:
                return rated
            # Nobody asks the dialogue to speak, but staff want to see what the message is about.
            reading = await self._reading(message)
            alarm = alarm or self._alarm_of_model(reading, conversation)
            return await self._store(message, conversation, alarm, reading=reading)
        if alarm is not None and alarm.alone:
            return await self._store(message, conversation, alarm)
        if message.attempts > MAX_ATTEMPTS:
            return await self._fail(
                message, alarm, f"message {message.id} was begun {MAX_ATTEMPTS} times", None
            )
        try:
            exchange = await self._converse(message, conversation)
            return await self._store(message, conversation, alarm, exchange)
        except DialogueError as error:
            return await self._fail(message, alarm, f"no answer to message {message.id}", error)
        except Exception as error:
            return await self._fail(message, alarm, f"message {message.id} could not be answered", error)

    async def _take_rating(self, message: Message, conversation: Conversation) -> Outcome | None:
        """A rating counts although a human speaks and the dialogue is not asked; None for anything else."""
        async with self._database.read() as session:
            rating = await pressed_rating(session, message)
        if rating is None:
            return None
        async with self._database.transaction() as session:
            locked = await conversations.lock(session, conversation.id)
            if await messages.is_handled(session, message.id):
                return Outcome(await messages.replies_to(session, message.id), locked.owner)
            reply = await take_rating(session, locked, message, rating, self._wording)
            return await self._say_by_itself(session, locked, message, reply)

    async def _take_word(self, message: Message, conversation: Conversation) -> Outcome | None:
        """One word stops the reminders or begins them, whoever speaks; None for anything else."""
        word = reminder_word(message, self._reminder_rules)
        if word is None:
            return None
        async with self._database.transaction() as session:
            locked = await conversations.lock(session, conversation.id)
            if await messages.is_handled(session, message.id):
                return Outcome(await messages.replies_to(session, message.id), locked.owner)
            reply = await take_word(
                session,
                locked,
                message,
                word,
                rules=self._reminder_rules,
                wording=self._wording,
                now=self._clock.now(),
            )
            return None if reply is None else await self._say_by_itself(session, locked, message, reply)

    async def _say_by_itself(
        self, session: AsyncSession, locked: Conversation, message: Message, reply: Reply
    ) -> Outcome:
        """Answer a message without the dialogue, whoever owns the conversation."""
        stored = await messages.record_replies(
            session,
            locked.id,
            [reply],
            in_reply_to=message.id,
            author=Author.SYSTEM,
            epoch_seen=None,
            now=self._clock.now(),
        )
        return Outcome(stored, locked.owner)

    def _alarm(self, message: Message, conversation: Conversation) -> Alarm | None:
        """What the crisis rules find in a member's own words."""
        if not message.text or (message.content or {}).get("payload"):
            return None
        finding = self._crisis.detect(message.text)
        if finding is None:
            return None
        return self._alarm_of(
            finding.kind, finding.level, conversation, alone=finding.level is CrisisLevel.URGENT
        )

    async def _reading(self, message: Message) -> Understanding | None:
        """What the model makes of a member's own words, without anything being said; None when it cannot."""
        if not message.text or (message.content or {}).get("payload"):
            return None
        try:
            return await self._dialogue.parse(message.text, shanghai_day(message.created_at))
        except DialogueError:
            return None  # a human reads the message anyway

    def _alarm_of_model(self, reading: Understanding | None, conversation: Conversation) -> Alarm | None:
        """A crisis the model is sure of, where a human owns the conversation."""
        if reading is None:
            return None
        intent = reading.intent or ""
        kind = intent.removeprefix(CRISIS_INTENT)
        sure = reading.accepted and reading.confidence >= CRISIS_CONFIDENCE
        if not sure or kind == intent or kind not in self._crisis.kinds:
            return None
        return self._alarm_of(kind, CrisisLevel.URGENT, conversation, alone=True)

    def _alarm_of(self, kind: str, level: CrisisLevel, conversation: Conversation, *, alone: bool) -> Alarm:
        advice = self._crisis.advice(
            kind,
            last_kind=conversation.last_crisis_kind,
            last_at=conversation.last_crisis_at,
            now=self._clock.now(),
            level=level,
        )
        buttons = [self._human_button()] if conversation.owner is Owner.BOT else []
        return Alarm(kind, level, Reply(text=advice, topic=f"{CRISIS_TOPIC}{kind}", buttons=buttons), alone)

    async def _converse(self, message: Message, conversation: Conversation) -> Exchange:
        """What the dialogue says to the message; raises DialogueError."""
        said: list[Said] = []
        understanding: Understanding | None = None
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._time_limit_s):
                for text in await self._utterances(message):
                    answer: Answer = await self._dialogue.reply(
                        Utterance(
                            conversation_id=conversation.id,
                            message_id=message.id,
                            text=text,
                            channel=conversation.channel.value,
                            as_of=shanghai_day(message.created_at),
                        )
                    )
                    said += [one for one in answer.messages if one not in said]
                    understanding = answer.understanding or understanding
        except TimeoutError as error:
            raise DialogueTimeout(f"no answer within {self._time_limit_s} s") from error
        return Exchange(said, understanding, round((time.monotonic() - begun) * 1000))

    async def _utterances(self, message: Message) -> list[str]:
        """The message as the dialogue takes it; files come before the words that go with them."""
        content: dict[str, Any] = message.content or {}
        if payload := content.get("payload"):
            if payload in PAYLOAD_OF_COMMAND:
                return [PAYLOAD_OF_COMMAND[payload]]
            async with self._database.read() as session:
                return [await buttons.resolve_button(session, message.conversation_id, payload)]
        if location := content.get("location"):
            return [as_position(location["latitude"], location["longitude"])]
        files = [as_files(content["attachments"])] if content.get("attachments") else []
        return [*files, *([as_words(message.text)] if message.text else [])]

    async def _store(
        self,
        message: Message,
        conversation: Conversation,
        alarm: Alarm | None,
        exchange: Exchange | None = None,
        *,
        reading: Understanding | None = None,
    ) -> Outcome:
        """Store the replies, unless a human took over meanwhile; crisis advice is said whoever owns it.

        ``reading`` is how the model read a message that nobody answers.
        """
        replies = [_reply(one) for one in exchange.said] if exchange else []
        try:
            async with self._database.transaction() as session:
                replies = await self._not_a_third_time(session, conversation.id, replies)
                outcome = await self._record(session, message, alarm, replies, conversation.epoch)
                await self._note(session, message, exchange, reading)
                return outcome
        except StaleEpoch:
            urgent = [reply for reply in replies if (reply.topic or "").startswith(CRISIS_TOPIC)]
            log.info(
                "message %d: %d replies dropped, a human took over", message.id, len(replies) - len(urgent)
            )
            async with self._database.transaction() as session:
                audit.record(
                    session,
                    "bot",
                    "message.replies_suppressed",
                    "message",
                    message.id,
                    now=self._clock.now(),
                    replies=len(replies) - len(urgent),
                )
                outcome = await self._record(session, message, alarm, urgent, None)
                await self._note(session, message, exchange, reading)
                return outcome

    async def _note(
        self,
        session: AsyncSession,
        message: Message,
        exchange: Exchange | None,
        reading: Understanding | None,
    ) -> None:
        """Keep what the message was taken for, by which model, in how long, and what that makes pressing.

        The conversation is held.
        """
        understanding = reading
        if exchange is not None:
            understanding = exchange.understanding
            await messages.note_answer_time(session, message.id, exchange.answer_ms)
        if understanding is None:
            return
        await messages.note_understanding(
            session,
            message.id,
            messages.Understanding(
                understanding.intent,
                understanding.topic,
                understanding.confidence,
                understanding.accepted,
                {name: value for name, value in understanding.facts.items() if value is not None},
                model=understanding.model,
            ),
        )
        conversation = await conversations.get(session, message.conversation_id)
        await triage(session, conversation, self._clock.now())

    async def _record(
        self,
        session: AsyncSession,
        message: Message,
        alarm: Alarm | None,
        replies: Sequence[Reply],
        epoch_seen: int | None,
    ) -> Outcome:
        now = self._clock.now()
        if alarm is not None:
            conversation = await conversations.get(session, message.conversation_id)
            await conversations.flag_urgent(session, conversation, _remembered(alarm), now)
        stored = await messages.record_replies(
            session,
            message.conversation_id,
            [*([alarm.reply] if alarm else []), *replies],
            in_reply_to=message.id,
            author=Author.BOT,
            # Advice is owed whoever speaks in the conversation; silence may be kept in any.
            epoch_seen=epoch_seen if replies else None,
            now=now,
        )
        conversation = await conversations.get(session, message.conversation_id)
        return Outcome(stored, conversation.owner)

    async def _not_a_third_time(
        self, session: AsyncSession, conversation_id: str, replies: list[Reply]
    ) -> list[Reply]:
        """The replies, or the offer of a human where they would be said for the third time running."""
        texts = [reply.text for reply in replies]
        if not texts:
            return replies
        recent = await messages.recent_bot_texts(session, conversation_id, 2 * len(texts))
        if list(reversed(recent)) != texts * 2:
            return replies
        offered = [*replies[-1].buttons, self._human_button()]
        buttons = list({payload: (title, payload) for title, payload in offered}.values())
        return [Reply(text=self._wording.say("switchboard.repeated"), buttons=buttons)]

    async def _fail(
        self, message: Message, alarm: Alarm | None, what: str, error: BaseException | None
    ) -> Outcome:
        """Say that we cannot answer, under a reference number, and put the conversation into the queue.

        Said only while the bot speaks, or where this very turn had just handed off: whoever already waits
        for a human, or has one, is not told again.
        """
        reference = new_reference()
        log_fault(log, reference, what, error)
        now = self._clock.now()
        async with self._database.transaction() as session:
            conversation = await conversations.lock(session, message.conversation_id)
            replies = []
            if conversation.owner is Owner.BOT or (
                conversation.owner is Owner.QUEUED and conversation.handoff_message_id == message.id
            ):
                replies = [Reply(text=self._wording.say("switchboard.down", reference=reference))]
            if conversation.owner is Owner.BOT:
                try:
                    await handoff.hand_off(
                        session,
                        conversation,
                        SYSTEM_FAILURE if alarm is None else _remembered(alarm),
                        now,
                        urgent=alarm is not None,
                        message_id=message.id,
                    )
                except handoff.HandoffBlocked:
                    text = self._wording.say("switchboard.down_left_to_bot", reference=reference)
                    replies = [Reply(text=text)]
            return await self._record(session, message, alarm, replies, None)

    def _human_button(self) -> tuple[str, str]:
        return self._wording.say("dialogue.human_button"), PAYLOAD_OF_COMMAND["human"]


def _remembered(alarm: Alarm) -> str:
    return f"{CRISIS_TOPIC}{remembered_as(alarm.kind, alarm.level)}"


def _reply(said: Said) -> Reply:
    return Reply(
        text=said.text,
        buttons=[(choice.title, choice.payload) for choice in said.buttons],
        sources=[source.model_dump() for source in said.custom.sources],
        topic=said.custom.topic,
    )
