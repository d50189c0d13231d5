"""Visibility: the one function that says how much of a member's data somebody sees; it fails closed.

Names and phones are masked for everybody. Whoever may unmask, and owns the conversation or the case or
directs others, sees them for a quarter of an hour after giving a reason, which is audited. What members
wrote is shown with phones, identity and bank cards taken out under the same rule. Auditors see neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotAllowed
from casework.permissions import Right, may, require
from casework.redaction import mask_name, mask_phone, redact
from casework.tables import Case, Conversation, Staff, Unmasking

UNMASKED_FOR = timedelta(minutes=15)
MAX_REASON = 60
Subject = Conversation | Case


@dataclass(frozen=True, slots=True)
class Sight:
    """Sight: what one member of staff sees of one record; made by ``sight_of`` only."""

    open: bool = False
    """Names, phones and what stands in the text are shown as they are."""
    until: datetime | None = None

    def name(self, name: str | None) -> str | None:
        """A name, or all but its first character hidden."""
        return name if name is None or self.open else mask_name(name)

    def phone(self, phone: str | None) -> str | None:
        """A phone number, or its middle hidden."""
        return phone if phone is None or self.open else mask_phone(phone)

    def text(self, text: str | None) -> str:
        """What somebody wrote, or that with phones, cards, e-mails and positions taken out."""
        return (text or "") if self.open else redact(text or "")

    def fact(self, name: str, value: object) -> str:
        """A fact's value by its name; what is neither a name nor a phone is treated as text."""
        if name == "person_name":
            return self.name(str(value)) or ""
        if name == "phone":
            return self.phone(str(value)) or ""
        return self.text(str(value))

    def facts(self, facts: dict[str, Any]) -> dict[str, str]:
        """Every fact as it may be shown."""
        return {name: self.fact(name, value) for name, value in facts.items()}


MASKED = Sight()
"""What lists, searches, exports and logs show to everybody."""


async def sight_of(session: AsyncSession, staff: Staff, subject: Subject, now: datetime) -> Sight:
    """How much of this record the member of staff sees now; anything in doubt is masked."""
    if not may(staff, Right.UNMASK) or not _concerns(staff, subject):
        return MASKED
    until = await session.scalar(
        select(Unmasking.until)
        .where(
            Unmasking.staff_id == staff.id,
            Unmasking.subject_kind == _kind(subject),
            Unmasking.subject_id == subject.id,
            Unmasking.until > now,
        )
        .order_by(Unmasking.until.desc())
        .limit(1)
    )
    return MASKED if until is None else Sight(open=True, until=until)


async def unmask(
    session: AsyncSession, staff: Staff, subject: Subject, reason: str, now: datetime
) -> datetime:
    """Leave to see a record's name and phone for 15 minutes; returns until when. Audited.

    Raises NotAllowed for a role that may not or a record that is somebody else's, BadInput for a reason of
    none or more than 60 characters, or one that holds personal data itself.
    """
    require(staff, Right.UNMASK)
    if not _concerns(staff, subject):
        raise NotAllowed("this record is somebody else's", right=Right.UNMASK.value)
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= MAX_REASON or redact(reason) != reason:
        raise BadInput("a reason of 1 to 60 characters", field="reason", limit=MAX_REASON)
    until = now + UNMASKED_FOR
    session.add(
        Unmasking(
            staff_id=staff.id,
            subject_kind=_kind(subject),
            subject_id=subject.id,
            reason=reason,
            created_at=now,
            until=until,
        )
    )
    audit.record(
        session, audit.staff_actor(staff), "unmasked", _kind(subject), subject.id, now=now, reason=reason
    )
    return until


def _kind(subject: Subject) -> str:
    return "case" if isinstance(subject, Case) else "conversation"


def _concerns(staff: Staff, subject: Subject) -> bool:
    return subject.staff_id == staff.id or may(staff, Right.DIRECT)
