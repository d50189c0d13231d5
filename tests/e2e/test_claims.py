"""A story becomes a claim sheet, over HTTP, through the real model: confirmed, asked for, reckoned."""

from __future__ import annotations

from tests.e2e.house import Member

CARD = "对，就是这样"


def test_a_story_told_in_one_breath_becomes_a_sheet_and_the_sheet_a_case(member: Member) -> None:
    heard = member.say(
        "我2025年1月10日进的厂，一直没签合同，一个月6000元，2026年3月31日老板让我走人，最后两个月工资也没给"
    )
    assert "项权益" in heard, member.dump()
    heard = member.press("帮我算算能要多少")
    assert "没签书面劳动合同" in heard, member.dump()
    assert "2025年1月10日" in heard
    heard = member.press(CARD)
    for answer in ANSWERS:
        if "权益清单" in heard:
            break
        heard = member.say(next(said for question, said in ANSWERS.items() if question in heard))
        assert answer
    assert "66000.00 元" in heard, member.dump()
    assert "18000.00 元" in heard
    assert "12000.00 元" in heard
    assert member.said[-1]["sources"]
    explained = member.press("怎么算的：没签合同的二倍工资差额")
    assert "第八十二条" in explained
    assert "退订" in member.press("到期前提醒我")


ANSWERS = {
    "哪天入职": "2025年1月10日",
    "最后一天上班": "2026年3月31日",
    "每月应得": "6000元",
    "一共欠您多少": "12000元",
    "几个整月": "2个月",
    "还在这家单位": "已经离开了",
    "手里有哪些": "有微信转账记录，工友能作证",
}


def test_about_five_thousand_is_asked_for_and_not_assumed(member: Member) -> None:
    member.say("我2024年3月1日入职，2026年2月28日公司裁员把我裁了，一个月大概五千来块")
    member.press("帮我算算能要多少")
    heard = member.press(CARD)
    while "每月应得" not in heard:
        heard = member.say(next(said for question, said in ANSWERS.items() if question in heard))
    assert "大概数" in heard
    heard = member.say("差不多五千来块")
    assert "准数" in heard, member.dump()
    heard = member.say("五千一百二")
    assert "手里有哪些" in heard, member.dump()
    heard = member.press("不清楚")
    assert "10240.00 元" in heard, member.dump()


def test_a_question_in_the_middle_is_answered_and_cancelling_leaves(member: Member) -> None:
    member.say("公司把我辞退了，没签合同，社保也没交")
    member.press("帮我算算能要多少")
    member.press(CARD)
    heard = member.say("仲裁要花钱吗？")
    assert "依据" in heard, member.dump()
    assert "？" in member.said[-1]["text"]
    assert "先不算了" in member.say("算了，先不办了"), member.dump()
