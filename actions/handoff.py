"""A human, now: the conversation changes owner and the member is told what happens next."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations, handoff
from casework.tables import Owner


async def hand_off(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources, *, reason: str
) -> None:
    """Put the conversation into the human queue and say so; saying it twice moves nothing."""
    conversation = await conversations.get(session, turn.conversation_id)
    if conversation.owner != Owner.BOT:
        speaker.say("utter_hand_off_already")
        return
    await handoff.hand_off(session, conversation, reason, house.clock.now(), message_id=turn.message_id)
    speaker.say("utter_handed_off")


class ActionHandOff(CaseworkAction):
    """Hands the conversation to the human queue."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_hand_off"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Hand off because the member asked for a human."""
        await hand_off(turn, speaker, session, house, reason="member_asked")
        return [SlotSet("pending_offer", "nothing"), SlotSet("not_understood", 0)]
