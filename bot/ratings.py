"""Ratings: a press of a rating's button counts whoever speaks in the conversation, bot or human."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from casework import buttons, cases, handoff
from casework.errors import NotFound, Refusal
from casework.messages import Reply
from casework.ownership import no_longer_waits
from casework.tables import Conversation, Message
from casework.wording import Wording

_RATING = re.compile(r"/(rate_case|rate_service)(\{.*\})")


async def pressed_rating(session: AsyncSession, message: Message) -> tuple[str, dict[str, Any]] | None:
    """Which rating a member's message is (``rate_case`` or ``rate_service``) and its values, or None."""
    token = (message.content or {}).get("payload")
    if not token:
        return None
    try:
        found = _RATING.fullmatch(await buttons.resolve_button(session, message.conversation_id, token))
    except NotFound:
        return None
    return None if found is None else (found[1], json.loads(found[2]))


async def take_rating(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    rating: tuple[str, dict[str, Any]],
    wording: Wording,
) -> Reply:
    """Book a rating and give back what is said to it; a refusal is said, not raised."""
    if conversation.waiting_since == message.created_at:
        no_longer_waits(conversation)  # a press of a button waits for nobody's answer
    kind, values = rating
    score, now = int(values["rating"]), message.created_at
    try:
        if kind == "rate_case":
            case = await cases.case_for_member(session, conversation.member_id, str(values["case_no"]))
            await cases.rate(session, case, score, now)
            badly = score <= cases.BAD_RATING
        else:
            await handoff.rate(
                session, int(values["handoff"]), conversation.member_id, score, now, message_id=message.id
            )
            badly = False  # a human has the conversation already
    except Refusal as refusal:
        return Reply(wording.refuse(refusal))
    return Reply(wording.say("switchboard.rated_badly" if badly else "switchboard.rated"))
