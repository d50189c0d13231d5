"""Reminders: what members asked to be told later; planned only with their consent, stopped with one word.

Sending is in ``casework.reminder_sending``. Every reminder says the matter's label and no word of the story:
others may see the screen it arrives on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit, conversations
from casework.clock import SHANGHAI, shanghai_day
from casework.errors import BadInput, NotAllowed
from casework.reminder_rules import ReminderRules
from casework.tables import Conversation, Reminder, ReminderConsent, ReminderKind, ReminderState

MAX_LABEL = 24
"""Characters of a label: enough for a matter's name, too few for a story."""
_SUBJECT = re.compile(r"[a-z_]{1,20}:[\w.:-]{1,58}", re.ASCII)
_OPEN = (ReminderState.WAITING, ReminderState.STOPPED)
_LATE = timedelta(minutes=10)


class NoReminderConsent(NotAllowed):
    """The member has not agreed to be reminded, or stopped it."""

    def __init__(self) -> None:
        super().__init__("the member did not agree to reminders", reason="no_reminder_consent")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many reminders wait, and how many of them should have been looked at ten minutes ago."""

    waiting: int
    overdue: int


# ---- consent


async def consent(session: AsyncSession, member_id: str, now: datetime, message_id: int | None = None) -> int:
    """Note that the member wants to be reminded; what they had stopped and is still ahead waits again.

    ``message_id`` is their message that says so. Returns how many reminders wait now. Agreeing while it is in
    force keeps the first moment. (个人信息保护法 第十四条: 知情、自愿、明确)
    """
    begins = await _first_consent(session, member_id, now, message_id)
    held = await held_consent(session, member_id)
    if held is not None and held.stopped_at is not None:
        held.given_at, held.stopped_at, held.message_id = now, None, message_id
        begins = True
    if begins:
        audit.record(session, "member", "reminders.agreed", "member", member_id, now=now)
    await session.flush()
    await session.execute(
        update(Reminder)
        .where(
            Reminder.member_id == member_id,
            Reminder.state == ReminderState.STOPPED,
            Reminder.due_at > now,
        )
        .values(state=ReminderState.WAITING)
    )
    return len(await waiting(session, member_id))


async def stop(session: AsyncSession, member_id: str, now: datetime) -> int:
    """Remind the member of nothing any more; returns how many waiting reminders that stopped.

    Twice is once, and who never agreed changes nothing. (个人信息保护法 第十五条: 撤回同意)
    """
    held = await held_consent(session, member_id)
    if held is not None and held.stopped_at is None:
        held.stopped_at = now
        audit.record(session, "member", "reminders.stopped", "member", member_id, now=now)
        await session.flush()
    stopped = await session.scalars(
        update(Reminder)
        .where(Reminder.member_id == member_id, Reminder.state == ReminderState.WAITING)
        .values(state=ReminderState.STOPPED)
        .returning(Reminder.id)
    )
    return len(stopped.all())


async def held_consent(session: AsyncSession, member_id: str) -> ReminderConsent | None:
    """The member's consent as it is now (also one they stopped), held until the transaction ends."""
    return (
        await session.scalars(
            select(ReminderConsent)
            .where(ReminderConsent.member_id == member_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()


async def agreed(session: AsyncSession, member_id: str) -> bool:
    """Whether the member wants to be reminded at present."""
    found = await session.scalar(
        select(ReminderConsent.member_id).where(
            ReminderConsent.member_id == member_id, ReminderConsent.stopped_at.is_(None)
        )
    )
    return found is not None


async def reminded_since(session: AsyncSession, member_id: str, since: datetime) -> bool:
    """Whether the member was sent a reminder at or after a moment."""
    found = await session.scalar(
        select(Reminder.id).where(Reminder.member_id == member_id, Reminder.sent_at >= since).limit(1)
    )
    return found is not None


# ---- planning


async def plan(
    session: AsyncSession,
    conversation: Conversation,
    kind: ReminderKind,
    subject: str,
    due: datetime | date,
    text_key: str,
    details: Mapping[str, Any],
    now: datetime,
    *,
    rules: ReminderRules,
    useful_until: datetime | None = None,
) -> Reminder:
    """Plan one reminder; whatever waits under the same kind and subject gives way to it.

    ``due`` is an aware moment, or a day (then at the hour ``reminders.yml`` says). It says
    ``reminder.<text_key>`` with ``details`` (``at``, an ISO moment, becomes {when}; ``deadline``, an ISO
    date, {day} and {days}). After ``useful_until`` (None: as many days as ``reminders.yml`` has for the kind)
    it is dropped. Raises
    BadInput for a time that is not ahead or a bad subject or label, NoReminderConsent without consent.
    """
    await _begin(session, conversation, kind, subject, details)
    moment = due if isinstance(due, datetime) else rules.on(due)
    if useful_until is None:
        useful_until = moment + timedelta(days=rules.useful_days.get(kind, 1))
    if not now < moment < useful_until:
        raise BadInput("a reminder must lie ahead", field="due")
    await _give_way(session, conversation.member_id, kind, subject)
    return await put(
        session,
        Reminder(
            member_id=conversation.member_id,
            conversation_id=conversation.id,
            kind=kind,
            subject=subject,
            text_key=text_key,
            details=dict(details),
            due_at=moment,
            useful_until=useful_until,
            created_at=now,
        ),
        rules,
    )


async def plan_limitation(
    session: AsyncSession,
    conversation: Conversation,
    subject: str,
    label: str,
    deadline: date,
    now: datetime,
    *,
    rules: ReminderRules,
) -> list[Reminder]:
    """Plan the reminders 30, 7 and 1 days before a limitation period ends (劳动争议调解仲裁法 第二十七条).

    Only those that are still ahead: an empty list means the caller must say it now. They end with the
    deadline itself. ``subject`` is like ``claim:severance``. Raises as ``plan``; BadInput for a deadline
    that is past.
    """
    if deadline < shanghai_day(now):
        raise BadInput("the deadline is past", field="due")
    days = [deadline - timedelta(days=before) for before in rules.limitation_days_before]
    return await _plan_all(
        session,
        conversation,
        ReminderKind.LIMITATION,
        subject,
        [rules.on(day) for day in days],
        {"label": label, "deadline": deadline.isoformat()},
        now,
        rules=rules,
        useful_until=datetime.combine(deadline + timedelta(days=1), datetime.min.time(), SHANGHAI),
    )


async def plan_appointment(
    session: AsyncSession,
    conversation: Conversation,
    subject: str,
    label: str,
    at: datetime,
    now: datetime,
    *,
    rules: ReminderRules,
    asleep: bool = False,
) -> list[Reminder]:
    """Plan the reminders before an appointment whose time is certain: 24 and 2 hours ahead, if still ahead.

    ``asleep``: without consent they are kept as if stopped, and consent wakes them; nothing is sent until
    then. Raises as ``plan``; BadInput for a time that is past or naive.
    """
    if at.tzinfo is None or at <= now:
        raise BadInput("the appointment must lie ahead", field="due")
    moments = [at - timedelta(hours=before) for before in rules.appointment_hours_before]
    return await _plan_all(
        session,
        conversation,
        ReminderKind.APPOINTMENT,
        subject,
        moments,
        {"label": label, "at": at.isoformat()},
        now,
        rules=rules,
        useful_until=at,
        asleep=asleep,
    )


async def plan_season(
    session: AsyncSession,
    conversation: Conversation,
    topic: str,
    label: str,
    opens: date,
    now: datetime,
    *,
    rules: ReminderRules,
) -> Reminder:
    """Plan “开的时候告诉我” for a seasonal service, on the day it usually opens. Raises as ``plan``."""
    return await plan(
        session,
        conversation,
        ReminderKind.SEASON,
        f"season:{topic}",
        opens,
        ReminderKind.SEASON.value,
        {"label": label},
        now,
        rules=rules,
    )


async def waiting(session: AsyncSession, member_id: str) -> list[Reminder]:
    """The reminders a member still waits for, the next one first."""
    found = await session.scalars(
        select(Reminder)
        .where(Reminder.member_id == member_id, Reminder.state == ReminderState.WAITING)
        .order_by(Reminder.due_at, Reminder.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def counts(session: AsyncSession, now: datetime) -> Counts:
    """How many reminders wait, and how many are late, for whoever looks after the installation."""
    row = (
        await session.execute(
            select(
                func.count(),
                func.count().filter(Reminder.try_at < now - _LATE),
            ).where(Reminder.state == ReminderState.WAITING)
        )
    ).one()
    return Counts(row[0], row[1])


async def put(session: AsyncSession, reminder: Reminder, rules: ReminderRules) -> Reminder:
    """Store a planned reminder; one for the same moment, unless it was sent, is planned anew instead."""
    reminder.try_at = rules.goes_at(reminder.due_at, f"{reminder.member_id}:{reminder.subject}")
    known = await _same(session, reminder)
    if known is None:
        try:
            async with session.begin_nested():
                session.add(reminder)
            return reminder
        except IntegrityError:
            # On PostgreSQL another process may have planned the same since we looked.
            known = await _same(session, reminder)
            if known is None:
                raise
    if known.state is not ReminderState.SENT:
        for name in ("conversation_id", "text_key", "details", "try_at", "useful_until", "created_at"):
            setattr(known, name, getattr(reminder, name))
        known.state = ReminderState.WAITING
        await session.flush()
    return known


async def _plan_all(
    session: AsyncSession,
    conversation: Conversation,
    kind: ReminderKind,
    subject: str,
    moments: list[datetime],
    details: Mapping[str, Any],
    now: datetime,
    *,
    rules: ReminderRules,
    useful_until: datetime,
    asleep: bool = False,
) -> list[Reminder]:
    await _begin(session, conversation, kind, subject, details, consent_owed=not asleep)
    await _give_way(session, conversation.member_id, kind, subject)
    planned = [
        await put(
            session,
            Reminder(
                member_id=conversation.member_id,
                conversation_id=conversation.id,
                kind=kind,
                subject=subject,
                text_key=kind.value,
                details=dict(details),
                due_at=moment,
                useful_until=useful_until,
                created_at=now,
            ),
            rules,
        )
        for moment in moments
        if now < moment
    ]
    for reminder in planned if asleep else ():
        reminder.state = ReminderState.STOPPED
    await session.flush()
    return planned


async def _begin(
    session: AsyncSession,
    conversation: Conversation,
    kind: ReminderKind,
    subject: str,
    details: Mapping[str, Any],
    *,
    consent_owed: bool = True,
) -> None:
    if not _SUBJECT.fullmatch(subject):
        raise BadInput(f"a subject of {kind} is like claim:severance", field="subject")
    label = details.get("label")
    if label is not None and not 1 <= len(str(label).strip()) <= MAX_LABEL:
        raise BadInput("a label is 1 to 24 characters", field="label", limit=MAX_LABEL)
    await conversations.lock(session, conversation.id)
    held = await held_consent(session, conversation.member_id)
    if consent_owed and (held is None or held.stopped_at is not None):
        raise NoReminderConsent()


async def _give_way(session: AsyncSession, member_id: str, kind: ReminderKind, subject: str) -> None:
    await session.execute(
        update(Reminder)
        .where(
            Reminder.member_id == member_id,
            Reminder.kind == kind,
            Reminder.subject == subject,
            Reminder.state.in_(_OPEN),
        )
        .values(state=ReminderState.DROPPED)
    )


async def _same(session: AsyncSession, reminder: Reminder) -> Reminder | None:
    return (
        await session.scalars(
            select(Reminder)
            .where(
                Reminder.member_id == reminder.member_id,
                Reminder.kind == reminder.kind,
                Reminder.subject == reminder.subject,
                Reminder.due_at == reminder.due_at,
            )
            .execution_options(populate_existing=True)
        )
    ).one_or_none()


async def _first_consent(
    session: AsyncSession, member_id: str, now: datetime, message_id: int | None
) -> bool:
    """Whether this is the first consent of this member, and was stored."""
    if await held_consent(session, member_id) is not None:
        return False
    try:
        async with session.begin_nested():
            session.add(ReminderConsent(member_id=member_id, given_at=now, message_id=message_id))
    except IntegrityError:
        return False  # on PostgreSQL another message of theirs may have given it since we looked
    return True
