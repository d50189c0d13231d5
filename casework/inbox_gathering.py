"""Inbox gathering: puts what was misunderstood into the inbox, messages that say nearly the same together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry, suggestions
from casework.inbox_finding import Found, Look, find
from casework.inbox_grouping import GroupIndex
from casework.inbox_rules import InboxRules
from casework.tables import (
    Decision,
    GroupState,
    InboxGroup,
    InboxMessage,
    InboxReason,
    Message,
    ModelVersion,
    TrainingJob,
)

MOST_GUESSES = 3
OUT_OF_SCOPE = "out_of_scope"
_LOCK = 7205759403792795
"""PostgreSQL's advisory lock: gatherers take turns, or two would begin the same group at once."""
_CHUNK = 500

Guesses = Sequence[tuple[str, float]]
"""What a model makes of some words: (intent, probability), the likeliest first."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Gathered: how many messages came in new, how many got new reasons, and how many groups began."""

    messages: int = 0
    updated: int = 0
    groups: int = 0

    def __add__(self, other: Gathered) -> Gathered:
        return Gathered(
            self.messages + other.messages, self.updated + other.updated, self.groups + other.groups
        )


async def gather(
    session: AsyncSession,
    rules: InboxRules,
    now: datetime,
    *,
    guesses: Mapping[int, Guesses] | None = None,
    last: Look | None = None,
    limit: int = 500,
) -> Gathered:
    """Find what is worth a look and put it in, in one go; a second time nothing happens."""
    found, _ = await find(session, rules, now, last=last, limit=limit)
    return await put(session, found, rules, now, guesses)


async def put(
    session: AsyncSession,
    found: Iterable[Found],
    rules: InboxRules,
    now: datetime,
    guesses: Mapping[int, Guesses] | None = None,
) -> Gathered:
    """Put messages into the inbox: each once, into the group that says nearly the same or one of its own.

    A message that is there already only gets new reasons. ``guesses`` by message, where a model was asked;
    without them the reading stored with the message is the only one. Gatherers at once take turns.
    """
    found = [one for one in found if one.reasons or _close((guesses or {}).get(one.message_id, ()), rules)]
    if not found:
        return Gathered()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    shelf = await _Shelf.read(session, found)
    return await shelf.take(found, rules, now, guesses or {})


def _close(guesses: Guesses, rules: InboxRules) -> bool:
    return len(guesses) > 1 and guesses[0][1] - guesses[1][1] < rules.close


@dataclass(slots=True)
class _Shelf:
    """The inbox as a gathering knows it."""

    session: AsyncSession
    index: GroupIndex
    known: dict[int, InboxMessage]
    alive: set[int]
    live: ModelVersion | None
    taught_at: datetime | None
    """Until when a decision could be learnt by the version that answers now."""

    @classmethod
    async def read(cls, session: AsyncSession, found: Sequence[Found]) -> _Shelf:
        """Everything there is, and what is known of these messages."""
        ids = [one.message_id for one in found]
        known: dict[int, InboxMessage] = {}
        alive: set[int] = set()
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            there = await session.scalars(
                select(InboxMessage)
                .where(InboxMessage.message_id.in_(chunk))
                .execution_options(populate_existing=True)
            )
            known |= {one.message_id: one for one in there}
            # What was forgotten since it was found is left out.
            said = select(Message.id).where(Message.id.in_(chunk), Message.text.is_not(None))
            alive |= set(await session.scalars(said))
        rows = await session.execute(select(InboxGroup.id, InboxGroup.text).order_by(InboxGroup.id))
        live = await model_registry.live(session)
        taught_at = None if live is None else live.created_at
        if live is not None and live.job_id is not None:
            job = await session.get(TrainingJob, live.job_id)
            taught_at = taught_at if job is None or job.started_at is None else job.started_at
        return cls(session, GroupIndex((row.id, row.text) for row in rows), known, alive, live, taught_at)

    async def take(
        self, found: Sequence[Found], rules: InboxRules, now: datetime, guesses: Mapping[int, Guesses]
    ) -> Gathered:
        new = updated = begun = 0
        for one in found:
            if one.message_id not in self.alive:
                continue
            guessed = _named(guesses.get(one.message_id, ()), rules) or _named(_as_read(one), rules)
            reasons = set(one.reasons)
            if _close(guessed, rules):
                reasons.add(InboxReason.CLOSE_TOPICS)
            message = self.known.get(one.message_id)
            group = None if message is None else await self._group_of(message)
            stays = group is not None and not _otherwise(group, one)
            if group is None or not stays:
                group_before = await self._group_for(one)
                begun += group_before is None
                if group is not None:
                    group.size -= 1
                group = group_before or await self._begin(one, guessed, now)
                group.size += 1
                group.last_seen_at = now
            if message is None:
                new += 1
                self._add(group, one, reasons, now)
            else:
                updated += 1
                message.group_id = group.id
                message.reasons = _in_order({*map(InboxReason, message.reasons), *reasons})
                message.should_intent = one.should_intent or message.should_intent
            if one.should_intent is not None and one.should_intent == _decided(group):
                await suggestions.settle_as_decided(self.session, one.message_id, now)
            _rank(group, one, guessed, reasons, rules)
        await self.session.flush()
        return Gathered(new, updated, begun)

    async def _begin(self, one: Found, guessed: list[tuple[str, float]], now: datetime) -> InboxGroup:
        group = InboxGroup(
            text=one.text,
            guesses=[[intent, round(share, 4)] for intent, share in guessed],
            size=0,
            uncertainty=0.0,
            harm=0.0,
            score=0.0,
            created_at=now,
            last_seen_at=now,
        )
        self.session.add(group)
        await self.session.flush()
        self.index.add(group.id, one.text)
        return group

    def _add(self, group: InboxGroup, one: Found, reasons: set[InboxReason], now: datetime) -> None:
        message = InboxMessage(
            message_id=one.message_id,
            group_id=group.id,
            reasons=_in_order(reasons),
            seen_intent=one.intent,
            seen_confidence=one.confidence,
            model=one.model,
            should_intent=one.should_intent,
            created_at=now,
        )
        self.session.add(message)
        self.known[one.message_id] = message

    async def _group_of(self, message: InboxMessage) -> InboxGroup:
        return await self.session.get_one(InboxGroup, message.group_id, with_for_update=True)

    async def _group_for(self, one: Found) -> InboxGroup | None:
        """The group of the same words: an undecided one, else the one decided last where that still holds."""
        decided: list[InboxGroup] = []
        for group_id in self.index.like(one.text):
            group = await self.session.get(InboxGroup, group_id, with_for_update=True)
            if group is None:
                continue
            if group.state is not GroupState.SETTLED:
                return group
            decided.append(group)
        if not decided:
            return None
        latest = max(decided, key=lambda group: group.id)
        return None if self._asks_again(latest, one) else latest

    def _asks_again(self, group: InboxGroup, one: Found) -> bool:
        """Whether a decision must be looked at anew.

        The hotline says something else; or the live model had the time to learn it, and still gets it wrong.
        """
        if _otherwise(group, one):
            return True
        decided = _decided(group)
        if decided is None or self.live is None or self.taught_at is None or group.settled_at is None:
            return False
        had_time = one.model == self.live.name and group.settled_at < self.taught_at
        wrong = one.intent != decided or (not one.accepted and decided != OUT_OF_SCOPE)
        return had_time and wrong


def _decided(group: InboxGroup) -> str | None:
    """The intent a settled group is learnt as, if any."""
    return OUT_OF_SCOPE if group.decision is Decision.OUT_OF_SCOPE else group.intent


def _otherwise(group: InboxGroup, one: Found) -> bool:
    """Whether the hotline says another intent than what was decided."""
    settled = group.state is GroupState.SETTLED
    return settled and one.should_intent is not None and one.should_intent != _decided(group)


def _rank(
    group: InboxGroup,
    one: Found,
    guessed: Guesses,
    reasons: set[InboxReason],
    rules: InboxRules,
) -> None:
    group.uncertainty = max(group.uncertainty, rules.uncertainty(one.confidence, one.accepted, reasons))
    group.harm = max(group.harm, rules.harm([*(name for name, _ in guessed[:1]), one.should_intent]))
    group.score = group.uncertainty * group.size * group.harm


def _named(guesses: Guesses, rules: InboxRules) -> list[tuple[str, float]]:
    """The guesses somebody could choose: nlu_fallback is none."""
    chosen = [
        (name, share) for name, share in guesses if name in rules.intents and rules.intents[name].trained
    ]
    return chosen[:MOST_GUESSES]


def _as_read(one: Found) -> list[tuple[str, float]]:
    return [] if one.intent is None else [(one.intent, one.confidence or 0.0)]


def _in_order(reasons: set[InboxReason]) -> list[Any]:
    return [reason.value for reason in InboxReason if reason in reasons]
