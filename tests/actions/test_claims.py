"""The claim sheet in the dialogue: offered, confirmed, asked for, given, explained, remembered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from actions.answering import ActionAnswer, ActionNoteFacts
from actions.base import CaseworkAction
from actions.case_opening import ActionFinishCase
from actions.claims import ActionAskClaimsFormClaimsDone, ActionStartClaims, ValidateClaimsForm
from actions.claims_given import (
    ActionExplainClaim,
    ActionFinishClaims,
    ActionRemindClaims,
    ActionRemindSeason,
)
from actions.fallback import ActionSuggest
from actions.resources import Resources
from casework.tables import Case, ClaimSheet, Conversation, Owner, Reminder, SheetState
from tests.actions.stage import Stage

STORY = "我2025年1月10日进的厂，一直没签合同，2026年3月31日老板让我别来了"
FACTS = {"hired_on": "2025-01-10", "left_on": "2026-03-31"}


async def tell(stage: Stage, text: str = STORY, **facts: Any) -> list[dict[str, Any]]:
    """Tell a story and get the answer of the article."""
    await stage.hear(text, "ask_dismissal", **(facts or FACTS))
    return await stage.run(ActionAnswer())


async def begin(stage: Stage) -> list[dict[str, Any]]:
    """Press the button that begins a sheet, as the rule has it."""
    await stage.hear("/request_claims", "request_claims")
    said = await stage.run(ActionStartClaims())
    stage.form = None
    stage.slots["requested_slot"] = None
    await stage.run(ValidateClaimsForm())
    stage.form = "claims_form"
    return said + await stage.run(ActionAskClaimsFormClaimsDone())


async def answer(stage: Stage, text: str, intent: str = "inform", **entities: Any) -> list[dict[str, Any]]:
    """Say something while the form is open."""
    await stage.hear(text, intent, **entities)
    said = await stage.run(ValidateClaimsForm())
    if stage.asked is not None:
        return said + await stage.run(ActionAskClaimsFormClaimsDone())
    stage.form = None
    return said + await stage.run(ActionFinishClaims())


async def press(stage: Stage, deed: str) -> list[dict[str, Any]]:
    """Press one of the sheet's own buttons."""
    return await answer(stage, "/answer_claims", "answer_claims", claim=deed)


async def guess_as_rasa(stage: Stage) -> list[dict[str, Any]]:
    return await stage.run(ActionSuggest())


def texts(said: list[dict[str, Any]]) -> str:
    return "\n".join(str(one.get("text", "")) for one in said)


def payloads(said: list[dict[str, Any]]) -> dict[str, str]:
    """What each button sends, by its title."""
    return {one["title"]: one["payload"] for message in said for one in message.get("buttons", ())}


async def sheet_of(house: Resources) -> ClaimSheet:
    async with house.database.read() as session:
        return (await session.scalars(select(ClaimSheet))).one()


async def given(stage: Stage) -> list[dict[str, Any]]:
    """Go the whole way to a sheet."""
    await tell(stage)
    await begin(stage)
    await press(stage, "confirm")
    await answer(stage, "六千", bare_number="6000")
    return await answer(stage, "有微信转账记录，工友能作证", "inform")


async def test_several_rights_in_one_story_are_offered_to_be_reckoned(stage: Stage) -> None:
    said = await tell(stage)
    assert "2 项权益" in texts(said) or "3 项权益" in texts(said)
    assert payloads(said)["帮我算算能要多少"] == "/request_claims"
    assert stage.slots["pending_offer"] == "claims"


async def test_one_right_is_offered_by_a_button_alone(stage: Stage) -> None:
    said = await tell(stage, "公司一直没签合同", employer="x")
    assert "帮我算算能要多少" in payloads(said)
    assert stage.slots["pending_offer"] == "open_case"


async def test_a_question_about_the_law_is_offered_nothing(stage: Stage) -> None:
    said = await tell(stage, "听说没签合同可以要双倍工资吗", employer="x")
    assert "帮我算算能要多少" not in payloads(said)


async def test_a_story_without_a_question_is_heard_and_offered_a_sheet(stage: Stage) -> None:
    await stage.hear(STORY, "inform", **FACTS)
    said = await stage.run(ActionNoteFacts())
    assert "没签合同的二倍工资差额" in texts(said)
    assert "帮我算算能要多少" in payloads(said)
    await stage.hear("我叫王建国", "inform", person_name="王建国")
    assert "帮我算算能要多少" not in payloads(await stage.run(ActionNoteFacts()))


async def test_a_story_nothing_is_sure_of_is_offered_a_sheet_once(stage: Stage) -> None:
    await stage.hear(STORY, "nlu_fallback")
    assert "帮我算算能要多少" in payloads(await guess_as_rasa(stage))


async def test_the_card_shows_what_was_understood_in_the_members_words(stage: Stage) -> None:
    await tell(stage)
    said = texts(await begin(stage))
    assert "没签书面劳动合同" in said
    assert "入职日期：2025年1月10日" in said
    assert "离开日期：2026年3月31日" in said


async def test_only_what_matters_is_asked_and_the_sheet_is_given(stage: Stage, house: Resources) -> None:
    await tell(stage)
    await begin(stage)
    asked = texts(await press(stage, "confirm"))
    assert "每月应得多少钱" in asked
    asked = texts(await answer(stage, "六千", bare_number="6000"))
    assert "手里有哪些" in asked
    said = await answer(stage, "有微信转账记录，工友能作证", "inform")
    text = texts(said)
    assert "18000.00 元" in text
    assert "66000.00 元" in text
    assert "84000.00 元" in text
    assert "只能选一样" in text
    assert said[-1]["sources"]
    assert {source["title"] for source in said[-1]["sources"]} >= {"中华人民共和国劳动合同法"}
    sheet = await sheet_of(house)
    assert sheet.state is SheetState.GIVEN
    assert stage.slots["monthly_wage"] == "6000"


async def test_about_five_thousand_is_asked_for_and_not_taken(stage: Stage, house: Resources) -> None:
    await tell(stage, "裁员把我裁了，一个月大概五千来块", **FACTS)
    await begin(stage)
    asked = texts(await press(stage, "confirm"))
    assert "大概数" in asked
    again = texts(await answer(stage, "就是五千来块吧"))
    assert "准数" in again
    skipped = texts(await answer(stage, "说了五千来块"))
    assert "先不问了" in skipped
    text = texts(await press(stage, "show"))
    assert "还算不出" in text
    assert "5000" not in text


async def test_what_is_wrong_on_the_card_is_taken_off(stage: Stage) -> None:
    await tell(stage)
    await begin(stage)
    which = payloads(await press(stage, "wrong"))
    assert json.loads(which["没签书面劳动合同"].removeprefix("/answer_claims")) == {
        "claim": "fix:is:no_contract"
    }
    said = texts(await press(stage, "fix:is:no_contract"))
    assert "去掉了" in said
    assert "· 没签书面劳动合同" not in said


async def test_a_day_that_cannot_be_is_asked_again_and_nothing_is_lost(stage: Stage) -> None:
    await tell(stage, "公司把我辞退了，没签合同", hired_on="2025-01-10")
    await begin(stage)
    assert "最后一天" in texts(await press(stage, "confirm"))
    said = texts(await answer(stage, "2024年12月1日", bare_day="2024-12-01"))
    assert "入职之前" in said
    assert "最后一天" in said
    assert "每月应得" in texts(await answer(stage, "2026年3月31日", bare_day="2026-03-31"))


async def test_not_knowing_is_an_answer(stage: Stage) -> None:
    await tell(stage)
    await begin(stage)
    await press(stage, "confirm")
    assert "手里有哪些" in texts(await answer(stage, "不清楚"))
    text = texts(await press(stage, "unknown"))
    assert "还算不出钱数" in text
    assert "一项也没有" in text


async def test_another_question_is_answered_and_the_sheet_goes_on(stage: Stage) -> None:
    await tell(stage)
    await begin(stage)
    await press(stage, "confirm")
    said = await answer(stage, "高温费一个月多少钱？", "ask_heat_allowance")
    assert said[0]["topic"] == "heat.allowance"
    assert "每月应得多少钱" in texts(said)


async def test_more_of_the_story_in_the_middle_is_added(stage: Stage) -> None:
    await tell(stage)
    await begin(stage)
    await press(stage, "confirm")
    await answer(stage, "对了，社保也没交")
    await answer(stage, "六千", bare_number="6000")
    assert "补缴社保" in texts(await press(stage, "show"))


async def test_a_human_may_be_asked_for_at_any_time(stage: Stage, house: Resources) -> None:
    await tell(stage)
    await begin(stage)
    await answer(stage, "找人工", "request_human")
    assert stage.asked is None
    async with house.database.read() as session:
        conversation = await session.get_one(Conversation, stage.conversation.id)
        assert conversation.owner is Owner.QUEUED
    assert (await sheet_of(house)).state is SheetState.LEFT


async def test_it_can_be_left_and_begun_again_from_what_was_told(stage: Stage, house: Resources) -> None:
    await tell(stage)
    await begin(stage)
    assert "先不算了" in texts(await answer(stage, "先不办了", "cancel"))
    assert "入职日期：2025年1月10日" in texts(await begin(stage))


async def test_without_a_story_the_story_is_asked_for(stage: Stage) -> None:
    assert "说说出了什么事" in texts(await begin(stage))
    said = texts(await answer(stage, "老板欠我两个月工资", "ask_wage_arrears"))
    assert "拖欠工资" in said


async def test_a_message_seen_twice_answers_one_question(stage: Stage, house: Resources) -> None:
    await tell(stage)
    await begin(stage)
    await press(stage, "confirm")
    await answer(stage, "六千", bare_number="6000")
    stage.slots["requested_slot"] = "claims_done"
    stage.form = "claims_form"
    again = await stage.run(ValidateClaimsForm())
    assert again == []
    sheet = await sheet_of(house)
    assert set(sheet.told["facts"]) == {"hired_on", "left_on", "monthly_wage"}


async def test_each_claim_is_explained_step_by_step(stage: Stage) -> None:
    said = await given(stage)
    explain = payloads(said)["怎么算的：没签合同的二倍工资差额"]
    claim = json.loads(explain.removeprefix("/explain_claim"))["claim"]
    await stage.hear(explain, "explain_claim", claim=claim)
    (explained,) = await stage.run(ActionExplainClaim())
    assert "11 个整月" in explained["text"]
    assert "第八十二条" in explained["text"]
    assert explained["sources"]


async def test_deadlines_are_remembered_when_the_member_says_so(stage: Stage, house: Resources) -> None:
    said = await given(stage)
    assert payloads(said)["到期前提醒我"] == "/remind_claims"
    await stage.hear("/remind_claims", "remind_claims")
    assert "退订" in texts(await stage.run(ActionRemindClaims()))
    async with house.database.read() as session:
        planned = (await session.scalars(select(Reminder))).all()
    assert {reminder.subject for reminder in planned} == {"claim:double_wage", "claim:unlawful_dismissal"}


async def test_the_case_that_follows_has_the_sheet(stage: Stage, house: Resources) -> None:
    await given(stage)
    await stage.hear("/request_case", "request_case", case_type="labour_dispute")
    await stage.start_case()
    stage.slots["case_confirmed"] = "yes"
    run: CaseworkAction = ActionFinishCase()
    await stage.run(run)
    async with house.database.read() as session:
        case = (await session.scalars(select(Case))).one()
        sheet = (await session.scalars(select(ClaimSheet))).one()
    assert sheet.case_id == case.id
    assert case.facts["monthly_wage"] == "6000"


async def test_a_season_that_is_closed_can_be_waited_for(stage: Stage, house: Resources) -> None:
    house.clock.set(datetime(2026, 11, 22, 2, 0, tzinfo=UTC))  # type: ignore[attr-defined]
    await stage.hear("金秋助学怎么申请", "ask_tuition_aid")
    buttons = payloads(await stage.run(ActionAnswer()))
    assert json.loads(buttons["开的时候告诉我"].removeprefix("/remind_season")) == {"about": "tuition.aid"}
    await stage.hear("/remind_season", "remind_season", about="tuition.aid")
    assert "2027年7月1日" in texts(await stage.run(ActionRemindSeason()))
    async with house.database.read() as session:
        (planned,) = await session.scalars(select(Reminder))
    assert planned.subject == "season:tuition.aid"


async def test_an_open_season_needs_no_waiting(stage: Stage) -> None:
    await stage.hear("金秋助学怎么申请", "ask_tuition_aid")
    assert "开的时候告诉我" not in payloads(await stage.run(ActionAnswer()))


async def test_a_button_of_an_earlier_question_answers_no_other(stage: Stage, house: Resources) -> None:
    await tell(stage, "公司一直拖着工资不给，也没签合同", hired_on="2025-01-10")
    await begin(stage)
    asked = await press(stage, "confirm")
    still_there = payloads(asked)["还在上班"].removeprefix("/answer_claims")
    employed = json.loads(still_there)["claim"]
    assert employed == "value:employed:yes"
    await press(stage, employed)
    said = await press(stage, employed)
    assert "没听出" in texts(said) or "准数" in texts(said)
    assert (await sheet_of(house)).told["facts"]["employed"]["value"] == "yes"
