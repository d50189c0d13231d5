"""Search results: what a search found, as a list shows it: masked, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.permissions import Right, require
from casework.search import Found
from casework.tables import Author, Case, CaseState, Conversation, Member, Message, Owner, Staff
from casework.visibility import MASKED

GIST = 80
"""Characters of what was said that a result shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Hit: one conversation or case that was found; names, phones and words are masked."""

    kind: str
    """conversation or case."""
    id: str
    number: str | None
    """A case's number."""
    case_type: str | None
    name: str | None
    phone: str | None
    topic: str | None
    district: str | None
    state: CaseState | None
    owner: Owner | None
    worker: str | None
    """Who works the case, or speaks in the conversation."""
    gist: str
    why: str
    """What matched: name, phone, number or text."""
    at: datetime


async def describe(session: AsyncSession, found: Sequence[Found], reader: Staff) -> list[Hit]:
    """The hits of ``search.find`` in their order; raises NotAllowed for whoever may not look.

    One that is gone by now (a member was erased) is left out.
    """
    require(reader, Right.LOOK)
    hits = await _cases(session, [one for one in found if one.kind == "case"])
    hits |= await _conversations(session, [one for one in found if one.kind == "conversation"])
    return [hits[one.kind, one.id] for one in found if (one.kind, one.id) in hits]


async def _cases(session: AsyncSession, found: Sequence[Found]) -> dict[tuple[str, str], Hit]:
    why = {one.id: one.why for one in found}
    if not why:
        return {}
    rows = await session.execute(
        select(Case, Member.name, Member.phone, Staff.display_name)
        .join(Member, Member.id == Case.member_id)
        .outerjoin(Staff, Staff.id == Case.staff_id)
        .where(Case.id.in_(why))
    )
    return {
        ("case", case.id): Hit(
            kind="case",
            id=case.id,
            number=case.number,
            case_type=case.case_type,
            name=MASKED.name(case.facts.get("person_name") or name),
            phone=MASKED.phone(case.facts.get("phone") or phone),
            topic=case.topic,
            district=case.district,
            state=case.state,
            owner=None,
            worker=worker,
            gist=_gist(case.facts.get("story")),
            why=why[case.id],
            at=case.opened_at,
        )
        for case, name, phone, worker in rows
    }


async def _conversations(session: AsyncSession, found: Sequence[Found]) -> dict[tuple[str, str], Hit]:
    why = {one.id: one.why for one in found}
    if not why:
        return {}
    said = (
        select(func.max(Message.id).label("id"))
        .where(Message.conversation_id.in_(why), Message.author == Author.MEMBER, Message.text.is_not(None))
        .group_by(Message.conversation_id)
        .subquery()
    )
    last_words = await session.execute(
        select(Message.conversation_id, Message.text).join(said, said.c.id == Message.id)
    )
    texts = {row.conversation_id: row.text for row in last_words}
    rows = await session.execute(
        select(Conversation, Member.name, Member.phone, Staff.display_name)
        .join(Member, Member.id == Conversation.member_id)
        .outerjoin(Staff, Staff.id == Conversation.staff_id)
        .where(Conversation.id.in_(why))
    )
    return {
        ("conversation", talk.id): Hit(
            kind="conversation",
            id=talk.id,
            number=None,
            case_type=None,
            name=MASKED.name(name),
            phone=MASKED.phone(phone),
            topic=talk.last_topic,
            district=talk.district,
            state=None,
            owner=talk.owner,
            worker=worker,
            gist=_gist(texts.get(talk.id)),
            why=why[talk.id],
            at=talk.last_message_at,
        )
        for talk, name, phone, worker in rows
    }


def _gist(text: object) -> str:
    said = MASKED.text(" ".join(str(text or "").split()))
    return said if len(said) <= GIST else f"{said[:GIST]}…"
