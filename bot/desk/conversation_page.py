"""Conversation page: everything it shows, read in one consistent moment and masked before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.turns import Turn, as_turns
from bot.house import House
from casework import conversations, desk_view, members, messages, staff_talk
from casework.brief import Brief, make_brief
from casework.claims.shown import ShownSheet, sheet_of_conversation, show
from casework.clock import shanghai_day
from casework.desk_moves import Moves, moves_open_to
from casework.desk_view import Colleague
from casework.published import current_knowledge
from casework.staff_talk import Watching
from casework.tables import Case, Conversation, Handoff, Member, Message, Staff, Team
from casework.visibility import Sight, sight_of

ConversationId = Annotated[str, Path(alias="id", max_length=64)]
"""A conversation named in an address of the desk (the members' API calls its own ``conversation_id``)."""
PAGE = 60
"""Turns shown at first, and with each look further back."""
NEWS = 100


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as one member of staff may see it now."""

    conversation: Conversation
    staff: Staff
    sight: Sight
    moves: Moves
    owner: Staff | None
    reserved_for: Staff | None
    watching: Sequence[Watching]


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the transcript."""

    member: Member
    brief: Brief
    cases: Sequence[Case]
    handoffs: Sequence[Handoff]
    handlers: dict[int, Staff]
    claims: ShownSheet | None
    """The newest claim sheet the member was given here."""


@dataclass(frozen=True, slots=True)
class Passing:
    """To whom a conversation may be passed on."""

    colleagues: Sequence[Colleague]
    teams: Sequence[Team]


async def read_talk(session: AsyncSession, conversation_id: str, staff: Staff, now: datetime) -> Talk:
    """The conversation and what this member of staff may do with it; raises NotFound."""
    conversation = await conversations.get(session, conversation_id)
    people = await desk_view.staff_named(session, [conversation.staff_id, conversation.reserved_for_id])
    return Talk(
        conversation=conversation,
        staff=staff,
        sight=await sight_of(session, staff, conversation, now),
        moves=moves_open_to(conversation, staff, now),
        owner=people.get(conversation.staff_id or 0),
        reserved_for=people.get(conversation.reserved_for_id or 0),
        watching=await others_watching(session, conversation_id, staff, now),
    )


async def others_watching(
    session: AsyncSession, conversation_id: str, staff: Staff, now: datetime
) -> list[Watching]:
    """The colleagues who have the conversation open."""
    everybody = await staff_talk.watchers(session, conversation_id, now)
    return [one for one in everybody if one.staff_id != staff.id]


async def read_turns(
    session: AsyncSession,
    house: House,
    talk: Talk,
    *,
    before: int | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> tuple[list[Turn], bool]:
    """Turns of the conversation, oldest first, and whether there are older ones before them."""
    stored = await messages.whole_transcript(
        session, talk.conversation.id, before=before, after=after, limit=limit + 1
    )
    more = len(stored) > limit
    return await turns_of(session, house, talk, stored[-limit:]), more


async def turns_of(session: AsyncSession, house: House, talk: Talk, stored: Sequence[Message]) -> list[Turn]:
    """Stored messages as this member of staff sees them."""
    return await as_turns(session, stored, sight=talk.sight, knowledge=house.knowledge, viewer=talk.staff)


async def read_beside(session: AsyncSession, house: House, talk: Talk, now: datetime) -> Beside:
    """The brief, the member, their cases and earlier hand-offs."""
    member = await members.get(session, talk.conversation.member_id)
    handoffs = await desk_view.handoffs_of(session, talk.conversation.id)
    knowledge = await current_knowledge(session, house.knowledge)
    claim_sheet = await sheet_of_conversation(session, talk.conversation.id)
    return Beside(
        member=member,
        brief=await make_brief(session, talk.conversation, knowledge, now),
        cases=await desk_view.cases_of_member(session, member.id),
        handoffs=handoffs,
        handlers=await desk_view.staff_named(session, [one.staff_id for one in handoffs]),
        claims=None if claim_sheet is None else show(claim_sheet, shanghai_day(now)),
    )


async def read_passing(session: AsyncSession, talk: Talk, now: datetime) -> Passing:
    """To whom it may be passed on: everybody but who has it."""
    everybody = await desk_view.colleagues(session, now)
    return Passing(
        colleagues=[one for one in everybody if one.id != talk.conversation.staff_id],
        teams=await desk_view.teams(session),
    )
