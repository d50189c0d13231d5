"""What may happen in the middle of a form: a way out, or another question that is answered on the spot."""

from __future__ import annotations

from dataclasses import dataclass, field

from rasa_sdk.events import EventType
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import speak_article
from actions.base import Speaker
from actions.crisis import speak_crisis
from actions.follow_up import ask_withdraw, speak_status, urge_case
from actions.handoff import hand_off
from actions.privacy import ask_forget
from actions.resources import Resources
from actions.stations import find_stations
from actions.turn import Turn
from casework.clock import shanghai_day

SMALL_TALK = {
    "greet": "utter_greet",
    "thank": "utter_thank",
    "ask_bot": "utter_ask_bot",
    "complain": "utter_complain",
    "out_of_scope": "utter_out_of_scope",
    "show_menu": "utter_menu",
}


@dataclass(frozen=True)
class Left:
    """The form was left: how, and the events of what happened instead."""

    outcome: str
    events: list[EventType] = field(default_factory=list)


async def leave_form(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources, *, give_up: bool = False
) -> Left | None:
    """Leave for a human, a crisis, a cancel or another deed; None when the message is none of these.

    What the member said stays in the slots, so the intake can be taken up again.
    """
    if give_up:
        speaker.say("utter_giving_up")
        await hand_off(turn, speaker, session, house, reason="form_not_understood")
        return Left("handed_off")
    match turn.intent:
        case "request_human":
            speaker.say("utter_form_paused_for_human")
            await hand_off(turn, speaker, session, house, reason="member_asked")
            return Left("handed_off")
        case "cancel":
            return Left("cancelled")
        case "request_case_withdraw" if not _telling(turn):
            return Left("left", await ask_withdraw(turn, speaker, session, house))
        case "request_forget" if not _telling(turn):
            return Left("left", ask_forget(speaker))
        case intent if intent.startswith("crisis_"):
            return Left("left", await speak_crisis(turn, speaker, session, house))
    return None


def _telling(turn: Turn) -> bool:
    """Whether the open question asks for the member's own words, which may sound like many a deed."""
    return turn.requested_slot in ("story", "wish", "supplement_text") and not turn.is_payload


async def answer_interruption(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType] | None:
    """Answer a question asked in the middle of a form; None when the message asked none."""
    if not turn.understood:
        return None
    if turn.intent in SMALL_TALK:
        speaker.say(SMALL_TALK[turn.intent])
        return []
    match turn.intent:
        case "request_case_status":
            return await speak_status(turn, speaker, session, house)
        case "request_case_urge":
            return await urge_case(turn, speaker, session, house)
        case "ask_legal_station" | "share_location":
            return await find_stations(turn, speaker, session, house)
        case "send_attachment":
            speaker.say("utter_attachment_kept_for_case")
            return []
    info = house.knowledge.intents.get(turn.intent)
    article = house.knowledge.article(info.topic) if info is not None and info.kind == "ask" else None
    if article is None:
        return None
    today = shanghai_day(house.clock.now())
    events = speak_article(article, turn, speaker, house, today, offer=False)
    return [event for event in events if event.get("name") in ("last_topic", "not_understood")]
