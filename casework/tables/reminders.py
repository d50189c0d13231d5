"""Reminders: what a member asked to be told later, and that they want to be told at all."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from casework.columns import EncryptedJSON, enum_column
from casework.tables.base import Base, BigId


class ReminderKind(StrEnum):
    """What a reminder is about."""

    LIMITATION = "limitation"
    APPOINTMENT = "appointment"
    SEASON = "season"
    PROMISED_REPLY = "promised_reply"


class ReminderState(StrEnum):
    """Where a reminder is."""

    WAITING = "waiting"
    SENT = "sent"
    STOPPED = "stopped"  # the member wants none at present
    DROPPED = "dropped"  # it is of no use any more, or another took its place


class Reminder(Base):
    """Reminder (提醒): one thing a member wants to be told later, said once, where they asked for it."""

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("member_id", "kind", "subject", "due_at"),
        CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_has_time"),
        CheckConstraint("due_at < useful_until", name="due_while_useful"),
        Index("ix_reminders_state_try_at", "state", "try_at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    kind: Mapped[ReminderKind] = enum_column(ReminderKind)
    subject: Mapped[str] = mapped_column(String(80))
    """What it is about, as a short key: ``case:<id>``, ``claim:severance``, ``season:tuition.aid``."""
    text_key: Mapped[str] = mapped_column(String(60))
    """The sentence it says: ``reminder.<text_key>`` in ``wording.yml``."""
    details: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    """What that sentence is filled in with."""
    due_at: Mapped[datetime]
    try_at: Mapped[datetime]
    """When it is looked at next: not before it is due, later at night or while a human speaks."""
    useful_until: Mapped[datetime]
    """From then on it helps nobody and is dropped."""
    state: Mapped[ReminderState] = enum_column(ReminderState, default=ReminderState.WAITING)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    sent_message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))


class ReminderConsent(Base):
    """Reminder consent: that a member wants to be reminded, since when, and whether they stopped it."""

    __tablename__ = "reminder_consents"
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    given_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    """None: in force."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    """The member's message that gave it."""
