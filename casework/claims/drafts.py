"""Claim sheets while they are made: begun from what was said, asked on, given, and put into a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import stations
from casework.claims import questions, sheet
from casework.claims.model import Quote
from casework.claims.questions import Question
from casework.claims.registry import Claims
from casework.claims.rights import touched as rights_touched
from casework.claims.told import Said, Told
from casework.clock import shanghai_day
from casework.errors import NotFound
from casework.tables import Author, ClaimSheet, Conversation, Message, SheetState

FROM_NLU = (
    "district",
    "hired_on",
    "left_on",
    "monthly_wage",
    "amount_owed",
    "months_owed",
)
"""The facts of a message that a sheet is made from (names as in ``niangjia parse``)."""
MAX_MESSAGES = 60
"""How far back a story is read."""
MAX_OFFICES = 3


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of the confirm card: what was understood, and the member's own words."""

    name: str
    """A fact's name, or ``is:<circumstance>``."""
    label: str
    shown: str
    quote: str | None


async def touched(
    session: AsyncSession, conversation_id: str, text: str, facts: Mapping[str, str], claims: Claims
) -> tuple[str, ...]:
    """The rights the story told so far touches, by code; what speaks against a right does not touch it."""
    told = Told()
    await _read_past(session, conversation_id, told, claims)
    read_into(told, claims, text, facts, Quote(None, None))
    return tuple(claim.right for claim in rights_touched(told) if claim.against is None)


async def asking(session: AsyncSession, conversation_id: str) -> ClaimSheet | None:
    """The sheet that is being asked for in a conversation, or None."""
    return await session.scalar(
        select(ClaimSheet).where(
            ClaimSheet.conversation_id == conversation_id, ClaimSheet.state == SheetState.ASKING
        )
    )


async def begin(
    session: AsyncSession,
    conversation: Conversation,
    claims: Claims,
    text: str | None,
    facts: Mapping[str, str],
    message_id: int | None,
    now: datetime,
    *,
    topics: tuple[str, ...] = (),
) -> ClaimSheet:
    """Begin a sheet from everything said in the conversation, or go on with the one being asked for.

    ``text`` is the present message's, ``facts`` also what the dialogue still knows from before; ``topics``
    what it is about, for a story whose words alone tell no right.
    """
    found = await asking(session, conversation.id)
    if found is not None:
        return found
    told = Told(topics=list(dict.fromkeys(topics)))
    await _read_past(session, conversation.id, told, claims)
    known = {name: value for name, value in facts.items() if name not in told.facts}
    read_into(told, claims, text or "", known, Quote(text or None, message_id))
    begun = ClaimSheet(
        conversation_id=conversation.id,
        member_id=conversation.member_id,
        told=told.to_json(),
        as_of=shanghai_day(now),
        last_message_id=message_id,
        created_at=now,
        updated_at=now,
    )
    session.add(begun)
    await session.flush()
    return begun


async def tell(
    session: AsyncSession,
    claim_sheet: ClaimSheet,
    claims: Claims,
    text: str,
    facts: Mapping[str, str],
    message_id: int | None,
    now: datetime,
) -> None:
    """More of the story in the middle: its facts and circumstances are added."""
    told = Told.from_json(claim_sheet.told)
    read_into(told, claims, text, facts, Quote(text, message_id))
    _keep(claim_sheet, told, message_id, now)


def card(claim_sheet: ClaimSheet, claims: Claims) -> tuple[CardLine, ...]:
    """What was understood so far, to be confirmed at once."""
    told = Told.from_json(claim_sheet.told)
    lines = [
        CardLine(f"is:{one.code}", one.label, "", one.quote.text) for one in sheet.circumstances(told, claims)
    ]
    lines += [
        CardLine(fact.name, fact.label, fact.shown, fact.quote.text)
        for fact in sheet.known_facts(told, claims)
    ]
    return tuple(lines)


def tells_a_right(claim_sheet: ClaimSheet, claims: Claims) -> bool:
    """Whether what was told so far touches any right."""
    return bool(rights_touched(Told.from_json(claim_sheet.told)))


def already_read(claim_sheet: ClaimSheet, message_id: int | None) -> bool:
    """Whether a message was the last one read into the sheet: a crash may bring it a second time, when the
    question it answered is no longer the one being asked.
    """
    return message_id is not None and claim_sheet.last_message_id == message_id


def is_confirmed(claim_sheet: ClaimSheet) -> bool:
    """Whether the member has seen the card and said that it is right."""
    return Told.from_json(claim_sheet.told).confirmed


async def confirm(
    session: AsyncSession, claim_sheet: ClaimSheet, message_id: int | None, now: datetime
) -> None:
    """The member says the card is right."""
    told = Told.from_json(claim_sheet.told)
    told.confirmed = True
    _keep(claim_sheet, told, message_id, now)


def next_question(claim_sheet: ClaimSheet, claims: Claims, today: date) -> Question | None:
    """What to ask next, or None when the sheet can be given. ``today`` is the day in Shanghai."""
    return questions.next_question(Told.from_json(claim_sheet.told), claims, today)


async def answer(
    session: AsyncSession,
    claim_sheet: ClaimSheet,
    claims: Claims,
    name: str,
    value: str | None,
    quote: str | None,
    message_id: int | None,
    now: datetime,
) -> None:
    """Take in the answer to a question; None means the member does not know it.

    Raises NotFound for no such question and BadInput (``field``, ``rule``) for what cannot be.
    """
    if name not in claims.words.questions:
        raise NotFound(f"no question {name}")
    told = Told.from_json(claim_sheet.told)
    questions.record(told, claims, name, value, Quote(quote, message_id), shanghai_day(now))
    _keep(claim_sheet, told, message_id, now)


async def reopen(
    session: AsyncSession,
    claim_sheet: ClaimSheet,
    name: str,
    now: datetime,
    message_id: int | None = None,
) -> None:
    """Something on the card was wrong: a fact is forgotten and asked for, a circumstance taken back."""
    told = Told.from_json(claim_sheet.told)
    if name.startswith("is:"):
        code = name.removeprefix("is:")
        told.circumstances.pop(code, None)
        told.taken_back.add(code)
    else:
        told.facts.pop(name, None)
        told.unknown.discard(name)
    _keep(claim_sheet, told, message_id, now)


async def give(
    session: AsyncSession, claim_sheet: ClaimSheet, claims: Claims, today: date, now: datetime
) -> dict[str, Any]:
    """Work the sheet out and keep it as it is given: ``Sheet.to_json()`` with the offices of the district."""
    told = Told.from_json(claim_sheet.told)
    made = sheet.make_sheet(told, claims, today).to_json()
    made["offices"] = await _offices(session, told.fact("district"))
    claim_sheet.sheet = made
    claim_sheet.state = SheetState.GIVEN
    claim_sheet.as_of = today
    claim_sheet.given_at = claim_sheet.updated_at = now
    await session.flush()
    return made


async def leave(session: AsyncSession, claim_sheet: ClaimSheet, now: datetime) -> None:
    """The member went on to something else; what was told is kept, and a new sheet begins from it."""
    claim_sheet.state = SheetState.LEFT
    claim_sheet.updated_at = now
    await session.flush()


async def latest(session: AsyncSession, conversation_id: str) -> ClaimSheet | None:
    """The newest sheet given in a conversation, or None."""
    return await session.scalar(
        select(ClaimSheet)
        .where(ClaimSheet.conversation_id == conversation_id, ClaimSheet.state == SheetState.GIVEN)
        .order_by(ClaimSheet.given_at.desc(), ClaimSheet.id)
        .limit(1)
    )


async def attach_to_case(
    session: AsyncSession, conversation_id: str, case_id: str, now: datetime
) -> ClaimSheet | None:
    """Put the newest sheet of a conversation into a case that is opened from it; the sheet, or None."""
    newest = await latest(session, conversation_id)
    if newest is not None and newest.case_id is None:
        newest.case_id = case_id
        newest.updated_at = now
        await session.flush()
    return newest


async def _read_past(session: AsyncSession, conversation_id: str, told: Told, claims: Claims) -> None:
    rows = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.author == Author.MEMBER)
        .order_by(Message.id.desc())
        .limit(MAX_MESSAGES)
    )
    for message in reversed(list(rows)):
        if message.text:
            read_into(told, claims, message.text, message.facts or {}, Quote(message.text, message.id))


def read_into(told: Told, claims: Claims, text: str, facts: Mapping[str, str], quote: Quote) -> None:
    """Add what one message tells: the facts the pipeline found, and the circumstances in its text."""
    told.note(facts, Quote(_sentence(quote.text), quote.message_id), FROM_NLU)
    for found in claims.circumstances.find(text):
        if found.code not in told.taken_back:
            said = Said(found.code, Quote(found.quote, quote.message_id))
            told.circumstances.setdefault(found.code, said)


def _sentence(text: str | None) -> str | None:
    return text if text is None or len(text) <= 60 else text[:59] + "…"


def _keep(claim_sheet: ClaimSheet, told: Told, message_id: int | None, now: datetime) -> None:
    claim_sheet.told = told.to_json()
    claim_sheet.updated_at = now
    if message_id is not None:
        claim_sheet.last_message_id = message_id


async def _offices(session: AsyncSession, district: str | None) -> list[dict[str, Any]]:
    """Where to go in the district, as far as stations are known; samples say so."""
    found = await stations.by_district(session, district) if district is not None else []
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "district": one.district,
            "address": one.address,
            "phone": one.phone,
            "hours": one.hours,
            "is_sample": one.is_sample,
        }
        for one in found[:MAX_OFFICES]
    ]
