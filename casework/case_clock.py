"""Case clock: gives cases their deadlines, warns before one passes, escalates after, and stands still
while the member was asked for something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.case_life import Deed, lock
from casework.desk_rules import DeskRules
from casework.errors import TransitionRefused
from casework.tables import Alert, AlertKind, Case, CaseEvent, Priority, Staff

DETAIL = "case_due"
"""The code of this clock's alerts."""


async def keep_cases(session: AsyncSession, rules: DeskRules, now: datetime, limit: int = 200) -> int:
    """Do what is due for open cases: set deadlines, escalate those that passed, warn of those that are near.

    Returns how many cases were touched; call again while it is not 0. Each alert comes once for a deadline:
    a warning to whoever works the case (supervisors when nobody does), a breach to supervisors, raising the
    priority by a step. A case that waits for its member is left alone. Rows another process holds are left
    for the next time.
    """
    dated = await _set_deadlines(session, rules, now, limit)
    breached = await _escalate(session, now, limit)
    warned = await _warn(session, rules, now, limit)
    return dated + breached + warned


async def pause(session: AsyncSession, case: Case, now: datetime) -> None:
    """Let the case's clock stand still: the member was asked for something. Pausing twice is once.

    The event in the thread and the audit entry are the deed's that asked. Raises TransitionRefused for a
    closed case.
    """
    await lock(session, case)
    if case.closed_at is not None:
        raise TransitionRefused("a closed case has no clock", deed="pause", state=case.state)
    if case.waiting_for_member_since is None:
        case.waiting_for_member_since = now
        await session.flush()


async def resume(session: AsyncSession, case: Case, rules: DeskRules, now: datetime) -> None:
    """Let the case's clock run again: the deadline moves by the working time it stood still.

    A case whose clock runs stays as it is. When the new deadline lies ahead, its warning comes anew.
    """
    await lock(session, case)
    since = case.waiting_for_member_since
    if since is None:
        return
    case.waiting_for_member_since = None
    if case.closed_at is None:
        if case.due_at is None:
            case.due_at = rules.due("resolve", case.priority, await _counts_from(session, case))
        if paused := rules.hours.between(since, now):
            case.due_at = rules.hours.add(case.due_at, paused)
        deadline_moved(case, now)
    await session.flush()


def deadline_moved(case: Case, now: datetime) -> None:
    """Forget warning and breach when the deadline lies ahead again; to be called after it moved (延期)."""
    if case.due_at is not None and case.due_at > now:
        case.warned_at = None
        case.breached_at = None


async def _set_deadlines(session: AsyncSession, rules: DeskRules, now: datetime, limit: int) -> int:
    cases = await _hold(session, Case.due_at.is_(None), limit=limit)
    for case in cases:
        case.due_at = rules.due("resolve", case.priority, await _counts_from(session, case))
        case.warned_at = None
        case.breached_at = None
    await session.flush()
    return len(cases)


async def _escalate(session: AsyncSession, now: datetime, limit: int) -> int:
    cases = await _hold(session, Case.due_at <= now, Case.breached_at.is_(None), limit=limit)
    for case in cases:
        before = case.priority
        case.breached_at = now
        case.priority = max(before - 1, Priority.CRITICAL.value)
        session.add(Alert(kind=AlertKind.BREACH, case_id=case.id, detail=DETAIL, created_at=now))
        audit.record(
            session, "system", "case.breached", "case", case.id, now=now, before=before, after=case.priority
        )
    await session.flush()
    return len(cases)


async def _warn(session: AsyncSession, rules: DeskRules, now: datetime, limit: int) -> int:
    near = [
        and_(
            Case.priority == priority.value,
            Case.due_at <= rules.hours.add(now, rules.spare_minutes("resolve", priority)),
        )
        for priority in Priority
    ]
    cases = await _hold(session, Case.due_at > now, or_(*near), Case.warned_at.is_(None), limit=limit)
    at_work = await _active_among(session, cases)
    for case in cases:
        case.warned_at = now
        session.add(
            Alert(
                kind=AlertKind.WARNING,
                staff_id=case.staff_id if case.staff_id in at_work else None,
                case_id=case.id,
                detail=DETAIL,
                created_at=now,
            )
        )
    await session.flush()
    return len(cases)


async def _hold(session: AsyncSession, *conditions: ColumnElement[bool], limit: int) -> Sequence[Case]:
    """Open cases with a running clock that meet the conditions, the nearest deadline first, locked."""
    found = await session.scalars(
        select(Case)
        .where(
            Case.closed_at.is_(None),
            Case.waiting_for_member_since.is_(None),
            Case.merged_into_id.is_(None),
            *conditions,
        )
        .order_by(Case.due_at, Case.opened_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def _counts_from(session: AsyncSession, case: Case) -> datetime:
    """When the present deadline began to run: at the last reopening, else when the case was opened."""
    if not case.reopened_count:
        return case.opened_at
    reopened = await session.scalar(
        select(func.max(CaseEvent.created_at)).where(
            CaseEvent.case_id == case.id, CaseEvent.deed == Deed.REOPEN.value
        )
    )
    return reopened or case.opened_at


async def _active_among(session: AsyncSession, cases: Sequence[Case]) -> set[int]:
    ids = {case.staff_id for case in cases if case.staff_id is not None}
    if not ids:
        return set()
    return set(await session.scalars(select(Staff.id).where(Staff.id.in_(ids), Staff.active)))
