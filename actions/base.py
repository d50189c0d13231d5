"""The one way an action runs: inside a transaction, and never silent."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.ext.asyncio import AsyncSession

from actions.resources import Resources, current
from actions.turn import Turn
from casework.errors import Refusal
from casework.published import current_knowledge

logger = logging.getLogger(__name__)


class Speaker:
    """What an action says to the member: wording by name from domain.yml, or a composed answer."""

    def __init__(self, dispatcher: CollectingDispatcher) -> None:
        self._dispatcher = dispatcher

    def say(self, response: str, **values: object) -> None:
        """Say ``utter_*`` of domain.yml with its values filled in."""
        self._dispatcher.utter_message(response=response, **values)

    def answer(
        self,
        text: str,
        *,
        buttons: Sequence[tuple[str, str]] = (),
        topic: str | None = None,
        sources: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Say a composed answer with its topic, sources and buttons [(title, payload)]."""
        self._dispatcher.utter_message(
            json_message={
                "text": text,
                "buttons": [{"title": title, "payload": payload} for title, payload in buttons],
                "topic": topic,
                "sources": list(sources),
            }
        )


class CaseworkAction(Action, ABC):
    """Base of our actions: reads the turn, opens the transaction, says refusals and failures alike.

    An action that raised would leave the member in silence (Rasa answers 200 with an empty list).
    """

    @abstractmethod
    def name(self) -> str:
        """The action's name in domain.yml."""

    @abstractmethod
    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Do the deed and return the events for Rasa's tracker."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Run ``handle``; on any failure say ``utter_failure`` with a reference number that is in the log."""
        house = current()
        already_said = len(dispatcher.messages)
        try:
            turn = Turn.of(tracker)
            async with house.database.transaction() as session:
                served = replace(house, knowledge=await current_knowledge(session, house.knowledge))
                return await self.handle(turn, Speaker(dispatcher), session, served)
        except Refusal as refusal:
            del dispatcher.messages[already_said:]
            Speaker(dispatcher).answer(house.knowledge.wording.refuse(refusal))
            return self.on_failure(tracker)
        except Exception as error:
            reference = secrets.token_hex(4).upper()
            logger.error(
                "action %s failed, reference %s: %s",
                self.name(),
                reference,
                type(error).__name__,
                exc_info=error,
            )
            # What was said before the failure described a deed that was rolled back.
            del dispatcher.messages[already_said:]
            Speaker(dispatcher).say("utter_failure", reference=reference)
            return self.on_failure(tracker)

    def on_failure(self, tracker: Tracker) -> list[EventType]:
        """Events that leave the dialogue in a usable state after a failure."""
        del tracker
        return []
