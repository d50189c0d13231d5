"""Appointments: a fixed time for a member's matter, told at once and remembered before it comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from casework import case_work, conversations, reminders
from casework.clock import SHANGHAI
from casework.errors import BadInput
from casework.reminder_rules import ReminderRules
from casework.tables import Case, CaseEvent, Staff
from casework.wording import Wording

FARTHEST = timedelta(days=366)


async def arrange(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    at: datetime,
    text: str,
    now: datetime,
    rules: ReminderRules,
    wording: Wording,
) -> CaseEvent:
    """Tell the member of a case when they are expected, and plan the reminders before it.

    Without their consent the reminders sleep: they are told how to have them, and agreeing wakes them. A new
    time takes the place of the one before. Raises BadInput (``at``) for a time that is naive, past, or more
    than a year ahead, and as ``case_work.inform_member``.
    """
    if at.tzinfo is None or not now < at <= now + FARTHEST:
        raise BadInput("an appointment lies ahead, within a year", field="at")
    local = at.astimezone(SHANGHAI)
    said = wording.say(
        "appointment.told",
        day=wording.say("reminder.day", year=local.year, month=local.month, day=local.day),
        time=f"{local:%H:%M}",
        text=text,
    )
    agreed = await reminders.agreed(session, case.member_id)
    if not agreed and case.conversation_id is not None:
        said += wording.say("appointment.offer")
    event = await case_work.inform_member(session, case, staff, text=said, now=now, wording=wording)
    if case.conversation_id is not None:
        await reminders.plan_appointment(
            session,
            await conversations.get(session, case.conversation_id),
            f"case:{case.id}",
            wording.say("appointment.label"),
            at,
            now,
            rules=rules,
            asleep=not agreed,
        )
    return event
