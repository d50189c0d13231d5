"""My cases: progress, urging, withdrawing and rating, each for the member's own cases only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import payload
from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import case_numbers, cases, conversations
from casework.errors import BadCaseNumber, NotFound, TransitionRefused
from casework.tables import Case

LISTED = 5


async def pick_case(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources, *, open_only: bool, deed: str
) -> Case | None:
    """The case a message is about, by number or the only one; otherwise says what to do: None."""
    conversation = await conversations.get(session, turn.conversation_id)
    given = turn.entities.get("case_no")
    try:
        number = str(given) if given else case_numbers.find_in_text(turn.text)
        if number:
            return await cases.case_for_member(session, conversation.member_id, number)
    except BadCaseNumber:
        speaker.say("utter_bad_case_number")
        return None
    except NotFound:
        speaker.say("utter_case_not_found")
        return None
    own = await cases.cases_of(session, conversation.member_id)
    if open_only:
        own = [case for case in own if case.closed_at is None]
    if not own:
        speaker.say("utter_no_cases")
        return None
    if len(own) == 1:
        return own[0]
    say = house.knowledge.wording.say
    speaker.answer(
        say("dialogue.which_case", lines="\n".join(_line(case, house) for case in own[:LISTED])),
        buttons=[(case.number, payload(deed, case_no=case.number)) for case in own[:LISTED]],
        topic="case.status",
    )
    return None


def _line(case: Case, house: Resources) -> str:
    say = house.knowledge.wording.say
    return say(
        "dialogue.case_line",
        number=case.number,
        label=house.knowledge.case_types[case.case_type].label,
        state=say(f"case_state.{case.state.value}"),
    )


async def speak_status(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType]:
    """Say how far a case is, or list the member's cases."""
    case = await pick_case(turn, speaker, session, house, open_only=False, deed="request_case_status")
    if case is None:
        return [SlotSet("not_understood", 0)]
    say = house.knowledge.wording.say
    speaker.say(
        "utter_case_progress",
        number=case.number,
        label=house.knowledge.case_types[case.case_type].label,
        state=say(f"case_state.{case.state.value}"),
        events="\n".join(await cases.progress_lines(session, case, house.knowledge.wording)),
    )
    return [SlotSet("case_number", case.number), SlotSet("not_understood", 0)]


async def urge_case(turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources) -> list[EventType]:
    """Urge a case; once a day."""
    case = await pick_case(turn, speaker, session, house, open_only=True, deed="request_case_urge")
    if case is None:
        return []
    return await _do(
        case,
        speaker,
        house,
        lambda: cases.urge(session, case, house.clock.now(), message_id=turn.message_id),
        done="utter_case_urged",
    )


async def ask_withdraw(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType]:
    """Ask before withdrawing a case."""
    case = await pick_case(turn, speaker, session, house, open_only=True, deed="request_case_withdraw")
    if case is None:
        return []
    speaker.say("utter_ask_withdraw_case", number=case.number)
    return [SlotSet("case_number", case.number), SlotSet("pending_offer", "withdraw_case")]


async def _do(
    case: Case, speaker: Speaker, house: Resources, deed: Callable[[], Awaitable[object]], *, done: str
) -> list[EventType]:
    """Run a deed on a case and say what came of it; refusals are said, not raised."""
    number = case.number
    try:
        await deed()
    except cases.UrgedRecently:
        speaker.say("utter_urged_recently", number=number)
        return []
    except TransitionRefused:
        state = house.knowledge.wording.say(f"case_state.{case.state.value}")
        speaker.say("utter_transition_refused", number=number, state=state)
        return []
    speaker.say(done, number=number)
    return [SlotSet("case_number", number)]


class ActionCaseStatus(CaseworkAction):
    """Progress by number, or the list of my cases."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_case_status"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say it."""
        return await speak_status(turn, speaker, session, house)


class ActionUrgeCase(CaseworkAction):
    """Urges a case."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_urge_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Urge it."""
        return await urge_case(turn, speaker, session, house)


class ActionAskWithdrawCase(CaseworkAction):
    """Asks before withdrawing."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_ask_withdraw_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Ask."""
        return await ask_withdraw(turn, speaker, session, house)


class ActionWithdrawCase(CaseworkAction):
    """Withdraws the case asked about."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_withdraw_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Withdraw it; the number is the one the member was asked about."""
        settled: list[EventType] = [SlotSet("pending_offer", "nothing")]
        conversation = await conversations.get(session, turn.conversation_id)
        try:
            case = await cases.case_for_member(
                session, conversation.member_id, str(turn.slot("case_number") or "")
            )
        except (BadCaseNumber, NotFound):
            speaker.say("utter_case_not_found")
            return settled
        now = house.clock.now()
        events = await _do(
            case, speaker, house, lambda: cases.withdraw(session, case, now), done="utter_case_withdrawn"
        )
        return [*events, *settled]


class ActionRateCase(CaseworkAction):
    """Takes the rating of a closed case; a bad one reopens it."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_rate_case"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Rate it (1 to 5)."""
        conversation = await conversations.get(session, turn.conversation_id)
        try:
            case = await cases.case_for_member(
                session, conversation.member_id, str(turn.entities.get("case_no") or "")
            )
        except (BadCaseNumber, NotFound):
            speaker.say("utter_case_not_found")
            return []
        rating = int(turn.entities.get("rating") or 0)
        done = "utter_rated_reopened" if rating <= cases.BAD_RATING else "utter_rated"
        now = house.clock.now()
        return await _do(case, speaker, house, lambda: cases.rate(session, case, rating, now), done=done)
