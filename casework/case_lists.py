"""Case lists: which cases there are, page by page, how many of each kind, and all of them as a file.

Lists and files are masked for everybody (``casework.visibility.MASKED``); a page decrypts its own rows only.
The first page and the hundredth cost the same: a page goes on after the last row of the one before, along an
index.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.clock import SHANGHAI
from casework.columns import UtcDateTime
from casework.errors import BadInput, NotAllowed
from casework.permissions import Right, require
from casework.tables import Case, CaseState, Priority, Staff, Team
from casework.visibility import MASKED

MAX_PAGE = 200
GIST = 60
"""Characters of a case's story in a list."""


class Operator:
    """Operator: whoever runs commands on the machine that holds the keys; audited as ``operator``."""


OPERATOR: Final = Operator()
Reader = Staff | Operator


class Order(StrEnum):
    """In which order cases are listed."""

    PRESSING = "pressing"  # the most urgent first, among these the oldest; with closed ones it is NEWEST
    NEWEST = "newest"
    DUE = "due"  # the deadline that comes first, cases without one last


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Case query: which cases to list; what is None or False does not narrow it."""

    state: CaseState | None = None
    open_only: bool = True
    mine: bool = False
    closed_only: bool = False
    """Closed ones alone; needs ``open_only=False``."""
    unassigned: bool = False
    """Given to nobody yet: neither to a person nor to a team."""
    supervised: bool = False
    staff_id: int | None = None
    team_id: int | None = None
    topic: str | None = None
    case_type: str | None = None
    district: str | None = None
    priority: Priority | None = None
    overdue: bool = False
    due_from: datetime | None = None
    due_to: datetime | None = None
    """Not included; the deadline of a case that waits for its member stands still and is left out."""
    number_tail: str | None = None
    """The last digits of a case number, hyphens do not matter."""
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    """Not included."""
    order: Order = Order.PRESSING
    cursor: str | None = None
    """``CasePage.next_cursor`` of the page before, under the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """Case row: a case as a list shows it, masked."""

    id: str
    number: str
    case_type: str
    topic: str
    district: str | None
    state: CaseState
    priority: Priority
    urgent: bool
    risks: list[str]
    anonymous: bool
    name: str | None
    phone: str | None
    gist: str
    staff_id: int | None
    staff_name: str | None
    team_id: int | None
    team_name: str | None
    conversation_id: str | None
    due_at: datetime | None
    overdue: bool
    waiting_for_member: bool
    supervised: bool
    merged: bool
    urged_count: int
    reopened_count: int
    rating: int | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Case page: some rows, and where the next page goes on (None: this was the last)."""

    rows: list[CaseRow]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Case counts: how many open cases there are of each kind, for the tabs."""

    all: int
    mine: int
    team: int
    unassigned: int
    pressing: int
    overdue: int
    supervised: int
    due_today: int


_COLUMNS: Sequence[Any] = (
    Case.id, Case.number, Case.case_type, Case.topic, Case.district, Case.state, Case.priority, Case.urgent,
    Case.risks, Case.anonymous, Case.facts, Case.staff_id, Case.team_id, Case.conversation_id,
    Case.due_at, Case.waiting_for_member_since, Case.supervised_at, Case.merged_into_id, Case.urged_count,
    Case.reopened_count, Case.rating, Case.opened_at, Case.updated_at, Case.closed_at,
    Staff.display_name, Team.name.label("team_name"),
)  # fmt: skip


async def list_cases(
    session: AsyncSession, query: CaseQuery, reader: Reader, now: datetime, limit: int = 50
) -> CasePage:
    """One page of the cases a query asks for, masked. At most 200 rows.

    Raises NotAllowed for whoever may not look, BadInput for an unreadable cursor or number.
    """
    _check_may(reader, Right.LOOK)
    limit = max(1, min(limit, MAX_PAGE))
    found = (await session.execute(page_statement(query, reader, now, limit))).all()
    rows = [_row(row, now) for row in found[:limit]]
    return CasePage(rows, _cursor(query, rows[-1]) if len(found) > limit else None)


async def counts(session: AsyncSession, staff: Staff, now: datetime) -> CaseCounts:
    """How many open cases there are of each kind, in one statement; raises NotAllowed."""
    require(staff, Right.LOOK)

    def those(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    row = (
        await session.execute(
            select(
                func.count(),
                those(Case.staff_id == staff.id),
                those(false() if staff.team_id is None else Case.team_id == staff.team_id),
                those(_is_unassigned()),
                those(Case.priority < Priority.NORMAL.value),
                those(_is_overdue(now)),
                those(Case.supervised_at.is_not(None)),
                those(and_(*_is_due(*day_of(now)))),
            ).where(Case.closed_at.is_(None))
        )
    ).one()
    return CaseCounts(*row)


async def export_rows(
    session: AsyncSession, query: CaseQuery, reader: Reader, now: datetime
) -> AsyncIterator[dict[str, str]]:
    """Every case a query asks for as texts by column (``EXPORT_COLUMNS``), masked, in the query's order.

    Audited with the number of cases before the first row is given, so it needs a writing transaction.
    Raises NotAllowed for whoever may not take cases out. For a CSV file pass the cells
    through ``casework.spreadsheet.csv_safe``.
    """
    _check_may(reader, Right.EXPORT)
    matching = _selected(query, reader, now).with_only_columns(func.count(Case.id))
    count = await session.scalar(matching)
    actor = audit.staff_actor(reader) if isinstance(reader, Staff) else "operator"
    audit.record(session, actor, "cases.exported", "case", "*", now=now, rows=count)
    await session.flush()
    async for row in every_row(session, query, reader, now):
        yield {column: _text(getattr(row, column)) for column in EXPORT_COLUMNS}


async def every_row(
    session: AsyncSession, query: CaseQuery, reader: Reader, now: datetime
) -> AsyncIterator[CaseRow]:
    """Every case a query asks for, page after page, masked; raises as ``list_cases`` does."""
    query = replace(query, cursor=None)
    while True:
        page = await list_cases(session, query, reader, now, MAX_PAGE)
        for row in page.rows:
            yield row
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


EXPORT_COLUMNS = (
    "number", "case_type", "topic", "district", "state", "priority", "name", "phone", "gist", "staff_name",
    "team_name", "opened_at", "due_at", "closed_at", "overdue", "urged_count", "reopened_count", "rating",
)  # fmt: skip
"""Columns of an export; times are Shanghai's, ``overdue`` is 1 or 0."""


def _check_may(reader: Reader, right: Right) -> None:
    if isinstance(reader, Staff):
        require(reader, right)
    elif reader is not OPERATOR:
        raise NotAllowed("nobody is asking", right=right.value)


def page_statement(query: CaseQuery, reader: Reader, now: datetime, limit: int) -> Select[Any]:
    """What a page asks of the database (one row more, to know whether there is a next page)."""
    statement = _selected(query, reader, now).order_by(*_order_by(query)).limit(limit + 1)
    return statement if query.cursor is None else statement.where(_after(query))


def _selected(query: CaseQuery, reader: Reader, now: datetime) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .outerjoin(Staff, Staff.id == Case.staff_id)
        .outerjoin(Team, Team.id == Case.team_id)
        .where(*_conditions(query, reader, now))
    )


def _conditions(query: CaseQuery, reader: Reader, now: datetime) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.open_only:
        wanted.append(Case.closed_at.is_(None))
    if query.mine:
        wanted.append(Case.staff_id == reader.id if isinstance(reader, Staff) else false())
    if query.closed_only:
        wanted.append(Case.closed_at.is_not(None))
    if query.unassigned:
        wanted.append(_is_unassigned())
    if query.supervised:
        wanted.append(Case.supervised_at.is_not(None))
    if query.overdue:
        wanted.append(_is_overdue(now))
    wanted += _is_due(query.due_from, query.due_to)
    if query.number_tail is not None:
        wanted.append(Case.number.like(f"%{_tail(query.number_tail)}"))
    if query.opened_from is not None:
        wanted.append(Case.opened_at >= query.opened_from)
    if query.opened_to is not None:
        wanted.append(Case.opened_at < query.opened_to)
    equal: list[tuple[Any, object]] = [
        (Case.state, query.state),
        (Case.staff_id, query.staff_id),
        (Case.team_id, query.team_id),
        (Case.topic, query.topic),
        (Case.case_type, query.case_type),
        (Case.district, query.district),
        (Case.priority, None if query.priority is None else query.priority.value),
    ]
    return [*wanted, *(column == value for column, value in equal if value is not None)]


def day_of(moment: datetime) -> tuple[datetime, datetime]:
    """When the Shanghai day of a moment begins, and when the next one does."""
    start = datetime.combine(moment.astimezone(SHANGHAI).date(), time(), SHANGHAI)
    return start, start + timedelta(days=1)


def _is_unassigned() -> ColumnElement[bool]:
    return and_(Case.staff_id.is_(None), Case.team_id.is_(None))


def _is_due(start: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    if start is None and end is None:
        return []
    bounds = [] if start is None else [Case.due_at >= start]
    bounds += [] if end is None else [Case.due_at < end]
    return [*bounds, Case.waiting_for_member_since.is_(None)]


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    """The deadline of a case that waits for its member stands still."""
    return and_(Case.closed_at.is_(None), Case.due_at < now, Case.waiting_for_member_since.is_(None))


def _tail(text: str) -> str:
    """The tail of a case number as it is stored: ``JN-yyyymmdd-ssss-c``; raises BadInput."""
    digits = "".join(mark for mark in text.upper().removeprefix("JN") if mark not in "- ")
    if not (1 <= len(digits) <= 13 and digits.isascii() and digits.isdigit()):
        raise BadInput("the tail of a case number is 1 to 13 digits", field="number")
    parts = [digits[:-5], digits[-5:-1], digits[-1]]
    return "-".join(part for part in parts if part)


def _order(query: CaseQuery) -> Order:
    """Only open cases are kept in the order of how pressing they are."""
    return Order.NEWEST if query.order is Order.PRESSING and not query.open_only else query.order


def _order_by(query: CaseQuery) -> list[ColumnElement[Any]]:
    match _order(query):
        case Order.PRESSING:
            # It is NULL for all of them; without it PostgreSQL does not see that the index has this order.
            return [Case.closed_at.asc(), Case.priority.asc(), Case.opened_at.asc(), Case.id.asc()]
        case Order.NEWEST:
            return [Case.opened_at.desc(), Case.id.desc()]
        case Order.DUE:
            return [Case.due_at.asc().nulls_last(), Case.id.asc()]


def _after(query: CaseQuery) -> ColumnElement[bool]:
    """What comes after the cursor's row; raises BadInput for a cursor that is not this order's."""
    try:
        order, *key = json.loads(base64.urlsafe_b64decode((query.cursor or "").encode("ascii")))
        if order != _order(query).value:
            raise ValueError("another order")
        return _after_key(_order(query), key)
    except (ValueError, TypeError, IndexError) as error:
        raise BadInput("not a cursor of this list", field="cursor") from error


def _after_key(order: Order, key: list[Any]) -> ColumnElement[bool]:
    case_id = literal(str(key[-1]))
    match order:
        case Order.PRESSING:
            here = tuple_(literal(int(key[0])), _moment(key[1]), case_id)
            return tuple_(Case.priority, Case.opened_at, Case.id) > here
        case Order.NEWEST:
            return tuple_(Case.opened_at, Case.id) < tuple_(_moment(key[0]), case_id)
        case Order.DUE if key[0] is None:
            return and_(Case.due_at.is_(None), Case.id > case_id)
        case Order.DUE:
            later = tuple_(Case.due_at, Case.id) > tuple_(_moment(key[0]), case_id)
            return or_(later, Case.due_at.is_(None))


def _moment(text: object) -> ColumnElement[datetime]:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return literal(moment, UtcDateTime())


def _cursor(query: CaseQuery, row: CaseRow) -> str:
    order = _order(query)
    keys: dict[Order, list[Any]] = {
        Order.PRESSING: [row.priority.value, _iso(row.opened_at), row.id],
        Order.NEWEST: [_iso(row.opened_at), row.id],
        Order.DUE: [_iso(row.due_at), row.id],
    }
    key = keys[order]
    return base64.urlsafe_b64encode(json.dumps([order.value, *key]).encode()).decode()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _row(row: Row[Any], now: datetime) -> CaseRow:
    facts: dict[str, Any] = row.facts or {}
    story = MASKED.text(" ".join(str(facts.get("story") or "").split()))
    overdue = (
        row.closed_at is None
        and row.waiting_for_member_since is None
        and row.due_at is not None
        and row.due_at < now
    )
    return CaseRow(
        id=row.id,
        number=row.number,
        case_type=row.case_type,
        topic=row.topic,
        district=row.district,
        state=row.state,
        priority=Priority(row.priority),
        urgent=row.urgent,
        risks=[str(risk) for risk in row.risks],
        anonymous=row.anonymous,
        name=MASKED.name(facts.get("person_name")),
        phone=MASKED.phone(facts.get("phone")),
        gist=story if len(story) <= GIST else f"{story[:GIST]}…",
        staff_id=row.staff_id,
        staff_name=row.display_name,
        team_id=row.team_id,
        team_name=row.team_name,
        conversation_id=row.conversation_id,
        due_at=row.due_at,
        overdue=overdue,
        waiting_for_member=row.waiting_for_member_since is not None,
        supervised=row.supervised_at is not None,
        merged=row.merged_into_id is not None,
        urged_count=row.urged_count,
        reopened_count=row.reopened_count,
        rating=row.rating,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
    )


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        case Priority():
            return value.name.lower()
        case bool():
            return str(int(value))
        case StrEnum():
            return value.value
        case _:
            return str(value)
