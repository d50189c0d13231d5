"""The case database: every table, its invariants, and nothing that acts.

Times are aware UTC. Members' names, phones, identities and free text are ``EncryptedText``;
what must be searchable has a keyed hash beside it. Enumerations are stored by value.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from casework.columns import EncryptedJSON, EncryptedText, UtcDateTime, enum_column

BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Declarative base with stable constraint names (Alembic needs them on SQLite)."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        datetime: UtcDateTime,
    }


def new_id() -> str:
    """A random identifier (UUID4, 32 hex digits)."""
    return uuid.uuid4().hex


class Channel(StrEnum):
    """The door a member came through."""

    TELEGRAM = "telegram"
    WEB = "web"
    API = "api"


class Owner(StrEnum):
    """Who speaks in a conversation: the bot, nobody yet (queue), or one member of staff."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"


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


class CaseState(StrEnum):
    """Where a case is in its 12345-style life (labels in data/knowledge/wording.yml)."""

    ACCEPTED = "accepted"  # 受理
    ASSIGNED = "assigned"  # 派单
    IN_PROGRESS = "in_progress"  # 办理
    RETURNED = "returned"  # 退回
    RESOLVED = "resolved"  # 办结
    FOLLOWED_UP = "followed_up"  # 回访
    ARCHIVED = "archived"  # 归档
    WITHDRAWN = "withdrawn"  # 撤销


class Audience(StrEnum):
    """Who may read a case event."""

    MEMBER = "member"
    INTERNAL = "internal"


class StaffRole(StrEnum):
    """What a member of staff may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Member(Base):
    """Member (职工/会员): one person who writes to us, known only by what they chose to tell."""

    __tablename__ = "members"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    consent_version: Mapped[str | None] = mapped_column(String(20))
    consented_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    identities: Mapped[list[ChannelIdentity]] = relationship(
        back_populates="member", lazy="raise", cascade="all, delete-orphan"
    )


class ChannelIdentity(Base):
    """Channel identity: how one channel names a member (a Telegram user, a web visitor)."""

    __tablename__ = "channel_identities"
    __table_args__ = (UniqueConstraint("channel", "external_hash"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    channel: Mapped[Channel] = enum_column(Channel)
    external_id: Mapped[str | None] = mapped_column(EncryptedText)
    external_hash: Mapped[str] = mapped_column(String(64))
    blocked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    member: Mapped[Member] = relationship(back_populates="identities", lazy="raise")


class Conversation(Base):
    """Conversation: the one thread between a member and us on one channel, with one owner at a time."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("epoch >= 0", name="epoch_not_negative"),
        CheckConstraint("owner <> 'human' OR staff_id IS NOT NULL", name="human_has_staff"),
        CheckConstraint("owner <> 'queued' OR queued_at IS NOT NULL", name="queued_has_time"),
        Index("ix_conversations_queue", "owner", "urgent", "queued_at"),
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


class Case(Base):
    """Case (工单): one matter a member asked the union to deal with; a thread of events with a state."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating_range"),
        CheckConstraint("version >= 1", name="version_positive"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    case_type: Mapped[str] = mapped_column(String(40), index=True)
    topic: Mapped[str] = mapped_column(String(60), index=True)
    topics: Mapped[list[Any]] = mapped_column(JSON, default=list)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    opened_by_message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), unique=True)
    state: Mapped[CaseState] = enum_column(CaseState, default=CaseState.ACCEPTED)
    urgent: Mapped[bool] = mapped_column(default=False)
    anonymous: Mapped[bool] = mapped_column(default=False)
    district: Mapped[str | None] = mapped_column(String(40), index=True)
    summary: Mapped[str | None] = mapped_column(EncryptedText)
    facts: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    urged_count: Mapped[int] = mapped_column(default=0)
    reopened_count: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    rating: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    events: Mapped[list[CaseEvent]] = relationship(
        back_populates="case", lazy="raise", order_by="CaseEvent.id", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy declares it an instance variable


class CaseEvent(Base):
    """Case event: one entry in a case's thread: a deed, a supplement, a note; each with an audience."""

    __tablename__ = "case_events"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    deed: Mapped[str] = mapped_column(String(40))
    audience: Mapped[Audience] = enum_column(Audience)
    author: Mapped[Author] = enum_column(Author)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    from_state: Mapped[str | None] = mapped_column(String(20))
    to_state: Mapped[str | None] = mapped_column(String(20))
    text: Mapped[str | None] = mapped_column(EncryptedText)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    created_at: Mapped[datetime]

    case: Mapped[Case] = relationship(back_populates="events", lazy="raise")


class CaseSerial(Base):
    """Case serial: the last case number given on one Shanghai day."""

    __tablename__ = "case_serials"
    __table_args__ = (CheckConstraint("last BETWEEN 0 AND 9999", name="last_range"),)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Attachment(Base):
    """Attachment: one file a member or staff sent; bytes on disk, never served by its own name."""

    __tablename__ = "attachments"
    __table_args__ = (CheckConstraint("size > 0", name="size_positive"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)
    filename: Mapped[str] = mapped_column(EncryptedText)
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class Station(Base):
    """Station (服务站点): a place a member can walk into; sample records say so and are shown as such."""

    __tablename__ = "stations"
    __table_args__ = (
        CheckConstraint("latitude IS NULL OR latitude BETWEEN -90 AND 90", name="latitude_range"),
        CheckConstraint("longitude IS NULL OR longitude BETWEEN -180 AND 180", name="longitude_range"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(30), index=True)
    district: Mapped[str] = mapped_column(String(40), index=True)
    address: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    hours: Mapped[str | None] = mapped_column(String(120))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(200))
    checked_on: Mapped[date] = mapped_column(Date)


class Staff(Base):
    """Staff: a hotline worker, supervisor or admin who may act in conversations and cases."""

    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(40))
    role: Mapped[StaffRole] = enum_column(StaffRole, default=StaffRole.AGENT)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """Audit entry: who did what to which record, without what it said."""

    __tablename__ = "audit_log"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(60))
    deed: Mapped[str] = mapped_column(String(60))
    subject_kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
