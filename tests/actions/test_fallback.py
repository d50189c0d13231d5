"""What no intent is sure of: guesses and found articles as buttons, never beside a crisis."""

from __future__ import annotations

from typing import Any

import pytest

from actions.answering import ActionAnswer
from actions.fallback import CHOICES, ActionSuggest
from actions.resources import Resources
from tests.actions.stage import Stage
from tests.knowledge_search.measure import read

WAGES = "干了仨月一分钱没给，工钱拖着不发"


async def unsure(stage: Stage, text: str, *ranking: tuple[str, float]) -> list[dict[str, Any]]:
    await stage.hear(text, "nlu_fallback")
    stage.latest["intent_ranking"] = [{"name": name, "confidence": sure} for name, sure in ranking]
    return await stage.run(ActionSuggest())


def payloads(said: list[dict[str, Any]]) -> list[str]:
    return [button["payload"] for button in said[-1]["buttons"]]


async def test_what_no_intent_is_likely_for_is_looked_up_in_the_articles(
    stage: Stage, house: Resources
) -> None:
    said = await unsure(stage, WAGES)
    first = said[0]["buttons"][0]
    assert first["title"] == house.knowledge.articles["labour.wage_arrears"].label
    assert first["payload"] == '/ask_wage_arrears{"about": "search"}'
    assert said[0]["text"] == house.knowledge.wording.say("dialogue.found_first")
    assert payloads(said)[-2:] == ["/none_of_these", "/request_human"]
    assert len(said[0]["buttons"]) <= 3 + 2


async def test_a_guess_and_a_found_article_of_one_topic_are_one_button(stage: Stage) -> None:
    said = await unsure(stage, WAGES, ("ask_wage_arrears", 0.3), ("ask_dismissal", 0.2), ("ask_leave", 0.1))
    offered = payloads(said)[:-2]
    assert offered[:2] == ['/ask_wage_arrears{"about": "guess"}', '/ask_dismissal{"about": "guess"}']
    assert len([one for one in offered if one.startswith("/ask_wage_arrears")]) == 1
    assert len(offered) <= CHOICES


async def test_a_found_articles_button_is_answered_by_the_article(stage: Stage) -> None:
    await stage.hear("/ask_wage_arrears", "ask_wage_arrears", about="search")
    (said,) = await stage.run(ActionAnswer())
    assert said["topic"] == "labour.wage_arrears"
    assert said["sources"]


async def test_an_article_only_a_deed_leads_to_is_offered_as_that_deed(
    stage: Stage, house: Resources
) -> None:
    said = await unsure(stage, "举报不发高温费往哪打电话")
    shown = {button["payload"]: button["title"] for button in said[0]["buttons"]}
    assert (
        shown['/request_heat_report{"about": "search"}']
        == house.knowledge.intents["request_heat_report"].label
    )


async def test_what_nothing_fits_is_asked_back_as_before(stage: Stage) -> None:
    said = await unsure(stage, "宽带老是掉线")
    assert said[0]["response"] == "utter_not_understood_first"


async def test_the_second_time_the_words_are_others_and_the_third_a_human_takes_over(stage: Stage) -> None:
    texts = [(await unsure(stage, WAGES))[0]["text"] for _ in range(2)]
    assert len(set(texts)) == 2
    said = await unsure(stage, WAGES)
    assert said[0]["response"] == "utter_giving_up"


@pytest.mark.parametrize("confidence", [0.06, 0.4])
async def test_where_the_model_holds_a_crisis_possible_no_article_is_shown(
    stage: Stage, confidence: float
) -> None:
    said = await unsure(stage, WAGES, ("crisis_self_harm", confidence))
    assert not any("search" in button["payload"] for one in said for button in one.get("buttons", []))


async def test_no_article_is_shown_for_any_crisis_the_rules_or_the_model_sees(
    stage: Stage, house: Resources
) -> None:
    """The model's ear is played: it has the sentence's kind among its candidates."""
    for line in read("crisis.jsonl"):
        stage.slots["not_understood"] = 0
        seen = house.crisis.detect(line["text"]) is not None
        ranking = [] if seen else [(f"crisis_{line['kind']}", 0.1)]
        said = await unsure(stage, line["text"], *ranking)
        shown = [button for one in said for button in one.get("buttons", [])]
        assert not [button for button in shown if "search" in button["payload"]], line["text"]
