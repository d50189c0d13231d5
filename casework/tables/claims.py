"""Claims: what a member may ask for, as it was told, asked and worked out."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.columns import EncryptedJSON, enum_column
from casework.tables.base import Base, BigId, new_id


class SheetState(StrEnum):
    """Where a claim sheet is."""

    ASKING = "asking"
    GIVEN = "given"
    LEFT = "left"  # the member went on to something else before it was done


class ClaimSheet(Base):
    """Claim sheet (权益清单): what one story entitles a member to, with what was said and asked for it."""

    __tablename__ = "claim_sheets"
    __table_args__ = (
        Index(
            "uq_claim_sheets_asking",
            "conversation_id",
            unique=True,
            sqlite_where=text("state = 'asking'"),
            postgresql_where=text("state = 'asking'"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)
    state: Mapped[SheetState] = enum_column(SheetState, default=SheetState.ASKING)
    told: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    """What is known: facts, circumstances and answers, each with the words it comes from."""
    sheet: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    """The sheet as it was given (``casework.claims.model.Sheet.to_json``)."""
    as_of: Mapped[date] = mapped_column(Date)
    last_message_id: Mapped[int | None] = mapped_column(BigId)
    """The member's message that was read last: read again it changes nothing."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    given_at: Mapped[datetime | None]
