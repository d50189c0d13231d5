"""Adding to a case: words, photos and files, until the member says that is all."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.base import CaseworkAction, Speaker
from actions.follow_up import pick_case
from actions.interruptions import answer_interruption, leave_form
from actions.resources import Resources
from actions.turn import Turn
from casework import attachments, cases, conversations
from casework.desk_rules import read_desk_rules
from casework.errors import BadCaseNumber, NotFound, TransitionRefused
from casework.tables import Case

ENOUGH = {"affirm", "deny", "skip", "thank", "goodbye"}
"""Said while a supplement is open, these mean that is all."""


class ActionStartSupplement(CaseworkAction):
    """Finds the case to add to."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_start_supplement"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Pick the case; the form ends at once when there is none."""
        case = await pick_case(turn, speaker, session, house, open_only=True, deed="request_case_supplement")
        if case is None:
            return [SlotSet("case_number", None), SlotSet("supplement_text", None)]
        await attachments.attach_waiting(session, turn.conversation_id, case.id)
        return [SlotSet("case_number", case.number), SlotSet("supplement_text", None)]


class ValidateSupplementForm(CaseworkAction):
    """Takes each message as an addition to the case until the member says that is all."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "validate_supplement_form"

    def on_failure(self, tracker: Tracker) -> list[EventType]:
        """Keep the form open: nothing the member sent is lost."""
        return [SlotSet("form_misses", tracker.slots.get("form_misses") or 0)]

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Add text or files; returns the next slot to request (None ends the form)."""
        if turn.requested_slot is None:
            return [SlotSet("requested_slot", "supplement_text" if turn.slot("case_number") else None)]
        case = await _case(turn, session)
        left = await leave_form(turn, speaker, session, house)
        if left is not None:
            outcome = [SlotSet("supplement_text", left.outcome), SlotSet("requested_slot", None)]
            return [*left.events, *outcome]
        if case is None:
            speaker.say("utter_case_not_found")
            return [SlotSet("supplement_text", "left"), SlotSet("requested_slot", None)]
        if turn.intent in ENOUGH and not turn.entities:
            return [SlotSet("supplement_text", "done"), SlotSet("requested_slot", None)]
        if turn.is_payload and turn.intent != "send_attachment":
            interruption = await answer_interruption(turn, speaker, session, house)
            return [*(interruption or []), *_keep_asking(turn)]
        try:
            if turn.intent == "send_attachment":
                await attachments.attach_waiting(session, turn.conversation_id, case.id)
            await cases.add_supplement(
                session,
                case,
                text=turn.text or None,
                message_id=turn.message_id,
                now=house.clock.now(),
                rules=await read_desk_rules(session, house.desk_rules),
            )
        except TransitionRefused:
            state = house.knowledge.wording.say(f"case_state.{case.state.value}")
            speaker.say("utter_transition_refused", number=case.number, state=state)
            return [SlotSet("supplement_text", "left"), SlotSet("requested_slot", None)]
        speaker.say("utter_supplemented", case_number=case.number)
        return [SlotSet("supplement_text", "done"), SlotSet("requested_slot", None)]


def _keep_asking(turn: Turn) -> list[EventType]:
    return [
        SlotSet("form_misses", turn.slots.get("form_misses") or 0),
        SlotSet("requested_slot", "supplement_text"),
    ]


async def _case(turn: Turn, session: AsyncSession) -> Case | None:
    conversation = await conversations.get(session, turn.conversation_id)
    try:
        return await cases.case_for_member(
            session, conversation.member_id, str(turn.slot("case_number") or "")
        )
    except (BadCaseNumber, NotFound):
        return None


class ActionFinishSupplement(CaseworkAction):
    """Closes the supplement."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_finish_supplement"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say that nothing was added when the member called it off."""
        if turn.slots.get("supplement_text") == "cancelled":
            speaker.say("utter_supplement_cancelled")
        return [SlotSet("supplement_text", None)]


class ActionReceiveAttachment(CaseworkAction):
    """A file outside any form: added to the only open case, or kept for the next one."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_receive_attachment"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Add it where there is no doubt; otherwise keep it and offer both ways."""
        conversation = await conversations.get(session, turn.conversation_id)
        open_cases = [
            case for case in await cases.cases_of(session, conversation.member_id) if case.closed_at is None
        ]
        if len(open_cases) != 1:
            speaker.say("utter_attachment_kept")
            return []
        case = open_cases[0]
        await attachments.attach_waiting(session, conversation.id, case.id)
        await cases.add_supplement(
            session,
            case,
            text=turn.text or None,
            message_id=turn.message_id,
            now=house.clock.now(),
            rules=await read_desk_rules(session, house.desk_rules),
        )
        speaker.say("utter_attachment_added", case_number=case.number)
        return [SlotSet("case_number", case.number)]
