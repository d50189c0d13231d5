"""The library: what staff wrote over the articles that ship, version by version."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.columns import enum_column
from casework.tables.base import Base, new_id


class VersionState(StrEnum):
    """Where a version of an article is in its life."""

    DRAFT = "draft"
    PROPOSED = "proposed"  # waits for a second person
    PUBLISHED = "published"  # served; at most one of a topic
    REFUSED = "refused"
    RETIRED = "retired"  # was served once; a newer one, or the one that ships, took its place


class ArticleVersion(Base):
    """Article version: one state of one topic's article as somebody wrote it, and who let it be served."""

    __tablename__ = "article_versions"
    __table_args__ = (
        UniqueConstraint("topic", "number", name="uq_article_versions_topic_number"),
        CheckConstraint("number >= 1", name="number_positive"),
        CheckConstraint("reviewer_id IS NULL OR reviewer_id <> author_id", name="second_person"),
        CheckConstraint(
            "state IN ('draft', 'proposed') OR (reviewer_id IS NOT NULL AND reviewed_at IS NOT NULL)",
            name="decided_is_reviewed",
        ),
        Index(
            "uq_article_versions_published",
            "topic",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
        Index(
            "uq_article_versions_draft",
            "topic",
            "author_id",
            unique=True,
            sqlite_where=text("state = 'draft'"),
            postgresql_where=text("state = 'draft'"),
        ),
        Index("ix_article_versions_state", "state"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    topic: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    """1, 2, 3 … within the topic."""
    content: Mapped[dict[str, Any]]
    """The article as data (``casework.article_data``); a draft may still break rules."""
    state: Mapped[VersionState] = enum_column(VersionState, default=VersionState.DRAFT)
    author_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(String(300))
    """What the author changed and why."""
    based_on_id: Mapped[str | None] = mapped_column(ForeignKey("article_versions.id"))
    """The version it was begun from; None: the article that ships."""
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_at: Mapped[datetime | None]
    verdict: Mapped[str | None] = mapped_column(String(300))
    """Why it was refused, or taken out of use."""
