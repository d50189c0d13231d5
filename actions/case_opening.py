"""From the finished intake to a case with a number."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import remember_story
from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import SKIPPED, Turn
from casework import attachments, cases, conversations, members
from casework.case_links import page_url
from casework.cases import NewCase
from casework.claims import drafts
from casework.errors import BadInput

STARTING_TYPES = {
    "request_heat_report": "heat_report",
    "request_tuition_aid": "tuition_aid",
    "request_appointment": "legal_appointment",
}
KEPT_FOR_NEXT_TIME = {"district", "phone", "person_name"}
"""Facts about the member; every other answer belongs to the one case it was given for."""


class ActionStartCase(CaseworkAction):
    """Chooses the case type and says what the intake will be like."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_start_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Type from the button, the deed or the topic talked about; else general until the story tells."""
        types = house.knowledge.case_types
        case_type = turn.entities.get("case_type") or STARTING_TYPES.get(turn.intent)
        about = turn.entities.get("about")
        topic = about if house.knowledge.article(str(about)) is not None else None
        topic = topic or house.knowledge.topic_of(turn.intent, case_type)
        if topic is None:
            topic = turn.slot("case_topic") or turn.slot("last_topic")
        article = house.knowledge.article(str(topic)) if topic else None
        if case_type not in types.names:
            case_type = article.case_type if article is not None and article.case_type else "general"
        events: list[EventType] = [
            SlotSet("case_type", case_type),
            SlotSet("pending_offer", "nothing"),
            SlotSet("case_confirmed", None),
            SlotSet("form_misses", 0),
            SlotSet("not_understood", 0),
        ]
        if topic:
            events += [event for event in remember_story(turn, str(topic)) if event["name"] != "story"]
            events.append(SlotSet("case_topic", topic))
        if turn.intent in STARTING_TYPES and len(turn.text) >= 12:
            events.append(SlotSet("story", turn.text))
        speaker.say(f"utter_case_start_{case_type}")
        return events


class ActionAskCaseFormCaseConfirmed(CaseworkAction):
    """Shows one summary to confirm, with the pre-check of a tuition request before it."""

    def name(self) -> str:
        """Name in domain.yml (Rasa finds it by form and slot)."""
        return "action_ask_case_form_case_confirmed"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say the summary."""
        case_type = str(turn.slot("case_type") or "general")
        if case_type == "tuition_aid":
            registered = turn.slot("hardship_registered")
            kind = {"yes": "registered", "no": "not_registered"}.get(str(registered), "unknown")
            speaker.say(f"utter_tuition_precheck_{kind}")
        lines = house.knowledge.case_types.summary_lines(case_type, _facts(turn, house, case_type))
        speaker.say("utter_case_summary", lines="\n".join(lines))
        return []


class ActionFinishCase(CaseworkAction):
    """Opens the case when the member submitted; otherwise says that nothing was submitted."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_finish_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Open the case (once per confirming message) and give its number."""
        outcome = turn.slots.get("case_confirmed")
        if outcome == "cancelled":
            speaker.say("utter_case_cancelled")
        if outcome != "yes":
            return [SlotSet("case_confirmed", None), SlotSet("form_misses", 0)]

        case_type = str(turn.slot("case_type") or "general")
        facts = _facts(turn, house, case_type)
        now = house.clock.now()
        conversation = await conversations.get(session, turn.conversation_id)
        new = NewCase(
            case_type=case_type,
            topic=str(turn.slot("case_topic") or house.knowledge.case_types[case_type].default_topic),
            topics=tuple(turn.slots.get("case_topics") or ()),
            member_id=conversation.member_id,
            conversation_id=conversation.id,
            message_id=turn.message_id,
            district=facts.get("district"),
            facts=facts,
            summary="\n".join(house.knowledge.case_types.summary_lines(case_type, facts)),
            urgent=conversation.urgent,
        )
        try:
            case = await cases.open_case(session, new, now)
        except BadInput as impossible:
            return _ask_again(str(impossible.values.get("fact")), speaker, house)
        await members.set_contact(
            session, conversation.member_id, name=facts.get("person_name"), phone=facts.get("phone")
        )
        await attachments.attach_waiting(session, conversation.id, case.id)
        await drafts.attach_to_case(session, conversation.id, case.id, now)
        speaker.say(
            "utter_case_opened",
            number=case.number,
            anonymous=house.knowledge.wording.say("dialogue.anonymous_case") if case.anonymous else "",
        )
        if house.settings.public_url is not None:
            url = page_url(house.settings.public_url, case.id)
            speaker.answer(house.knowledge.wording.say("case_notice.link", url=url))
        checklist = house.knowledge.case_types[case_type].checklist
        if checklist:
            speaker.say("utter_case_checklist", items="；".join(checklist))
        answered = [question.slot for question in _questions(turn, house, case_type)]
        cleared = [SlotSet(slot, None) for slot in answered if slot not in KEPT_FOR_NEXT_TIME]
        skipped = [SlotSet(slot, None) for slot in KEPT_FOR_NEXT_TIME if turn.slots.get(slot) == SKIPPED]
        return [
            *cleared,
            *skipped,
            SlotSet("case_confirmed", None),
            SlotSet("case_type", None),
            SlotSet("case_topic", None),
            SlotSet("case_topics", None),
            SlotSet("case_number", case.number),
            SlotSet("pending_offer", "nothing"),
        ]


def _ask_again(fact: str, speaker: Speaker, house: Resources) -> list[EventType]:
    """An impossible fact is named and emptied; yes goes back to the intake, which asks for it alone."""
    say = house.knowledge.wording.say
    speaker.answer(
        say("refusal.bad_input_fact", label=house.knowledge.case_types.fact_labels.get(fact, fact)),
        buttons=[(say("dialogue.go_on_button"), "/affirm")],
    )
    return [SlotSet(fact, None), SlotSet("case_confirmed", None), SlotSet("pending_offer", "open_case")]


def _questions(turn: Turn, house: Resources, case_type: str) -> list[Any]:
    return house.knowledge.case_types.questions(case_type, str(turn.slot("case_topic") or ""))


def _facts(turn: Turn, house: Resources, case_type: str) -> dict[str, Any]:
    """What the member answered, without what they skipped."""
    return {
        question.slot: turn.slot(question.slot)
        for question in _questions(turn, house, case_type)
        if turn.slot(question.slot) is not None
    }
