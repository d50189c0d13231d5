"""How many months of wages are owed."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.durations import durations
from nlu.facts.model import Fact, Mention, after, before, clause_after, clause_before
from nlu.facts.months_listed import find_listed_months
from nlu.facts.numerals import plain
from nlu.facts.roles import stated

_HELD_BACK = (
    r"(?:没有?|未|不)(?:给|发|开|结|支付|见)过?[我俺们]*(?:工资|工钱|薪水|钱)"
    r"|拖欠|tuoqian|欠薪|欠|拖|压|赖|停发|停(?=了)|扣(?=[着押下了我俺])|(?:就|还|只|光|仅)差"
)
_HOW_LONG = (
    r"整整|正好|刚好|足足|时长|时间|期限|合计|共计|已经|已达|长达|至今|到现在|已|达|一共|总共|共|整|最后"
)
_WHOSE = (
    r"员工|工人|老师|保安|保洁|大家|大伙|家里|对象|媳妇|老公|老婆|爸|妈|[我俺咱他她们]|"
    r"(?:\d+|[一二三四五六七八九十]+|十余)[名个](?:员工|工人|老师|人)?"
)
_WHICH_MONTHS = r"(?:(?:20\d\d|今|去)年)?\d{1,2}月份?|[、和,及 ]"
_WAGES_NAMED = r"工资|工钱|公资|薪水|gongzi|薪|钱"
_UNPAID_BEFORE = re.compile(
    rf"(?:{_HELD_BACK})(?:[了着:发的有这那满仨俩]|{_WAGES_NAMED}|{_HOW_LONG}|{_WHOSE}|{_WHICH_MONTHS})*$"
)
_PAY = r"(?:基本)?(?:工资|工钱|公资|薪水|工薪|课时费|配送费|血汗钱|钱|薪|底薪|带团费)"
_STILL = (
    r"(?:[了都也还全仍的是就愣没有]|一直|一分钱?|一毛钱?|压根|根本|老板|公司|厂里|单位|"
    r"分文|至今|到现在|一个子儿|迟迟|活)"
)
_NOT_GIVEN = (
    r"(?:没有?|未|不)(?:(?:给|发|结|付|支付|到账|到帐)"
    r"(?!了?[我俺]?(?:[交缴上办签评撤写报批买续补休证转加涨换安提]|开(?!工资|支|钱)))(?:过|我|俺|俺们|我们)?"
)
_UNPAID_AFTER = re.compile(
    rf"的?{_PAY}?[,]?{_STILL}{{0,4}}{_NOT_GIVEN}{_PAY}?(?!证|会)"
    rf"|(?:开|见|拿|领|收)(?:过|着|到|下来)*(?:一分|一毛)?(?:{_PAY}|支|(?=[,。!?]|$)))"
    rf"|的?{_PAY}(?:[了都还也就全的被老板公司]){{0,4}}(?:要不回来|没影|拖着|赖着|(?:打|费打)了?水漂|没了|压着|欠着|扣着|在他手|没到手|没领|拿去|没人管|撂)"
    rf"|的?{_PAY}(?:共计|一共|总共|合计)?[\d一二两三四五六七八九十百千万.]+(?:块钱?|元)?(?:未付|没[给发结]|未[发结])"
)
_HELD_FROM_ME = re.compile(r"拖[我俺]们?(?:了|有|整整|已经)*$")
_DOCKED = re.compile(r"扣[我俺]们?(?:了)?$")
_A_FINE = re.compile(r"迟到|旷工|罚|赔|违约|提前|提离职|提出|没干满|没提|损失")
_NOT_PAY = re.compile(r"合同|社保|证明|手续|工伤|赔|鉴定|诉|仲裁|官司|一审|二审|判|办|签|认定|结果|处理|转正")
_ONLY_LACKS = re.compile(r"差$")
_MONEY = re.compile(rf"{_PAY}|gongzi|没发|没结|^拖了|^压了")
_PAY_NEARBY = re.compile(rf"{_PAY}|欠|开支")
_OTHER_MONEY = re.compile(
    r"押金|抵押|保证金|保险|年假|加班|降温|生活费|社保|公积金|补贴|高温费|奖金|提成|房租|加班费|补偿|津贴|年终|竞业|半载|租金|合同|取暖费|医保|学徒|货|事假|产假|病假|失业金"
)
_OTHER_SPAN = re.compile(
    r"(?:提前|产假|停工|试用期?|住院|病假|放假|怀孕|孕|哺乳|等|判|休|离职|辞职|走|毕业|第|头|竞业|签|调解|裁决|协议|暑假|寒假|给|赔|补|发|过|多拖|聊|搭伙|来|剩)[了有满]?$"
)
_PLANNED = re.compile(r"(?:师傅|老板)说$|(?:要|得|会|规定|都)(?:先)?(?:压|扣|押|拖)(?:我|俺|一|了)?$")
_LAST_MONTHS = re.compile(r"[和及、]最后$")
_AS_A_RULE = re.compile(r"[,]?(?:是|说是)?(?:规定|惯例|制度|行规)")
_PAID_SINCE = re.compile(r"补上了|补齐|已经解决|已解决|都发了|结清了|补发了")
_WAGES = re.compile(rf"的?{_PAY}")
_OWED_TO_SOMEBODY = re.compile(r"欠[^,。!?;]{0,10}$")
_COURT = re.compile(r"(?<!投)诉|仲裁|官司|一审|二审|判|鉴定")
_SHORT = 6
"""Months without pay that are believed without a word for wages nearby (仨月没发)."""
_MOST_MONTHS_OWED = 36


def find_months_owed(text: str, as_of: date) -> list[Fact]:
    """Find how many months of wages are owed, as a decimal string (欠了三个月 is 3, 半年没发 is 6)."""

    def owed(span: Mention) -> bool:
        front = clause_before(text, span.start, 20)
        back = clause_after(text, span.end, 14)
        nearby = front if _WAGES.match(back) else front + back
        nearby = "" if _LAST_MONTHS.search(front) else nearby
        return (
            is_unpaid(text, span)
            and not _OTHER_MONEY.search(nearby)
            and not _OTHER_SPAN.search(front)
            and not _PLANNED.search(front)
            and not _AS_A_RULE.match(after(text, span.end, 10))
            and not _PAID_SINCE.search(after(text, span.end, 40))
            and span.amount <= _MOST_MONTHS_OWED
        )

    facts = stated("months_owed", text, durations(text), owed, lambda span: plain(span.amount))
    return facts or find_listed_months(text)


def _is_plainly_held_back(text: str, span: Mention, front: str) -> bool:
    """Say whether 扣我, 就差 are of wages: 扣我一个月工资 for coming late is a fine, 差三个月到期 no debt."""
    wages = _WAGES.match(after(text, span.end, 8))
    if _DOCKED.search(front):
        return bool(wages) and span.amount >= 1 and not _A_FINE.search(text)
    return bool(wages) or not _ONLY_LACKS.search(front)


def is_unpaid(text: str, span: Mention) -> bool:
    """Say whether a span of time is one without pay (欠了三个月, 仨月没发)."""
    front, back = clause_before(text, span.start, 20), after(text, span.end, 20)
    held_back = _UNPAID_BEFORE.search(re.split(r"[。!?;]", before(text, span.start, 30))[-1])
    if held_back and not _is_plainly_held_back(text, span, front):
        held_back = None
    # 拖我一年 may be a lawsuit: only 欠 needs no word of money nearby.
    short = _HELD_FROM_ME.search(front) and span.amount <= _SHORT and not _NOT_PAY.search(text)
    if held_back and (
        "欠" in held_back.group() or short or _MONEY.search(front + clause_after(text, span.end, 12))
    ):
        return not _COURT.search(before(text, span.start, 20))
    if _OWED_TO_SOMEBODY.search(front) and _WAGES.match(back):
        return True
    unpaid = _UNPAID_AFTER.match(back)
    around = before(text, span.start, 40) + after(text, span.end, 30)
    return bool(unpaid) and bool(_PAY_NEARBY.search(around) or span.amount <= _SHORT)
