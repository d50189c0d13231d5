"""Desk find: the few conversations and cases the command palette offers for what is being typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import search
from casework.errors import BadInput
from casework.tables import Case, Conversation, Member
from casework.visibility import MASKED

_ID = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True)
class Offered:
    """Offered: one conversation or case, as the palette names it; masked."""

    kind: str
    """conversation or case."""
    id: str
    number: str | None
    """A case's number."""
    name: str | None
    topic: str | None
    why: str
    """What matched: id, name, phone, number or text."""
    at: datetime


async def quick_find(session: AsyncSession, text: str, now: datetime, limit: int = 8) -> list[Offered]:
    """Conversations and cases for a few typed characters, the newest first; none for what cannot be sought.

    A conversation's id is known from its first six characters on; everything else as ``search.find``.
    """
    wanted = text.strip().lower()
    offered: list[Offered] = []
    if _ID.fullmatch(wanted):
        offered += [
            Offered(
                "conversation", one.id, None, MASKED.name(name), one.last_topic, "id", one.last_message_at
            )
            for one, name in await session.execute(
                select(Conversation, Member.name)
                .join(Member, Member.id == Conversation.member_id)
                .where(Conversation.id.startswith(wanted, autoescape=True))
                .order_by(Conversation.id)
                .limit(limit)
            )
        ]
    try:
        found = (await search.find(session, text, now, limit=limit)).found
    except BadInput:
        return offered
    talks = {
        one.id: (one, name)
        for one, name in await session.execute(
            select(Conversation, Member.name)
            .join(Member, Member.id == Conversation.member_id)
            .where(Conversation.id.in_([hit.id for hit in found if hit.kind == "conversation"]))
        )
    }
    cases = {
        one.id: one
        for one in await session.scalars(
            select(Case).where(Case.id.in_([hit.id for hit in found if hit.kind == "case"]))
        )
    }
    for hit in found:
        if hit.id in talks:
            talk, name = talks[hit.id]
            offered.append(
                Offered("conversation", hit.id, None, MASKED.name(name), talk.last_topic, hit.why, hit.at)
            )
        elif hit.id in cases:
            case = cases[hit.id]
            offered.append(Offered("case", hit.id, case.number, None, case.topic, hit.why, hit.at))
    return offered[:limit]
