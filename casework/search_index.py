"""Search index: what of members, conversations and cases can be found, kept in step with their words.

Call these in the transaction that writes the words, while the record is locked. What the bot says is not
indexed: it is ours, and the same in every conversation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.search_terms import (
    LONGEST_NUMBER_TAIL,
    Kind,
    Use,
    add,
    digits_of,
    fold,
    forget,
    mark,
    pairs,
    replace,
    tails,
    terms,
)
from casework.tables import Author, Case, CaseEvent, Conversation, Member, Message, SearchTerm

WHO_IS_HEARD = (Author.MEMBER, Author.STAFF)
"""Whose words can be found."""
Terms = dict[str, set[int]]


async def index_member(session: AsyncSession, member: Member) -> None:
    """Make a member findable by their name and the tail of their phone, as they are now."""
    await session.flush()
    await replace(session, Kind.MEMBER, await _member_terms(session, [member.id]))


async def index_message(session: AsyncSession, message: Message) -> None:
    """Make a conversation findable by the words of a message just recorded in it; the bot's are left out."""
    if message.text and message.author in WHO_IS_HEARD:
        await add(session, Kind.CONVERSATION, {message.conversation_id: terms_of_message(message.text)})


async def index_case(session: AsyncSession, case: Case) -> None:
    """Make a case findable by its number, summary, facts and thread, as they are now."""
    await session.flush()
    await replace(session, Kind.CASE, await _case_terms(session, [case.id]))


async def index_again(session: AsyncSession, conversation_ids: Collection[str]) -> None:
    """Index conversations by what is still said in them, after some of it was erased; locks them."""
    await session.flush()
    ids = sorted(set(conversation_ids))
    if ids:
        await session.execute(
            select(Conversation.id)
            .where(Conversation.id.in_(ids))
            .order_by(Conversation.id)
            .with_for_update(key_share=True)
        )
        await replace(session, Kind.CONVERSATION, await _conversation_terms(session, ids))


async def reindex(session: AsyncSession, limit: int = 500) -> int:
    """Index up to ``limit`` records whose terms were not made with the newest key; returns how many.

    Call it, each time in a transaction of its own, until it returns 0: after a data key was added, and once
    on an installation that is older than the search. Conversations begun since count as well.
    """
    done = 0
    for kind, (model, terms_of) in _SOURCES.items():
        if done < limit:
            current = exists().where(
                SearchTerm.term == mark(kind), SearchTerm.kind == kind.value, SearchTerm.ref == model.id
            )
            found = await session.scalars(
                select(model.id)
                .where(~current)
                .order_by(model.id)
                .limit(limit - done)
                .with_for_update(key_share=True, of=model)
            )
            ids = list(found)
            if ids:
                await replace(session, kind, await terms_of(session, ids))
            done += len(ids)
    return done


def terms_of_member(name: str | None, phone: str | None) -> set[int]:
    """What a member with this name and phone is found by."""
    return {
        mark(Kind.MEMBER),
        *terms(Use.MEMBER_NAME, pairs(fold(name or ""))),
        *terms(Use.MEMBER_PHONE, tails(digits_of(phone or ""))),
    }


def terms_of_message(text: str | None) -> set[int]:
    """What a conversation in which this was said is found by."""
    return terms(Use.CONVERSATION_TEXT, pairs(fold(text or "")))


def terms_of_case(number: str, summary: str | None, facts: Mapping[str, Any]) -> set[int]:
    """What a case with this number, summary and facts is found by."""
    words = pairs(fold(summary or "")).union(
        *(pairs(fold(str(value))) for name, value in facts.items() if name != "phone")
    )
    return {
        mark(Kind.CASE),
        *terms(Use.CASE_TEXT, words),
        *terms(Use.CASE_PHONE, tails(digits_of(str(facts.get("phone", ""))))),
        *terms(Use.CASE_NUMBER, tails(digits_of(number), LONGEST_NUMBER_TAIL)),
    }


def terms_of_event(text: str | None) -> set[int]:
    """What a case in whose thread this stands is found by."""
    return terms(Use.CASE_TEXT, pairs(fold(text or "")))


async def _member_terms(session: AsyncSession, ids: Sequence[str]) -> Terms:
    rows = await session.execute(select(Member.id, Member.name, Member.phone).where(Member.id.in_(ids)))
    return {member_id: terms_of_member(name, phone) for member_id, name, phone in rows}


async def _conversation_terms(session: AsyncSession, ids: Sequence[str]) -> Terms:
    found: Terms = {conversation_id: {mark(Kind.CONVERSATION)} for conversation_id in ids}
    said = await session.execute(
        select(Message.conversation_id, Message.text).where(
            Message.conversation_id.in_(ids), Message.author.in_(WHO_IS_HEARD), Message.text.is_not(None)
        )
    )
    for conversation_id, text in said:
        found[conversation_id] |= terms_of_message(text)
    return found


async def _case_terms(session: AsyncSession, ids: Sequence[str]) -> Terms:
    rows = await session.execute(
        select(Case.id, Case.number, Case.summary, Case.facts).where(Case.id.in_(ids))
    )
    found = {case_id: terms_of_case(number, summary, facts) for case_id, number, summary, facts in rows}
    thread = await session.execute(
        select(CaseEvent.case_id, CaseEvent.text).where(
            CaseEvent.case_id.in_(ids), CaseEvent.text.is_not(None)
        )
    )
    for case_id, text in thread:
        found[case_id] |= terms_of_event(text)
    return found


_SOURCES: dict[
    Kind,
    tuple[type[Member | Conversation | Case], Callable[[AsyncSession, Sequence[str]], Awaitable[Terms]]],
] = {
    Kind.MEMBER: (Member, _member_terms),
    Kind.CONVERSATION: (Conversation, _conversation_terms),
    Kind.CASE: (Case, _case_terms),
}

__all__ = ["forget", "index_again", "index_case", "index_member", "index_message", "reindex"]
