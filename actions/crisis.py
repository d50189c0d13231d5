"""Crisis advice where the model hears what the switchboard's rules did not."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations
from casework.crisis import CrisisLevel, remembered_as

_TOPIC = "crisis."


async def speak_crisis(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType]:
    """Say the advice of the crisis kind (short when it was said before) and flag the conversation urgent."""
    kind = turn.intent.removeprefix("crisis_")
    await _advise(kind, CrisisLevel.URGENT, turn, speaker, session, house)
    return [SlotSet("not_understood", 0), SlotSet("pending_offer", "hand_off")]


async def care_first(turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources) -> bool:
    """Say crisis advice before an answer where the model also hears a crisis; whether it did."""
    kinds = [topic.removeprefix(_TOPIC) for topic in turn.topics if topic.startswith(_TOPIC)]
    if kinds:
        await _advise(kinds[0], CrisisLevel.CARE, turn, speaker, session, house)
    return bool(kinds)


async def _advise(
    kind: str, level: CrisisLevel, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> None:
    conversation = await conversations.get(session, turn.conversation_id)
    now = house.clock.now()
    advice = house.crisis.advice(
        kind,
        last_kind=conversation.last_crisis_kind,
        last_at=conversation.last_crisis_at,
        now=now,
        level=level,
    )
    reason = f"{_TOPIC}{remembered_as(kind, level)}"
    await conversations.flag_urgent(session, conversation, reason=reason, now=now)
    speaker.answer(
        advice,
        buttons=[(house.knowledge.wording.say("dialogue.human_button"), "/request_human")],
        topic=f"crisis.{kind}",
    )


class ActionCrisis(CaseworkAction):
    """Says crisis advice."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_crisis"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Advice first, flag second."""
        return await speak_crisis(turn, speaker, session, house)
