"""Staff: the people who answer in conversations and work on cases."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.conversations import lock, take_over
from casework.errors import BadInput, NotAllowed, NotFound
from casework.messages import Reply, record_replies
from casework.tables import Author, Message, Owner, Staff, StaffRole

MAX_NAME = 40
MAX_TEXT = 4000


async def add_staff(
    session: AsyncSession,
    login: str,
    display_name: str,
    role: StaffRole,
    now: datetime,
    *,
    actor: str = "system",
) -> Staff:
    """A new member of staff. Raises BadInput for an unusable or taken login or an unusable name."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", login):
        raise BadInput("a login is 2 to 40 of a-z 0-9 . _ -, starting with a letter", field="login")
    display_name = " ".join(display_name.split())
    if not 1 <= len(display_name) <= MAX_NAME:
        raise BadInput("a name is 1 to 40 characters", field="display_name", limit=MAX_NAME)
    if await session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise BadInput("this login is taken", field="login")
    staff = Staff(login=login, display_name=display_name, role=role, created_at=now)
    session.add(staff)
    await session.flush()
    audit.record(session, actor, "staff.added", "staff", staff.id, now=now, login=login, role=role.value)
    return staff


async def list_staff(session: AsyncSession, *, closed: bool = False) -> list[Staff]:
    """Everybody on the staff by login; with ``closed`` also the accounts that were closed."""
    query = select(Staff).order_by(Staff.login)
    return list(await session.scalars(query if closed else query.where(Staff.active)))


async def find_staff(session: AsyncSession, login: str) -> Staff:
    """The active member of staff with this login; raises NotFound."""
    staff = (await session.scalars(select(Staff).where(Staff.login == login, Staff.active))).one_or_none()
    if staff is None:
        raise NotFound("no such member of staff")
    return staff


async def close_account(session: AsyncSession, login: str, now: datetime, *, actor: str = "system") -> Staff:
    """Take away a member of staff's access; what they did stays under their name. Raises NotFound."""
    staff = await find_staff(session, login)
    staff.active = False
    audit.record(session, actor, "staff.closed", "staff", staff.id, now=now, login=login)
    return staff


async def staff_reply(
    session: AsyncSession, conversation_id: str, staff: Staff, text: str, now: datetime
) -> Message:
    """Say something to the member as a human; a conversation that waits in the queue is taken over first.

    Transcript and outbox are written in one transaction. Raises BadInput for an empty text or one over
    4000 characters, NotFound for no such conversation, NotAllowed when the bot or somebody else owns it.
    """
    text = text.strip()
    if not 1 <= len(text) <= MAX_TEXT:
        raise BadInput("a reply is 1 to 4000 characters", field="text", limit=MAX_TEXT)
    conversation = await lock(session, conversation_id)
    if conversation.owner is Owner.BOT:
        raise NotAllowed("the bot owns this conversation; hand it off first", owner=conversation.owner)
    await take_over(session, conversation, staff, now)
    (message,) = await record_replies(
        session,
        conversation_id,
        [Reply(text)],
        in_reply_to=None,
        author=Author.STAFF,
        staff_id=staff.id,
        epoch_seen=conversation.epoch,
        now=now,
    )
    return message
