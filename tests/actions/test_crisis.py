"""A crisis the model hears beside a question is answered first; the question is answered all the same."""

from __future__ import annotations

from actions.answering import ActionAnswer
from actions.fallback import ActionSuggest
from actions.resources import Resources
from casework.tables import Conversation
from tests.actions.stage import Stage


async def hear(stage: Stage, text: str, intent: str, *topics: str) -> None:
    await stage.hear(text, intent)
    stage.latest["topics"] = [{"topic": topic, "confidence": 0.5} for topic in topics]


async def urgent(stage: Stage, house: Resources) -> bool:
    async with house.database.read() as session:
        return (await session.get_one(Conversation, stage.conversation.id)).urgent


async def test_care_comes_before_the_answer_and_staff_can_see_it(stage: Stage, house: Resources) -> None:
    await hear(
        stage, "干了半年没给钱 真是过不下去了", "ask_wage_arrears", "labour.wage_arrears", "crisis.self_harm"
    )
    said = await stage.run(ActionAnswer())
    assert [one["topic"] for one in said] == ["crisis.self_harm", "labour.wage_arrears"]
    assert "12356" in said[0]["text"]
    assert await urgent(stage, house)


async def test_a_question_without_a_crisis_gets_its_answer_alone(stage: Stage, house: Resources) -> None:
    await hear(stage, "干了半年没给钱", "ask_wage_arrears", "labour.wage_arrears")
    said = await stage.run(ActionAnswer())
    assert [one["topic"] for one in said] == ["labour.wage_arrears"]
    assert not await urgent(stage, house)


async def test_what_is_not_understood_but_sounds_like_a_crisis_is_not_asked_back(
    stage: Stage, house: Resources
) -> None:
    await hear(stage, "都到这一步了", "nlu_fallback", "talk.complain", "crisis.self_harm")
    said = await stage.run(ActionSuggest())
    assert [one["topic"] for one in said] == ["crisis.self_harm"]
    assert await urgent(stage, house)
