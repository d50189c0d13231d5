"""Search fields: what a record says, decrypted and folded, to see whether it really holds a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.search_index import WHO_IS_HEARD
from casework.search_terms import Kind, digits_of, fold
from casework.tables import Case, CaseEvent, Conversation, Member, Message


@dataclass(frozen=True, slots=True)
class Field:
    """Field: one thing a record says, as it is compared."""

    part: str
    """name, phone, number or text."""
    text: str


async def fields_of(session: AsyncSession, kind: Kind, ids: Sequence[str]) -> dict[str, list[Field]]:
    """What these conversations or cases say, their member's name and phone with it."""
    return await (_of_cases(session, ids) if kind is Kind.CASE else _of_conversations(session, ids))


async def _of_cases(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    rows = await session.execute(
        select(Case.id, Case.number, Case.summary, Case.facts, Member.name, Member.phone)
        .join(Member, Member.id == Case.member_id)
        .where(Case.id.in_(ids))
    )
    for case_id, number, summary, facts, name, phone in rows:
        found[case_id] = [
            *_of_member(name, phone),
            Field("number", digits_of(number)),
            Field("text", fold(summary or "")),
            *(_of_fact(fact, str(value)) for fact, value in facts.items()),
        ]
    thread = await session.execute(
        select(CaseEvent.case_id, CaseEvent.text).where(
            CaseEvent.case_id.in_(ids), CaseEvent.text.is_not(None)
        )
    )
    for case_id, text in thread:
        found[case_id].append(Field("text", fold(text or "")))
    return found


async def _of_conversations(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = defaultdict(list)
    rows = await session.execute(
        select(Conversation.id, Member.name, Member.phone)
        .join(Member, Member.id == Conversation.member_id)
        .where(Conversation.id.in_(ids))
    )
    for conversation_id, name, phone in rows:
        found[conversation_id] += _of_member(name, phone)
    said = await session.execute(
        select(Message.conversation_id, Message.text).where(
            Message.conversation_id.in_(ids), Message.author.in_(WHO_IS_HEARD), Message.text.is_not(None)
        )
    )
    for conversation_id, text in said:
        found[conversation_id].append(Field("text", fold(text or "")))
    return found


def _of_member(name: str | None, phone: str | None) -> list[Field]:
    return [Field("name", fold(name or "")), Field("phone", digits_of(phone or ""))]


def _of_fact(fact: str, value: str) -> Field:
    if fact == "phone":
        return Field("phone", digits_of(value))
    return Field("name" if fact == "person_name" else "text", fold(value))
