"""Audit trail: who did what to which record, without what it said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import CaseworkError
from casework.redaction import redact
from casework.tables import AuditEntry, Staff

MAX_DETAIL = 120


class AuditDetailRefused(CaseworkError):
    """A detail that may hold personal data was about to be recorded; names the detail, not its value."""


def record(
    session: AsyncSession,
    actor: str,
    deed: str,
    subject_kind: str,
    subject_id: object,
    *,
    now: datetime,
    **detail: Any,
) -> AuditEntry:
    """Add one audit entry: ``actor`` did ``deed`` to the record ``subject_kind`` ``subject_id``.

    ``actor`` is ``bot``, ``member``, ``system`` or ``staff_actor(staff)``. Details are counts, codes and
    states; raises AuditDetailRefused for one that looks like a phone number, an identity or bank card
    number or an e-mail address, or is longer than 120 characters.
    """
    for name, value in detail.items():
        for part in _leaves(value):
            text = str(part)
            if len(text) > MAX_DETAIL:
                raise AuditDetailRefused(
                    f"audit detail {name!r} of {deed!r} is longer than {MAX_DETAIL} characters"
                )
            if redact(text) != text:
                raise AuditDetailRefused(f"audit detail {name!r} of {deed!r} looks like personal data")
    entry = AuditEntry(
        at=now,
        actor=actor,
        deed=deed,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        detail=detail,
    )
    session.add(entry)
    return entry


def staff_actor(staff: Staff) -> str:
    """How the audit trail names a member of staff."""
    return f"staff:{staff.login}"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
