"""Crisis advice where the model hears what the switchboard's rules did not."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations


async def speak_crisis(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType]:
    """Say the advice of the crisis kind (short when it was said before) and flag the conversation urgent."""
    kind = turn.intent.removeprefix("crisis_")
    conversation = await conversations.get(session, turn.conversation_id)
    now = house.clock.now()
    advice = house.crisis.advice(
        kind, last_kind=conversation.last_crisis_kind, last_at=conversation.last_crisis_at, now=now
    )
    await conversations.flag_urgent(session, conversation, reason=f"crisis.{kind}", now=now)
    speaker.answer(
        advice,
        buttons=[(house.knowledge.wording.say("dialogue.human_button"), "/request_human")],
        topic=f"crisis.{kind}",
    )
    return [SlotSet("not_understood", 0), SlotSet("pending_offer", "hand_off")]


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
