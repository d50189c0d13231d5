"""Case from talk: a case that staff open for a member, with what the conversation already holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from casework import attachments, members
from casework.case_facts import check_facts
from casework.case_life import Actor
from casework.case_types import SLOTS
from casework.cases import NewCase, open_case
from casework.clock import shanghai_day
from casework.conversations import lock
from casework.desk_view import facts_told
from casework.errors import BadInput
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.tables import Case, Conversation, Priority, Staff


async def open_from_talk(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    case_type: str,
    knowledge: Knowledge,
    now: datetime,
) -> Case:
    """Open a case of a type from what the member has told; files they sent and that are free go with it.

    Facts that cannot be true are left out. Raises NotAllowed, and BadInput for an unknown case type.
    """
    require(staff, Right.WORK_CASES)
    if case_type not in knowledge.case_types:
        raise BadInput("no such case type", field="case_type")
    locked = await lock(session, conversation.id)
    member = await members.get(session, locked.member_id)
    told = {"person_name": member.name, "phone": member.phone} | dict(await facts_told(session, locked.id))
    kind = knowledge.case_types[case_type]
    facts = possible_facts(told, shanghai_day(now))
    leads_here = locked.last_topic is not None and locked.last_topic in kind.topics
    case = await open_case(
        session,
        NewCase(
            case_type=case_type,
            topic=locked.last_topic if leads_here and locked.last_topic else kind.default_topic,
            member_id=locked.member_id,
            conversation_id=locked.id,
            district=facts.get("district") or locked.district,
            facts=facts,
            summary="\n".join(knowledge.case_types.summary_lines(case_type, facts)) or None,
            urgent=locked.urgent,
        ),
        now,
        actor=Actor.of_staff(staff),
    )
    case.priority = min(case.priority, Priority(locked.priority).value)
    case.risks = list(locked.risks)
    await attachments.attach_waiting(session, locked.id, case.id)
    return case


def possible_facts(told: Mapping[str, str | None], today: date) -> dict[str, str]:
    """The facts a case may hold, each checked by itself: one that is impossible costs only itself."""
    facts: dict[str, str] = {}
    for name, value in told.items():
        if name not in SLOTS or not value:
            continue
        try:
            facts |= check_facts({name: value}, today)
        except BadInput:
            continue
    return facts
