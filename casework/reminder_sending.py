"""Sending reminders: what is due is said once, by day, while the bot speaks, to who still wants it.

The keeper (``bot/reminding.py``) asks ``due`` every half minute and calls ``send_due`` on each in a
transaction of its own.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import and_, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casework import conversations
from casework.clock import shanghai_day
from casework.messages import Reply, record_replies
from casework.outbox import PUSHING_CHANNELS
from casework.reminder_rules import ReminderRules
from casework.reminders import held_consent, put
from casework.tables import (
    Author,
    Case,
    ChannelIdentity,
    Conversation,
    Member,
    Message,
    Owner,
    Reminder,
    ReminderConsent,
    ReminderKind,
    ReminderState,
)
from casework.waiting import moment_in_words
from casework.wording import Wording

CASE = "case:"
"""How the subject of a promised reply begins; the case's id follows."""
TRY_AGAIN_AFTER = timedelta(minutes=10)
"""How long one that failed is left alone."""


async def due(session: AsyncSession, now: datetime, limit: int = 200) -> list[int]:
    """The ids of the reminders to be looked at now, the longest due first; nothing is locked."""
    found = await session.scalars(
        select(Reminder.id)
        .where(Reminder.state == ReminderState.WAITING, Reminder.try_at <= now)
        .order_by(Reminder.try_at, Reminder.id)
        .limit(limit)
    )
    return list(found)


async def send_due(
    session: AsyncSession, reminder_id: int, now: datetime, *, rules: ReminderRules, wording: Wording
) -> Message | None:
    """Say one reminder in its conversation, if it is due and may be said; None when nothing was said.

    It is stopped where consent is not in force, dropped where it is of no use any more (its day is over,
    its case closed, a later one took its place, the member erased or out of reach), and put off at night and
    while a human speaks: then until the last morning on which it helps. Called twice, also by two processes
    at once, it is said once. Raises KnowledgeError where its sentence is missing.
    """
    conversation_id = await session.scalar(select(Reminder.conversation_id).where(Reminder.id == reminder_id))
    if conversation_id is None:
        return None
    conversation = await conversations.lock(session, conversation_id)
    consent = await held_consent(session, conversation.member_id)
    reminder = await _hold(session, reminder_id)
    if reminder is None or reminder.state is not ReminderState.WAITING or reminder.try_at > now:
        return None
    if consent is None or consent.stopped_at is not None:
        reminder.state = ReminderState.STOPPED
        return None
    if now >= reminder.useful_until or await _is_pointless(session, reminder, conversation, consent, now):
        reminder.state = ReminderState.DROPPED
        return None
    if (later := await _put_off_until(session, reminder, conversation, now, rules)) is not None:
        reminder.try_at = later
        return None
    (message,) = await record_replies(
        session,
        conversation.id,
        [Reply(_text(reminder, now, wording))],
        in_reply_to=None,
        author=Author.SYSTEM,
        epoch_seen=None,
        now=now,
    )
    reminder.state, reminder.sent_at, reminder.sent_message_id = ReminderState.SENT, now, message.id
    return message


async def put_off(session: AsyncSession, reminder_id: int, now: datetime) -> None:
    """Leave a reminder that could not be sent alone for ten minutes, so that the others have their turn."""
    reminder = await _hold(session, reminder_id)
    if reminder is not None and reminder.state is ReminderState.WAITING:
        reminder.try_at = now + TRY_AGAIN_AFTER


async def keep_promises(session: AsyncSession, now: datetime, rules: ReminderRules, limit: int = 200) -> int:
    """Plan a reminder for the promised day of each open case whose member agreed; drop those of closed cases.

    A deadline that was moved gets a new one in the old one's place. Returns how many reminders changed; call
    again while it is not 0.
    """
    settled = await session.scalars(
        select(Reminder)
        .join(Case, Reminder.subject == literal(CASE) + Case.id)
        .where(
            Reminder.kind == ReminderKind.PROMISED_REPLY,
            Reminder.state == ReminderState.WAITING,
            or_(Case.closed_at.is_not(None), Case.due_at.is_(None), Case.due_at != Reminder.due_at),
        )
        .limit(limit)
    )
    dropped = settled.all()
    for reminder in dropped:
        reminder.state = ReminderState.DROPPED
    await session.flush()
    planned = exists().where(
        Reminder.kind == ReminderKind.PROMISED_REPLY,
        Reminder.member_id == Case.member_id,
        Reminder.subject == literal(CASE) + Case.id,
        Reminder.due_at == Case.due_at,
        Reminder.state != ReminderState.DROPPED,
    )
    promised = await session.scalars(
        select(Case)
        .join(
            ReminderConsent,
            and_(ReminderConsent.member_id == Case.member_id, ReminderConsent.stopped_at.is_(None)),
        )
        .where(
            Case.closed_at.is_(None),
            Case.due_at > now,
            Case.conversation_id.is_not(None),
            Case.waiting_for_member_since.is_(None),
            ~planned,
        )
        .order_by(Case.due_at)
        .limit(limit)
    )
    cases = promised.all()
    for case in cases:
        await _plan_promise(session, case, now, rules)
    return len(dropped) + len(cases)


async def _plan_promise(session: AsyncSession, case: Case, now: datetime, rules: ReminderRules) -> None:
    if case.due_at is None or case.conversation_id is None:
        return
    await put(
        session,
        Reminder(
            member_id=case.member_id,
            conversation_id=case.conversation_id,
            kind=ReminderKind.PROMISED_REPLY,
            subject=CASE + case.id,
            text_key=ReminderKind.PROMISED_REPLY.value,
            details={"number": case.number, "at": case.due_at.isoformat()},
            due_at=case.due_at,
            useful_until=case.due_at + timedelta(days=rules.useful_days[ReminderKind.PROMISED_REPLY]),
            created_at=now,
        ),
        rules,
    )


async def _is_pointless(
    session: AsyncSession,
    reminder: Reminder,
    conversation: Conversation,
    consent: ReminderConsent,
    now: datetime,
) -> bool:
    """Whether it would reach nobody, or say what is over or is said by a later one."""
    member = await session.get_one(Member, reminder.member_id, populate_existing=True)
    # An erasure takes the consent with it: one given since is a new member's own.
    if member.erased_at is not None and consent.given_at <= member.erased_at:
        return True
    if conversation.channel in PUSHING_CHANNELS:
        reachable = await session.scalar(
            select(ChannelIdentity.id).where(
                ChannelIdentity.member_id == member.id,
                ChannelIdentity.channel == conversation.channel,
                ChannelIdentity.blocked_at.is_(None),
            )
        )
        if reachable is None:
            return True
    if reminder.kind is ReminderKind.PROMISED_REPLY:
        case = await session.get(Case, reminder.subject.removeprefix(CASE), populate_existing=True)
        if case is None or case.closed_at is not None or case.due_at != reminder.due_at:
            return True
    later = aliased(Reminder)
    found = await session.scalar(
        select(later.id)
        .where(
            later.member_id == reminder.member_id,
            later.kind == reminder.kind,
            later.subject == reminder.subject,
            later.state == ReminderState.WAITING,
            later.due_at > reminder.due_at,
            later.due_at <= now,
        )
        .limit(1)
    )
    return found is not None


async def _put_off_until(
    session: AsyncSession, reminder: Reminder, conversation: Conversation, now: datetime, rules: ReminderRules
) -> datetime | None:
    """When to look again, or None: it may be said now."""
    if rules.is_quiet(now):
        return rules.goes_at(now, f"{reminder.member_id}:{reminder.subject}")
    if reminder.kind is ReminderKind.PROMISED_REPLY:
        case = await session.get_one(Case, reminder.subject.removeprefix(CASE))
        if case.waiting_for_member_since is not None:
            return now + TRY_AGAIN_AFTER  # the deadline stands still, and will move when they bring it
    if conversation.owner is not Owner.BOT:
        silent_until = rules.waits_for_human_until(reminder.useful_until)
        if now < silent_until:
            return min(now + rules.busy_for, silent_until)
    return None


def _text(reminder: Reminder, now: datetime, wording: Wording) -> str:
    key, values = f"reminder.{reminder.text_key}", dict(reminder.details)
    if moment := values.pop("at", None):
        values["when"] = moment_in_words(datetime.fromisoformat(moment), now, wording)
    if deadline := values.pop("deadline", None):
        last = date.fromisoformat(deadline)
        values["days"] = (last - shanghai_day(now)).days
        values["day"] = wording.say("reminder.day", year=last.year, month=last.month, day=last.day)
        if values["days"] == 0:
            key += "_today"
    return f"{wording.say(key, **values)}\n{wording.say('reminder.how_to_stop')}"


async def _hold(session: AsyncSession, reminder_id: int) -> Reminder | None:
    return (
        await session.scalars(
            select(Reminder)
            .where(Reminder.id == reminder_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
