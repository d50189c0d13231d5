"""Conversation priority: how soon somebody must look, as a human judges it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.conversations import lock
from casework.errors import NotAllowed
from casework.ownership import open_handoff
from casework.permissions import Right, require
from casework.tables import Conversation, Owner, Priority, Staff


async def set_priority(
    session: AsyncSession, conversation_id: str, staff: Staff, priority: Priority, now: datetime
) -> Conversation:
    """Set how pressing a conversation is that humans have, by its worker or who directs others. Audited.

    Raises NotFound, and NotAllowed while the bot has it or when it is somebody else's.
    """
    require(staff, Right.ANSWER)
    locked = await lock(session, conversation_id)
    if locked.owner is Owner.BOT:
        raise NotAllowed("the bot owns this conversation", owner=locked.owner.value)
    if locked.staff_id != staff.id:
        require(staff, Right.DIRECT)
    locked.priority = priority.value
    service = await open_handoff(session, locked.id)
    if service is not None:
        service.priority = priority.value
    audit.record(
        session,
        audit.staff_actor(staff),
        "conversation.priority_set",
        "conversation",
        locked.id,
        now=now,
        priority=priority.name.lower(),
    )
    return locked
