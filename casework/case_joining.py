"""Joining cases: links between cases that belong together, and merging one into another.

A case that was merged rests until it is taken out again (``casework.case_life``). Only a member who has both
cases is told; anybody else's number is never written where the member of the other case could read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_life import Actor, Deed, lock, move
from casework.case_work import tell_member
from casework.errors import BadInput, NotFound, TransitionRefused
from casework.tables import Case, CaseEvent, CaseLink, Staff
from casework.wording import Wording


@dataclass(frozen=True, slots=True)
class Joined:
    """What belongs to a case: cases linked with it, cases merged into it, and the one it was merged into."""

    linked: list[Case]
    merged_here: list[Case]
    merged_into: Case | None


async def joined(session: AsyncSession, case: Case) -> Joined:
    """What belongs to a case, each list by number; for staff."""
    linked = await session.scalars(
        select(Case)
        .join(CaseLink, or_(CaseLink.case_id == Case.id, CaseLink.other_id == Case.id))
        .where(or_(CaseLink.case_id == case.id, CaseLink.other_id == case.id), Case.id != case.id)
        .order_by(Case.number)
    )
    merged = await session.scalars(select(Case).where(Case.merged_into_id == case.id).order_by(Case.number))
    into = None if case.merged_into_id is None else await session.get(Case, case.merged_into_id)
    return Joined(list(linked), list(merged), into)


async def link(session: AsyncSession, case: Case, other: Case, staff: Staff, *, now: datetime) -> CaseEvent:
    """Note that two cases belong together, in both threads; internal.

    Raises BadInput for a case and itself, or two that are linked already.
    """
    actor = Actor.of_staff(staff)
    await _hold_both(session, case, other)
    if await _link_of(session, case, other) is not None:
        raise BadInput("these are linked already", field="other")
    event = await move(session, case, Deed.LINK, actor, reason=other.number, now=now)
    await move(session, other, Deed.LINK, actor, reason=case.number, now=now)
    first, second = sorted((case.id, other.id))
    session.add(CaseLink(case_id=first, other_id=second, staff_id=staff.id, created_at=now))
    await session.flush()
    return event


async def unlink(session: AsyncSession, case: Case, other: Case, staff: Staff, *, now: datetime) -> CaseEvent:
    """Take back a link, in both threads; internal. Raises NotFound where there is none."""
    actor = Actor.of_staff(staff)
    await _hold_both(session, case, other)
    known = await _link_of(session, case, other)
    if known is None:
        raise NotFound("these are not linked")
    event = await move(session, case, Deed.UNLINK, actor, reason=other.number, now=now)
    await move(session, other, Deed.UNLINK, actor, reason=case.number, now=now)
    await session.delete(known)
    await session.flush()
    return event


async def merge(
    session: AsyncSession, case: Case, staff: Staff, *, into: Case, now: datetime, wording: Wording
) -> CaseEvent:
    """Merge an open case into another open one, which goes on; the first then takes nothing but notes.

    A member who has both is told which number goes on; another's number is not written into the case. Raises
    BadInput for a case and itself, TransitionRefused when either is over or merged already.
    """
    actor = Actor.of_staff(staff)
    await _hold_both(session, case, into)
    if into.closed_at is not None or into.merged_into_id is not None:
        raise TransitionRefused("the other case is over or merged", reason="merged_into", number=into.number)
    same = case.member_id == into.member_id
    event = await move(session, case, Deed.MERGE, actor, reason=into.number if same else None, now=now)
    case.merged_into_id = into.id
    said = wording.say("desk.merged_here", number=case.number)
    await move(session, into, Deed.NOTE, actor, reason=said, now=now)
    if same:
        await tell_member(session, case, Deed.MERGE, wording, now, into=into.number)
    return event


async def unmerge(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Take a merged case out again: it goes on where it was; a member who was told of the merge is told."""
    actor = Actor.of_staff(staff)
    into = None if case.merged_into_id is None else await session.get(Case, case.merged_into_id)
    if into is not None:
        await _hold_both(session, case, into)
    event = await move(session, case, Deed.UNMERGE, actor, reason=reason, now=now)
    if into is not None:
        said = wording.say("desk.taken_out_here", number=case.number)
        await move(session, into, Deed.NOTE, actor, reason=said, now=now)
        if into.member_id == case.member_id:
            await tell_member(session, case, Deed.UNMERGE, wording, now)
    return event


async def _hold_both(session: AsyncSession, case: Case, other: Case) -> None:
    """Lock both, always in the same order: two people joining them the other way round do not block."""
    if case.id == other.id:
        raise BadInput("a case cannot be joined with itself", field="other")
    for each in sorted((case, other), key=lambda one: one.id):
        await lock(session, each)


async def _link_of(session: AsyncSession, case: Case, other: Case) -> CaseLink | None:
    first, second = sorted((case.id, other.id))
    return await session.get(CaseLink, (first, second))
