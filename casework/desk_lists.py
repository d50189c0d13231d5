"""Desk lists: the queue as staff see it (waiting, mine, my team's, all), masked, and the filters they keep.

Everything asks the few conversations that are not the bot's, by ``ix_conversations_queue``; the closed ones,
however many, are never looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casework.desk_feed import BOT_URGENT_FOR, Stamp, stamps, urgent_with_the_bot
from casework.errors import BadInput, NotFound
from casework.tables import (
    Audience,
    Author,
    Channel,
    Conversation,
    Member,
    Message,
    Owner,
    Priority,
    SavedFilter,
    Staff,
)
from casework.visibility import MASKED

FIRST_WORDS = 40
"""Characters of the member's latest message that the queue shows."""
MAX_FILTERS = 20
MAX_FILTER_NAME = 30


class Tab(StrEnum):
    """One view of the queue."""

    WAITING = "waiting"
    MINE = "mine"
    TEAM = "team"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """A question to the queue; None: whatever it is."""

    tab: Tab = Tab.WAITING
    topic: str | None = None
    district: str | None = None
    channel: Channel | None = None
    priority: Priority | None = None

    @classmethod
    def read(cls, values: Mapping[str, object]) -> QueueQuery:
        """A question as an address or a saved filter holds it; raises BadInput for what is none."""
        try:
            channel, priority = values.get("channel"), values.get("priority")
            return cls(
                tab=Tab(str(values.get("tab") or Tab.WAITING)),
                topic=_short(values.get("topic"), 60),
                district=_short(values.get("district"), 40),
                channel=Channel(str(channel)) if channel not in (None, "") else None,
                priority=Priority(int(str(priority))) if priority not in (None, "") else None,
            )
        except ValueError as error:
            raise BadInput("no such view of the queue", field="filter") from error

    def values(self) -> dict[str, str]:
        """The question for an address: only what is asked for, the tab always."""
        return {
            name: str(int(value)) if isinstance(value, Priority) else str(value)
            for name, value in asdict(self).items()
            if value is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One conversation in the queue, masked for everybody."""

    id: str
    name: str | None
    said: str
    """The first words of the member's latest message; empty when it has none."""
    files: bool
    located: bool
    topic: str | None
    district: str | None
    channel: Channel
    owner: Owner
    worker: str | None
    """Who has it, or had it last while it is wrapped up."""
    mine: bool
    priority: Priority
    risks: Sequence[str]
    urgent_reason: str | None
    waiting_since: datetime | None
    """When the wait began: with the oldest word that no human answered, else with joining the queue."""
    last_message_at: datetime
    last_author: Author | None
    reserved_for_me: bool
    reserved_for: str | None
    for_supervisor: bool
    warned: bool
    breached: bool
    held_until: datetime | None
    snoozed_until: datetime | None
    blocked: bool
    unread: bool
    """Its worker owes an answer."""


async def queue_rows(
    session: AsyncSession, query: QueueQuery, staff: Staff, now: datetime, limit: int = 100
) -> list[QueueRow]:
    """The conversations of a view, most pressing first, then who waits longest; two queries."""
    worker, reserved = aliased(Staff), aliased(Staff)
    statement = (
        select(
            Conversation,
            Member.name,
            worker.display_name,
            reserved.display_name,
            _latest(Message.author == Author.MEMBER).label("said"),
            _latest(Message.audience == Audience.MEMBER).label("newest"),
        )
        .join(Member, Member.id == Conversation.member_id)
        .outerjoin(worker, worker.id == Conversation.staff_id)
        .outerjoin(reserved, reserved.id == Conversation.reserved_for_id)
        .where(*_conditions(query, staff, now))
        .order_by(*_order(now))
        .limit(limit)
    )
    found = (await session.execute(statement)).all()
    wanted = {message_id for row in found for message_id in (row.said, row.newest) if message_id is not None}
    known = {one.id: one for one in await session.scalars(select(Message).where(Message.id.in_(wanted)))}
    return [
        _row(
            conversation,
            name=name,
            worker=worker_name,
            reserved=reserved_name,
            said=known.get(said),
            newest=known.get(newest),
            staff=staff,
            now=now,
        )
        for conversation, name, worker_name, reserved_name, said, newest in found
    ]


async def queue_counts(session: AsyncSession, staff: Staff, now: datetime) -> dict[Tab, int]:
    """How many conversations each view holds for this member of staff; one query."""
    return counts_of(await stamps(session, now), staff, now)


def counts_of(found: Collection[Stamp], staff: Staff, now: datetime) -> dict[Tab, int]:
    """As ``queue_counts``, of conversations already read."""
    return Tally(found, now).of(staff)


class Tally:
    """Tally: the counts of every view, for any number of staff; each conversation is looked at once.

    Says the same as ``in_tab``.
    """

    def __init__(self, found: Iterable[Stamp], now: datetime) -> None:
        self._waiting = self._all = self.urgent = 0
        self._mine: Counter[int | None] = Counter()
        self._teams: Counter[int | None] = Counter()
        self._unread: Counter[int | None] = Counter()
        for one in found:
            queued = one.owner is Owner.QUEUED
            self._mine.update({one.staff_id, one.reserved_for_id if queued else None})
            if queued:
                self._waiting += 1
                self.urgent += one.priority < Priority.NORMAL
            if one.owner is Owner.HUMAN and one.waiting_since is not None:
                self._unread[one.staff_id] += 1
            if one.owner is not Owner.BOT:
                self._all += 1
                self._teams[one.team_id] += 1
            else:
                self._all += one.priority < Priority.NORMAL and one.last_message_at > now - BOT_URGENT_FOR

    def of(self, staff: Staff) -> dict[Tab, int]:
        """How many conversations each view holds for this member of staff."""
        team = 0 if staff.team_id is None else self._teams[staff.team_id]
        return {
            Tab.WAITING: self._waiting,
            Tab.MINE: self._mine[staff.id],
            Tab.TEAM: team,
            Tab.ALL: self._all,
        }

    def unread(self, staff: Staff) -> int:
        """In how many conversations this member of staff owes an answer."""
        return self._unread[staff.id]


def in_tab(one: Stamp, tab: Tab, staff: Staff, now: datetime) -> bool:
    """Whether a conversation belongs in a view; says the same as the view's query."""
    match tab:
        case Tab.WAITING:
            return one.owner is Owner.QUEUED
        case Tab.MINE:
            return one.staff_id == staff.id or (one.owner is Owner.QUEUED and one.reserved_for_id == staff.id)
        case Tab.TEAM:
            return one.owner is not Owner.BOT and staff.team_id is not None and one.team_id == staff.team_id
        case Tab.ALL:
            return one.owner is not Owner.BOT or (
                one.priority < Priority.NORMAL and one.last_message_at > now - BOT_URGENT_FOR
            )


async def list_filters(session: AsyncSession, staff: Staff) -> list[SavedFilter]:
    """The filters a member of staff keeps, the oldest first."""
    found = await session.scalars(
        select(SavedFilter).where(SavedFilter.staff_id == staff.id).order_by(SavedFilter.id)
    )
    return list(found)


async def save_filter(
    session: AsyncSession, staff: Staff, name: str, query: QueueQuery, now: datetime
) -> SavedFilter:
    """Keep a question to the queue under a name; the same name again replaces it.

    Raises BadInput for a name of none or more than 30 characters, and for a twenty-first filter.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_FILTER_NAME:
        raise BadInput("a name of 1 to 30 characters", field="name", limit=MAX_FILTER_NAME)
    kept = await list_filters(session, staff)
    known = next((one for one in kept if one.name == name), None)
    if known is not None:
        known.query = query.values()
        return known
    if len(kept) >= MAX_FILTERS:
        raise BadInput("too many filters", field="filters", limit=MAX_FILTERS)
    saved = SavedFilter(staff_id=staff.id, name=name, query=query.values(), created_at=now)
    session.add(saved)
    await session.flush()
    return saved


async def delete_filter(session: AsyncSession, staff: Staff, filter_id: int) -> None:
    """Forget a filter; raises NotFound for one that is not this member of staff's."""
    found = await session.get(SavedFilter, filter_id)
    if found is None or found.staff_id != staff.id:
        raise NotFound("no such filter")
    await session.delete(found)


def _conditions(query: QueueQuery, staff: Staff, now: datetime) -> list[ColumnElement[bool]]:
    conditions = [_of_tab(query.tab, staff, now)]
    if query.topic is not None:
        conditions.append(
            Conversation.last_topic.startswith(query.topic, autoescape=True)
            if query.topic.endswith(".")
            else Conversation.last_topic == query.topic
        )
    if query.district is not None:
        conditions.append(Conversation.district == query.district)
    if query.channel is not None:
        conditions.append(Conversation.channel == query.channel)
    if query.priority is not None:
        conditions.append(Conversation.priority <= query.priority.value)
    return conditions


def _of_tab(tab: Tab, staff: Staff, now: datetime) -> ColumnElement[bool]:
    with_humans = Conversation.owner.in_([Owner.QUEUED, Owner.HUMAN, Owner.WRAP_UP])
    match tab:
        case Tab.WAITING:
            return Conversation.owner == Owner.QUEUED
        case Tab.MINE:
            return and_(
                with_humans,
                or_(
                    Conversation.staff_id == staff.id,
                    and_(Conversation.owner == Owner.QUEUED, Conversation.reserved_for_id == staff.id),
                ),
            )
        case Tab.TEAM:
            if staff.team_id is None:
                return false()
            return and_(with_humans, Conversation.team_id == staff.team_id)
        case Tab.ALL:
            return or_(with_humans, urgent_with_the_bot(now))


def _order(now: datetime) -> list[ColumnElement[Any]]:
    put_aside = case((Conversation.snoozed_until > now, 1), else_=0)
    since = func.coalesce(Conversation.waiting_since, Conversation.queued_at)
    return [
        put_aside.asc(),
        Conversation.priority.asc(),
        case((since.is_(None), 1), else_=0).asc(),
        since.asc(),
        Conversation.last_message_at.desc(),
        Conversation.id.asc(),
    ]


def _latest(condition: ColumnElement[bool]) -> Any:
    """The id of a conversation's latest message of a kind, found backwards along its index."""
    newest = (
        select(Message.id)
        .where(Message.conversation_id == Conversation.id, condition)
        .order_by(Message.id.desc())
        .limit(1)
        .correlate(Conversation)
    )
    return newest.scalar_subquery()


def _row(
    conversation: Conversation,
    *,
    name: str | None,
    worker: str | None,
    reserved: str | None,
    said: Message | None,
    newest: Message | None,
    staff: Staff,
    now: datetime,
) -> QueueRow:
    content: Mapping[str, Any] = (said.content if said else None) or {}
    return QueueRow(
        id=conversation.id,
        name=MASKED.name(name),
        said=_first_words(said),
        files=bool(content.get("attachments")),
        located="location" in content,
        topic=conversation.last_topic,
        district=conversation.district,
        channel=conversation.channel,
        owner=conversation.owner,
        worker=worker,
        mine=conversation.staff_id == staff.id,
        priority=Priority(conversation.priority),
        risks=tuple(conversation.risks or ()),
        urgent_reason=conversation.urgent_reason if conversation.urgent else None,
        waiting_since=conversation.waiting_since or conversation.queued_at,
        last_message_at=conversation.last_message_at,
        last_author=newest.author if newest else None,
        reserved_for_me=conversation.reserved_for_id == staff.id,
        reserved_for=reserved,
        for_supervisor=conversation.for_supervisor,
        warned=conversation.warned_at is not None,
        breached=conversation.breached_at is not None,
        held_until=_still(conversation.held_until, now),
        snoozed_until=_still(conversation.snoozed_until, now),
        blocked=_still(conversation.blocked_until, now) is not None,
        unread=conversation.owner is Owner.HUMAN and conversation.waiting_since is not None,
    )


def _first_words(message: Message | None) -> str:
    # Masked before it is cut: half a phone number would not be known for one.
    words = " ".join(MASKED.text(message.text).split()) if message else ""
    return words if len(words) <= FIRST_WORDS else f"{words[: FIRST_WORDS - 1]}…"


def _still(until: datetime | None, now: datetime) -> datetime | None:
    return until if until is not None and until > now else None


def _short(value: object, most: int) -> str | None:
    text = str(value) if value is not None else ""
    if len(text) > most or not text.isprintable():
        raise ValueError("too long")
    return text or None
