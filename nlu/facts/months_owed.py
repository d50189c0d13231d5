"""How many months of wages are owed."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.durations import durations
from nlu.facts.model import Fact, Mention, after, before, clause_after, clause_before
from nlu.facts.numerals import plain
from nlu.facts.roles import stated

_UNPAID_BEFORE = re.compile(
    r"(?:拖欠|欠薪|欠|拖|压|扣(?=[着押下了])|赖|停发)(?:[了着发俺我咱他她们的薪有这那满]|工资|工钱|公资|薪水|整整|已经|一共|总共|"
    r"员工|工人|大家|大伙|家里|对象|媳妇|老公|爸|妈|(?:\d+|[一二三四五六七八九十]+|十余)[名个](?:员工|工人|老师|人)?)*$"
)
_PAY = r"(?:基本)?(?:工资|工钱|公资|薪水|工薪|课时费|血汗钱|钱|薪|底薪)"
_STILL = (
    r"(?:[了都也还全仍的是就愣没有]|一直|一分钱?|一毛钱?|压根|根本|老板|公司|厂里|单位|"
    r"分文|至今|到现在|一个子儿|迟迟|活)"
)
_UNPAID_AFTER = re.compile(
    rf"的?{_PAY}?[,]?{_STILL}{{0,4}}(?:没有?|未|不)(?:(?:给|发|结|付|支付|到账|到帐)(?:过|我|俺|俺们|我们)?{_PAY}?(?!证|会)"
    rf"|(?:开|见|拿|领|收)(?:过|着|到|下来)*(?:一分|一毛)?(?:{_PAY}|支))"
    rf"|的?{_PAY}(?:[了都还也就全的]){{0,2}}(?:要不回来|没影|拖着|赖着|打水漂|没了|压着|欠着|扣着|在他手)"
)
_MONEY = re.compile(rf"{_PAY}|没发|没给|不发|不给|没结|^拖了|^压了")
_OTHER_MONEY = re.compile(
    r"押金|抵押|保证金|保险|年假|加班|降温|生活费|社保|公积金|补贴|高温费|奖金|提成|房租|加班费|补偿|津贴|年终|竞业|半载"
)
_OTHER_SPAN = re.compile(
    r"(?:提前|产假|停工|试用期?|住院|病假|放假|怀孕|孕|哺乳|等|判|休|离职|辞职|走|毕业|最后|第|头|竞业|签|调解|裁决|协议|暑假|寒假|给|发|过|多拖|聊|搭伙)[了有满]?$"
)
_PLANNED = re.compile(r"(?:要|得|会|规定)(?:先)?(?:压|扣|押|拖)(?:我|俺|一|了)?$")
_WAGES = re.compile(rf"的?{_PAY}")
_COURT = re.compile(r"诉|仲裁|官司|一审|二审|判|鉴定")
_MOST_MONTHS_OWED = 36


def find_months_owed(text: str, as_of: date) -> list[Fact]:
    """Find how many months of wages are owed, as a decimal string (欠了三个月 is 3, 半年没发 is 6)."""

    def owed(span: Mention) -> bool:
        front = clause_before(text, span.start, 20)
        back = clause_after(text, span.end, 14)
        nearby = front if _WAGES.match(back) else front + back
        return (
            is_unpaid(text, span)
            and not _OTHER_MONEY.search(nearby)
            and not _OTHER_SPAN.search(front)
            and not _PLANNED.search(front)
            and span.amount <= _MOST_MONTHS_OWED
        )

    return stated("months_owed", text, durations(text), owed, lambda span: plain(span.amount))


def is_unpaid(text: str, span: Mention) -> bool:
    """Say whether a span of time is one without pay (欠了三个月, 仨月没发)."""
    front, back = clause_before(text, span.start, 20), after(text, span.end, 20)
    held_back = _UNPAID_BEFORE.search(front)
    # 拖我一年 may be a lawsuit: only 欠 needs no word of money nearby.
    if held_back and ("欠" in held_back.group() or _MONEY.search(front + back[:12])):
        return not _COURT.search(before(text, span.start, 20))
    return bool(_UNPAID_AFTER.match(back))
