"""Waiting: who waits for a human, for how long, what they are told meanwhile, and when somebody must act.

The keeper (``bot/desk/keeper.py``) asks ``attention`` every few seconds which conversations need something
and calls ``attend`` on each in a transaction of its own. Nobody waits longer than promised without a notice,
and no conversation stays with a worker who is gone or does not answer.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import SHANGHAI, shanghai_day
from casework.conversations import lock
from casework.desk_rules import DeskRules, Promised
from casework.handoff import STAFF_TOOK_OVER, alert, back_to_queue, end_service, tell
from casework.ownership import open_handoff, raise_priority
from casework.permissions import RIGHTS, Right
from casework.tables import (
    AlertKind,
    Conversation,
    Handoff,
    Owner,
    Presence,
    Priority,
    Staff,
)
from casework.wording import Wording

RECENT = timedelta(hours=4)
PACE_OVER = timedelta(hours=1)
"""Over how long it is counted how many are served."""
MANY_AHEAD = 3
"""More than so many ahead for each worker online: a quiet hour's waits say nothing about this one."""
OVERDUE = "overdue"
"""The risk code of a broken promise."""
ENOUGH_WAITS = 5
"""So many recent waits make an estimate; fewer make none."""


_ANSWERING = [role for role, rights in RIGHTS.items() if Right.ANSWER in rights]


@dataclass(frozen=True, slots=True)
class Place:
    """Place: where a waiting member stands; ``minutes`` is None where an honest estimate is impossible."""

    ahead: int
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Pace:
    """Pace: how many humans are online, the usual wait (minutes, None: too few ended), how many were taken
    up in the last hour.
    """

    online: int
    usual: float | None
    lately: int

    def minutes(self, ahead: int) -> int | None:
        """About how long somebody with so many ahead will wait; None where that would be a guess."""
        if not self.online or self.usual is None:
            return None
        minutes = max(1, round(self.usual))
        if self.lately and ahead > MANY_AHEAD * self.online:
            minutes = max(minutes, round(ahead * PACE_OVER / timedelta(minutes=1) / self.lately))
        return minutes


def counts_from(conversation: Conversation) -> datetime | None:
    """From when the present wait counts: not while the member was asked for patience. None: nobody waits."""
    since = conversation.waiting_since
    if since is None:
        # Who was in the queue before waits were kept has waited since then.
        return conversation.queued_at
    return max(since, conversation.held_until or since)


async def promised(session: AsyncSession, conversation: Conversation) -> Promised:
    """Which promise the present wait is under: the first reply of this service, or a later one."""
    handoff = await open_handoff(session, conversation.id)
    return "first_reply" if handoff is None or handoff.first_reply_at is None else "next_reply"


async def place(session: AsyncSession, conversation: Conversation, now: datetime) -> Place:
    """How many stand before a queued conversation, and about how many minutes it will take.

    The order is the desk's: the more pressing, then who has waited longer, also before they came back into
    the queue. The estimate is the upper quartile of the waits that ended in the last four hours; with more
    than three ahead for each worker online it is at least what those take at the pace of the last hour. There
    is none when fewer than five waits ended, or when nobody who answers is online.
    """
    same_queue: ColumnElement[bool] = Conversation.owner == Owner.QUEUED
    waits_since = func.coalesce(Conversation.waiting_since, Conversation.queued_at)
    mine = conversation.waiting_since or conversation.queued_at
    earlier = or_(
        Conversation.priority < conversation.priority,
        and_(
            Conversation.priority == conversation.priority,
            or_(waits_since < mine, and_(waits_since == mine, Conversation.id < conversation.id)),
        ),
    )
    ahead = await session.scalar(select(func.count()).select_from(Conversation).where(same_queue, earlier))
    return Place(ahead or 0, (await pace(session, now)).minutes(ahead or 0))


async def pace(session: AsyncSession, now: datetime) -> Pace:
    """How quickly humans take conversations up at present; the same for everybody who waits."""
    online = await session.scalar(
        select(func.count())
        .select_from(Staff)
        .where(Staff.active, Staff.presence == Presence.ONLINE, Staff.role.in_(_ANSWERING))
    )
    ended = [
        (taken, (taken - queued).total_seconds() / 60)
        for queued, taken in await session.execute(
            select(Handoff.queued_at, Handoff.taken_at)
            # Who was never waited for makes no wait shorter.
            .where(Handoff.taken_at > now - RECENT, Handoff.reason != STAFF_TOOK_OVER)
            .order_by(Handoff.taken_at.desc())
            .limit(200)
        )
        if taken is not None
    ]
    usual = None
    if len(ended) >= ENOUGH_WAITS:
        usual = statistics.quantiles([wait for _, wait in ended[:40]], n=4)[2]
    return Pace(online or 0, usual, sum(taken > now - PACE_OVER for taken, _ in ended))


async def attention(session: AsyncSession, now: datetime, rules: DeskRules) -> list[str]:
    """The conversations something is due in now, the most pressing first; one query, nothing is locked."""
    rows = await session.execute(
        select(Conversation, Staff, Handoff.first_reply_at)
        .outerjoin(Staff, Staff.id == Conversation.staff_id)
        .outerjoin(Handoff, and_(Handoff.conversation_id == Conversation.id, Handoff.ended_at.is_(None)))
        .where(Conversation.owner != Owner.BOT)
        .order_by(Conversation.priority, Conversation.waiting_since, Conversation.id)
    )
    return [
        conversation.id
        for conversation, worker, first_reply_at in rows
        if _something_is_due(
            conversation, worker, "first_reply" if first_reply_at is None else "next_reply", now, rules
        )
    ]


def _something_is_due(
    conversation: Conversation, worker: Staff | None, kind: Promised, now: datetime, rules: DeskRules
) -> bool:
    match conversation.owner:
        case Owner.WRAP_UP:
            return _wrap_up_is_over(conversation, now, rules)
        case Owner.HUMAN:
            return bool(
                _why_back(conversation, worker, now, rules) or _missed(conversation, kind, now, rules)
            )
        case Owner.QUEUED:
            return _is_to_be_told(conversation, now, rules) or bool(_missed(conversation, kind, now, rules))
        case _:
            return False


async def gone_staff(session: AsyncSession, now: datetime, rules: DeskRules) -> list[int]:
    """The ids of staff who are marked present but whose browser was not heard of for too long."""
    gone = now - timedelta(seconds=rules.handoff.offline_after_seconds)
    found = await session.scalars(
        select(Staff.id).where(Staff.presence != Presence.OFFLINE, Staff.seen_at < gone)
    )
    return list(found)


async def sign_off_the_gone(session: AsyncSession, now: datetime, rules: DeskRules) -> int:
    """Mark them offline; returns how many there were. Who was heard of meanwhile stays."""
    gone = now - timedelta(seconds=rules.handoff.offline_after_seconds)
    signed_off = await session.scalars(
        update(Staff)
        .where(Staff.presence != Presence.OFFLINE, Staff.seen_at < gone)
        .values(presence=Presence.OFFLINE)
        .returning(Staff.id)
    )
    return len(signed_off.all())


async def attend(
    session: AsyncSession, conversation_id: str, now: datetime, rules: DeskRules, wording: Wording
) -> bool:
    """Do what is due in one conversation: a notice, a warning, back to the queue, back to the bot.

    Returns whether anything was done; doing it twice does nothing the second time.
    """
    locked = await lock(session, conversation_id)
    done = False
    if locked.owner is Owner.WRAP_UP and _wrap_up_is_over(locked, now, rules):
        await end_service(session, locked, now, actor="system", wording=wording)
        return True
    if locked.owner is Owner.HUMAN:
        worker = await session.get(Staff, locked.staff_id, populate_existing=True)
        if reason := _why_back(locked, worker, now, rules):
            await _send_back(session, locked, reason, now, rules, wording)
            done = True
    if locked.owner in (Owner.QUEUED, Owner.HUMAN):
        kind = await promised(session, locked)
        if missed := _missed(locked, kind, now, rules):
            await _raise_alarm(session, locked, missed, kind, now)
            done = True
    if locked.owner is Owner.QUEUED and _is_to_be_told(locked, now, rules):
        await _tell_waiting(session, locked, now, rules, wording)
        done = True
    return done


def _wrap_up_is_over(conversation: Conversation, now: datetime, rules: DeskRules) -> bool:
    over = timedelta(minutes=rules.handoff.wrap_up_minutes)
    return conversation.wrap_up_at is not None and now - conversation.wrap_up_at >= over


def _why_back(
    conversation: Conversation, worker: Staff | None, now: datetime, rules: DeskRules
) -> str | None:
    """Why a human's conversation must go back to the queue: ``worker_gone``, ``nobody_answered`` or None."""
    if worker is None or not worker.active:
        return "worker_gone"
    if worker.seen_at is not None:  # staff who only use the command line have no browser to be gone
        limit = timedelta(seconds=rules.handoff.offline_after_seconds)
        if worker.presence is Presence.OFFLINE or now - worker.seen_at > limit:
            return "worker_gone"
    since = counts_from(conversation)
    if since is None or since > now:
        return None
    # Who took it over has the whole time, however long the member had waited in the queue before.
    since = max(since, conversation.told_waiting_at or since)
    if rules.counts_clock("next_reply", conversation.priority):
        waited = int((now - since).total_seconds() // 60)
    else:
        waited = rules.hours.between(since, now)
    return "nobody_answered" if waited >= rules.handoff.unanswered_after_minutes else None


def _missed(conversation: Conversation, kind: Promised, now: datetime, rules: DeskRules) -> AlertKind | None:
    """What staff must hear about the present wait and have not: that its promise is, or nearly is, broken."""
    since = counts_from(conversation)
    if since is None or since > now or conversation.breached_at is not None:
        return None
    if now >= rules.due(kind, conversation.priority, since):
        return AlertKind.BREACH
    if conversation.warned_at is None and now >= rules.warn_at(kind, conversation.priority, since):
        return AlertKind.WARNING
    return None


def _is_to_be_told(conversation: Conversation, now: datetime, rules: DeskRules) -> bool:
    """Whether a queued member is owed a notice: at once, when a promise breaks, and every few minutes.

    While nobody is on duty they are told once when somebody will answer.
    """
    told_at = conversation.told_waiting_at
    if told_at is None:
        return True
    if not rules.hours.is_working(now):
        # What they heard last was about the queue, or promised an opening that is past.
        return rules.answers_at(told_at) <= now
    if not rules.hours.is_working(told_at):
        return True
    if conversation.breached_at is not None and told_at < conversation.breached_at:
        return True
    return now - told_at >= timedelta(minutes=rules.handoff.notice_every_minutes)


async def _send_back(
    session: AsyncSession,
    locked: Conversation,
    reason: str,
    now: datetime,
    rules: DeskRules,
    wording: Wording,
) -> None:
    waits_since = locked.waiting_since
    await back_to_queue(session, locked, now, actor="system", reason=reason)
    # They have waited all along: the queue shows it, and a broken promise stays broken.
    locked.waiting_since = waits_since or locked.waiting_since
    await tell(session, locked, wording.say(f"handoff.{reason}"), now)
    # While nobody is there they hear next when somebody will be.
    locked.told_waiting_at = now if rules.hours.is_working(now) else None


async def _raise_alarm(
    session: AsyncSession, locked: Conversation, missed: AlertKind, kind: Promised, now: datetime
) -> None:
    """Warn the worker (or who directs others) before a promise breaks, and raise it to supervisors after."""
    if missed is AlertKind.WARNING:
        locked.warned_at = now
        alert(session, locked, missed, locked.staff_id, now, kind)
        return
    locked.breached_at = now
    handoff = await open_handoff(session, locked.id)
    if handoff is not None:
        handoff.breached = True
    raise_priority(locked, Priority.HIGH, handoff)
    if OVERDUE not in locked.risks:
        locked.risks = [*locked.risks, OVERDUE]
    alert(session, locked, missed, None, now, kind)


async def _tell_waiting(
    session: AsyncSession, locked: Conversation, now: datetime, rules: DeskRules, wording: Wording
) -> None:
    if rules.hours.is_working(now):
        first = locked.told_waiting_at is None
        text = await _where_they_stand(session, locked, now, wording, first=first)
    else:
        key = "handoff.closed_urgent" if locked.priority == Priority.CRITICAL else "handoff.closed"
        text = wording.say(key, when=moment_in_words(rules.answers_at(now), now, wording))
    await tell(session, locked, text, now)
    locked.told_waiting_at = now


async def _where_they_stand(
    session: AsyncSession, locked: Conversation, now: datetime, wording: Wording, *, first: bool
) -> str:
    found = await place(session, locked, now)
    if not first:
        key = "handoff.still_queued" if found.ahead else "handoff.still_queued_next"
        return wording.say(key, ahead=found.ahead)
    if found.minutes is None and found.ahead:
        return wording.say("handoff.queued_unsure", ahead=found.ahead)
    if not found.ahead:
        return wording.say("handoff.queued_next")
    return wording.say("handoff.queued", ahead=found.ahead, minutes=found.minutes)


def moment_in_words(moment: datetime, now: datetime, wording: Wording) -> str:
    """A coming moment as a member reads it: 今天 13:30, 明天 08:30, 11月23日 08:30 (Shanghai)."""
    local = moment.astimezone(SHANGHAI)
    days = (shanghai_day(moment) - shanghai_day(now)).days
    key = {0: "today", 1: "tomorrow", 2: "in_two_days"}.get(days, "on")
    return wording.say(f"moment.{key}", month=local.month, day=local.day, time=f"{local:%H:%M}")
