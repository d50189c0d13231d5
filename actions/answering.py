"""Answers to questions of knowledge: one action for every topic, and what it remembers for the intake."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.crisis import care_first
from actions.resources import Resources
from actions.turn import Turn
from casework.answers import compose_answer
from casework.claims import drafts
from casework.clock import shanghai_day
from casework.knowledge import Article

STORY_MIN = 8
"""A sentence shorter than this many characters tells no story worth keeping for the case."""
STORY_MAX = 1500
TOPIC_BEHIND_FACTS = 0.15
"""How likely a topic must be for facts told outside a form to be answered as a question about it."""
SEVERAL = 2
"""So many rights in one story are worth a claim sheet, and the member is asked."""
CLAIM_TOPICS = ("labour.", "heat.allowance")
STORY_TOPICS = ("labour.", "heat.", "tuition.", "legal.aid", "service.hardship")


def payload(intent: str, **entities: object) -> str:
    """A button's payload in Rasa's ``/intent{json}`` form."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}" if entities else f"/{intent}"


def remember_story(turn: Turn, topic: str) -> list[EventType]:
    """Keep what the member told about a matter, so that the intake need not ask again."""
    events: list[EventType] = []
    topics = [known for known in turn.slots.get("case_topics") or [] if known != topic]
    if topic.startswith(STORY_TOPICS):
        told = [found for found in turn.topics if found != topic and found.startswith(STORY_TOPICS)]
        events.append(SlotSet("case_topics", [topic, *told, *topics][:6]))
        events.append(SlotSet("case_topic", topic))
        if len(turn.text) >= STORY_MIN:
            story = turn.slot("story")
            joined = f"{story}\n{turn.text}" if story and turn.text not in story else turn.text
            events.append(SlotSet("story", joined[-STORY_MAX:]))
    return events


def speak_article(
    article: Article,
    turn: Turn,
    speaker: Speaker,
    house: Resources,
    today: date,
    *,
    offer: bool = True,
    rights: Sequence[str] = (),
) -> list[EventType]:
    """Say an article's answer for the aspect asked and offer the case it leads to; the events to remember.

    ``rights`` are those the story told so far touches: with one a claim sheet is offered by a button, with
    several it is asked whether one is wanted.
    """
    answer = compose_answer(house.knowledge, article, turn.entities.get("aspect"), today)
    buttons: list[tuple[str, str]] = []
    text = answer.text
    if offer and rights:
        buttons.append((house.claim_words.buttons["start"], payload("request_claims")))
    asked = offer and len(rights) >= SEVERAL and tells_something(turn, house)
    if asked:
        labels = "、".join(house.claims.words.rights[right].label for right in rights)
        text = f"{text}\n{house.claim_words.say('offer', count=len(rights), labels=labels)}"
    if offer and article.case_type:
        buttons.append(
            (
                house.knowledge.wording.say("dialogue.open_case_button"),
                payload("request_case", case_type=article.case_type, about=article.topic),
            )
        )
    if offer and article.season is not None and not article.season.open_on(today):
        buttons.append((house.claim_words.buttons["season"], payload("remind_season", about=article.topic)))
    for topic in article.related[:2]:
        related = house.knowledge.article(topic)
        intent = house.knowledge.asking_intent(topic)
        if offer and related is not None and intent is not None:
            buttons.append((related.label, payload(intent, about="related")))
    if offer:
        buttons.append((house.knowledge.wording.say("dialogue.human_button"), payload("request_human")))
    speaker.answer(text, buttons=buttons, topic=article.topic, sources=answer.sources_json())
    events: list[EventType] = [
        SlotSet("last_topic", article.topic),
        SlotSet("not_understood", 0),
        *remember_story(turn, article.topic),
    ]
    if offer:
        pending = "open_case" if article.case_type else "nothing"
        events.append(SlotSet("pending_offer", "claims" if asked else pending))
    return events


class ActionAnswer(CaseworkAction):
    """Answers the question of any knowledge topic."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_answer"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Answer with the article of the intent's topic; a crisis heard beside it comes first."""
        await care_first(turn, speaker, session, house)
        today = shanghai_day(house.clock.now())
        article = house.knowledge.article_for_intent(turn.intent)
        rights = await rights_touched(turn, session, house, article.topic)
        return speak_article(article, turn, speaker, house, today, rights=rights)


async def rights_touched(turn: Turn, session: AsyncSession, house: Resources, topic: str) -> tuple[str, ...]:
    """The rights the story told so far touches, for a topic a claim sheet can be made of."""
    if not topic.startswith(CLAIM_TOPICS) or not turn.text:
        return ()
    facts = {name: str(value) for name, value in turn.entities.items()}
    return await drafts.touched(session, turn.conversation_id, turn.text, facts, house.claims)


class ActionNoteFacts(CaseworkAction):
    """Acknowledges facts said outside a form, or answers a station question they complete."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_note_facts"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say what was noted; a district after a station question finds the stations."""
        from actions.stations import find_stations  # noqa: PLC0415  (stations uses this module's payload)

        if turn.slot("last_topic") == "legal.station" and turn.entities.get("district"):
            return await find_stations(turn, speaker, session, house)
        meant = _what_it_is_about(turn, house)
        if meant is not None:
            rights = await rights_touched(turn, session, house, meant.topic)
            return speak_article(meant, turn, speaker, house, shanghai_day(house.clock.now()), rights=rights)
        offered = await offer_claims(turn, speaker, session, house)
        if offered is not None:
            return offered
        labels = house.knowledge.case_types.fact_labels
        known = [f"{labels[name]} {value}" for name, value in turn.entities.items() if name in labels]
        if known:
            speaker.say("utter_fact_noted", facts="，".join(known))
            speaker.say("utter_nothing_to_affirm")
        else:
            speaker.say("utter_not_understood_first")
        return []


async def offer_claims(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources, *, least: int = 1
) -> list[EventType] | None:
    """A story without a question: what it touches is named, and a claim sheet is offered.

    None when the message itself tells nothing, or fewer than ``least`` rights hang on what was told.
    """
    if not tells_something(turn, house):
        return None
    rights = await rights_touched(turn, session, house, CLAIM_TOPICS[0])
    if len(rights) < least:
        return None
    words = house.claims.words.rights
    labels = "、".join(words[right].label for right in rights)
    say, topic = house.knowledge.wording.say, words[rights[0]].topic
    speaker.answer(
        house.claim_words.say("offer", count=len(rights), labels=labels),
        buttons=[
            (house.claim_words.buttons["start"], payload("request_claims")),
            (say("dialogue.open_case_button"), payload("request_case", case_type="labour_dispute")),
            (say("dialogue.human_button"), payload("request_human")),
        ],
        topic=topic,
    )
    return [
        SlotSet("pending_offer", "claims"),
        SlotSet("not_understood", 0),
        SlotSet("last_topic", topic),
        *remember_story(turn, topic),
    ]


def tells_something(turn: Turn, house: Resources) -> bool:
    """Whether this message tells of something that happened, and does not only ask."""
    return bool(turn.text) and bool(house.claims.circumstances.find(turn.text))


def _what_it_is_about(turn: Turn, house: Resources) -> Article | None:
    """The article of the likeliest question behind bare facts (三个月没发工资 asks without asking)."""
    for intent, confidence in turn.ranking:
        info = house.knowledge.intents.get(intent)
        if confidence < TOPIC_BEHIND_FACTS:
            return None
        if info is not None and info.kind == "ask":
            return house.knowledge.article(info.topic)
    return None
