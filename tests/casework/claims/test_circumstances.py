"""Circumstances: what a sentence tells of what happened, and what it does not."""

from __future__ import annotations

import pytest

from casework.claims.circumstances import MAX_QUOTE
from casework.claims.registry import Claims


def codes(claims: Claims, text: str) -> set[str]:
    return {found.code for found in claims.circumstances.find(text)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("进厂半年了一直没签合同", {"no_contract"}),
        ("公司从来没有跟我签过劳动合同", {"no_contract"}),
        ("合同都没给签就让干活", {"no_contract"}),
        ("签了空白合同，合同也被公司收走了", {"contract_kept_by_boss"}),
        ("合同到期了没续签，我还一直在干", {"contract_expired_working"}),
        ("工资拖了三个月没发", {"unpaid"}),
        ("老闆欠薪兩個月", {"unpaid"}),
        ("干完活一分钱没给", {"unpaid"}),
        ("离职了压我一个月工资", {"unpaid"}),
        ("尾款一直不结", {"unpaid"}),
        ("领导口头让我明天别来了", {"dismissed"}),
        ("人事找我谈话要优化我", {"dismissed"}),
        ("非让我签自愿离职协议", {"forced_to_sign_off"}),
        ("整个部门都裁了", {"layoff"}),
        ("公司倒闭了", {"employer_closed"}),
        ("怀孕五个月", {"pregnant"}),
        ("996，一个月就休两天", {"overtime"}),
        ("国庆上了七天班没有加班费", {"overtime"}),
        ("年假一天没休过", {"no_leave"}),
        ("从来没发过高温补贴", {"hot_work"}),
        ("三十八度还在室外干", {"hot_work"}),
        ("五险一金都没交", {"no_social_insurance"}),
        ("让我签自愿放弃社保", {"waived_insurance"}),
        ("下班路上被车撞了", {"commute_accident"}),
        ("搬货砸断了脚", {"injured"}),
        ("收了我五百押金不退", {"deposit"}),
        ("身份证被扣着", {"id_held"}),
        ("公司总部在上海", {"elsewhere"}),
        ("退休返聘干保安", {"over_age"}),
        ("跟人力公司签的派遣合同", {"dispatched"}),
        ("我们一共十几个工友都这样", {"group"}),
        ("手里有工资条和打卡记录", {"ev_payslip", "ev_attendance"}),
        ("老板写了欠条", {"ev_iou"}),
        ("仲裁裁决书下来了", {"award_received"}),
    ],
)
def test_what_is_told_is_found(claims: Claims, text: str, told: set[str]) -> None:
    assert told <= codes(claims, text)


@pytest.mark.parametrize(
    ("text", "not_told"),
    [
        ("听说没签合同可以要双倍工资", "no_contract"),
        ("如果被辞退了能赔多少", "dismissed"),
        ("我怕被辞退", "dismissed"),
        ("工资都结清了", "unpaid"),
        ("公司不欠我工资", "unpaid"),
        ("加班费都给了", "overtime"),
        ("合同没到期", "no_contract"),
        ("没有工资条", "ev_payslip"),
        ("老板不肯写欠条", "ev_iou"),
        ("工友不敢作证", "ev_witness"),
        ("没有受伤", "injured"),
        ("社保都正常交了", "no_social_insurance"),
        ("让我签自愿离职", "resigned"),
        ("包工头走了", "resigned"),
        ("我老家青岛的", "elsewhere"),
        ("离退休还有五年", "over_age"),
        ("老板不让我走，不批离职", "dismissed"),
        ("今天天气不错", "unpaid"),
    ],
)
def test_what_is_not_told_is_not_found(claims: Claims, text: str, not_told: str) -> None:
    assert not_told not in codes(claims, text)


def test_each_finding_shows_the_sentence_that_tells_it(claims: Claims) -> None:
    text = "我在这儿干了两年。合同一直没签！老板上个月把我辞退了"
    found = {one.code: one.quote for one in claims.circumstances.find(text)}
    assert found == {"no_contract": "合同一直没签！", "dismissed": "老板上个月把我辞退了"}


def test_a_long_sentence_is_quoted_short(claims: Claims) -> None:
    (found, *_) = claims.circumstances.find("我一直没签合同" + "后来的事情说来话长" * 20)
    assert len(found.quote) == MAX_QUOTE


def test_every_kind_of_proof_and_every_circumstance_named_elsewhere_exists(claims: Claims) -> None:
    known = set(claims.circumstances.codes)
    for right in claims.words.rights.values():
        assert {kind for group in right.proof for kind in group} <= known


def test_an_answer_that_lists_what_is_held_is_read_item_by_item(claims: Claims) -> None:
    answer = "有合同、银行流水和打卡截图，没有工资条，工友不敢作证"
    held = {one.code for one in claims.circumstances.held(answer)}
    assert held == {"ev_contract", "ev_payments", "ev_attendance", "ev_chat"}
