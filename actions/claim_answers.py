"""What a message means as the answer to a question of the claim sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.intake_answers import QUESTION
from actions.turn import Turn
from casework.claims.questions import Question

CLAIM = "claim"
"""The entity a button of the sheet carries."""
VALUE = "value:"
FIX = "fix:"
_SHOW = re.compile(r"看结果|先看看?结果|先算|直接算|算吧|不问了")
_UNKNOWN = re.compile(r"^(?:不清楚|不知道|不晓得|记不清|记不得|忘了|说不准|不记得|没数|不懂|跳过|不好说)")
_NONE = re.compile(r"^(?:没有?|没|零|无|从来没有?|没干过|没加过)(?:过|了|的|啊)?[。.!！]?$")
_YES = re.compile(r"还在|在职|在干|没走")
_NO = re.compile(r"离职|走了|不在了|离开|辞了|没在")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the member answered: a value, that they do not know, or one of the sheet's own deeds."""

    value: str | None = None
    question: str | None = None
    """The question a button answers: pressed later, it answers no other."""
    unknown: bool = False
    deed: str | None = None
    """confirm, wrong, show, back, or fix:<name>."""


def read_button(turn: Turn) -> Answered | None:
    """The answer a button carries, or None for anything else."""
    said = turn.entities.get(CLAIM)
    if said is None:
        return None
    said = str(said)
    if said == "unknown":
        return Answered(unknown=True)
    if said.startswith(VALUE):
        question, _, value = said.removeprefix(VALUE).partition(":")
        return Answered(value=value, question=question)
    return Answered(deed=said)


def read_card(turn: Turn) -> Answered | None:
    """Yes or no to the confirm card, in words."""
    if turn.intent == "affirm":
        return Answered(deed="confirm")
    return Answered(deed="wrong") if turn.intent == "deny" else None


def read_answer(turn: Turn, question: Question) -> Answered | None:
    """The answer to a question in words, or None when the message is none."""
    if _SHOW.search(turn.text):
        return Answered(deed="show")
    if turn.intent == "skip" or _UNKNOWN.search(turn.text):
        return Answered(unknown=True)
    match question.kind:
        case "day":
            value = turn.bare.get("bare_day") or turn.entities.get(question.name)
        case "money" | "number":
            value = turn.entities.get(question.name) or turn.bare.get("bare_number")
            if value is None and question.kind == "number" and _NONE.search(turn.text):
                value = "0"
        case "district":
            value = turn.entities.get("district")
        case "choice":
            value = _choice(turn, question)
        case _:
            asks = turn.intent.startswith(("ask_", "request_")) and QUESTION.search(turn.text)
            if turn.intent == "deny" or _NONE.search(turn.text):
                return Answered(unknown=True)
            value = None if asks or not turn.text else turn.text
    return None if value is None else Answered(value=str(value))


def _choice(turn: Turn, question: Question) -> str | None:
    """The choice whose label is said, or yes and no for a question of the two."""
    for value, label in question.choices:
        if turn.text and (turn.text in label or label in turn.text) and len(turn.text) > 1:
            return value
    values = {value for value, _ in question.choices}
    if values == {"yes", "no"}:
        if turn.intent == "affirm" or _YES.search(turn.text):
            return "yes"
        if turn.intent == "deny" or _NO.search(turn.text):
            return "no"
    return None
