"""Our validator accepts and refuses what Rasa's own does."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import ValidationError, validate
from rasa.core.actions.action import RemoteAction

from nlu.answers_of_actions import validate_action_result

ANSWERS: list[Any] = [
    {"events": [], "responses": []},
    {
        "events": [{"event": "slot", "name": "district", "value": "历下区", "timestamp": None}],
        "responses": [],
    },
    {
        "events": [{"event": "slot", "name": "hired_on", "value": None}],
        "responses": [{"response": "utter_greet"}],
    },
    {"events": [{"event": "restart"}], "responses": [{"custom": {"text": "好"}}]},
    {"events": [{"event": "no_such_event"}], "responses": []},
    {"events": [{"event": "slot"}], "responses": []},
    {"events": "none", "responses": []},
    {"events": [], "responses": ["text"]},
    [],
]


def refused(check: Any) -> bool:
    try:
        check()
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_it_judges_as_rasa_does(answer: Any) -> None:
    rasas = refused(lambda: validate(answer, RemoteAction.action_response_format_spec()))
    assert refused(lambda: validate_action_result(None, answer)) is rasas  # type: ignore[arg-type]  # unused


def test_both_verdicts_occur() -> None:
    verdicts = {refused(lambda a=a: validate(a, RemoteAction.action_response_format_spec())) for a in ANSWERS}
    assert verdicts == {True, False}
