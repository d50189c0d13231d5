"""Aside: asking a member for patience, putting a conversation out of sight, leaving a member to the bot."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.conversations import lock
from casework.errors import BadInput, NotAllowed
from casework.handoff import check_may_dispose, check_reason, end_service, tell
from casework.ownership import begins_to_wait
from casework.permissions import Right, require
from casework.tables import Conversation, Owner, Staff
from casework.wording import Wording


async def hold(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    minutes: int,
    now: datetime,
    *,
    wording: Wording,
    most: int = 30,
) -> Conversation:
    """Ask the member for patience, so many minutes; the promised time runs from then on.

    Raises BadInput for less than 1 minute or more than ``most``, NotAllowed.
    """
    if not 1 <= minutes <= most:
        raise BadInput("a hold lasts 1 minute or more", field="minutes", limit=most)
    locked = await lock(session, conversation.id)
    _check_speaks(locked, staff)
    begins_to_wait(locked, now)
    locked.held_until = now + timedelta(minutes=minutes)
    locked.warned_at = locked.breached_at = None
    await tell(session, locked, wording.say("handoff.hold", minutes=minutes), now)
    return locked


async def unhold(
    session: AsyncSession, conversation: Conversation, staff: Staff, now: datetime
) -> Conversation:
    """Go on before the patience asked for is used up; the promised time runs from now on."""
    locked = await lock(session, conversation.id)
    _check_speaks(locked, staff)
    if locked.held_until is not None:
        # Not None: the wait would count from its beginning again and be broken at once.
        locked.held_until = min(locked.held_until, now)
    return locked


async def snooze(
    session: AsyncSession, conversation: Conversation, staff: Staff, until: datetime, now: datetime
) -> Conversation:
    """Put one's own conversation out of sight until then, or until its member writes.

    Raises BadInput for a moment that is past or more than a week ahead, and while the member waits.
    """
    if not now < until <= now + timedelta(days=7):
        raise BadInput("snooze until a moment within a week", field="until")
    locked = await lock(session, conversation.id)
    _check_speaks(locked, staff)
    if locked.waiting_since is not None:
        raise BadInput("the member is waiting for an answer", field="until", reason="member_waits")
    locked.snoozed_until = until
    return locked


async def unsnooze(
    session: AsyncSession, conversation: Conversation, staff: Staff, now: datetime
) -> Conversation:
    """Bring a conversation back into sight."""
    del now
    locked = await lock(session, conversation.id)
    _check_speaks(locked, staff)
    locked.snoozed_until = None
    return locked


async def block(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    hours: int,
    reason: str,
    now: datetime,
    *,
    wording: Wording,
    most: int = 24,
) -> Conversation:
    """Leave a member to the bot for so many hours (abuse); a crisis still reaches a human. They are told.

    Raises BadInput for other hours or no reason, NotAllowed for somebody else's conversation.
    """
    require(staff, Right.BLOCK)
    if not 1 <= hours <= most:
        raise BadInput("a block lasts hours, not days", field="hours", limit=most)
    check_reason(reason)
    locked = await lock(session, conversation.id)
    check_may_dispose(locked, staff)
    actor = audit.staff_actor(staff)
    locked.blocked_until = now + timedelta(hours=hours)
    audit.record(
        session, actor, "conversation.blocked", "conversation", locked.id, now=now, hours=hours, reason=reason
    )
    await end_service(session, locked, now, actor=actor, wording=None, outcome="blocked")
    await tell(session, locked, wording.say("handoff.blocked", hours=hours), now)
    return locked


async def unblock(
    session: AsyncSession, conversation: Conversation, staff: Staff, now: datetime
) -> Conversation:
    """Let the member be handed to humans again."""
    require(staff, Right.BLOCK)
    locked = await lock(session, conversation.id)
    locked.blocked_until = None
    actor = audit.staff_actor(staff)
    audit.record(session, actor, "conversation.unblocked", "conversation", locked.id, now=now)
    return locked


def _check_speaks(conversation: Conversation, staff: Staff) -> None:
    require(staff, Right.ANSWER)
    if conversation.owner is not Owner.HUMAN or conversation.staff_id != staff.id:
        raise NotAllowed("somebody else speaks in this conversation", owner=conversation.owner.value)
