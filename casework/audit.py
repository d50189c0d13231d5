"""Audit trail: who did what to which record, without what it said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import CaseworkError
from casework.periods import Period
from casework.redaction import redact
from casework.tables import AuditEntry, Staff

MAX_DETAIL = 120
MAX_PAGE = 200


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


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Audit query: which entries of a period are asked for; None is any.

    ``deed`` may end in ``*``: ``case.*`` is every deed of cases.
    """

    period: Period
    actor: str | None = None
    deed: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Audit page: some entries, the newest first, and the id to go on ``before`` (None: that was all)."""

    entries: tuple[AuditEntry, ...]
    older: int | None


async def list_entries(
    session: AsyncSession, query: AuditQuery, *, before: int | None = None, limit: int = 100
) -> AuditPage:
    """The entries of a period, the newest first, at most 200; ``before`` is the ``older`` of the last page.

    Pages follow the time and the id of an entry, not its place: what is recorded meanwhile moves nothing. An
    unknown ``before`` gives an empty page.
    """
    wanted = [AuditEntry.at >= query.period.begins, AuditEntry.at < query.period.over]
    for column, value in (
        (AuditEntry.actor, query.actor),
        (AuditEntry.subject_kind, query.subject_kind),
        (AuditEntry.subject_id, query.subject_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if query.deed is not None and query.deed.endswith("*"):
        wanted.append(AuditEntry.deed.startswith(query.deed[:-1], autoescape=True))
    elif query.deed is not None:
        wanted.append(AuditEntry.deed == query.deed)
    if before is not None:
        last = await session.get(AuditEntry, before)
        if last is None:
            return AuditPage((), None)
        wanted.append(or_(AuditEntry.at < last.at, and_(AuditEntry.at == last.at, AuditEntry.id < last.id)))
    limit = min(limit, MAX_PAGE)
    found = list(
        await session.scalars(
            select(AuditEntry)
            .where(*wanted)
            .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
            .limit(limit + 1)
        )
    )
    return AuditPage(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


async def actors_and_deeds(session: AsyncSession, period: Period) -> tuple[list[str], list[str]]:
    """Who acted in a period, and what was done, each in order; for the lists one chooses from."""
    within = (AuditEntry.at >= period.begins, AuditEntry.at < period.over)
    actors = await session.scalars(select(AuditEntry.actor).where(*within).distinct())
    deeds = await session.scalars(select(AuditEntry.deed).where(*within).distinct())
    return sorted(actors), sorted(deeds)


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
