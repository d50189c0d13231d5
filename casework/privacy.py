"""Privacy: a member's right to be forgotten (个人信息保护法 第四十七条).

What identifies a member or was said by or to them is erased; their cases stay as anonymous counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit, conversations, members
from casework.attachments import AttachmentStore
from casework.case_life import Actor, Deed, move, step_open_to
from casework.errors import Refusal
from casework.search_index import forget
from casework.search_terms import Kind
from casework.tables import (
    Attachment,
    ButtonToken,
    Case,
    CaseEvent,
    ClaimSheet,
    Conversation,
    Handling,
    Handoff,
    Member,
    Message,
    OutboxEntry,
    Owner,
    Priority,
    Reminder,
    ReminderConsent,
)


class OpenCases(Refusal):
    """The member still has open cases; ``values["numbers"]`` lists them. Withdrawn first, or confirmed."""

    code = "open_cases"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased."""

    cases: int
    messages: int
    attachments: int


async def forget_member(
    session: AsyncSession,
    member_id: str,
    now: datetime,
    *,
    withdraw_open: bool = False,
    store: AttachmentStore | None = None,
) -> Forgotten:
    """Erase a member: name, phone, consent, everything said, every file; cases stay as counts of nobody.

    With ``withdraw_open`` the open cases are withdrawn first; without it they raise OpenCases. The member is
    then somebody new, who may go on writing in the same conversation; the channel's address is cut a day
    later unless they do (``casework.retention``), so that this answer still reaches them. Files go at the
    commit when the ``store`` is given, else with its next sweep. Raises NotFound for an unknown member.
    """
    member = await members.get(session, member_id)
    threads = [
        await conversations.lock(session, found.id)
        for found in await conversations.of_member(session, member_id)
    ]
    cases = list(await session.scalars(select(Case).where(Case.member_id == member_id)))
    await _withdraw_open(session, member, cases, now, allowed=withdraw_open)
    thread_ids = [thread.id for thread in threads]
    files = await _erase_files(session, thread_ids, cases, store)
    said = await _erase_words(session, thread_ids)
    await session.execute(delete(ReminderConsent).where(ReminderConsent.member_id == member_id))
    await session.execute(delete(Reminder).where(Reminder.member_id == member_id))
    await _make_anonymous(session, cases, now)
    for thread in threads:
        _erase_marks(thread)
    member.name = member.phone = member.phone_hash = None
    member.consent_version = member.consented_at = None
    member.erased_at = now
    await session.flush()
    await forget(session, Kind.MEMBER, [member.id])
    await forget(session, Kind.CONVERSATION, thread_ids)
    forgotten = Forgotten(cases=len(cases), messages=said, attachments=files)
    audit.record(
        session,
        "member",
        "member.forgotten",
        "member",
        member_id,
        now=now,
        cases=forgotten.cases,
        messages=forgotten.messages,
        attachments=forgotten.attachments,
    )
    return forgotten


async def erase_cases(session: AsyncSession, cases: Sequence[Case]) -> None:
    """Take the words out of cases and their threads; state, type, topic, district and rating stay."""
    for case in cases:
        case.summary = None
        case.facts = {}
        case.conversation_id = None
        case.anonymous = True
    ids = [case.id for case in cases]
    await session.execute(delete(ClaimSheet).where(ClaimSheet.case_id.in_(ids)))
    await session.execute(update(CaseEvent).where(CaseEvent.case_id.in_(ids)).values(text=None))
    await forget(session, Kind.CASE, ids)


async def _withdraw_open(
    session: AsyncSession, member: Member, cases: Sequence[Case], now: datetime, *, allowed: bool
) -> None:
    still_open = [case for case in cases if step_open_to(case, Deed.WITHDRAW) is not None]
    if still_open and not allowed:
        raise OpenCases("open cases", numbers="、".join(case.number for case in still_open))
    for case in still_open:
        await move(session, case, Deed.WITHDRAW, Actor.member(member.id), reason=None, now=now)


async def _erase_files(
    session: AsyncSession, thread_ids: Sequence[str], cases: Sequence[Case], store: AttachmentStore | None
) -> int:
    found = list(
        await session.scalars(
            select(Attachment).where(
                Attachment.conversation_id.in_(thread_ids)
                | Attachment.case_id.in_([case.id for case in cases])
            )
        )
    )
    if store is not None:
        await store.erase(session, found)
    else:
        await session.execute(delete(Attachment).where(Attachment.id.in_([file.id for file in found])))
    return len(found)


async def _erase_words(session: AsyncSession, thread_ids: Sequence[str]) -> int:
    """Erase what was said; returns in how many messages there was something."""
    await session.execute(delete(ButtonToken).where(ButtonToken.conversation_id.in_(thread_ids)))
    await session.execute(delete(OutboxEntry).where(OutboxEntry.conversation_id.in_(thread_ids)))
    await session.execute(delete(ClaimSheet).where(ClaimSheet.conversation_id.in_(thread_ids)))
    await session.execute(
        update(Handoff).where(Handoff.conversation_id.in_(thread_ids)).values(note=None, comment=None)
    )
    said = await session.scalars(
        select(Message).where(
            Message.conversation_id.in_(thread_ids),
            Message.text.is_not(None) | Message.content.is_not(None) | Message.facts.is_not(None),
        )
    )
    count = 0
    for message in said:
        message.text = message.facts = None
        # The message that asks for this is still being answered: its button must stay known until then.
        payload = (message.content or {}).get("payload") if message.handling is Handling.PENDING else None
        message.content = {"payload": payload} if payload else None
        count += 1
    return count


async def _make_anonymous(session: AsyncSession, cases: Sequence[Case], now: datetime) -> None:
    """Give the cases to nobody, so that whoever writes next from here does not find them."""
    if not cases:
        return
    nobody = Member(created_at=now, erased_at=now)
    session.add(nobody)
    await session.flush()
    await erase_cases(session, cases)
    for case in cases:
        case.member_id = nobody.id


def _erase_marks(thread: Conversation) -> None:
    thread.last_topic = thread.last_crisis_kind = thread.last_crisis_at = thread.district = None
    # In the queue the mark still tells staff to hurry; it goes when they hand back.
    if thread.owner is Owner.BOT:
        thread.urgent, thread.urgent_reason, thread.handoff_reason = False, None, None
        thread.priority, thread.risks = Priority.NORMAL.value, []
