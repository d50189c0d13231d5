"""Anonymous words: a member's message with everything taken out that says who they are.

What identifies somebody was often said earlier or stands in a case: all they told is looked up first.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import members
from casework.personal_data import removed_personal_data
from casework.tables import Author, Case, Conversation, Message

IDENTIFYING = ("person_name", "phone", "employer", "case_no")
MAX_MESSAGES = 300
"""How far back facts that identify somebody are looked for."""


async def without_personal_data(session: AsyncSession, message: Message) -> str:
    """The words of a member's message, with what they told anywhere about who they are as placeholders."""
    conversation = await session.get_one(Conversation, message.conversation_id)
    member = await members.get(session, conversation.member_id)
    told: dict[str, list[str]] = {name: [] for name in IDENTIFYING}
    spoken = await session.scalars(
        select(Message.facts)
        .where(Message.conversation_id == conversation.id, Message.author == Author.MEMBER)
        .order_by(Message.id.desc())
        .limit(MAX_MESSAGES)
    )
    filed = await session.scalars(select(Case.facts).where(Case.member_id == member.id).limit(MAX_MESSAGES))
    for facts in (message.facts, *spoken, *filed):
        for name in IDENTIFYING:
            value = (facts or {}).get(name)
            if value is not None and str(value) not in told[name]:
                told[name].append(str(value))
    return removed_personal_data(message.text or "", member, told)
