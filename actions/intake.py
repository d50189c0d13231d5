"""The intake: one form for every case type, asking only what is not known yet.

The questions come from ``data/knowledge/case_types.yml``; this room decides what a message means while
one of them is open: an answer, several facts at once, a correction, a skip, another question, or a way out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.intake_answers import Reading, read_answer
from actions.interruptions import answer_interruption, leave_form
from actions.resources import Resources
from actions.turn import FALLBACK_INTENT, SKIPPED, Turn
from casework.case_types import Question

CONFIRM = "case_confirmed"
MISSES_BEFORE_SKIP = 2
MISSES_BEFORE_HUMAN = 3


@dataclass
class Intake:
    """The form's state while one message is read: slot values as they will be after it."""

    turn: Turn
    house: Resources
    values: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = {**self.turn.slots, **self.values}

    def set(self, slot: str, value: Any) -> None:
        """Give a slot its value after this message."""
        self.values[slot] = value
        self.changed[slot] = value

    @property
    def case_type(self) -> str:
        """The case type chosen so far; general until something says otherwise."""
        return str(self.values.get("case_type") or "general")

    def questions(self) -> list[Question]:
        """Every question this case asks, in order, answered or not."""
        return self.house.knowledge.case_types.questions(
            self.case_type, str(self.values.get("case_topic") or "")
        )

    def question(self, slot: str) -> Question | None:
        """The question that fills a slot, if this case asks it."""
        return next((question for question in self.questions() if question.slot == slot), None)

    def next_slot(self) -> str | None:
        """The next slot to ask for: the first unanswered question, then the confirmation."""
        for question in self.questions():
            if self.values.get(question.slot) in (None, ""):
                return question.slot
        return CONFIRM if self.values.get(CONFIRM) is None else None

    def events(self, next_slot: str | None) -> list[EventType]:
        """Rasa's events for what changed; never empty, so that Rasa does not reject the form."""
        self.changed.setdefault("form_misses", self.values.get("form_misses") or 0)
        changed = [SlotSet(slot, value) for slot, value in self.changed.items()]
        return [*changed, SlotSet("requested_slot", next_slot)]


class ValidateCaseForm(CaseworkAction):
    """Reads one message while the intake is open and decides what is asked next."""

    def name(self) -> str:
        """Name in domain.yml (Rasa calls ``validate_<form>`` by itself)."""
        return "validate_case_form"

    def on_failure(self, tracker: Tracker) -> list[EventType]:
        """Keep the form where it was: the same question is asked again after the apology."""
        return [SlotSet("form_misses", tracker.slots.get("form_misses") or 0)]

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Read the message; returns slot values and the next slot to request (None ends the form)."""
        intake = Intake(turn, house)
        if turn.requested_slot is None:
            return intake.events(intake.next_slot())

        left = await leave_form(turn, speaker, session, house)
        if left is not None:
            intake.set(CONFIRM, left.outcome)
            return [*left.events, *intake.events(None)]

        corrections = self._take_facts(intake, speaker)
        question = intake.question(turn.requested_slot) or Question(slot=CONFIRM, required=True, label="")
        reading = read_answer(turn, question, intake.values, intake.questions())
        if reading.outcome is not None:
            intake.set(CONFIRM, reading.outcome)
            return intake.events(None)
        for slot, value in reading.values.items():
            intake.set(slot, value)
        if "story" in reading.values:
            self._learn_type(intake)
        if reading.values or corrections or self._heard_facts(intake):
            intake.set("form_misses", 0)
            return intake.events(intake.next_slot())
        return await self._not_an_answer(intake, question, reading, speaker, session)

    def _take_facts(self, intake: Intake, speaker: Speaker) -> bool:
        """Say which earlier facts this message corrected; the values themselves Rasa has set already."""
        labels = intake.house.knowledge.case_types.fact_labels
        corrected = False
        for name, value in intake.turn.entities.items():
            before = intake.turn.previous.get(name)
            if name in labels and before not in (None, "", SKIPPED) and before != value:
                speaker.say("utter_fact_corrected", label=labels[name], value=value)
                corrected = True
        return corrected

    def _heard_facts(self, intake: Intake) -> bool:
        """Whether the message stated any fact this case asks for."""
        asked = {question.slot for question in intake.questions()}
        return any(name in asked for name in intake.turn.entities)

    def _learn_type(self, intake: Intake) -> None:
        """The story tells what the matter is when nothing said so before."""
        info = intake.house.knowledge.intents.get(intake.turn.intent)
        if info is None or info.kind == "talk" or intake.turn.intent == FALLBACK_INTENT:
            return
        article = intake.house.knowledge.article(info.topic)
        if article is not None and article.case_type and intake.case_type in ("general", article.case_type):
            intake.set("case_type", article.case_type)
            if not intake.values.get("case_topic"):
                intake.set("case_topic", info.topic)
                intake.set("case_topics", [info.topic, *[t for t in intake.turn.topics if t != info.topic]])

    async def _not_an_answer(
        self, intake: Intake, question: Question, reading: Reading, speaker: Speaker, session: AsyncSession
    ) -> list[EventType]:
        """Another question is answered and the form comes back; otherwise help, then skip, then a human."""
        turn, house = intake.turn, intake.house
        if reading.repeat_slot is not None:
            intake.set(reading.repeat_slot, None)
            return intake.events(reading.repeat_slot)
        interruption = await answer_interruption(turn, speaker, session, house)
        if interruption is not None:
            return [*interruption, *intake.events(intake.next_slot())]
        misses = int(intake.values.get("form_misses") or 0) + 1
        intake.set("form_misses", misses)
        if misses >= MISSES_BEFORE_SKIP and not question.required:
            speaker.say("utter_form_skipped_for_you")
            intake.set(question.slot, SKIPPED)
            intake.set("form_misses", 0)
            return intake.events(intake.next_slot())
        if misses >= MISSES_BEFORE_HUMAN:
            left = await leave_form(turn, speaker, session, house, give_up=True)
            if left is not None:
                intake.set(CONFIRM, left.outcome)
                return [*left.events, *intake.events(None)]
        speaker.say("utter_form_need_this" if reading.refused_skip else reading.hint)
        return intake.events(intake.next_slot())
