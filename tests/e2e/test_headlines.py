"""The four headline requests, from a member's sentence to a case in the database, over HTTP."""

from __future__ import annotations

import re

from tests.e2e.house import Member, RunningHouse

NUMBER = re.compile(r"JN-\d{8}-\d{4}-\d")


def case_number(text: str) -> str:
    found = NUMBER.search(text)
    assert found, text
    return found.group()


def test_unpaid_wages_are_answered_first_and_then_become_a_case(member: Member) -> None:
    heard = member.say("俺在章丘一个工地干了仨月，工头一分钱没给，这咋办")
    assert "依据" in heard
    assert any(
        source["title"] and source["article"] for message in member.said for source in message["sources"]
    )
    assert member.said[0]["topic"] == "labour.wage_arrears"

    heard = member.press("开工单，请工会跟进")
    assert "哪个区县" not in heard, "the district was said already"
    heard = answer_until_summary(member)
    assert "章丘区" in heard
    number = case_number(member.press("提交"))

    assert number in member.say("我的工单")


def test_corrections_several_facts_and_a_change_of_topic_in_the_middle(member: Member) -> None:
    member.say("公司把我辞退了，一分补偿都不给")
    member.press("开工单，请工会跟进")
    heard = member.say("我在历下区鑫达机械厂上班，2021年3月5日入职，一个月6500元")
    assert "历下区" not in heard or "哪个区县" not in heard
    heard = member.say("高温补贴多少钱一个月？")
    assert "300" in heard, member.dump()
    assert member.said[-1]["author"] == "bot"
    asked_again = member.said[-1]["text"]
    assert "？" in asked_again or "说" in asked_again
    heard = answer_until_summary(member)
    assert "2021-03-05" in heard
    assert "6500" in heard
    heard = member.say("不对，是历城区")
    assert "历城区" in heard
    assert NUMBER.search(member.press("提交"))


def test_a_heat_report_becomes_an_anonymous_case(member: Member) -> None:
    heard = member.say("我要举报，40度了工地还让我们在外面干活")
    assert heard
    heard = answer_until_summary(member)
    heard = member.press("提交")
    assert NUMBER.search(heard)
    assert "匿名" in heard


def test_the_heat_allowance_is_answered_with_amount_months_and_caution(member: Member) -> None:
    heard = member.say("今年高温费一个月多少，几个月的？")
    assert "300" in heard
    assert "180" in heard
    assert "官方公布" in heard


def test_tuition_aid_says_no_amount_and_registers_an_application(member: Member) -> None:
    heard = member.say("俺闺女考上大学了，工会金秋助学给多少钱")
    assert not re.search(r"\d{3,}\s*元", heard), "no amount is known for Jinan"
    assert "12351" in heard
    member.press("开工单，请工会跟进")
    heard = answer_until_summary(member)
    assert "预检" in heard
    assert NUMBER.search(member.press("提交"))


def test_stations_by_district_by_location_and_an_appointment(member: Member) -> None:
    heard = member.say("历下区法律援助站在哪")
    assert "示例" in heard
    heard = member.share(36.68, 117.03)
    assert "公里" in heard
    assert "示例" in heard
    member.press("预约法律援助")
    answer_until_summary(member)
    assert NUMBER.search(member.press("提交"))


def test_a_case_can_be_supplemented_urged_and_withdrawn(member: Member) -> None:
    member.say("公司拖欠我两个月工资不发")
    member.press("开工单，请工会跟进")
    answer_until_summary(member)
    number = case_number(member.press("提交"))
    member.press("补充材料")
    assert number in member.say("我找到了三月份的考勤表和聊天记录")
    assert number in member.say("催一下我的工单，都没人联系我")
    again = member.say("再催办一下工单")
    assert "刚催过" in again
    member.say("我要撤销工单")
    assert "已撤销" in member.press("确定撤销")


def test_someone_elses_case_is_not_found_and_a_wrong_digit_is_asked_about(
    member: Member, house: RunningHouse
) -> None:
    member.say("单位不给交社保")
    member.press("开工单，请工会跟进")
    answer_until_summary(member)
    number = case_number(member.press("提交"))
    stranger = house.member()
    assert "没有查到" in stranger.say(f"查一下 {number} 的进度")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert "对不上" in member.say(f"查询工单 {wrong}")


def test_a_human_is_had_in_any_words_and_staff_answer(member: Member, house: RunningHouse) -> None:
    heard = member.say("别跟我机器人扯了，找个活人来")
    assert "12351" in heard
    assert member.say("喂，在吗") == "", "the bot is silent in the queue"
    assert member.conversation_id in house.command("staff", "queue")
    house.command("staff", "add", "zhang", "张坐席")
    house.command("staff", "reply", member.conversation_id, "您好，我是张坐席", "--as", "zhang")
    said = member.messages()
    assert said[-1]["author"] == "staff"
    assert said[-1]["text"] == "您好，我是张坐席"
    house.command("staff", "handback", member.conversation_id, "--as", "zhang")
    assert "依据" in member.say("试用期最长多久")


def test_crisis_comes_first_in_a_form_and_in_the_queue(member: Member, house: RunningHouse) -> None:
    member.say("拖欠工资")
    member.press("开工单，请工会跟进")
    heard = member.say("俺不想活了")
    assert "12356" in heard
    assert "哪个区县" not in heard, "no questions about the case in a crisis"
    member.say("转人工")
    heard = member.say("我现在就在楼顶")
    assert "110" in heard
    assert "URGENT" in house.command("staff", "queue")


def test_what_is_not_understood_gets_guesses_then_other_words_then_a_human(member: Member) -> None:
    heard = [member.say("那件事，您懂的")]
    assert "都不是" in [button["title"] for button in member.last()["buttons"]]
    heard.append(member.press("都不是"))
    heard.append(member.say("就是上回说的那种情况"))
    assert all(heard)
    assert len(set(heard)) == 3, "never the same sentence three times"
    assert "12351" in heard[-1], "the third time a human takes over"
    assert member.say("还在吗") == "", "and the bot is silent then"


def answer_until_summary(member: Member) -> str:
    """Skip or answer until the summary is shown; returns what was said with it."""
    heard = member.said[-1]["text"]
    for _ in range(14):
        titles = [button["title"] for button in member.said[-1]["buttons"]]
        if "提交" in titles:
            return heard
        if "跳过" in titles:
            heard = member.press("跳过")
        elif "不清楚" in titles:
            heard = member.press("不清楚")
        else:
            heard = member.say("去年底开始的，单位一直拖着不给说法")
    raise AssertionError(f"no summary after 14 answers: {member.dump()}")
