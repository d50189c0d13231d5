"""Search: conversations and cases by name, phone tail, case number and words, although all is encrypted.

Terms lead to candidates, the newest first; each is then decrypted and looked at, because two records may
have the same pairs of characters and not the same words. Results are ids only: whoever shows them masks
them (``casework.visibility``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from casework.search_fields import Field, fields_of
from casework.search_index import index_again, index_case, index_member, index_message, reindex
from casework.search_query import Choices, Route, Word, read_query
from casework.search_terms import Kind, digits_of, fold, forget
from casework.tables import Case, Conversation, Member, SearchTerm

__all__ = [
    "Found",
    "Kind",
    "Results",
    "find",
    "forget",
    "index_again",
    "index_case",
    "index_member",
    "index_message",
    "reindex",
]

MAX_LOOKED_AT = 300
"""How many records of a kind are decrypted for one query."""
_CHUNK = 30
_RARE = 2000
"""A term of at most this many records is looked up; a more common one is met soon enough on the way back."""
_VERY_RARE = 100
"""Terms are counted this far first: one so rare is enough, and counting takes time too."""
_WINDOWS = (500, 2_000, 8_000)
"""How far back, in records, a query of common words only looks; one after the other."""
_PAIRS_ASKED = 6

Chunk = tuple[list[tuple[str, datetime]], bool]
"""Some candidates, and whether they are the last of all there are."""


@dataclass(frozen=True, slots=True)
class Found:
    """Found: one conversation or case that holds every word of a query."""

    kind: str
    """conversation or case."""
    id: str
    at: datetime
    """When the conversation's last message was written, or the case opened."""
    why: str
    """What matched: name, phone, number or text (the first of these that any word matched)."""


@dataclass(frozen=True, slots=True)
class Results:
    """Results: the newest hits of a query, the newest first."""

    found: Sequence[Found]
    complete: bool
    """False: only the newest were looked at or shown, there may be older ones."""


_MODELS: dict[Kind, type[Conversation | Case]] = {Kind.CONVERSATION: Conversation, Kind.CASE: Case}
_PARTS = ("name", "phone", "number", "text")


async def find(session: AsyncSession, query: str, now: datetime, *, limit: int = 20) -> Results:
    """The newest ``limit`` conversations and cases that hold every word of a query, or whose member does.

    A word is two characters or more of a name or a text, or the last four digits or more of a phone or a
    case number; a case number may also be written whole or from its day on. Single characters beside
    longer words only narrow the hits. Raises BadInput (``field="query"``) with ``reason`` short, long or
    many. Nothing is found that was said after ``now``.
    """
    words = read_query(query)
    known: list[set[str]] = []
    complete = True
    for word in words:
        members, all_of_them = await _members(session, word)
        known.append(members)
        complete = complete and all_of_them
    found: list[Found] = []
    for kind in _MODELS:
        hits, all_of_them = await _hits(session, kind, words, known, now, limit)
        found += hits
        complete = complete and all_of_them
    found.sort(key=lambda hit: (hit.at, hit.id), reverse=True)
    return Results(found[:limit], complete and len(found) <= limit)


# ---- candidates


async def _members(session: AsyncSession, word: Word) -> tuple[set[str], bool]:
    """The members (the newest 300) whose name or phone matches a word, and whether that is all of them."""
    routes = word.routes(Kind.MEMBER)
    if not routes:
        return set(), True
    leads = [and_(*(Member.id.in_(_refs(Kind.MEMBER, terms)) for terms in route)) for route in routes]
    rows = (
        await session.execute(
            select(Member.id, Member.name, Member.phone)
            .where(or_(*leads))
            .order_by(Member.created_at.desc(), Member.id)
            .limit(MAX_LOOKED_AT + 1)
        )
    ).all()
    matching = {
        member_id
        for member_id, name, phone in rows[:MAX_LOOKED_AT]
        if any(
            word.in_field(field)
            for field in (Field("name", fold(name or "")), Field("phone", digits_of(phone or "")))
        )
    }
    return matching, len(rows) <= MAX_LOOKED_AT


async def _hits(
    session: AsyncSession,
    kind: Kind,
    words: Sequence[Word],
    known: Sequence[set[str]],
    now: datetime,
    limit: int,
) -> tuple[list[Found], bool]:
    """The newest records of a kind that hold every word, and whether there are no others."""
    hits: dict[str, Found] = {}
    complete = True
    for source in await _sources(session, kind, words, known, now):
        ended, of_this, looked_at = False, 0, 0
        async for chunk, last in source:
            ended = last
            fields = await fields_of(session, kind, [ref for ref, _ in chunk])
            for ref, at in chunk:
                why = _why(words, fields.get(ref, []))
                if why is not None:
                    hits[ref] = Found(kind.value, ref, at, why)
                    of_this += 1
            looked_at += len(chunk)
            if of_this > limit or looked_at >= MAX_LOOKED_AT:
                break
        complete = complete and ended
    return list(hits.values()), complete


def _why(words: Sequence[Word], fields: Sequence[Field]) -> str | None:
    """The first of name, phone, number and text that any word matched; None unless all words did."""
    parts = [{field.part for field in fields if word.in_field(field)} for word in words]
    if not all(parts):
        return None
    return next(part for part in _PARTS if any(part in matched for matched in parts))


async def _sources(
    session: AsyncSession, kind: Kind, words: Sequence[Word], known: Sequence[set[str]], now: datetime
) -> list[AsyncIterator[Chunk]]:
    """Where records that may hold every word come from, each the newest first, in chunks; with the last it
    is said whether nothing older is left.

    What a rare term leads to is looked up. Where every word may also stand in records that only common
    terms lead to (工资, or four digits in some text), the newest records are gone through as well.
    """
    asked = [
        (word, ids, word.routes(kind)) for word, ids in zip(words, known, strict=True) if len(word.text) >= 2
    ]
    counts = await _counts(session, kind, [route for _, _, routes in asked for route in routes])
    conditions = [_matches(kind, word, ids, counts) for word, ids, _ in asked]
    leads: list[list[Select[str]]] = []
    costs: list[int] = []
    for word, ids, routes in asked:
        leads.append(_leads(kind, word, ids, counts))
        costs.append(len(ids) + sum(min(counts[terms] for terms in route) for route in routes))
    rare = [
        at
        for at, (_, _, routes) in enumerate(asked)
        if all(min(counts[terms] for terms in route) <= _RARE for route in routes)
    ]
    if rare:
        return [_looked_up(session, kind, leads[min(rare, key=costs.__getitem__)], conditions, now)]
    return [
        _looked_up(session, kind, [lead for each in leads for lead in each], conditions, now),
        _on_the_way_back(session, kind, conditions, now),
    ]


async def _looked_up(
    session: AsyncSession,
    kind: Kind,
    leads: Sequence[Select[str]],
    conditions: Sequence[ColumnElement[bool]],
    now: datetime,
) -> AsyncIterator[Chunk]:
    """Of the records that these leads name those that meet the conditions."""
    model, at = _model(kind)
    rows = []
    if leads:
        statement = (
            select(model.id, at)
            .where(model.id.in_(union(*leads)), at <= now, *conditions)
            .order_by(at.desc(), model.id.desc())
            .limit(MAX_LOOKED_AT + 1)
        )
        rows = [(row[0], row[1]) for row in await session.execute(statement)]
    for chunk in _chunks(rows, last=len(rows) <= MAX_LOOKED_AT):
        yield chunk


async def _on_the_way_back(
    session: AsyncSession, kind: Kind, conditions: Sequence[ColumnElement[bool]], now: datetime
) -> AsyncIterator[Chunk]:
    """Of the newest records those that meet the conditions, window after window."""
    model, at = _model(kind)
    before: tuple[datetime, str] | None = None
    for size in _WINDOWS:
        window = select(model.id, at).where(at <= now)
        if before is not None:
            window = window.where(or_(at < before[0], and_(at == before[0], model.id < before[1])))
        window = window.order_by(at.desc(), model.id.desc()).limit(size)
        recent = window.subquery()
        edge = (await session.execute(window.offset(size - 1).limit(1))).first()
        rows = await session.execute(
            select(model.id, at)
            .where(model.id.in_(select(recent.c.id)), *conditions)
            .order_by(at.desc(), model.id.desc())
            .limit(MAX_LOOKED_AT + 1)
        )
        for chunk in _chunks([(row[0], row[1]) for row in rows], last=edge is None):
            yield chunk
        if edge is None:
            return
        before = (edge[1], edge[0])


def _chunks(rows: Sequence[tuple[str, datetime]], *, last: bool) -> list[Chunk]:
    starts = range(0, max(len(rows), 1), _CHUNK)
    return [(list(rows[start : start + _CHUNK]), last and start == starts[-1]) for start in starts]


async def _counts(session: AsyncSession, kind: Kind, routes: Sequence[Route]) -> dict[Choices, int]:
    """How many records have each term, counted no further than what is rare."""
    asked = list(dict.fromkeys(terms for route in routes for terms in route))
    found: dict[Choices, int] = {}
    for enough in (_VERY_RARE, _RARE):
        counts = [
            select(func.count())
            .select_from(_refs(kind, terms).limit(enough + 1).subquery())
            .scalar_subquery()
            for terms in asked
        ]
        found = dict(zip(asked, (await session.execute(select(*counts))).one(), strict=True))
        if all(min(found[terms] for terms in route) <= enough for route in routes):
            break
    return found


def _refs(kind: Kind, terms: Choices) -> Select[str]:
    return select(SearchTerm.ref).where(SearchTerm.term.in_(terms), SearchTerm.kind == kind.value)


def _matches(
    kind: Kind, word: Word, members: Collection[str], counts: dict[Choices, int]
) -> ColumnElement[bool]:
    """That a record has the rarest terms of one of the word's routes, or is one of these members'.

    The offset keeps PostgreSQL from reading everything a common term leads to: it looks a pair of term and
    record up for each candidate instead.
    """
    model, _ = _model(kind)
    ways: list[ColumnElement[bool]] = [
        and_(
            *(
                exists(_refs(kind, terms).where(SearchTerm.ref == model.id).offset(0))
                for terms in sorted(route, key=lambda terms: counts[terms])[:_PAIRS_ASKED]
            )
        )
        for route in word.routes(kind)
    ]
    if members:
        ways.append(model.member_id.in_(members))
    if kind is Kind.CASE and (numbered := word.numbered()) is not None:
        ways.append(numbered)
    return or_(false(), *ways)


def _leads(kind: Kind, word: Word, members: Collection[str], counts: dict[Choices, int]) -> list[Select[str]]:
    """The records that the rarest term of each of a word's routes leads to, if it is rare; these members'."""
    model, _ = _model(kind)
    rarest = [min(route, key=lambda terms: counts[terms]) for route in word.routes(kind)]
    ways = [_refs(kind, terms) for terms in rarest if counts[terms] <= _RARE]
    if members:
        ways.append(select(model.id).where(model.member_id.in_(members)))
    if kind is Kind.CASE and (numbered := word.numbered()) is not None:
        ways.append(select(Case.id).where(numbered))
    return ways


def _model(kind: Kind) -> tuple[type[Conversation | Case], InstrumentedAttribute[datetime]]:
    """The records of a kind, and what says which of them are newer."""
    if kind is Kind.CASE:
        return Case, Case.opened_at
    return Conversation, Conversation.last_message_at
