"""Cases: opening them, finding them, and what a member may do with their own.

Every deed goes through ``casework.case_life.move``. What the member does is answered by the dialogue, so it
is not said twice; staff are alerted. What staff do is in ``casework.case_work``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_clock import resume
from casework.case_facts import check_facts
from casework.case_life import Actor, Deed, lock, move, step_open_to
from casework.case_numbers import issue_number, parse_number
from casework.clock import SHANGHAI, shanghai_day
from casework.desk_rules import DeskRules
from casework.errors import BadInput, NotFound, Refusal
from casework.tables import Alert, AlertKind, Audience, Case, CaseEvent, Priority, new_id
from casework.wording import Wording

BAD_RATING = 2
"""A rating of this or less reopens the case."""
URGE_AGAIN_AFTER = timedelta(hours=24)


class UrgedRecently(Refusal):
    """The case was urged less than 24 hours ago; ``values["next_at"]`` (Shanghai) is when it may be again."""

    code = "urged_recently"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What a case is opened with; ``message_id`` is the member's message that confirmed it."""

    case_type: str
    topic: str
    member_id: str
    conversation_id: str | None
    message_id: int | None = None
    topics: tuple[str, ...] = ()
    district: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    summary: str | None = None
    urgent: bool = False
    priority: Priority | None = None
    """None: high for an urgent case, else normal."""
    risks: tuple[str, ...] = ()
    station_id: int | None = None


async def open_case(
    session: AsyncSession, new: NewCase, now: datetime, *, actor: Actor | None = None
) -> Case:
    """Open a case, number it and accept it; the same ``message_id`` again gives the first case back.

    It is anonymous when the facts hold neither a name nor a phone. Raises BadInput for an impossible fact and
    SerialsUsedUp when the day has no number left. ``actor`` is the member unless staff open it for them.
    """
    if (known := await _opened_by(session, new.message_id)) is not None:
        return known
    facts = check_facts(new.facts, shanghai_day(now))
    number = await issue_number(session, shanghai_day(now))
    case = Case(
        id=new_id(),
        number=number,
        case_type=new.case_type,
        topic=new.topic,
        topics=list(dict.fromkeys((new.topic, *new.topics))),
        member_id=new.member_id,
        conversation_id=new.conversation_id,
        opened_by_message_id=new.message_id,
        urgent=new.urgent,
        priority=_priority(new).value,
        risks=list(new.risks),
        anonymous=is_anonymous(facts),
        district=new.district or facts.get("district"),
        summary=new.summary,
        facts=facts,
        station_id=new.station_id,
        opened_at=now,
        updated_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(case)
            await move(
                session,
                case,
                Deed.ACCEPT,
                actor or Actor.member(new.member_id),
                reason=None,
                now=now,
                message_id=new.message_id,
            )
    except IntegrityError:
        # On PostgreSQL the same message may have opened it in another process since we looked.
        known = await _opened_by(session, new.message_id)
        if known is None:
            raise
        return known
    return case


async def case_for_member(session: AsyncSession, member_id: str, number: str) -> Case:
    """The member's own case with this number, written in any way.

    Raises BadCaseNumber for what is none, and NotFound for one that does not exist or is somebody else's.
    """
    case = await _by_number(session, number)
    if case is None or case.member_id != member_id:
        raise NotFound("no such case")
    return case


async def case_by_number(session: AsyncSession, number: str) -> Case:
    """Any case by its number, for staff; raises BadCaseNumber and NotFound."""
    case = await _by_number(session, number)
    if case is None:
        raise NotFound("no such case")
    return case


async def cases_of(session: AsyncSession, member_id: str) -> list[Case]:
    """All cases of a member, the newest first."""
    found = await session.scalars(
        select(Case).where(Case.member_id == member_id).order_by(Case.opened_at.desc(), Case.number.desc())
    )
    return list(found)


async def progress(session: AsyncSession, case: Case) -> list[CaseEvent]:
    """What happened to a case as far as the member may see it, oldest first."""
    events = await session.scalars(
        select(CaseEvent)
        .where(CaseEvent.case_id == case.id, CaseEvent.audience == Audience.MEMBER)
        .order_by(CaseEvent.id)
    )
    return list(events)


async def thread(session: AsyncSession, case: Case) -> list[CaseEvent]:
    """Everything that happened to a case, internal notes included, oldest first; for staff."""
    events = await session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)
    )
    return list(events)


async def last_event_id(session: AsyncSession, case: Case) -> int:
    """The newest entry in a case's thread, 0 for none: it says whether anybody did anything since.

    (The clock changes the case's ``version`` as well.)
    """
    newest = await session.scalar(select(func.max(CaseEvent.id)).where(CaseEvent.case_id == case.id))
    return newest or 0


async def progress_lines(session: AsyncSession, case: Case, wording: Wording) -> list[str]:
    """The member's view of a case, one line an event: the day in Shanghai and what was done."""
    return [
        wording.say(
            "progress.line",
            day=f"{event.created_at.astimezone(SHANGHAI):%m-%d %H:%M}",
            text=wording.say(f"case_deed.{event.deed}", reason=event.text or ""),
        )
        for event in await progress(session, case)
    ]


# ---- what a member does with their own case


async def add_supplement(
    session: AsyncSession,
    case: Case,
    *,
    text: str | None,
    message_id: int | None,
    now: datetime,
    rules: DeskRules | None = None,
) -> CaseEvent:
    """Add what the member says later (or the message whose files they sent); once for each message.

    Whoever works the case is alerted, and a case that waited for the member goes on: its deadline moves by
    the working time it stood still, without ``rules`` by all of it. Raises TransitionRefused for a case that
    is over, BadInput for neither text nor message.
    """
    if not (text and text.strip()) and message_id is None:
        raise BadInput("a supplement needs a text or a message", field="text")
    known = await _event(session, case, Deed.SUPPLEMENT, message_id)
    if known is not None:
        return known
    if rules is not None:
        await resume(session, case, rules, now)
    member = Actor.member(case.member_id)
    event = await move(session, case, Deed.SUPPLEMENT, member, reason=text, now=now, message_id=message_id)
    alert(session, case, AlertKind.WARNING, case.staff_id, now, detail=Deed.SUPPLEMENT)
    return event


async def urge(
    session: AsyncSession, case: Case, now: datetime, *, message_id: int | None = None
) -> CaseEvent:
    """Urge a case, at most once in 24 hours; once for each message. Whoever works it is alerted.

    Raises UrgedRecently (``values["next_at"]``) and TransitionRefused for a case that is closed.
    """
    if (known := await _event(session, case, Deed.URGE, message_id)) is not None:
        return known
    await lock(session, case)
    last = await session.scalar(
        select(func.max(CaseEvent.created_at)).where(
            CaseEvent.case_id == case.id, CaseEvent.deed == Deed.URGE
        )
    )
    if step_open_to(case, Deed.URGE) and last is not None and now - last < URGE_AGAIN_AFTER:
        next_at = (last + URGE_AGAIN_AFTER).astimezone(SHANGHAI)
        raise UrgedRecently("urged less than a day ago", number=case.number, next_at=f"{next_at:%m-%d %H:%M}")
    member = Actor.member(case.member_id)
    event = await move(session, case, Deed.URGE, member, reason=None, now=now, message_id=message_id)
    alert(session, case, AlertKind.WARNING, case.staff_id, now, detail=Deed.URGE)
    return event


async def withdraw(
    session: AsyncSession, case: Case, now: datetime, *, reason: str | None = None
) -> CaseEvent:
    """Withdraw a case at the member's wish; raises TransitionRefused once it is resolved."""
    return await move(session, case, Deed.WITHDRAW, Actor.member(case.member_id), reason=reason, now=now)


async def rate(
    session: AsyncSession, case: Case, rating: int, now: datetime, *, comment: str | None = None
) -> CaseEvent:
    """Rate how a case was handled, 1 to 5; 1 or 2 reopens it with high priority and alerts the supervisors.

    Returns the last event.

    Raises BadInput for another rating and TransitionRefused for a case that is not resolved.
    """
    if not 1 <= rating <= 5:
        raise BadInput("a rating is 1 to 5", field="rating")
    member = Actor.member(case.member_id)
    event = await move(session, case, Deed.RATE, member, reason=comment, now=now)
    case.rating = rating
    if rating <= BAD_RATING:
        why = comment or f"rated {rating} of 5"
        event = await move(session, case, Deed.REOPEN, member, reason=why, now=now)
        case.priority = min(case.priority, Priority.HIGH.value)
        alert(session, case, AlertKind.BAD_RATING, None, now)
    return event


def alert(
    session: AsyncSession,
    case: Case,
    kind: AlertKind,
    staff_id: int | None,
    now: datetime,
    *,
    detail: str | None = None,
) -> None:
    """Tell a member of staff (None: the supervisors) that something happened to a case."""
    session.add(Alert(kind=kind, staff_id=staff_id, case_id=case.id, detail=detail, created_at=now))


def is_anonymous(facts: Mapping[str, Any]) -> bool:
    """Whether the facts hold neither a name nor a phone."""
    return not (facts.get("person_name") or facts.get("phone"))


async def _by_number(session: AsyncSession, number: str) -> Case | None:
    return (await session.scalars(select(Case).where(Case.number == parse_number(number)))).one_or_none()


async def _opened_by(session: AsyncSession, message_id: int | None) -> Case | None:
    if message_id is None:
        return None
    return (await session.scalars(select(Case).where(Case.opened_by_message_id == message_id))).one_or_none()


async def _event(session: AsyncSession, case: Case, deed: Deed, message_id: int | None) -> CaseEvent | None:
    if message_id is None:
        return None
    return (
        await session.scalars(
            select(CaseEvent).where(
                CaseEvent.case_id == case.id, CaseEvent.deed == deed, CaseEvent.message_id == message_id
            )
        )
    ).first()


def _priority(new: NewCase) -> Priority:
    return new.priority if new.priority is not None else Priority.HIGH if new.urgent else Priority.NORMAL
