"""Cases: opening them, what a member may do with their own, and what staff do with all of them.

Every deed goes through ``casework.case_life.move``. What staff do and the member may see is also said in the
case's conversation; what the member does is answered by the dialogue, so it is not said twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_facts import check_facts
from casework.case_life import Actor, Deed, lock, move, step_for
from casework.case_numbers import issue_number, parse_number
from casework.clock import SHANGHAI, shanghai_day
from casework.errors import BadInput, NotFound, Refusal
from casework.messages import Reply, record_replies
from casework.tables import Audience, Author, Case, CaseEvent, Staff, new_id
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
        anonymous=not (facts.get("person_name") or facts.get("phone")),
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


async def open_cases(session: AsyncSession, limit: int = 200) -> list[Case]:
    """Cases nobody has closed yet, urgent ones first, then the oldest; for staff."""
    found = await session.scalars(
        select(Case)
        .where(Case.closed_at.is_(None))
        .order_by(Case.urgent.desc(), Case.opened_at, Case.number)
        .limit(limit)
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
    session: AsyncSession, case: Case, *, text: str | None, message_id: int | None, now: datetime
) -> CaseEvent:
    """Add what the member says later (or the message whose files they sent); once for each message.

    Raises TransitionRefused for a case that is over, BadInput for neither text nor message.
    """
    if not (text and text.strip()) and message_id is None:
        raise BadInput("a supplement needs a text or a message", field="text")
    known = await _event(session, case, Deed.SUPPLEMENT, message_id)
    if known is not None:
        return known
    member = Actor.member(case.member_id)
    return await move(session, case, Deed.SUPPLEMENT, member, reason=text, now=now, message_id=message_id)


async def urge(
    session: AsyncSession, case: Case, now: datetime, *, message_id: int | None = None
) -> CaseEvent:
    """Urge a case, at most once in 24 hours; once for each message.

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
    if step_for(Deed.URGE, case.state) and last is not None and now - last < URGE_AGAIN_AFTER:
        next_at = (last + URGE_AGAIN_AFTER).astimezone(SHANGHAI)
        raise UrgedRecently("urged less than a day ago", number=case.number, next_at=f"{next_at:%m-%d %H:%M}")
    member = Actor.member(case.member_id)
    return await move(session, case, Deed.URGE, member, reason=None, now=now, message_id=message_id)


async def withdraw(
    session: AsyncSession, case: Case, now: datetime, *, reason: str | None = None
) -> CaseEvent:
    """Withdraw a case at the member's wish; raises TransitionRefused once it is resolved."""
    return await move(session, case, Deed.WITHDRAW, Actor.member(case.member_id), reason=reason, now=now)


async def rate(
    session: AsyncSession, case: Case, rating: int, now: datetime, *, comment: str | None = None
) -> CaseEvent:
    """Rate how a case was handled, 1 to 5; 1 or 2 reopens it. Returns the last event.

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
    return event


# ---- what staff do


async def assign(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    to: Staff,
    now: datetime,
    wording: Wording,
    reason: str | None = None,
) -> CaseEvent:
    """Give a case to a member of staff; taking it from another is a supervisor's, with a reason."""
    Actor.of_staff(to)  # a closed account takes no cases
    event = await _staff_deed(session, case, Deed.ASSIGN, staff, reason=reason, now=now, wording=wording)
    case.staff_id = to.id
    return event


async def start(
    session: AsyncSession, case: Case, staff: Staff, *, now: datetime, wording: Wording
) -> CaseEvent:
    """Begin to work on an assigned case."""
    return await _staff_deed(session, case, Deed.START, staff, reason=None, now=now, wording=wording)


async def send_back(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Return a case to be assigned again; the reason stays internal."""
    return await _staff_deed(session, case, Deed.RETURN, staff, reason=reason, now=now, wording=wording)


async def extend(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    reason: str,
    due_at: datetime,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Give a case more time, until ``due_at``; the member is told the reason.

    Raises BadInput for a date that is past.
    """
    if due_at <= now:
        raise BadInput("the new date must lie ahead", field="due_at")
    event = await _staff_deed(session, case, Deed.EXTEND, staff, reason=reason, now=now, wording=wording)
    case.due_at = due_at
    return event


async def resolve(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Close a case with what came of it; the member is told and asked to rate it."""
    return await _staff_deed(session, case, Deed.RESOLVE, staff, reason=reason, now=now, wording=wording)


async def follow_up(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Record that the member was asked afterwards how it went."""
    return await _staff_deed(session, case, Deed.FOLLOW_UP, staff, reason=reason, now=now, wording=wording)


async def archive(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str | None, now: datetime, wording: Wording
) -> CaseEvent:
    """File a case away for good; before the follow-up it takes a supervisor and a reason."""
    return await _staff_deed(session, case, Deed.ARCHIVE, staff, reason=reason, now=now, wording=wording)


async def reopen(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Open a resolved case again; a supervisor's deed."""
    return await _staff_deed(session, case, Deed.REOPEN, staff, reason=reason, now=now, wording=wording)


async def inform_member(
    session: AsyncSession, case: Case, staff: Staff, *, text: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Add something to a case that the member shall read. Raises BadInput for an empty text."""
    if not text.strip():
        raise BadInput("a supplement needs a text", field="text")
    return await _staff_deed(session, case, Deed.SUPPLEMENT, staff, reason=text, now=now, wording=wording)


async def note(
    session: AsyncSession, case: Case, staff: Staff, *, text: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Add an internal note, which the member never sees."""
    return await _staff_deed(session, case, Deed.NOTE, staff, reason=text, now=now, wording=wording)


async def _staff_deed(
    session: AsyncSession,
    case: Case,
    deed: Deed,
    staff: Staff,
    *,
    reason: str | None,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Do a deed as staff; an event the member may see is also said in the case's conversation."""
    event = await move(session, case, deed, Actor.of_staff(staff), reason=reason, now=now)
    if event.audience is Audience.MEMBER and case.conversation_id is not None:
        text = wording.say(f"case_notice.{deed}", number=case.number, reason=event.text or "")
        await record_replies(
            session,
            case.conversation_id,
            [Reply(text, buttons=_rating_buttons(case, deed, wording), topic=case.topic)],
            in_reply_to=None,
            author=Author.SYSTEM,
            staff_id=None,
            epoch_seen=None,
            now=now,
        )
    return event


def _rating_buttons(case: Case, deed: Deed, wording: Wording) -> list[tuple[str, str]]:
    if deed is not Deed.RESOLVE:
        return []
    return [
        (
            wording.say("case_notice.rate_button", rating=rating),
            f'/rate_case{{"case_no":"{case.number}","rating":{rating}}}',
        )
        for rating in range(5, 0, -1)
    ]


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
