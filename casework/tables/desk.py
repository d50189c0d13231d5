"""Desk: what the hotline keeps beside conversations and cases."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from casework.columns import EncryptedText, enum_column
from casework.tables.base import Base, BigId


class SuggestionState(StrEnum):
    """What became of a suggestion in the training inbox."""

    NEW = "new"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class AlertKind(StrEnum):
    """Why a member of staff is told something."""

    MENTION = "mention"
    ASSIGNED = "assigned"
    TRANSFERRED = "transferred"
    WARNING = "warning"
    BREACH = "breach"
    BAD_RATING = "bad_rating"


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


class Unmasking(Base):
    """Unmasking: leave to see one record's name and phone for a while, with the reason that was given."""

    __tablename__ = "unmaskings"
    __table_args__ = (Index("ix_unmaskings_who", "staff_id", "subject_kind", "subject_id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    subject_kind: Mapped[str] = mapped_column(String(20))
    """conversation or case."""
    subject_id: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    until: Mapped[datetime]


class Watcher(Base):
    """Watcher: a member of staff who has a conversation open, and whether they are typing."""

    __tablename__ = "watchers"
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    seen_at: Mapped[datetime]
    typing_at: Mapped[datetime | None]


class Alert(Base):
    """Alert: something a member of staff (or every supervisor) must be told, until they have read it."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_unread", "staff_id", "read_at"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[AlertKind] = enum_column(AlertKind)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None: for supervisors and admins."""
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    detail: Mapped[str | None] = mapped_column(String(60))
    """A code, never words of a member."""
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class CannedReply(Base):
    """Canned reply: a text staff say often, with variables, found by keyword and suggested by topic."""

    __tablename__ = "canned_replies"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    keyword: Mapped[str] = mapped_column(String(30), unique=True)
    title: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
    topic: Mapped[str | None] = mapped_column(String(60), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class SavedFilter(Base):
    """Saved filter: a question to the queue that a member of staff keeps under a name."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    name: Mapped[str] = mapped_column(String(30))
    query: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]


class SearchTerm(Base):
    """Search term: the keyed hash of two characters (or of a phone's tail) that a record contains."""

    __tablename__ = "search_terms"
    __table_args__ = (Index("ix_search_terms_ref", "kind", "ref"),)
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    """member, conversation or case: what ``ref`` is the id of."""
    ref: Mapped[str] = mapped_column(String(32), primary_key=True)


class TrainingSuggestion(Base):
    """Training suggestion: what a bot turn should have understood, as staff saw it; for the workbench."""

    __tablename__ = "training_suggestions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), unique=True)
    """The member's message that was misunderstood; one suggestion each, the latest word counts."""
    text: Mapped[str | None] = mapped_column(EncryptedText)
    """The member's words with personal data taken out."""
    seen_intent: Mapped[str | None] = mapped_column(String(60))
    seen_confidence: Mapped[float | None]
    should_intent: Mapped[str] = mapped_column(String(60))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[SuggestionState] = enum_column(SuggestionState, default=SuggestionState.NEW)
    created_at: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]


class DeskSetting(Base):
    """Desk setting: one thing the supervisors changed from what ``desk.yml`` ships."""

    __tablename__ = "desk_settings"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
