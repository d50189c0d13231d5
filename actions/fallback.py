"""Not understood: two guesses and what search finds as buttons, then other words, then a human.

Never a dead end.
"""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import SEVERAL, offer_claims, payload, speak_article
from actions.base import CaseworkAction, Speaker
from actions.crisis import care_first
from actions.handoff import hand_off
from actions.resources import Resources
from actions.turn import FALLBACK_INTENT, Turn
from casework.clock import shanghai_day
from casework.knowledge_search import offered, search_of

GUESSES = 2
CHOICES = 4
"""Guesses and found articles together: more buttons than these are not read."""
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
    """Guesses and found articles as buttons, and 都不是; other words each time; a human at the third.

    A story that no topic is sure of, but that tells of several rights, is offered a claim sheet first.
    """
    misses = int(turn.slots.get("not_understood") or 0) + 1
    if misses >= TRIES_BEFORE_HUMAN:
        return await _give_up(turn, speaker, session, house)
    offered = await offer_claims(turn, speaker, session, house, least=SEVERAL) if misses == 1 else None
    if offered is not None:
        return offered
    guessed = _guessed(turn, house)
    choices = guessed | {one: button for one, button in _found(turn, house).items() if one not in guessed}
    buttons = list(choices.values())[:CHOICES]
    if not buttons:
        speaker.say("utter_not_understood_first")
        return [SlotSet("not_understood", misses), SlotSet("pending_offer", "hand_off")]
    say = house.knowledge.wording.say
    buttons.append((say("dialogue.none_of_these_button"), payload("none_of_these")))
    buttons.append((say("dialogue.human_button"), payload("request_human")))
    if guessed:
        text = say("dialogue.guess_first" if misses == 1 else "dialogue.guess_again")
    else:
        text = say("dialogue.found_first" if misses == 1 else "dialogue.found_again")
    speaker.answer(text, buttons=buttons)
    return [SlotSet("not_understood", misses), SlotSet("pending_offer", "nothing")]


def _guessed(turn: Turn, house: Resources) -> dict[str, tuple[str, str]]:
    """A button for each of the likeliest meanings, by topic."""
    buttons: dict[str, tuple[str, str]] = {}
    for intent, confidence in turn.ranking:
        info = house.knowledge.intents.get(intent)
        if intent == FALLBACK_INTENT or info is None or info.kind not in ("ask", "deed"):
            continue
        if confidence < WORTH_GUESSING or len(buttons) == GUESSES:
            break
        buttons.setdefault(info.topic, (info.label, payload(intent, about="guess")))
    return buttons


def _found(turn: Turn, house: Resources) -> dict[str, tuple[str, str]]:
    """A button for each article search finds, by topic; none where a crisis is seen or held possible."""
    knowledge = house.knowledge
    held = [
        knowledge.intents[intent].topic
        for intent, confidence in turn.ranking
        if confidence >= WORTH_GUESSING and intent in knowledge.intents
    ]
    buttons: dict[str, tuple[str, str]] = {}
    search = search_of(knowledge, house.settings.home / "data" / "knowledge")
    today = shanghai_day(house.clock.now())
    for one in offered(search, house.crisis, turn.text, today, (*turn.topics, *held)):
        intent = knowledge.leading_intent(one.topic)
        if intent is not None:
            label = one.article.label if intent.kind == "ask" else intent.label
            buttons[one.topic] = (label, payload(intent.name, about="search"))
    return buttons


async def _give_up(turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources) -> list[EventType]:
    speaker.say("utter_giving_up")
    await hand_off(turn, speaker, session, house, reason="not_understood")
    return [SlotSet("not_understood", 0), SlotSet("pending_offer", "nothing")]
