"""Search terms: keyed hashes of two neighbouring characters, by which encrypted words can be found.

What this leaves to somebody who holds the database but not the key stands in ``docs/threats.md``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import cast

from sqlalchemy import BigInteger, String, Table, delete, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from casework.crypto import current_cipher
from casework.tables import SearchTerm

SHORTEST_TAIL = 4
LONGEST_PHONE = 12
"""Digits of the longest number we keep: a landline with its area code."""
LONGEST_NUMBER_TAIL = 6
_TABLE = cast(Table, SearchTerm.__table__)
_DELETED_AT_ONCE = 1000


class Kind(StrEnum):
    """What a search term leads to."""

    MEMBER = "member"
    CONVERSATION = "conversation"
    CASE = "case"


class Use(StrEnum):
    """The purposes terms are hashed for: equal characters of two uses do not show as equal."""

    MEMBER_NAME = "search:member:name"
    MEMBER_PHONE = "search:member:phone"
    CONVERSATION_TEXT = "search:conversation"
    CASE_TEXT = "search:case"
    CASE_PHONE = "search:case:phone"
    CASE_NUMBER = "search:case:number"
    MARK = "search:mark"


class _Folding(dict[int, str]):
    """Character by character, so that a part of a text always folds to a part of what the text folds to."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code)).casefold()
        folded = "".join(each for each in unicodedata.normalize("NFKD", plain) if each.isalnum())
        self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """A text as it is compared: narrow, small letters, without accents, blanks and punctuation."""
    return text.translate(_FOLDING)


def digits_of(text: str) -> str:
    """The digits of a text, without anything between them."""
    return "".join(each for each in fold(text) if each in "0123456789")


def pairs(folded: str) -> set[str]:
    """Every two neighbouring characters of a folded text; none for fewer than two."""
    return {folded[start : start + 2] for start in range(len(folded) - 1)}


def tails(digits: str, longest: int = LONGEST_PHONE) -> set[str]:
    """The last 4, 5 … ``longest`` digits of a number."""
    return {digits[-length:] for length in range(SHORTEST_TAIL, min(longest, len(digits)) + 1)}


def terms(use: Use, values: Collection[str]) -> set[int]:
    """The terms of these pairs or tails under the newest key."""
    cipher = current_cipher()
    return {cipher.term(use, value) for value in values}


def mark(kind: Kind) -> int:
    """The term every record has whose terms were made with the newest key: what lacks it is made anew."""
    return current_cipher().term(Use.MARK, kind)


async def replace(session: AsyncSession, kind: Kind, wanted: Mapping[str, Collection[int]]) -> None:
    """Make these the terms of each record (id → terms), and no others. The records must be locked."""
    stored: dict[str, set[int]] = {ref: set() for ref in wanted}
    rows = await session.execute(
        select(SearchTerm.ref, SearchTerm.term).where(
            SearchTerm.kind == kind.value, SearchTerm.ref.in_(list(wanted))
        )
    )
    for ref, term in rows:
        stored[ref].add(term)
    for ref, there in stored.items():
        stale = sorted(there.difference(wanted[ref]))
        for start in range(0, len(stale), _DELETED_AT_ONCE):
            await session.execute(
                delete(_TABLE).where(
                    _TABLE.c.kind == kind.value,
                    _TABLE.c.ref == ref,
                    _TABLE.c.term.in_(stale[start : start + _DELETED_AT_ONCE]),
                )
            )
    await add(session, kind, {ref: set(new).difference(stored[ref]) for ref, new in wanted.items()})


async def add(session: AsyncSession, kind: Kind, new: Mapping[str, Collection[int]]) -> None:
    """Add terms to records (id → terms); those that are there already stay."""
    rows = [(term, ref) for ref, each in new.items() for term in each]
    if not rows:
        return
    if session.get_bind().dialect.name == "postgresql":
        # Two arrays instead of two parameters a row: several times as fast, and always the same statement.
        arrays = select(
            func.unnest(literal([term for term, _ in rows], postgresql.ARRAY(BigInteger))),
            literal(kind.value, String),
            func.unnest(literal([ref for _, ref in rows], postgresql.ARRAY(String))),
        )
        insert = postgresql.insert(_TABLE).from_select(["term", "kind", "ref"], arrays)
        await session.execute(insert.on_conflict_do_nothing())
    else:
        await session.execute(
            sqlite.insert(_TABLE).on_conflict_do_nothing(),
            [{"term": term, "kind": kind.value, "ref": ref} for term, ref in rows],
        )


async def forget(session: AsyncSession, kind: Kind, refs: Collection[str]) -> None:
    """Delete every term of these records; call it where their words are erased."""
    listed = list(refs)
    for start in range(0, len(listed), _DELETED_AT_ONCE):
        await session.execute(
            delete(_TABLE).where(
                _TABLE.c.kind == kind.value, _TABLE.c.ref.in_(listed[start : start + _DELETED_AT_ONCE])
            )
        )
