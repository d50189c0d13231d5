"""Reports: what happened in a period, counted by day, week, topic, district, channel or worker.

What is counted, exactly (all within whole days of Shanghai):

- **conversations**: those in which a member wrote at least one message in the period. In a report by day each
  counts on every day it was written in, and once in the totals; by topic, under each topic its messages were
  understood as. ``started`` counts conversations begun, by topic under the latest one they were about.
- **deflection** (answered without a human): of those conversations, the share in which the bot replied to at
  least one of these messages without refusing its own reading of it (``accepted`` is not false), and that no
  handoff touched: none was queued, waiting or being served at any moment of the line's day, week or period.
- **handoffs** belong to the moment they were queued, **cases** to the moment they were opened; only the time
  to resolve belongs to the moment of closing. Withdrawn and merged cases have no result and are left out of
  times and of the reopened share. Times are by the clock, nights and holidays included.
- members who had their data erased still count: nothing here looks at who somebody is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from casework.periods import Period, shanghai_day, shanghai_week
from casework.report_figures import LOW_RATING, Figures, Ratings
from casework.tables import Author, Case, CaseState, Channel, Conversation, Handoff, Message, Staff

_RESOLVED = (CaseState.RESOLVED, CaseState.FOLLOWED_UP, CaseState.ARCHIVED)
_Column = ColumnElement[Any] | InstrumentedAttribute[Any]


class Grouping(StrEnum):
    """What the lines of a report are."""

    DAY = "day"
    WEEK = "week"
    TOPIC = "topic"
    DISTRICT = "district"
    CHANNEL = "channel"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters: the part of the work a report is about; None is all of it."""

    channel: Channel | None = None
    district: str | None = None
    topic: str | None = None


ALL = Filters()


@dataclass(frozen=True, slots=True)
class Row:
    """Row: one line of a report.

    ``key`` is a day or a Monday (``2026-07-20``), a topic's key, a district, a channel or a worker's id; None
    where it is not known (nothing understood, no district told, taken by nobody).
    """

    key: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """Report: its lines in order (days in time, all else the fullest first), and the totals of the period."""

    period: Period
    grouping: Grouping
    rows: tuple[Row, ...]
    totals: Figures


async def report(session: AsyncSession, period: Period, grouping: Grouping, filters: Filters = ALL) -> Report:
    """Count a period. By day and week every line is there, empty ones too; otherwise those with something.

    By worker there are no conversations of the bot's: those figures are None there, not in the totals.
    """
    lines: dict[str | None, Figures] = {}
    if grouping is Grouping.DAY:
        lines = {day.isoformat(): Figures() for day in period.days()}
    elif grouping is Grouping.WEEK:
        lines = {monday.isoformat(): Figures() for monday in period.weeks()}
    if grouping is not Grouping.WORKER:
        await _count_started(session, period, grouping, filters, lines)
        await _count_talk(session, period, grouping, filters, lines)
    await _count_handoffs(session, period, grouping, filters, lines)
    await _count_cases(session, period, grouping, filters, lines)
    await _count_resolutions(session, period, grouping, filters, lines)
    if grouping is Grouping.WORKER:
        for figures in lines.values():
            figures.started = figures.conversations = figures.messages = None
            figures.bot_answered = figures.deflected = None
    totals = await _totals(session, period, filters, list(lines.values()))
    rows = [Row(key, figures) for key, figures in lines.items()]
    if grouping not in (Grouping.DAY, Grouping.WEEK):
        rows.sort(key=lambda row: (row.key is None, row.key or ""))
        rows.sort(key=lambda row: row.figures.weight, reverse=True)
    return Report(period, grouping, tuple(rows), totals)


async def worker_labels(session: AsyncSession, keys: Sequence[str | None]) -> dict[str, tuple[str, str]]:
    """The name and the 工号 (or else the login) of the workers that are lines of a report, by key."""
    ids = [int(key) for key in keys if key is not None]
    found = await session.execute(
        select(Staff.id, Staff.display_name, Staff.badge, Staff.login).where(Staff.id.in_(ids))
    )
    return {str(staff_id): (name, badge or login) for staff_id, name, badge, login in found}


async def _totals(
    session: AsyncSession, period: Period, filters: Filters, lines: Sequence[Figures]
) -> Figures:
    """Hand-offs and cases add up; a conversation of several days or topics counts once."""
    whole: dict[str | None, Figures] = {None: Figures()}
    await _count_started(session, period, None, filters, whole)
    await _count_talk(session, period, None, filters, whole)
    totals = whole[None]
    for figures in lines:
        totals.add_services(figures)
    return totals


async def _count_started(
    session: AsyncSession,
    period: Period,
    grouping: Grouping | None,
    filters: Filters,
    lines: dict[str | None, Figures],
) -> None:
    key = _key(grouping, Conversation.created_at, Conversation.last_topic, Conversation)
    query = select(*_named(key), func.count()).where(
        # The newest message is never older than the conversation, and only its time has an index.
        Conversation.last_message_at >= period.begins,
        Conversation.created_at >= period.begins,
        Conversation.created_at < period.over,
        *_only(filters, Conversation.channel, Conversation.district, Conversation.last_topic),
    )
    for name, count in await _grouped(session, query, key):
        _line(lines, name).started = count


async def _count_talk(
    session: AsyncSession,
    period: Period,
    grouping: Grouping | None,
    filters: Filters,
    lines: dict[str | None, Figures],
) -> None:
    key = _key(grouping, Message.created_at, Message.topic, Conversation)
    said = aliased(Message)
    answered = and_(
        or_(Message.accepted.is_(None), Message.accepted.is_(True)),
        exists().where(said.in_reply_to == Message.id, said.author == Author.BOT),
    )
    talk = (
        select(
            Conversation.id.label("id"),
            *_named(key),
            func.count().label("messages"),
            func.max(_one_if(answered)).label("answered"),
        )
        .join(Message, Message.conversation_id == Conversation.id)
        .where(
            Conversation.last_message_at >= period.begins,
            Conversation.created_at < period.over,
            Message.author == Author.MEMBER,
            Message.created_at >= period.begins,
            Message.created_at < period.over,
            *_only(filters, Conversation.channel, Conversation.district, Message.topic),
        )
        .group_by(Conversation.id, *_named(key))
        .subquery()
    )
    touched = [
        Handoff.conversation_id == talk.c.id,
        Handoff.queued_at < period.over,
        or_(Handoff.ended_at.is_(None), Handoff.ended_at >= period.begins),
    ]
    if grouping in (Grouping.DAY, Grouping.WEEK):
        bucket = shanghai_day if grouping is Grouping.DAY else shanghai_week
        touched += [
            bucket(Handoff.queued_at) <= talk.c.key,
            or_(Handoff.ended_at.is_(None), bucket(Handoff.ended_at) >= talk.c.key),
        ]
    alone = and_(talk.c.answered == 1, ~exists().where(*touched))
    query = select(
        *([] if key is None else [talk.c.key]),
        func.count(),
        func.sum(talk.c.messages),
        func.sum(talk.c.answered),
        func.sum(_one_if(alone)),
    )
    for name, *counts in await _grouped(session, query, None if key is None else talk.c.key):
        line = _line(lines, name)
        line.conversations, line.messages, line.bot_answered, line.deflected = (int(n or 0) for n in counts)


async def _count_handoffs(
    session: AsyncSession,
    period: Period,
    grouping: Grouping,
    filters: Filters,
    lines: dict[str | None, Figures],
) -> None:
    key = _key(grouping, Handoff.queued_at, Handoff.topic, Handoff)
    within = [
        Handoff.queued_at >= period.begins,
        Handoff.queued_at < period.over,
        *_only(filters, Handoff.channel, Handoff.district, Handoff.topic),
    ]
    unanswered = Handoff.first_reply_at.is_(None)
    columns: list[_Column] = [
        *_named(key),
        Handoff.reason,
        func.count(),
        func.sum(_one_if(and_(unanswered, Handoff.ended_at.is_(None)))),
        func.sum(_one_if(and_(unanswered, Handoff.ended_at.is_not(None)))),
        func.sum(_one_if(Handoff.breached)),
        *_rated(Handoff.rating),
    ]
    counts = await _rows(session, select(*columns).where(*within).group_by(*_named(key), Handoff.reason))
    for name, reason, count, waiting, never, breached, rated, total, low in counts:
        line = _line(lines, name)
        line.handoffs += count
        line.reasons[reason] += count
        line.still_waiting += waiting
        line.never_answered += never
        line.breaches += breached
        line.ratings.add(Ratings(rated, total, low))
    answered = await _rows(
        session, select(*_named(key), Handoff.queued_at, Handoff.first_reply_at).where(*within, ~unanswered)
    )
    for name, queued_at, first_reply_at in answered:
        _line(lines, name).first_replies.append((first_reply_at - queued_at).total_seconds() / 60)


async def _count_cases(
    session: AsyncSession,
    period: Period,
    grouping: Grouping,
    filters: Filters,
    lines: dict[str | None, Figures],
) -> None:
    key = _key(grouping, Case.opened_at, Case.topic, Case)
    columns: list[ColumnElement[Any]] = [
        *_named(key),
        func.count(),
        func.sum(_one_if(or_(_has_result(), Case.reopened_count > 0))),
        func.sum(_one_if(Case.reopened_count > 0)),
        func.sum(Case.urged_count),
        func.sum(_one_if(Case.breached_at.is_not(None))),
        *_rated(Case.rating),
    ]
    counts = await _rows(
        session,
        _of_cases(select(*columns), filters)
        .where(Case.opened_at >= period.begins, Case.opened_at < period.over)
        .group_by(*_named(key)),
    )
    for name, opened, closed_once, reopened, urged, breached, rated, total, low in counts:
        line = _line(lines, name)
        line.cases_opened, line.cases_closed_once, line.cases_reopened = opened, closed_once, reopened
        line.urged, line.case_breaches = urged, breached
        line.case_ratings = Ratings(rated, total, low)


async def _count_resolutions(
    session: AsyncSession,
    period: Period,
    grouping: Grouping,
    filters: Filters,
    lines: dict[str | None, Figures],
) -> None:
    key = _key(grouping, Case.closed_at, Case.topic, Case)
    closed = await _rows(
        session,
        _of_cases(select(*_named(key), Case.opened_at, Case.closed_at), filters).where(
            _has_result(), Case.closed_at >= period.begins, Case.closed_at < period.over
        ),
    )
    for name, opened_at, closed_at in closed:
        _line(lines, name).resolutions.append((closed_at - opened_at).total_seconds() / 3600)


def _has_result() -> ColumnElement[bool]:
    return and_(Case.closed_at.is_not(None), Case.state.in_(_RESOLVED), Case.merged_into_id.is_(None))


def _of_cases(query: Select[Any], filters: Filters) -> Select[Any]:
    """Cases with their conversation beside them: it alone knows the channel."""
    joined = query.select_from(Case).outerjoin(Conversation, Conversation.id == Case.conversation_id)
    return joined.where(*_only(filters, Conversation.channel, Case.district, Case.topic))


def _key(
    grouping: Grouping | None, moment: _Column, topic: _Column, table: type[Conversation | Handoff | Case]
) -> _Column | None:
    """What a record's line is, or None when all of them are one."""
    match grouping:
        case Grouping.DAY:
            return shanghai_day(moment)
        case Grouping.WEEK:
            return shanghai_week(moment)
        case Grouping.TOPIC:
            return topic
        case Grouping.DISTRICT:
            return table.district
        case Grouping.CHANNEL:
            # A case has no channel: its conversation, which is joined, has.
            return Handoff.channel if table is Handoff else Conversation.channel
        case Grouping.WORKER:
            return table.staff_id
        case None:
            return None


def _only(filters: Filters, channel: _Column, district: _Column, topic: _Column) -> list[ColumnElement[bool]]:
    wanted = ((channel, filters.channel), (district, filters.district), (topic, filters.topic))
    return [column == value for column, value in wanted if value is not None]


def _named(key: _Column | None) -> list[ColumnElement[Any]]:
    return [] if key is None else [key.label("key")]


async def _grouped(session: AsyncSession, query: Select[Any], key: _Column | None) -> list[tuple[Any, ...]]:
    """The rows of a count, each beginning with its key; there is one, of key None, when all are counted."""
    if key is None:
        return [(None, *row) for row in await session.execute(query)]
    return [tuple(row) for row in await session.execute(query.group_by(key))]


async def _rows(session: AsyncSession, query: Select[Any]) -> list[Any]:
    return list(await session.execute(query))


def _line(lines: dict[str | None, Figures], key: object) -> Figures:
    return lines.setdefault(None if key is None else str(key), Figures())


def _one_if(condition: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _rated(rating: InstrumentedAttribute[int | None]) -> list[ColumnElement[Any]]:
    total = cast(func.coalesce(func.sum(rating), 0), Integer)
    return [func.count(rating), total, func.sum(_one_if(rating <= LOW_RATING))]
