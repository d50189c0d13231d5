"""What the bot says reaches the switchboard utterance by utterance, with what it was taken for."""

from __future__ import annotations

import pytest
from rasa.shared.core.events import BotUttered

from nlu.channel import UtteranceCollector, _said, _uttered, understanding
from nlu.topics import IntentTable
from tests.nlu.pipeline import KNOWLEDGE

INTENTS = IntentTable.read(KNOWLEDGE / "intents.yml")
BUTTON = {"title": "找人工", "payload": "/request_human"}
SOURCE = {"title": "劳动法", "article": "50", "as_of": "2026-01-01"}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("先说这个。\n\n再说那个。", {}),
        ("选一个:", {"buttons": [BUTTON]}),
        ("依据如下。", {"custom": {"topic": "labour.leave", "sources": [SOURCE]}}),
        ("都有。", {"buttons": [BUTTON], "custom": {"topic": "labour.leave", "sources": [SOURCE]}}),
        (None, {"custom": {"text": "话在里头。", "buttons": [BUTTON], "topic": "labour.leave"}}),
    ],
)
async def test_one_utterance_is_one_entry_and_the_same_when_it_is_asked_for_again(
    text: str | None, data: dict[str, object]
) -> None:
    uttered = BotUttered(text, data)
    collector = UtteranceCollector()
    await collector.send_response("c1", uttered.message())
    said = [_said(raw) for raw in collector.messages]
    assert said == [_uttered(uttered)]
    assert said[0]["text"]
    assert set(said[0]) == {"text", "buttons", "custom"}


def test_a_guess_that_is_not_acted_on_is_still_told_to_the_switchboard() -> None:
    parsed = {
        "intent": {"name": "nlu_fallback", "confidence": 0.3},
        "intent_ranking": [
            {"name": "nlu_fallback", "confidence": 0.3},
            {"name": "ask_leave", "confidence": 0.2},
        ],
        "entities": [{"entity": "district", "value": "历下区"}],
    }
    found = understanding(parsed, INTENTS)
    assert found["intent"] == "ask_leave"
    assert found["topic"] == "labour.leave"
    assert found["accepted"] is False
    assert found["facts"] == {"district": "历下区"}


def test_the_three_likeliest_intents_are_told_and_the_fallback_is_none_of_them() -> None:
    names = ("nlu_fallback", "ask_leave", "ask_overtime", "greet", "thank")
    ranking = [{"name": name, "confidence": 0.33333 - step / 10} for step, name in enumerate(names)]
    found = understanding({"intent": ranking[0], "intent_ranking": ranking, "entities": []}, INTENTS)
    assert found["guesses"] == [["ask_leave", 0.2333], ["ask_overtime", 0.1333], ["greet", 0.0333]]


def test_a_guess_without_a_name_does_not_break_the_contract() -> None:
    nothing = {"name": None, "confidence": 0.0}
    found = understanding({"intent": nothing, "intent_ranking": [nothing], "entities": []}, INTENTS)
    assert found["guesses"] == []


def test_a_buttons_payload_has_its_intents_topic() -> None:
    found = understanding({"intent": {"name": "request_human", "confidence": 1.0}, "entities": []}, INTENTS)
    assert found["topic"] == "case.handoff"
    assert found["accepted"] is True
