"""Talk: conversations, what is said in them, and what must still reach a member."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from casework.columns import EncryptedJSON, EncryptedText, enum_column
from casework.tables.base import Base, BigId, new_id
from casework.tables.people import Channel


class Owner(StrEnum):
    """Who speaks in a conversation: the bot, nobody yet (queue), one member of staff, or that one no
    longer while they write down what came of it.
    """

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    WRAP_UP = "wrap_up"


class Priority(IntEnum):
    """How soon somebody must look; the smaller the sooner (it is what queues are ordered by)."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2


class Author(StrEnum):
    """Who wrote a message."""

    MEMBER = "member"
    BOT = "bot"
    STAFF = "staff"
    SYSTEM = "system"


class Handling(StrEnum):
    """What became of a member's message: every one ends in DONE, whatever broke on the way."""

    PENDING = "pending"
    DONE = "done"
    NOT_NEEDED = "not_needed"


class Delivery(StrEnum):
    """State of one outbox entry."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    BLOCKED = "blocked"


class Audience(StrEnum):
    """Who may read a message or a case event."""

    MEMBER = "member"
    INTERNAL = "internal"


class Conversation(Base):
    """Conversation: the one thread between a member and us on one channel, with one owner at a time."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("epoch >= 0", name="epoch_not_negative"),
        CheckConstraint("owner NOT IN ('human', 'wrap_up') OR staff_id IS NOT NULL", name="human_has_staff"),
        CheckConstraint("owner IN ('human', 'wrap_up') OR staff_id IS NULL", name="only_humans_have_staff"),
        CheckConstraint("owner <> 'queued' OR queued_at IS NOT NULL", name="queued_has_time"),
        CheckConstraint("owner <> 'wrap_up' OR wrap_up_at IS NOT NULL", name="wrap_up_has_time"),
        CheckConstraint("priority BETWEEN 0 AND 2", name="priority_range"),
        Index("ix_conversations_queue", "owner", "priority", "queued_at"),
        Index("ix_conversations_last_message_at", "last_message_at"),
        Index(
            "uq_conversations_lasting",
            "member_id",
            "channel",
            unique=True,
            sqlite_where=text("channel = 'telegram'"),
            postgresql_where=text("channel = 'telegram'"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    channel: Mapped[Channel] = enum_column(Channel)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    owner: Mapped[Owner] = enum_column(Owner, default=Owner.BOT)
    epoch: Mapped[int] = mapped_column(default=0)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    urgent: Mapped[bool] = mapped_column(default=False)
    urgent_reason: Mapped[str | None] = mapped_column(String(60))
    handoff_reason: Mapped[str | None] = mapped_column(String(60))
    handoff_message_id: Mapped[int | None] = mapped_column(BigId)
    """The member's message whose turn handed off: that turn's own reply may still be said (no foreign
    key: messages already point at conversations, and a cycle could not be created on SQLite)."""
    queued_at: Mapped[datetime | None]
    wrap_up_at: Mapped[datetime | None]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), index=True)
    """Whose queue it stands in; None: everybody's."""
    reserved_for_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """The colleague it was passed on to; anybody else may still take it."""
    for_supervisor: Mapped[bool] = mapped_column(default=False)
    """Only a supervisor may take it: the member was not content with how it went."""
    priority: Mapped[int] = mapped_column(default=Priority.NORMAL.value)
    risks: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Codes of what makes it pressing (``casework.risks``), the gravest first."""
    district: Mapped[str | None] = mapped_column(String(40), index=True)
    waiting_since: Mapped[datetime | None]
    """When the member's oldest word that no human has answered was written; None: we wait for them."""
    told_waiting_at: Mapped[datetime | None]
    """When they were last told that they still wait."""
    warned_at: Mapped[datetime | None]
    """When staff were warned that the promised time is nearly over, for the present wait."""
    breached_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    """The member was asked for patience until then."""
    snoozed_until: Mapped[datetime | None]
    """Put out of its worker's sight until then, or until the member writes."""
    blocked_until: Mapped[datetime | None]
    """Until then the member is not handed to humans, save in a crisis; the bot goes on."""
    last_crisis_at: Mapped[datetime | None]
    last_crisis_kind: Mapped[str | None] = mapped_column(String(40))
    last_topic: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    last_message_at: Mapped[datetime]


class Message(Base):
    """Message: one thing said in a conversation; together they are the transcript of record."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        CheckConstraint("author <> 'staff' OR staff_id IS NOT NULL", name="staff_is_named"),
        CheckConstraint("audience = 'member' OR author = 'staff'", name="only_staff_take_notes"),
        CheckConstraint("author <> 'member' OR client_message_id IS NOT NULL", name="member_has_client_id"),
        Index("ix_messages_conversation_id_id", "conversation_id", "id"),
        Index(
            "ix_messages_pending",
            "handling",
            sqlite_where=text("handling = 'pending'"),
            postgresql_where=text("handling = 'pending'"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    author: Mapped[Author] = enum_column(Author)
    audience: Mapped[Audience] = enum_column(Audience, default=Audience.MEMBER)
    """Internal: a note among staff, which no door of the member's ever reads."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    client_message_id: Mapped[str | None] = mapped_column(String(80))
    in_reply_to: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    epoch: Mapped[int] = mapped_column(default=0)
    text: Mapped[str | None] = mapped_column(EncryptedText)
    content: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    """What is not text: ``payload``, ``location``, ``attachments`` (ids), ``buttons`` [{title, payload}],
    ``sources``."""
    topic: Mapped[str | None] = mapped_column(String(60))
    intent: Mapped[str | None] = mapped_column(String(60))
    confidence: Mapped[float | None] = mapped_column(Float)
    accepted: Mapped[bool | None]
    """Whether the assistant acted on that reading."""
    model: Mapped[str | None] = mapped_column(String(40))
    """The model version that read it, as the dialogue said."""
    answer_ms: Mapped[int | None]
    """How long the dialogue took to answer, in milliseconds; None where it gave no answer."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    """What was read out of a member's words: fact name → normalised value."""
    handling: Mapped[Handling] = enum_column(Handling, default=Handling.NOT_NEEDED)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]


class ButtonToken(Base):
    """Button token: a short opaque name for a button's payload, valid in one conversation only."""

    __tablename__ = "button_tokens"
    token: Mapped[str] = mapped_column(String(24), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    payload: Mapped[str] = mapped_column(EncryptedText)
    title: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class OutboxEntry(Base):
    """Outbox entry: one message that must reach a member through a channel that pushes."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "delivery", "due_at"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    channel: Mapped[Channel] = enum_column(Channel)
    delivery: Mapped[Delivery] = enum_column(Delivery, default=Delivery.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    parts_sent: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(200))


class Handoff(Base):
    """Handoff: one stretch of human service in a conversation, from the queue until the bot has it again."""

    __tablename__ = "handoffs"
    __table_args__ = (
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating_range"),
        Index(
            "uq_handoffs_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_handoffs_queued_at", "queued_at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    channel: Mapped[Channel] = enum_column(Channel)
    reason: Mapped[str] = mapped_column(String(60))
    topic: Mapped[str | None] = mapped_column(String(60))
    district: Mapped[str | None] = mapped_column(String(40))
    priority: Mapped[int] = mapped_column(default=Priority.NORMAL.value)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who took it last."""
    queued_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    requeued: Mapped[int] = mapped_column(default=0)
    """How often it went back to the queue (transfer, a worker offline, a wait too long)."""
    breached: Mapped[bool] = mapped_column(default=False)
    """Whether a promised time was missed."""
    outcome: Mapped[str | None] = mapped_column(String(40))
    """What came of it, as the worker chose when wrapping up (``desk.yml``)."""
    note: Mapped[str | None] = mapped_column(EncryptedText)
    """The worker's note for whoever comes next."""
    rating: Mapped[int | None]
    rated_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(EncryptedText)
