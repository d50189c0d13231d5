"""The claim sheet's form: one card to confirm, then only the questions that matter, one at a time.

What is known stands in the database (``casework.claims.drafts``), not in slots: a crash loses no answer. Like
the intake, the form reads every message itself (docs/decisions/0002).
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import payload
from actions.base import CaseworkAction, Speaker
from actions.claim_answers import FIX, VALUE, Answered, read_answer, read_button, read_card
from actions.interruptions import answer_interruption, leave_form
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations
from casework.claims import drafts
from casework.claims.questions import Question
from casework.clock import shanghai_day
from casework.errors import BadInput
from casework.tables import ClaimSheet

DONE = "claims_done"
WHICH = "claims_which"
"""Whether the member is being asked which item of the card is wrong."""
MISSES_BEFORE_SKIP = 2
MAX_CHOICES = 12
_WRONG = {
    "day": "wrong_day",
    "day_range": "wrong_day",
    "number": "wrong_number",
    "whole": "wrong_number",
    "range": "wrong_range",
    "choice": "wrong_choice",
    "district": "wrong_district",
    "left_before_hired": "wrong_order",
}
_HINT = {
    "day": "wrong_day",
    "money": "wrong_number",
    "number": "wrong_number",
    "choice": "wrong_choice",
    "district": "wrong_district",
    "text": "again",
}


class ActionStartClaims(CaseworkAction):
    """Begins a claim sheet from everything told in the conversation."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_start_claims"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Read what was told so far and say how it will go."""
        conversation = await conversations.get(session, turn.conversation_id)
        topics = tuple(str(topic) for topic in turn.slot("case_topics") or ())
        facts = {name: str(value) for name, value in turn.slots.items() if name in drafts.FROM_NLU and value}
        await drafts.begin(
            session,
            conversation,
            house.claims,
            turn.text,
            facts | _facts(turn),
            turn.message_id,
            house.clock.now(),
            topics=topics,
        )
        speaker.answer(house.claim_words.say("begin"))
        return [
            SlotSet("pending_offer", "nothing"),
            SlotSet("not_understood", 0),
            SlotSet("form_misses", 0),
            SlotSet(DONE, None),
            SlotSet(WHICH, None),
        ]


class ValidateClaimsForm(CaseworkAction):
    """Reads one message while the sheet is being made."""

    def name(self) -> str:
        """Name in domain.yml (Rasa calls ``validate_<form>`` by itself)."""
        return "validate_claims_form"

    def on_failure(self, tracker: Tracker) -> list[EventType]:
        """Keep the form where it was: the same question is asked again after the apology."""
        return [SlotSet("form_misses", tracker.slots.get("form_misses") or 0)]

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Take the message in; the form goes on until there is nothing more to ask."""
        sheet = await drafts.asking(session, turn.conversation_id)
        if sheet is None:
            return _over("left")
        if turn.requested_slot is None or drafts.already_read(sheet, turn.message_id):
            return _go_on(turn)
        left = await leave_form(turn, speaker, session, house)
        if left is not None:
            await drafts.leave(session, sheet, house.clock.now())
            return [*left.events, *_over(left.outcome)]
        return await _Reader(turn, speaker, session, house, sheet).read()


class ActionAskClaimsFormClaimsDone(CaseworkAction):
    """Says what the form wants next: the story, the card, or a question."""

    def name(self) -> str:
        """Name in domain.yml (Rasa finds it by form and slot)."""
        return "action_ask_claims_form_claims_done"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say it."""
        sheet = await drafts.asking(session, turn.conversation_id)
        if sheet is None:
            speaker.answer(house.claim_words.say("no_sheet"))
            return []
        say, buttons = house.claim_words.say, house.claim_words.buttons
        if not drafts.tells_a_right(sheet, house.claims):
            speaker.answer(say("story"))
        elif not drafts.is_confirmed(sheet):
            lines = drafts.card(sheet, house.claims)
            if turn.slot(WHICH):
                speaker.answer(
                    say("card_which"),
                    buttons=[
                        *((line.label, _button(FIX + line.name)) for line in lines[:MAX_CHOICES]),
                        (buttons["back"], _button("confirm")),
                    ],
                )
            else:
                speaker.answer(
                    house.claim_words.card(lines),
                    buttons=[(buttons["confirm"], _button("confirm")), (buttons["wrong"], _button("wrong"))],
                )
        else:
            today = shanghai_day(house.clock.now())
            question = drafts.next_question(sheet, house.claims, today)
            if question is not None:
                speaker.answer(house.claim_words.question(question), buttons=_choices(question, buttons))
        return []


class _Reader:
    """One message read into the sheet."""

    def __init__(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources, sheet: ClaimSheet
    ) -> None:
        self.turn = turn
        self.speaker = speaker
        self.session = session
        self.house = house
        self.sheet = sheet
        self.now = house.clock.now()
        self.today = shanghai_day(self.now)

    async def read(self) -> list[EventType]:
        """Decide what the message is, and take it in."""
        button = read_button(self.turn)
        if button is not None and button.deed is not None:
            return await self._deed(button.deed)
        if not drafts.tells_a_right(self.sheet, self.house.claims):
            return await self._story()
        if not drafts.is_confirmed(self.sheet):
            answered = read_card(self.turn)
            if answered is not None and answered.deed is not None:
                return await self._deed(answered.deed)
            return await self._correction()
        question = drafts.next_question(self.sheet, self.house.claims, self.today)
        if question is None:
            return _over("given")
        answered = button or read_answer(self.turn, question)
        if answered is None or answered.question not in (None, question.name):
            return await self._no_answer(question)
        if answered.deed is not None:
            return await self._deed(answered.deed)
        return await self._answer(question, answered)

    async def _deed(self, deed: str) -> list[EventType]:
        if deed == "show":
            return _over("given")
        if deed == "wrong":
            return [SlotSet(WHICH, True), *_go_on(self.turn)]
        if deed.startswith(FIX):
            name = deed.removeprefix(FIX)
            label = next(
                (line.label for line in drafts.card(self.sheet, self.house.claims) if line.name == name), ""
            )
            await drafts.reopen(self.session, self.sheet, name, self.now, self.turn.message_id)
            if label:
                self.speaker.answer(self.house.claim_words.say("removed", label=label))
            return [SlotSet(WHICH, None), *_go_on(self.turn)]
        await drafts.confirm(self.session, self.sheet, self.turn.message_id, self.now)
        return [SlotSet(WHICH, None), *self._on()]

    async def _story(self) -> list[EventType]:
        await self._tell()
        if drafts.tells_a_right(self.sheet, self.house.claims):
            return _go_on(self.turn)
        interruption = await answer_interruption(self.turn, self.speaker, self.session, self.house)
        if interruption is not None:
            return [*interruption, *_go_on(self.turn)]
        return await self._miss("story_again")

    async def _correction(self) -> list[EventType]:
        """More of the story, or a fact said anew, while the card is shown."""
        before = drafts.card(self.sheet, self.house.claims)
        await self._tell()
        if drafts.card(self.sheet, self.house.claims) != before:
            return [SlotSet(WHICH, None), SlotSet("form_misses", 0), *_go_on(self.turn)]
        interruption = await answer_interruption(self.turn, self.speaker, self.session, self.house)
        if interruption is not None:
            return [*interruption, *_go_on(self.turn)]
        return await self._miss("again")

    async def _answer(self, question: Question, answered: Answered) -> list[EventType]:
        value = None if answered.unknown else answered.value
        quote = self.turn.text or None
        try:
            await drafts.answer(
                self.session,
                self.sheet,
                self.house.claims,
                question.name,
                value,
                quote,
                self.turn.message_id,
                self.now,
            )
        except BadInput as impossible:
            return await self._miss(_WRONG[str(impossible.values["rule"])])
        return [SlotSet("form_misses", 0), *self._on()]

    async def _no_answer(self, question: Question) -> list[EventType]:
        """More of the story, another question, or nothing we can use."""
        before = drafts.card(self.sheet, self.house.claims)
        await self._tell()
        if drafts.card(self.sheet, self.house.claims) != before:
            return [SlotSet("form_misses", 0), *self._on()]
        interruption = await answer_interruption(self.turn, self.speaker, self.session, self.house)
        if interruption is not None:
            return [*interruption, *_go_on(self.turn)]
        return await self._miss(_HINT[question.kind], question)

    async def _tell(self) -> None:
        if self.turn.text:
            await drafts.tell(
                self.session,
                self.sheet,
                self.house.claims,
                self.turn.text,
                _facts(self.turn),
                self.turn.message_id,
                self.now,
            )

    async def _miss(self, hint: str, question: Question | None = None) -> list[EventType]:
        misses = int(self.turn.slots.get("form_misses") or 0) + 1
        if misses >= MISSES_BEFORE_SKIP:
            if question is not None:
                await drafts.answer(
                    self.session,
                    self.sheet,
                    self.house.claims,
                    question.name,
                    None,
                    None,
                    self.turn.message_id,
                    self.now,
                )
                self.speaker.answer(self.house.claim_words.say("skipped"))
                return [SlotSet("form_misses", 0), *self._on()]
            left = await leave_form(self.turn, self.speaker, self.session, self.house, give_up=True)
            if left is not None:
                await drafts.leave(self.session, self.sheet, self.now)
                return [*left.events, *_over(left.outcome)]
        self.speaker.answer(self.house.claim_words.say(hint))
        return [SlotSet("form_misses", misses), *_go_on(self.turn, keep_misses=True)]

    def _on(self) -> list[EventType]:
        """Ask on, or give the sheet when nothing is left to ask."""
        if drafts.next_question(self.sheet, self.house.claims, self.today) is None:
            return _over("given")
        return _go_on(self.turn)


def _facts(turn: Turn) -> dict[str, str]:
    """The facts of this message that a sheet is made from."""
    return {name: str(value) for name, value in turn.entities.items() if name in drafts.FROM_NLU}


def _button(deed: str) -> str:
    return payload("answer_claims", claim=deed)


def _choices(question: Question, buttons: dict[str, str] | Any) -> list[tuple[str, str]]:
    choices = [
        (label, _button(f"{VALUE}{question.name}:{value}")) for value, label in question.choices[:MAX_CHOICES]
    ]
    return [*choices, (buttons["unknown"], _button("unknown")), (buttons["show"], _button("show"))]


def _go_on(turn: Turn, *, keep_misses: bool = False) -> list[EventType]:
    """The form stays open; an event that changes nothing keeps Rasa from rejecting it."""
    events: list[EventType] = [SlotSet("requested_slot", DONE)]
    if not keep_misses:
        events.insert(0, SlotSet("form_misses", turn.slots.get("form_misses") or 0))
    return events


def _over(outcome: str) -> list[EventType]:
    return [SlotSet(DONE, outcome), SlotSet("requested_slot", None)]
