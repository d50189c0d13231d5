"""What a message means as the answer to one question of the intake."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.turn import FALLBACK_INTENT, SKIPPED, Turn
from casework.case_types import Question

TEXT_SLOTS = {
    "story": 1500,
    "wish": 300,
    "worksite": 80,
    "preferred_time": 60,
    "employer": 60,
    "person_name": 20,
    "station_name": 60,
}
"""Slots whose answer is the member's own words, with the number of characters kept."""

HINTS = {
    "district": "utter_form_hint_district",
    "hired_on": "utter_form_hint_date",
    "left_on": "utter_form_hint_date",
    "monthly_wage": "utter_form_hint_money",
    "amount_owed": "utter_form_hint_money",
    "months_owed": "utter_form_hint_months",
    "phone": "utter_form_hint_phone",
    "temperature": "utter_form_hint_temperature",
    "school_stage": "utter_form_hint_school_stage",
    "hardship_registered": "utter_form_hint_yes_no",
    "case_confirmed": "utter_form_hint_confirm",
}

QUESTION = re.compile(r"[?？]|[吗么]$|怎么|咋|多少|哪|什么|啥|能不能|可不可以|是不是|合法|几[个年月天点]|凭")
LEAD_IN = re.compile(r"^(单位|公司|厂子|厂|名字|姓名|称呼)?(是|叫|叫做|名叫|就是|在|：|:)+")
FILLER = re.compile(
    r"不对|不是|错了|搞错|说错|改成|改为|应该|其实|就是|是|在|的|我|俺|那|这|呢|啊|[，,。.！!？?、：:\s]"
)
NOT_TEXT = {
    "affirm",
    "deny",
    "greet",
    "thank",
    "goodbye",
    "none_of_these",
    "complain",
    "ask_bot",
    "show_menu",
    "request_case_status",
    "request_case_urge",
    "ask_legal_station",
    "share_location",
    "send_attachment",
}
WAYS_TO_SAY_REGISTERED = re.compile(r"办过|建过|建档了|在册|是困难职工")
WAYS_TO_SAY_NOT_REGISTERED = re.compile(r"没|未|不是")


@dataclass(frozen=True)
class Reading:
    """What one message answered: slot values, the form's outcome, or which help to give."""

    values: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    hint: str = "utter_form_hint_text"
    refused_skip: bool = False
    repeat_slot: str | None = None


def read_answer(
    turn: Turn, question: Question, values: Mapping[str, Any], questions: Sequence[Question]
) -> Reading:
    """Read a message as the answer to ``question``; ``values`` are the slots after this turn's facts."""
    slot = question.slot
    hint = HINTS.get(slot, "utter_form_hint_text")
    if slot == "case_confirmed":
        return _read_confirmation(turn, questions, hint)
    if turn.intent == "skip":
        return Reading(hint=hint, refused_skip=True) if question.required else Reading({slot: SKIPPED})
    if slot in turn.entities:
        return Reading({slot: values.get(slot)})
    if slot == "hardship_registered":
        return _read_registered(turn, hint)
    if slot in TEXT_SLOTS:
        return _read_text(turn, slot, hint)
    return Reading(hint=hint)


def _read_text(turn: Turn, slot: str, hint: str) -> Reading:
    """The member's own words, unless they are plainly something else."""
    if not turn.text or turn.intent in NOT_TEXT:
        return Reading(hint=hint)
    asks = turn.intent.startswith(("ask_", "request_")) and QUESTION.search(turn.text) is not None
    if slot != "story" and asks:
        return Reading(hint=hint)
    if slot != "story" and turn.entities and len(FILLER.sub("", turn.rest)) < 2:
        return Reading(hint=hint)  # only facts about something else
    text = turn.text
    if slot in ("employer", "person_name"):
        text = LEAD_IN.sub("", text).strip(" ，。,.！!")
    text = text[: TEXT_SLOTS[slot]]
    return Reading({slot: text}) if text else Reading(hint=hint)


def _read_registered(turn: Turn, hint: str) -> Reading:
    """Yes, no, or not known."""
    if turn.intent == "affirm":
        return Reading({"hardship_registered": "yes"})
    if turn.intent == "deny":
        return Reading({"hardship_registered": "no"})
    if turn.text and not QUESTION.search(turn.text):
        if WAYS_TO_SAY_NOT_REGISTERED.search(turn.text):
            return Reading({"hardship_registered": "no"})
        if WAYS_TO_SAY_REGISTERED.search(turn.text):
            return Reading({"hardship_registered": "yes"})
    return Reading(hint=hint)


def _read_confirmation(turn: Turn, questions: Sequence[Question], hint: str) -> Reading:
    """Submit, or name what is wrong: a named item without a new value is asked again."""
    if turn.intent == "affirm":
        return Reading(outcome="yes")
    if turn.text and turn.intent in (FALLBACK_INTENT, "inform", "deny", "request_case_supplement"):
        for question in questions:
            if any(name in turn.text for name in (question.label, *question.also_called)):
                return Reading(hint=hint, repeat_slot=question.slot)
    return Reading(hint=hint)
