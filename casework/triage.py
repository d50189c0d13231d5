"""Triage: what makes a conversation pressing, read off what is known, so that the queue shows it and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from casework.brief import risks_in
from casework.ownership import open_handoff, raise_priority
from casework.tables import Conversation, Owner, Priority


async def triage(session: AsyncSession, locked: Conversation, now: datetime) -> None:
    """Note the risks of a locked conversation that humans have or wait for; it only becomes more pressing.

    Codes that are already there stay (a crisis, a broken promise), the gravest of the new ones come first.
    """
    if locked.owner is Owner.BOT:
        return
    found = await risks_in(session, locked, now)
    codes = [risk.code for risk in found]
    already = [code for code in locked.risks if code not in codes]
    locked.risks = [*(code for code in already if code.startswith("crisis.")), *codes]
    locked.risks += [code for code in already if not code.startswith("crisis.")]
    if found:
        priority = Priority(min(risk.priority for risk in found))
        raise_priority(locked, priority, await open_handoff(session, locked.id))
