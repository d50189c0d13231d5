"""Not understood: two guesses as buttons, then other words, then a human. Never a dead end."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import payload, speak_article
from actions.base import CaseworkAction, Speaker
from actions.crisis import care_first
from actions.handoff import hand_off
from actions.resources import Resources
from actions.turn import FALLBACK_INTENT, Turn
from casework.clock import shanghai_day

GUESSES = 2
WORTH_GUESSING = 0.05
"""A guess less likely than this is no help to choose from."""
TRIES_BEFORE_HUMAN = 3
FOLLOW_UP_MAX = 15
"""A question that leans on the one before it (那要多久) is at most this many characters."""


class ActionSuggest(CaseworkAction):
    """Offers the two likeliest meanings, or answers a follow-up question about the last topic."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_suggest"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Answer a follow-up, or guess; the third time in a row a human takes over; a crisis comes first."""
        if await care_first(turn, speaker, session, house):
            return [SlotSet("not_understood", 0), SlotSet("pending_offer", "hand_off")]
        last = turn.slot("last_topic")
        if last and turn.entities.get("aspect") and 0 < len(turn.text) <= FOLLOW_UP_MAX:
            article = house.knowledge.article(str(last))
            if article is not None:
                return speak_article(article, turn, speaker, house, shanghai_day(house.clock.now()))
        return await guess(turn, speaker, session, house)


class ActionDefaultFallback(ActionSuggest):
    """What Rasa runs when no rule applies; the member gets the same way on."""

    def name(self) -> str:
        """Name in domain.yml (Rasa's own name, overridden)."""
        return "action_default_fallback"


class ActionNoneOfThese(CaseworkAction):
    """The member said none of the guesses fits."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_none_of_these"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Stop guessing; offer a human, and hand off when this is not the first time."""
        misses = int(turn.slots.get("not_understood") or 0) + 1
        if misses >= TRIES_BEFORE_HUMAN:
            return await _give_up(turn, speaker, session, house)
        speaker.say("utter_none_of_these")
        return [SlotSet("not_understood", misses), SlotSet("pending_offer", "hand_off")]


async def guess(turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources) -> list[EventType]:
    """Two guesses with human labels and 都不是; other wording each time; a human at the third."""
    misses = int(turn.slots.get("not_understood") or 0) + 1
    if misses >= TRIES_BEFORE_HUMAN:
        return await _give_up(turn, speaker, session, house)
    knowledge = house.knowledge
    buttons: list[tuple[str, str]] = []
    topics: set[str] = set()
    for intent, confidence in turn.ranking:
        info = knowledge.intents.get(intent)
        if intent == FALLBACK_INTENT or info is None or info.kind not in ("ask", "deed"):
            continue
        if confidence < WORTH_GUESSING:
            break
        if info.topic in topics or len(buttons) == GUESSES:
            continue
        topics.add(info.topic)
        buttons.append((info.label, payload(intent, about="guess")))
    if not buttons:
        speaker.say("utter_not_understood_first")
        return [SlotSet("not_understood", misses), SlotSet("pending_offer", "hand_off")]
    say = knowledge.wording.say
    buttons.append((say("dialogue.none_of_these_button"), payload("none_of_these")))
    buttons.append((say("dialogue.human_button"), payload("request_human")))
    speaker.answer(say("dialogue.guess_first" if misses == 1 else "dialogue.guess_again"), buttons=buttons)
    return [SlotSet("not_understood", misses), SlotSet("pending_offer", "nothing")]


async def _give_up(turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources) -> list[EventType]:
    speaker.say("utter_giving_up")
    await hand_off(turn, speaker, session, house, reason="not_understood")
    return [SlotSet("not_understood", 0), SlotSet("pending_offer", "nothing")]
