"""Factories: records with sensible values, of which a test states only what it is about."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from casework.crypto import keyed_hash
from casework.tables import (
    Attachment,
    Author,
    Case,
    CaseState,
    Channel,
    ChannelIdentity,
    Conversation,
    Handling,
    Member,
    Message,
    Owner,
    Staff,
    StaffRole,
)

FIRST_MOMENT = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
Record = TypeVar("Record")
_serial = itertools.count(1)


async def make_member(session: AsyncSession, **values: Any) -> Member:
    """A member who has told us nothing; a ``phone`` gets its hash."""
    if values.get("phone") and "phone_hash" not in values:
        values["phone_hash"] = keyed_hash("phone", values["phone"])
    return await _add(session, Member(**{"created_at": FIRST_MOMENT} | values))


async def make_identity(
    session: AsyncSession, member: Member, channel: Channel = Channel.TELEGRAM, external_id: str | None = None
) -> ChannelIdentity:
    """How a channel names a member."""
    external_id = external_id or str(700_000_000 + next(_serial))
    return await _add(
        session,
        ChannelIdentity(
            member_id=member.id,
            channel=channel,
            external_id=external_id,
            external_hash=keyed_hash(f"identity:{channel}", external_id),
            created_at=FIRST_MOMENT,
        ),
    )


async def make_conversation(
    session: AsyncSession, member: Member | None = None, **values: Any
) -> Conversation:
    """A web conversation owned by the bot, of a new member unless one is given."""
    member = member or await make_member(session)
    if values.get("channel") is Channel.TELEGRAM:
        await make_identity(session, member, Channel.TELEGRAM)
    if values.get("owner") is Owner.QUEUED:
        values.setdefault("queued_at", FIRST_MOMENT)
    defaults = {"channel": Channel.WEB, "created_at": FIRST_MOMENT, "last_message_at": FIRST_MOMENT}
    return await _add(session, Conversation(member_id=member.id, **defaults | values))


async def make_message(
    session: AsyncSession, conversation: Conversation | None = None, **values: Any
) -> Message:
    """A member's message that waits to be handled, in a new conversation unless one is given."""
    conversation = conversation or await make_conversation(session)
    defaults: dict[str, Any] = {
        "author": Author.MEMBER,
        "text": "老板拖欠我三个月工资",
        "created_at": FIRST_MOMENT,
    }
    values = defaults | values
    if values["author"] is Author.MEMBER:
        values = {"client_message_id": f"m{next(_serial)}", "handling": Handling.PENDING} | values
    return await _add(session, Message(conversation_id=conversation.id, epoch=conversation.epoch, **values))


async def make_staff(session: AsyncSession, **values: Any) -> Staff:
    """A hotline worker."""
    serial = next(_serial)
    defaults = {
        "login": f"agent{serial}",
        "display_name": "小李",
        "role": StaffRole.AGENT,
        "created_at": FIRST_MOMENT,
    }
    return await _add(session, Staff(**defaults | values))


async def make_case(session: AsyncSession, conversation: Conversation | None = None, **values: Any) -> Case:
    """A newly accepted labour-dispute case, of a new conversation's member unless one is given.

    Its number has the right shape but no meaning; ask ``casework.case_numbers`` for a real one.
    """
    conversation = conversation or await make_conversation(session)
    defaults: dict[str, Any] = {
        "number": f"JN-20260720-{next(_serial):04d}-0",
        "case_type": "labour_dispute",
        "topic": "labour.wage_arrears",
        "topics": ["labour.wage_arrears"],
        "member_id": conversation.member_id,
        "conversation_id": conversation.id,
        "state": CaseState.ACCEPTED,
        "facts": {},
        "opened_at": FIRST_MOMENT,
        "updated_at": FIRST_MOMENT,
    }
    return await _add(session, Case(**defaults | values))


async def make_attachment(
    session: AsyncSession, conversation: Conversation | None = None, **values: Any
) -> Attachment:
    """A small photo's record, not yet part of a message; there is no file behind it."""
    conversation = conversation or await make_conversation(session)
    defaults: dict[str, Any] = {
        "filename": "工资条.jpg",
        "media_type": "image/jpeg",
        "size": 1024,
        "sha256": f"{next(_serial):064x}",
        "created_at": FIRST_MOMENT,
    }
    return await _add(session, Attachment(conversation_id=conversation.id, **defaults | values))


async def _add(session: AsyncSession, record: Record) -> Record:
    session.add(record)
    await session.flush()
    return record
