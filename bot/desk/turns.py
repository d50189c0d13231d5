"""Turns: a conversation's messages as the desk shows them, masked, with how each was read and delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from casework import attachments, desk_view, staff_talk
from casework.clock import SHANGHAI
from casework.knowledge import Knowledge
from casework.tables import Attachment, Audience, Author, Message, Staff, TrainingSuggestion
from casework.visibility import Sight

SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Images every browser shows and none of which can hold a script."""
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file of a turn; ``size`` is written for people."""

    id: str
    name: str
    size: str
    image: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How the assistant read the member's words that a bot turn answered."""

    intent: str | None
    """Its label."""
    topic: str | None
    percent: int | None
    accepted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message as the desk shows it."""

    id: int
    kind: str
    """member, bot, staff, system or note."""
    who: str
    at: datetime
    day: str
    time: str
    text: str
    client_id: str | None
    mine: bool
    buttons: Sequence[str] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    files: Sequence[FileShown] = ()
    topic: str | None = None
    reading: Reading | None = None
    delivery: str | None = None
    error: str | None = None
    should: str | None = None
    """The label of what staff say it should have been understood as."""
    located: bool = False

    @property
    def may_be_corrected(self) -> bool:
        """Whether “应为…” can be said of it: a bot turn in answer to words of a member."""
        return self.kind == "bot" and self.reading is not None


async def as_turns(
    session: AsyncSession,
    stored: Sequence[Message],
    *,
    sight: Sight,
    knowledge: Knowledge,
    viewer: Staff,
) -> list[Turn]:
    """Messages as turns, in five queries whatever their number."""
    with_files = [one.id for one in stored if (one.content or {}).get("attachments")]
    files = await attachments.of_messages(session, with_files) if with_files else {}
    people = await desk_view.staff_named(session, [one.staff_id for one in stored])
    answered = await desk_view.answered_by(session, stored)
    said = await desk_view.suggested_for(session, {one.id for one in answered.values()})
    outgoing = [one.id for one in stored if one.author is not Author.MEMBER]
    delivered = await staff_talk.delivery_of(session, outgoing)
    turns = []
    for one in stored:
        asked = answered.get(one.id)
        sent = delivered.get(one.id)
        content = one.content or {}
        turns.append(
            Turn(
                id=one.id,
                kind="note" if one.audience is Audience.INTERNAL else one.author.value,
                who=_who(people.get(one.staff_id or 0)),
                at=one.created_at,
                day=day_label(one.created_at),
                time=f"{one.created_at.astimezone(SHANGHAI):%H:%M}",
                text=sight.text(one.text),
                client_id=_client_id(one) if one.staff_id == viewer.id else None,
                mine=one.staff_id == viewer.id,
                buttons=[sight.text(button["title"]) for button in content.get("buttons", ())],
                sources=[dict(source) for source in content.get("sources", ())],
                files=[_file(file, sight) for file in files.get(one.id, ())],
                topic=one.topic,
                reading=_reading(asked, knowledge),
                delivery=None if sent is None else sent.state.value,
                error=None if sent is None else sent.error,
                should=_should(said.get(asked.id) if asked else None, knowledge),
                located="location" in content,
            )
        )
    return turns


def day_label(moment: datetime) -> str:
    """A day separator's words: ``11月22日 星期日`` (the day in Shanghai)."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 星期{_WEEKDAYS[local.weekday()]}"


def size_label(size: int) -> str:
    """A file's size for people; ``size`` in bytes."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} KB"


def intent_label(knowledge: Knowledge, name: str | None) -> str | None:
    """What an intent is called in front of people; its name where nothing is known of it."""
    if name is None:
        return None
    known = knowledge.intents.get(name)
    return name if known is None else known.label


def _client_id(message: Message) -> str | None:
    """What the browser that sent a staff message calls it (stored with whose it is in front)."""
    return (message.client_message_id or "").rpartition(":")[2] or None


def _who(staff: Staff | None) -> str:
    if staff is None:
        return ""
    return f"{staff.display_name} {staff.badge}" if staff.badge else staff.display_name


def _file(file: Attachment, sight: Sight) -> FileShown:
    return FileShown(
        id=file.id,
        name=sight.text(file.filename),
        size=size_label(file.size),
        image=file.media_type in SHOWN_INLINE,
    )


def _reading(asked: Message | None, knowledge: Knowledge) -> Reading | None:
    if asked is None or (asked.content or {}).get("payload"):
        return None
    return Reading(
        intent=intent_label(knowledge, asked.intent),
        topic=asked.topic,
        percent=None if asked.confidence is None else round(asked.confidence * 100),
        accepted=asked.accepted,
    )


def _should(suggestion: TrainingSuggestion | None, knowledge: Knowledge) -> str | None:
    return None if suggestion is None else intent_label(knowledge, suggestion.should_intent)
