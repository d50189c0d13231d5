"""A human, now: the conversation changes owner and the member is told what happens next."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations, handoff
from casework.errors import BadInput, NotFound
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


class ActionRateService(CaseworkAction):
    """Takes the rating of a human's service; a bad one goes to a supervisor."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_rate_service"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Rate it (1 to 5); only the member who was served can."""
        conversation = await conversations.get(session, turn.conversation_id)
        rating = int(turn.entities.get("rating") or 0)
        try:
            await handoff.rate(
                session,
                int(turn.entities.get("handoff") or 0),
                conversation.member_id,
                rating,
                house.clock.now(),
                message_id=turn.message_id,
            )
        except (NotFound, BadInput):
            speaker.say("utter_service_not_found")
            return []
        # Nobody comes to a member who is left to the bot: then no supervisor is promised either.
        badly = rating <= handoff.BAD_RATING and conversation.owner is not Owner.BOT
        speaker.say("utter_service_rated_badly" if badly else "utter_service_rated")
        return []
