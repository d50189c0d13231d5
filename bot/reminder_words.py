"""Reminder words: one word stops every reminder or begins them, whoever speaks in the conversation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from casework import reminders
from casework.messages import Reply
from casework.ownership import no_longer_waits
from casework.reminder_rules import ReminderRules, ReminderWord
from casework.tables import Conversation, Message
from casework.wording import Wording


def reminder_word(message: Message, rules: ReminderRules) -> ReminderWord | None:
    """Which reminder word a member's message is, and nothing else; None for anything they press or send."""
    return None if message.content else rules.word(message.text)


async def take_word(
    session: AsyncSession,
    locked: Conversation,
    message: Message,
    word: ReminderWord,
    *,
    rules: ReminderRules,
    wording: Wording,
    now: datetime,
) -> Reply | None:
    """Stop or begin the member's reminders and give back what is said to it.

    None: a short word with no reminder lately before it means something else.
    """
    member_id = locked.member_id
    since = message.created_at - rules.soon
    if word is ReminderWord.STOP_SOON and not await reminders.reminded_since(session, member_id, since):
        return None
    if locked.waiting_since == message.created_at:
        no_longer_waits(locked)  # this word is answered, whoever answers the others
    if word is ReminderWord.BEGIN:
        count = await reminders.consent(session, member_id, now, message.id)
        return Reply(
            wording.say("reminder.begun", count=count) if count else wording.say("reminder.begun_none")
        )
    was_on = await reminders.agreed(session, member_id)
    await reminders.stop(session, member_id, now)
    return Reply(wording.say("reminder.stopped" if was_on else "reminder.stopped_none"))
