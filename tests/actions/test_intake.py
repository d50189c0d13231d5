"""The intake form: asks only what it does not know, takes facts, corrections, skips and changes of topic."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from actions.answering import ActionAnswer
from actions.resources import Resources, use
from actions.turn import SKIPPED
from casework.case_links import page_url
from casework.tables import Case, Conversation, Member, Owner
from tests.actions.stage import Stage, responses, values


async def begin_wage_case(stage: Stage, **facts: object) -> None:
    await stage.hear("俺在工地干了仨月，工头一分钱没给", "ask_wage_arrears", **facts)
    await stage.run(ActionAnswer())
    await stage.hear("/request_case", "request_case", case_type="labour_dispute", about="labour.wage_arrears")
    await stage.start_case()


async def only_case(house: Resources) -> Case:
    async with house.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Case)) == 1
        return (await session.scalars(select(Case))).one()


async def test_what_was_said_before_is_not_asked_again(stage: Stage) -> None:
    await begin_wage_case(stage, district="章丘区", months_owed="3")
    assert stage.slots["story"] == "俺在工地干了仨月，工头一分钱没给"
    asked = []
    while stage.asked != "case_confirmed":
        asked.append(stage.asked)
        await stage.answer("跳过", "skip")
    assert asked == ["employer", "amount_owed", "wish", "person_name", "phone"]


async def test_several_facts_in_one_sentence_are_all_taken(stage: Stage) -> None:
    await begin_wage_case(stage)
    await stage.answer(
        "历下区鑫达机械厂，欠了三个月一共19500",
        district="历下区",
        employer="鑫达机械厂",
        months_owed="3",
        amount_owed="19500",
    )
    assert stage.asked == "wish"


async def test_a_correction_is_taken_at_any_point_and_said(stage: Stage) -> None:
    await begin_wage_case(stage, district="历下区")
    said = await stage.answer("不对，是历城区", district="历城区")
    assert values(said, "utter_fact_corrected")["value"] == "历城区"
    assert stage.slots["district"] == "历城区"
    assert stage.asked == "employer"


async def test_another_question_is_answered_and_the_form_comes_back(stage: Stage) -> None:
    await begin_wage_case(stage, district="历下区")
    assert stage.asked == "employer"
    said = await stage.answer("高温费一个月多少钱？", "ask_heat_allowance")
    assert said[0]["topic"] == "heat.allowance"
    assert said[0]["sources"]
    assert stage.asked == "employer"
    assert stage.slots["employer"] is None
    assert stage.slots["story"] == "俺在工地干了仨月，工头一分钱没给", (
        "the other question is not part of the story"
    )


async def test_a_submitted_case_is_in_the_database_with_its_facts(stage: Stage, house: Resources) -> None:
    await begin_wage_case(stage, district="章丘区", months_owed="3")
    await stage.answer("鑫达机械厂")
    assert stage.slots["employer"] == "鑫达机械厂"
    await stage.answer("跳过", "skip")
    await stage.answer("把工资要回来就行")
    await stage.answer("我叫王建国", person_name="王建国")
    said = await stage.answer("13800001234", phone="13800001234")
    assert "章丘区" in values(said, "utter_case_summary")["lines"]
    said = await stage.answer("提交", "affirm")
    case = await only_case(house)
    assert values(said, "utter_case_opened")["number"] == case.number
    assert case.topic == "labour.wage_arrears"
    assert case.case_type == "labour_dispute"
    assert case.district == "章丘区"
    assert case.anonymous is False
    assert case.facts["wish"] == "把工资要回来就行"
    assert "amount_owed" not in case.facts, "what was skipped is not in the case"
    assert stage.slots["story"] is None, "a second case starts with a clean page"
    assert stage.slots["phone"] == "13800001234", "who the member is stays known"
    async with house.database.read() as session:
        member = await session.get_one(Member, case.member_id)
        assert (member.name, member.phone) == ("王建国", "13800001234")


async def test_everything_may_be_skipped_and_the_case_is_anonymous(stage: Stage, house: Resources) -> None:
    await begin_wage_case(stage)
    for _ in range(12):
        if stage.asked == "case_confirmed":
            break
        await stage.answer("不想说", "skip")
    said = await stage.answer("提交", "affirm")
    assert "匿名" in values(said, "utter_case_opened")["anonymous"]
    assert (await only_case(house)).anonymous is True


async def test_the_story_cannot_be_skipped(stage: Stage) -> None:
    await stage.hear("我要投诉", "request_case")
    await stage.start_case()
    assert stage.asked == "story"
    said = await stage.answer("跳过", "skip")
    assert responses(said) == ["utter_form_need_this"]
    assert stage.asked == "story"


async def test_the_story_tells_what_the_matter_is(stage: Stage) -> None:
    await stage.hear("我要投诉", "request_case")
    await stage.start_case()
    await stage.answer("厂里三个月没发工资了，问就说没钱", "ask_wage_arrears", months_owed="3")
    assert stage.slots["case_type"] == "labour_dispute"
    assert stage.slots["case_topic"] == "labour.wage_arrears"


async def test_cancelling_submits_nothing_and_says_so(stage: Stage, house: Resources) -> None:
    await begin_wage_case(stage)
    said = await stage.answer("算了不办了", "cancel")
    assert responses(said) == ["utter_case_cancelled"]
    assert stage.form is None
    async with house.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Case)) == 0


async def test_a_human_is_had_from_inside_the_form_and_what_was_said_is_kept(
    stage: Stage, house: Resources
) -> None:
    await begin_wage_case(stage, district="历下区")
    said = await stage.answer("别问了，给我找个真人", "request_human")
    assert responses(said) == ["utter_form_paused_for_human", "utter_handed_off"]
    assert stage.form is None
    assert stage.slots["district"] == "历下区"
    async with house.database.read() as session:
        conversation = await session.get_one(Conversation, stage.conversation.id)
        assert conversation.owner is Owner.QUEUED


async def test_a_crisis_in_the_form_gets_advice_and_no_more_questions(stage: Stage, house: Resources) -> None:
    await begin_wage_case(stage)
    said = await stage.answer("我不想活了", "crisis_self_harm")
    assert said[0]["topic"] == "crisis.self_harm"
    assert "12356" in said[0]["text"]
    assert stage.form is None
    async with house.database.read() as session:
        assert (await session.get_one(Conversation, stage.conversation.id)).urgent is True


async def test_an_unreadable_answer_gets_help_then_is_left_out(stage: Stage) -> None:
    await begin_wage_case(stage)
    assert stage.asked == "district"
    said = await stage.answer("就那边", "nlu_fallback")
    assert responses(said) == ["utter_form_hint_district"]
    said = await stage.answer("老地方", "nlu_fallback")
    assert responses(said) == ["utter_form_skipped_for_you"]
    assert stage.slots["district"] == SKIPPED
    assert stage.asked == "employer"


async def test_at_the_summary_a_named_item_is_asked_again(stage: Stage) -> None:
    await begin_wage_case(stage)
    while stage.asked != "case_confirmed":
        await stage.answer("跳过", "skip")
    await stage.answer("电话不对", "nlu_fallback")
    assert stage.asked == "phone"
    await stage.answer("13900004321", phone="13900004321")
    assert stage.asked == "case_confirmed"


async def test_the_same_confirmation_twice_opens_one_case(stage: Stage, house: Resources) -> None:
    from actions.case_opening import ActionFinishCase

    await begin_wage_case(stage)
    while stage.asked != "case_confirmed":
        await stage.answer("跳过", "skip")
    before = dict(stage.slots)
    said = await stage.answer("提交", "affirm")
    stage.slots = {**before, "case_confirmed": "yes"}
    again = await stage.run(ActionFinishCase())
    assert values(again, "utter_case_opened")["number"] == values(said, "utter_case_opened")["number"]
    await only_case(house)


@pytest.mark.parametrize(
    ("text", "intent", "expected"),
    [
        ("办过的", "affirm", "yes"),
        ("没有办过", "deny", "no"),
        ("去年建档了", "inform", "yes"),
        ("没建档", "nlu_fallback", "no"),
    ],
)
async def test_the_tuition_precheck_follows_the_registration(
    stage: Stage, text: str, intent: str, expected: str
) -> None:
    await stage.hear("我要申请金秋助学", "request_tuition_aid")
    await stage.start_case()
    while stage.asked != "hardship_registered":
        if stage.asked == "story":
            await stage.answer("孩子考上大学，家里困难")
        else:
            await stage.answer("跳过", "skip")
    await stage.answer(text, intent)
    assert stage.slots["hardship_registered"] == expected
    said: list[dict[str, object]] = []
    while stage.asked != "case_confirmed":
        said = await stage.answer("跳过", "skip")
    kind = "registered" if expected == "yes" else "not_registered"
    assert f"utter_tuition_precheck_{kind}" in responses(said)


async def test_a_broken_database_is_said_with_a_reference_and_the_form_stays(
    stage: Stage, house: Resources, caplog: pytest.LogCaptureFixture
) -> None:
    await begin_wage_case(stage)
    while stage.asked != "case_confirmed":
        await stage.answer("跳过", "skip")
    await stage.hear("提交", "affirm")
    stage.slots["case_confirmed"] = "yes"
    stage.latest["metadata"]["message_id"] = 999_999  # no such message: the database refuses the case
    from actions.case_opening import ActionFinishCase

    said = await stage.run(ActionFinishCase())
    assert responses(said) == ["utter_failure"]
    assert values(said, "utter_failure")["reference"] in caplog.text


async def test_the_link_to_the_case_is_given_where_there_is_a_public_address(
    stage: Stage, house: Resources
) -> None:
    stage.house = replace(house, settings=replace(house.settings, public_url="https://niangjia.example"))
    use(stage.house)
    await begin_wage_case(stage, district="章丘区", months_owed="3")
    while stage.asked != "case_confirmed":
        await stage.answer("跳过", "skip")
    said = await stage.answer("提交", "affirm")
    case = await only_case(house)
    link = page_url("https://niangjia.example", case.id)
    assert link in "".join(str(message.get("text")) for message in said)
