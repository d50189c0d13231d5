"""Search: conversations and cases by name, phone tail, case number and words, although all is encrypted.

Terms lead to candidates, the newest first; each is then decrypted and looked at, because two records may
have the same pairs of characters and not the same words. Results are ids only: whoever shows them masks
them (``casework.visibility``).
"""

from __future__ import annotations

import re
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

from casework.crypto import current_cipher
from casework.errors import BadInput
from casework.search_fields import Field, fields_of
from casework.search_index import index_again, index_case, index_member, index_message, reindex
from casework.search_terms import (
    LONGEST_NUMBER_TAIL,
    LONGEST_PHONE,
    SHORTEST_TAIL,
    Kind,
    Use,
    digits_of,
    fold,
    forget,
)
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

MAX_QUERY = 60
MAX_WORDS = 6
MAX_LOOKED_AT = 300
"""How many records of a kind are decrypted for one query."""
_CHUNK = 30
_RARE = 2000
"""A term of at most this many records is looked up; a more common one is met soon enough on the way back."""
_WINDOWS = (500, 2_000, 8_000, 20_000)
"""How far back, in records, a query of common words only looks."""
_PAIRS_ASKED = 6

Choices = tuple[int, ...]
"""One term, under each key it may have been made with."""
Route = tuple[Choices, ...]
"""The terms that a record found this way has, all of them."""


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


@dataclass(frozen=True, slots=True)
class Word:
    """Word: one part of a query; a record must hold every one of them."""

    text: str
    digits: str = ""
    """What may be (the end of) a phone or a case number: four digits or more."""

    def in_field(self, field: Field) -> bool:
        """Whether a record's field holds it; phones are matched at their end, numbers at either end."""
        if field.part == "phone":
            return bool(self.digits) and field.text.endswith(self.digits)
        if field.part == "number":
            at_start = field.text.startswith(self.digits) and len(self.digits) >= _DAY_DIGITS
            return bool(self.digits) and (at_start or field.text.endswith(self.digits))
        return self.text in field.text

    def routes(self, kind: Kind) -> list[Route]:
        """The ways that may lead to a record of this kind; none for a single character."""
        text = _TEXTS[kind]
        ways = [_route(text, [self.text[at : at + 2] for at in range(len(self.text) - 1)])]
        if self.digits and kind in _PHONES and len(self.digits) <= LONGEST_PHONE:
            ways.append(_route(_PHONES[kind], [self.digits]))
        if self.digits and kind is Kind.CASE:
            ways.append(_route(Use.CASE_NUMBER, [self.digits[-LONGEST_NUMBER_TAIL:]]))
        return [way for way in ways if way]

    def numbered(self) -> ColumnElement[bool] | None:
        """The cases whose number begins like this; None when no number does."""
        if len(self.digits) < _DAY_DIGITS or not self.digits.startswith("20"):
            return None
        day, serial, check = self.digits[:8], self.digits[8:12], self.digits[12:]
        written = "-".join(part for part in ("JN", day, serial, check) if part)
        return Case.number == written if check else Case.number.startswith(written)


_DAY_DIGITS = 8
_TEXTS = {
    Kind.MEMBER: Use.MEMBER_NAME,
    Kind.CONVERSATION: Use.CONVERSATION_TEXT,
    Kind.CASE: Use.CASE_TEXT,
}
_PHONES = {Kind.MEMBER: Use.MEMBER_PHONE, Kind.CASE: Use.CASE_PHONE}
_MODELS: dict[Kind, type[Conversation | Case]] = {Kind.CONVERSATION: Conversation, Kind.CASE: Case}
_PARTS = ("name", "phone", "number", "text")
_NUMBER_LIKE = re.compile(rf"(?:jn)?([0-9]{{{SHORTEST_TAIL},13}})")
_WHOLE = re.compile(r"(?:(?:00)?86)?(1[3-9][0-9]{9})|jn([0-9]{13})|(20[0-9]{11})")


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


def read_query(query: str) -> list[Word]:
    """The words of a query; raises BadInput as ``find`` does."""
    if len(query) > MAX_QUERY:
        raise BadInput("query too long", field="query", reason="long", limit=MAX_QUERY)
    parts = [folded for part in query.split() if (folded := fold(part))]
    whole = _WHOLE.fullmatch("".join(parts))
    if whole is not None:
        # A phone or a case number is often written in groups.
        parts = [next(group for group in whole.groups() if group)]
    elif all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]
    if not any(len(part) >= 2 for part in parts):
        raise BadInput("two characters at least", field="query", reason="short")
    if len(parts) > MAX_WORDS:
        raise BadInput("too many words", field="query", reason="many", limit=MAX_WORDS)
    return [_word(part) for part in dict.fromkeys(parts)]


def _word(folded: str) -> Word:
    like = _NUMBER_LIKE.fullmatch(folded)
    return Word(folded, like[1] if like else "")


def _route(use: Use, values: Sequence[str]) -> Route:
    cipher = current_cipher()
    return tuple(cipher.terms(use, value) for value in dict.fromkeys(values))


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
    hits: list[Found] = []
    looked_at = 0
    async for chunk, last in _candidates(session, kind, words, known, now):
        fields = await fields_of(session, kind, [ref for ref, _ in chunk])
        for ref, at in chunk:
            why = _why(words, fields.get(ref, []))
            if why is not None:
                hits.append(Found(kind.value, ref, at, why))
        looked_at += len(chunk)
        if last:
            return hits, True
        if len(hits) > limit or looked_at >= MAX_LOOKED_AT:
            break
    return hits, False


def _why(words: Sequence[Word], fields: Sequence[Field]) -> str | None:
    """The first of name, phone, number and text that any word matched; None unless all words did."""
    parts = [{field.part for field in fields if word.in_field(field)} for word in words]
    if not all(parts):
        return None
    return next(part for part in _PARTS if any(part in matched for matched in parts))


Chunk = tuple[list[tuple[str, datetime]], bool]


async def _candidates(
    session: AsyncSession, kind: Kind, words: Sequence[Word], known: Sequence[set[str]], now: datetime
) -> AsyncIterator[Chunk]:
    """Records that may hold every word, the newest first, in chunks; with the last it is said whether
    nothing older is left.
    """
    model, at = _model(kind)
    asked = [(word, ids) for word, ids in zip(words, known, strict=True) if len(word.text) >= 2]
    counts = await _counts(session, kind, [route for word, _ in asked for route in word.routes(kind)])
    conditions = [_matches(kind, word, ids, counts) for word, ids in asked]
    costs = [
        sum(min(counts[terms] for terms in route) for route in word.routes(kind)) + len(ids)
        for word, ids in asked
    ]
    rarest = costs.index(min(costs))
    if costs[rarest] <= _RARE:
        word, ids = asked[rarest]
        statement = (
            select(model.id, at)
            .where(_leads(kind, word, ids, counts), at <= now, *conditions)
            .order_by(at.desc(), model.id)
            .limit(MAX_LOOKED_AT + 1)
        )
        rows = [(row[0], row[1]) for row in await session.execute(statement)]
        for chunk in _chunks(rows, last=len(rows) <= MAX_LOOKED_AT):
            yield chunk
        return
    async for chunk in _on_the_way_back(session, kind, conditions, now):
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
    if not asked:
        return {}
    counts = [
        select(func.count()).select_from(_refs(kind, terms).limit(_RARE + 1).subquery()).scalar_subquery()
        for terms in asked
    ]
    row = (await session.execute(select(*counts))).one()
    return dict(zip(asked, row, strict=True))


def _refs(kind: Kind, terms: Choices) -> Select[str]:
    return select(SearchTerm.ref).where(SearchTerm.term.in_(terms), SearchTerm.kind == kind.value)


def _matches(
    kind: Kind, word: Word, members: Collection[str], counts: dict[Choices, int]
) -> ColumnElement[bool]:
    """That a record has the rarest terms of one of the word's routes, or is one of these members'."""
    model, _ = _model(kind)
    ways: list[ColumnElement[bool]] = [
        and_(
            *(
                exists().where(
                    SearchTerm.term.in_(terms), SearchTerm.kind == kind.value, SearchTerm.ref == model.id
                )
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


def _leads(
    kind: Kind, word: Word, members: Collection[str], counts: dict[Choices, int]
) -> ColumnElement[bool]:
    """The few records that the rarest term of each of a word's routes leads to, and these members'."""
    model, _ = _model(kind)
    ways: list[Select[str]] = [
        _refs(kind, min(route, key=lambda terms: counts[terms])) for route in word.routes(kind)
    ]
    if members:
        ways.append(select(model.id).where(model.member_id.in_(members)))
    if kind is Kind.CASE and (numbered := word.numbered()) is not None:
        ways.append(select(Case.id).where(numbered))
    return model.id.in_(union(*ways))


def _model(kind: Kind) -> tuple[type[Conversation | Case], InstrumentedAttribute[datetime]]:
    """The records of a kind, and what says which of them are newer."""
    if kind is Kind.CASE:
        return Case, Case.opened_at
    return Conversation, Conversation.last_message_at
