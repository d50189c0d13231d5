"""Work: cases and their threads, the files that belong to them, and the stations."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.columns import EncryptedJSON, EncryptedText, enum_column
from casework.tables.base import Base, BigId, new_id
from casework.tables.talk import Audience, Author, Priority


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


class Case(Base):
    """Case (工单): one matter a member asked the union to deal with; a thread of events with a state."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating_range"),
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint("priority BETWEEN 0 AND 2", name="priority_range"),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
        Index("ix_cases_open", "closed_at", "priority", "opened_at"),
        Index("ix_cases_opened_at", "opened_at"),
        Index("ix_cases_staff_id_closed_at", "staff_id", "closed_at"),
        Index("ix_cases_due_at", "due_at"),
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
    priority: Mapped[int] = mapped_column(default=Priority.NORMAL.value)
    risks: Mapped[list[Any]] = mapped_column(JSON, default=list)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    checked: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Which materials of the checklist are at hand, by their place in it."""
    waiting_for_member_since: Mapped[datetime | None]
    """The member was asked for something; until they bring it the deadline stands still."""
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    supervised_at: Mapped[datetime | None]
    """督办: a supervisor watches over it since then."""
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)
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


class CaseLink(Base):
    """Case link: two cases that belong together without being one (the smaller id stands first)."""

    __tablename__ = "case_links"
    __table_args__ = (CheckConstraint("case_id < other_id", name="in_order"),)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[str] = mapped_column(
        ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]


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
