"""Brief: what is known about a conversation, put together by rules so that nobody asks twice.

Nothing is written here that nobody said: sentences are quoted, everything else is a code, a count or a value.
Names, phones and quotes are raw; a page shows them through ``casework.visibility`` only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import members
from casework.brief_sheet import (
    Answered,
    Brief,
    Fact,
    FileSent,
    HandoffNote,
    Past,
    PastCase,
    Quote,
    RiskShown,
    Said,
    Topic,
    Wants,
)  # fmt: skip
from casework.case_types import next_questions
from casework.clock import shanghai_day
from casework.knowledge import Intent, IntentKind, Knowledge
from casework.risks import Risk, risks_of
from casework.tables import (
    Attachment,
    Audience,
    Author,
    Case,
    Conversation,
    Handoff,
    Message,
)

MAX_MESSAGES = 300
"""How many of the newest messages are read."""
MAX_CASES = 20
MAX_FILES = 30
RECENT = timedelta(days=30)
"""Older words raise no alarm any more: a Telegram conversation lasts for years."""
CRISIS_REMEMBERED = timedelta(days=7)
STORY_LENGTH = 12
"""Characters from which a sentence counts as the story having been told."""

__all__ = [
    "Answered", "Brief", "Fact", "FileSent", "HandoffNote", "Past", "PastCase", "Quote", "RiskShown", "Said",
    "Topic", "Wants", "make_brief", "risks_in",
]  # fmt: skip


async def make_brief(
    session: AsyncSession, conversation: Conversation, knowledge: Knowledge, now: datetime
) -> Brief:
    """The brief of a conversation, from its newest 300 messages, in seven statements however many."""
    spoken, truncated = await _read_messages(session, conversation.id)
    said = [message for message in spoken if message.author is Author.MEMBER]
    member = await members.get(session, conversation.member_id)
    facts = _facts(said, knowledge)
    topics = _topics(said, knowledge)
    main = _main_topic(topics, conversation)
    kind = knowledge.case_types.for_topic(main) if main else knowledge.case_types["general"]
    known: dict[str, Any] = {"person_name": member.name, "phone": member.phone}
    known |= {"district": conversation.district} | {fact.name: fact.said.value for fact in facts}
    if any(len((message.text or "").strip()) >= STORY_LENGTH for message in said):
        known.setdefault("story", True)
    today = shanghai_day(now)
    return Brief(
        name=member.name,
        phone=member.phone,
        channel=conversation.channel,
        district=known["district"],
        since=conversation.created_at,
        waiting_since=conversation.waiting_since,
        truncated=truncated,
        past=await _past(session, conversation),
        topics=topics,
        facts=facts,
        answered=_answered(spoken, knowledge),
        wants=_wants(said, facts, conversation, knowledge),
        risks=tuple(
            RiskShown(risk, knowledge.risk_notes.get(risk.code), _days_left(risk.due_on, today))
            for risk in _risks(conversation, said, now)
        ),
        case_type=kind.name,
        open_questions=tuple(next_questions(kind, main or kind.default_topic, known)),
        attachments=await _files(session, conversation.id),
        last_handoff=await _last_handoff(session, conversation.id),
    )


async def risks_in(session: AsyncSession, conversation: Conversation, now: datetime) -> list[Risk]:
    """What is pressing in a conversation as ``risks_of`` sees it, the gravest first; one statement."""
    spoken, _ = await _read_messages(session, conversation.id)
    return _risks(conversation, [message for message in spoken if message.author is Author.MEMBER], now)


async def _read_messages(session: AsyncSession, conversation_id: str) -> tuple[list[Message], bool]:
    """The newest messages of which a member knows, oldest first, and whether there are older ones."""
    found = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.audience == Audience.MEMBER)
        .order_by(Message.id.desc())
        .limit(MAX_MESSAGES + 1)
    )
    newest = found.all()
    return list(reversed(newest[:MAX_MESSAGES])), len(newest) > MAX_MESSAGES


def _risks(conversation: Conversation, said: Sequence[Message], now: datetime) -> list[Risk]:
    recent = [message for message in said if now - message.created_at <= RECENT]
    values: dict[str, str] = {}
    for message in said:
        values |= dict(_told(message))
    crisis_at = conversation.last_crisis_at
    fresh = crisis_at is not None and now - crisis_at <= CRISIS_REMEMBERED
    return risks_of(
        {
            message.topic
            for message in recent
            if message.topic and _acted_upon(message) and _matter(message.topic)
        },
        values,
        crisis_kind=conversation.last_crisis_kind if fresh else None,
        texts=[message.text for message in recent if message.text],
        today=shanghai_day(now),
    )


def _days_left(due_on: date | None, today: date) -> int | None:
    return None if due_on is None else (due_on - today).days


def _told(message: Message) -> list[tuple[str, str]]:
    return [
        (name, str(value).strip())
        for name, value in (message.facts or {}).items()
        if value is not None and not isinstance(value, (dict, list, bool)) and str(value).strip()
    ]


def _facts(said: Sequence[Message], knowledge: Knowledge) -> tuple[Fact, ...]:
    slots = {question.slot: question for kind in knowledge.case_types for question in kind.questions}
    given: dict[str, dict[str, Said]] = {}
    for message in reversed(said):
        for name, value in _told(message):
            shown = slots[name].shown(value) if name in slots else value
            given.setdefault(name, {}).setdefault(value, Said(value, shown, _quote(message)))
    labels = knowledge.case_types.fact_labels
    order = list(labels)
    facts = []
    for name, values in given.items():
        newest, *earlier = values.values()
        facts.append(Fact(name, labels.get(name), newest, tuple(earlier)))
    return tuple(
        sorted(facts, key=lambda fact: order.index(fact.name) if fact.name in labels else len(order))
    )


def _topics(said: Sequence[Message], knowledge: Knowledge) -> tuple[Topic, ...]:
    counted = Counter(
        message.topic for message in said if message.topic and _acted_upon(message) and _matter(message.topic)
    )
    return tuple(Topic(topic, _label(topic, knowledge), count) for topic, count in counted.items())


def _label(topic: str, knowledge: Knowledge) -> str:
    labels = (intent.label for intent in knowledge.intents.values() if intent.topic == topic)
    return next(labels, topic)


def _matter(topic: str) -> bool:
    """Whether a topic is a matter; how somebody talks and what they ask of us are told elsewhere."""
    return not topic.startswith(("talk.", "case."))


def _acted_upon(message: Message) -> bool:
    return message.accepted is not False


def _main_topic(topics: Sequence[Topic], conversation: Conversation) -> str | None:
    """The topic of the conversation as a case would take it: the one written about most, then first."""
    matters = [topic for topic in topics if not topic.topic.startswith("crisis.")]
    if matters:
        return max(matters, key=lambda topic: topic.count).topic
    last = conversation.last_topic
    return last if last and _matter(last) else None


def _answered(spoken: Sequence[Message], knowledge: Knowledge) -> tuple[Answered, ...]:
    found = []
    for message in spoken:
        content = message.content or {}
        if message.author is not Author.BOT or not (message.topic or content.get("sources")):
            continue
        article = knowledge.article(message.topic) if message.topic else None
        found.append(
            Answered(
                message_id=message.id,
                at=message.created_at,
                topic=message.topic,
                title=None if article is None else article.title,
                sources=tuple(dict(source) for source in content.get("sources", ())),
                buttons=tuple(str(button.get("title", "")) for button in content.get("buttons", ())),
            )
        )
    return tuple(found)


def _wants(
    said: Sequence[Message], facts: Sequence[Fact], conversation: Conversation, knowledge: Knowledge
) -> Wants:
    def deed(message: Message) -> Intent | None:
        known = knowledge.intents.get(message.intent or "")
        return known if known and known.kind is IntentKind.DEED and _acted_upon(message) else None

    wish = next((fact.said for fact in facts if fact.name == "wish"), None)
    asked = next(((one, found) for one in reversed(said) if (found := deed(one))), None)
    last = next((message for message in reversed(said) if (message.text or "").strip()), None)
    return Wants(
        wish=None if wish is None else wish.quote,
        wish_value=None if wish is None else wish.value,
        request=None if asked is None else _quote(asked[0]),
        request_label=None if asked is None else asked[1].label,
        last_words=None if last is None else _quote(last),
        handoff_reason=conversation.handoff_reason,
        complaints=sum(message.topic == "talk.complain" and _acted_upon(message) for message in said),
        asked_for_human=sum(message.intent == "request_human" for message in said),
        not_understood=sum(message.accepted is False for message in said),
    )


def _quote(message: Message) -> Quote:
    return Quote(message.id, message.created_at, message.text or "")


async def _past(session: AsyncSession, conversation: Conversation) -> Past:
    others = await session.scalar(
        select(func.count())
        .select_from(Conversation)
        .where(Conversation.member_id == conversation.member_id, Conversation.id != conversation.id)
    )
    mine = Case.member_id == conversation.member_id
    total = await session.scalar(select(func.count()).select_from(Case).where(mine))
    rows = await session.execute(
        select(
            Case.id,
            Case.number,
            Case.case_type,
            Case.topic,
            Case.state,
            Case.opened_at,
            Case.closed_at,
            Case.due_at,
            Case.merged_into_id,
        )
        .where(mine)
        .order_by(Case.opened_at.desc(), Case.number.desc())
        .limit(MAX_CASES)
    )
    return Past(others or 0, tuple(PastCase(*row) for row in rows), total or 0)


async def _files(session: AsyncSession, conversation_id: str) -> tuple[FileSent, ...]:
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.conversation_id == conversation_id, Attachment.message_id.is_not(None))
        .order_by(Attachment.created_at.desc(), Attachment.id)
        .limit(MAX_FILES)
    )
    return tuple(
        FileSent(one.id, one.filename, one.media_type, one.size, one.message_id, one.created_at)
        for one in rows
    )


async def _last_handoff(session: AsyncSession, conversation_id: str) -> HandoffNote | None:
    """The latest that ended and says something."""
    last = await session.scalar(
        select(Handoff)
        .where(
            and_(Handoff.conversation_id == conversation_id, Handoff.ended_at.is_not(None)),
            or_(Handoff.note.is_not(None), Handoff.outcome.is_not(None)),
        )
        .order_by(Handoff.id.desc())
        .limit(1)
    )
    if last is None or last.ended_at is None:
        return None
    return HandoffNote(last.staff_id, last.ended_at, last.outcome, last.note)
