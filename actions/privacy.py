"""Deleting what we hold about a member, after asking once."""

from __future__ import annotations

from rasa_sdk.events import EventType, Restarted, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations, privacy
from casework.attachments import AttachmentStore


def ask_forget(speaker: Speaker) -> list[EventType]:
    """Ask before deleting."""
    speaker.say("utter_ask_forget")
    return [SlotSet("pending_offer", "forget_me")]


class ActionAskForget(CaseworkAction):
    """Asks whether to delete everything."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_ask_forget"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Ask once."""
        return ask_forget(speaker)


class ActionForget(CaseworkAction):
    """Deletes the member's data; open cases are withdrawn first."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_forget"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Delete, then forget the dialogue's own memory too."""
        conversation = await conversations.get(session, turn.conversation_id)
        await privacy.forget_member(
            session,
            conversation.member_id,
            house.clock.now(),
            withdraw_open=True,
            store=AttachmentStore.of(house.settings),
        )
        speaker.say("utter_forgotten")
        # The tracker store keeps nothing from before a restart.
        return [Restarted()]


class ActionDecline(CaseworkAction):
    """The member said no to what was offered, or there was nothing to say no to."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_decline"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Drop the open offer."""
        offered = turn.slots.get("pending_offer") not in (None, "nothing")
        speaker.say("utter_declined" if offered else "utter_nothing_to_cancel")
        return [SlotSet("pending_offer", "nothing")]
