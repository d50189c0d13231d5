"""Wall: the whole hotline at one look, for who watches over it; no name or word of a member is on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import shanghai_day
from casework.desk_rules import DeskRules
from casework.periods import Period
from casework.report_figures import Figures
from casework.reports import Grouping, report
from casework.tables import (
    Case,
    Channel,
    Conversation,
    Handoff,
    Owner,
    Presence,
    Priority,
    Staff,
    StaffRole,
    Team,
)
from casework.waiting import counts_from

MAX_CONVERSATIONS = 500
"""Open conversations that are looked at, the most pressing and the longest waiting first."""
MAX_CASES = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waiting: one conversation in which a member waits for a human, and the promise they were given."""

    conversation_id: str
    owner: Owner
    staff_id: int | None
    """Whose word they wait for; None in the queue."""
    worker: str | None
    team: str | None
    reserved_for: str | None
    priority: Priority
    risks: tuple[str, ...]
    topic: str | None
    district: str | None
    channel: Channel
    since: datetime
    promised: Literal["first_reply", "next_reply"]
    due_at: datetime
    warn_at: datetime

    def is_broken(self, now: datetime) -> bool:
        """Whether the promised time is over."""
        return self.due_at <= now

    def is_at_risk(self, now: datetime) -> bool:
        """Whether it is nearly over, and not yet."""
        return self.warn_at <= now < self.due_at


@dataclass(frozen=True, slots=True)
class Worker:
    """Worker: one member of staff who takes conversations, and how much they have on their hands."""

    staff_id: int
    name: str
    badge: str | None
    team: str | None
    presence: Presence
    """OFFLINE also when their browser has not been heard of for ``offline_after_seconds``."""
    owned: int
    """Conversations in which they speak now."""
    wrapping_up: int
    waiting_on: int
    """Members who wait for their word."""
    oldest_since: datetime | None
    """Since when the first of these waits."""


@dataclass(frozen=True, slots=True)
class LateCase:
    """Late case: an open case whose deadline is over; only its number says whose it is."""

    number: str
    topic: str
    priority: Priority
    worker: str | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Wall:
    """Wall: the hotline at one moment."""

    at: datetime
    waiting: Mapping[Priority, int]
    """Conversations in the queue, by priority; every priority is there."""
    longest_since: datetime | None
    """Since when the longest in the queue waits."""
    workers: tuple[Worker, ...]
    """Who is there first, then the busiest; those who are offline only while they have something."""
    queue: tuple[Waiting, ...]
    """Everybody who waits, by when their promise runs out."""
    open_to_humans: int
    """Conversations humans have, wrapping up included."""
    cases_due_today: int
    """Open cases whose deadline is still to come today."""
    cases_overdue: int
    late_cases: tuple[LateCase, ...]
    """The latest 20 of them at most, the longest overdue first."""
    today: Figures
    """What the day has brought so far (``casework.reports``)."""

    @property
    def broken(self) -> tuple[Waiting, ...]:
        """Who waits longer than was promised."""
        return tuple(one for one in self.queue if one.is_broken(self.at))

    @property
    def at_risk(self) -> tuple[Waiting, ...]:
        """Whose promise is nearly over."""
        return tuple(one for one in self.queue if one.is_at_risk(self.at))

    @property
    def queued(self) -> int:
        """How many are in the queue."""
        return sum(self.waiting.values())


async def wall(session: AsyncSession, rules: DeskRules, now: datetime) -> Wall:
    """The hotline as it stands now. It reads only what is open, and today's figures."""
    today = Period(shanghai_day(now), shanghai_day(now))
    names = await _staff(session)
    teams = {team.id: team.name for team in await session.scalars(select(Team))}
    talks = await _open_talks(session)
    queue = [
        _waiting(talk, answered, names, teams, rules)
        for talk, answered in talks
        if talk.owner is Owner.QUEUED or (talk.owner is Owner.HUMAN and talk.waiting_since is not None)
    ]
    queued = [one for one in queue if one.owner is Owner.QUEUED]
    workers = [
        _worker(staff, teams, [talk for talk, _ in talks if talk.staff_id == staff.id], rules, now)
        for staff in names.values()
        if staff.active
    ]
    due_today = await session.scalar(
        select(func.count())
        .select_from(Case)
        .where(Case.closed_at.is_(None), Case.due_at >= now, Case.due_at < today.over)
    )
    overdue = and_(Case.closed_at.is_(None), Case.due_at < now, Case.waiting_for_member_since.is_(None))
    return Wall(
        at=now,
        waiting={priority: sum(one.priority is priority for one in queued) for priority in Priority},
        longest_since=min((one.since for one in queued), default=None),
        workers=tuple(sorted(filter(_is_shown, workers), key=_by_presence)),
        queue=tuple(sorted(queue, key=lambda one: (one.due_at, one.priority))),
        open_to_humans=sum(talk.owner is not Owner.QUEUED for talk, _ in talks),
        cases_due_today=due_today or 0,
        cases_overdue=await session.scalar(select(func.count()).select_from(Case).where(overdue)) or 0,
        late_cases=await _late_cases(session, overdue, names),
        today=(await report(session, today, Grouping.DAY)).totals,
    )


async def reassignable(session: AsyncSession) -> tuple[list[Staff], list[Team]]:
    """To whom a conversation may be given: active staff who answer (by name), and active teams."""
    staff = await session.scalars(
        select(Staff)
        .where(Staff.active.is_(True), Staff.role != StaffRole.AUDITOR)
        .order_by(Staff.display_name, Staff.id)
    )
    teams = await session.scalars(select(Team).where(Team.active.is_(True)).order_by(Team.name))
    return list(staff), list(teams)


async def _staff(session: AsyncSession) -> dict[int, Staff]:
    """Everybody who answers, or ever did: a closed account may still be named in what it left behind."""
    found = await session.scalars(
        select(Staff).where(Staff.role != StaffRole.AUDITOR).order_by(Staff.display_name, Staff.id)
    )
    return {staff.id: staff for staff in found}


async def _open_talks(session: AsyncSession) -> list[tuple[Conversation, datetime | None]]:
    """What is not the bot's, with when a human first replied in the present handoff."""
    found = await session.execute(
        select(Conversation, Handoff.first_reply_at)
        .outerjoin(Handoff, and_(Handoff.conversation_id == Conversation.id, Handoff.ended_at.is_(None)))
        .where(Conversation.owner.in_((Owner.QUEUED, Owner.HUMAN, Owner.WRAP_UP)))
        .order_by(Conversation.priority, Conversation.waiting_since, Conversation.id)
        .limit(MAX_CONVERSATIONS)
    )
    return [(talk, answered) for talk, answered in found]


def _waiting(
    talk: Conversation,
    answered: datetime | None,
    names: Mapping[int, Staff],
    teams: Mapping[int, str],
    rules: DeskRules,
) -> Waiting:
    priority = Priority(talk.priority)
    since = talk.waiting_since or talk.queued_at
    assert since is not None  # noqa: S101  # the database says so: queued has its time, the rest was asked for
    promised: Literal["first_reply", "next_reply"] = "first_reply" if answered is None else "next_reply"
    counted = counts_from(talk) or since
    due, warn = rules.due(promised, priority, counted), rules.warn_at(promised, priority, counted)
    return Waiting(
        conversation_id=talk.id,
        owner=talk.owner,
        staff_id=talk.staff_id,
        worker=_name(names, talk.staff_id),
        team=None if talk.team_id is None else teams.get(talk.team_id),
        reserved_for=_name(names, talk.reserved_for_id),
        priority=priority,
        risks=tuple(talk.risks),
        topic=talk.last_topic,
        district=talk.district,
        channel=talk.channel,
        since=since,
        promised=promised,
        due_at=due,
        warn_at=warn,
    )


def _worker(
    staff: Staff, teams: Mapping[int, str], talks: Sequence[Conversation], rules: DeskRules, now: datetime
) -> Worker:
    heard_of = now - timedelta(seconds=rules.handoff.offline_after_seconds)
    there = staff.seen_at is not None and staff.seen_at >= heard_of
    waits = [
        talk.waiting_since for talk in talks if talk.owner is Owner.HUMAN and talk.waiting_since is not None
    ]
    return Worker(
        staff_id=staff.id,
        name=staff.display_name,
        badge=staff.badge,
        team=None if staff.team_id is None else teams.get(staff.team_id),
        presence=staff.presence if there else Presence.OFFLINE,
        owned=sum(talk.owner is Owner.HUMAN for talk in talks),
        wrapping_up=sum(talk.owner is Owner.WRAP_UP for talk in talks),
        waiting_on=len(waits),
        oldest_since=min(waits, default=None),
    )


async def _late_cases(
    session: AsyncSession, overdue: Any, names: Mapping[int, Staff]
) -> tuple[LateCase, ...]:
    found = await session.execute(
        select(Case.number, Case.topic, Case.priority, Case.staff_id, Case.due_at)
        .where(overdue)
        .order_by(Case.due_at)
        .limit(MAX_CASES)
    )
    return tuple(
        LateCase(number, topic, Priority(priority), _name(names, staff_id), due_at)
        for number, topic, priority, staff_id, due_at in found
        if due_at is not None
    )


def _is_shown(worker: Worker) -> bool:
    return worker.presence is not Presence.OFFLINE or bool(worker.owned or worker.wrapping_up)


def _by_presence(worker: Worker) -> tuple[int, int, int, int]:
    order = (Presence.ONLINE, Presence.AWAY, Presence.OFFLINE)
    return order.index(worker.presence), -worker.waiting_on, -worker.owned, worker.staff_id


def _name(names: Mapping[int, Staff], staff_id: int | None) -> str | None:
    if staff_id is None or staff_id not in names:
        return None
    return names[staff_id].display_name
