"""How long the member has worked there."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.durations import durations, in_years
from nlu.facts.model import Fact, Mention, after, clause_before
from nlu.facts.months_owed import is_unpaid
from nlu.facts.numerals import plain
from nlu.facts.roles import stated

_JOB = (
    r"(?:保安|保洁|护士|老师|教师|司机|环卫|焊工|挡车工?|铲车|货车|护工|厨师|门卫|骑手|外卖|快递|专送|导购|收银|会计|出纳|"
    r"文员|客服|电工|木工|瓦工|钳工|车工|叉车|班|地|大街|代驾|网约车|出租车|月嫂|保姆|服务员)"
)
_WORK = (
    r"(?:干|工作|做|上班|在职|在岗|待|呆|当|跑|站|扫|开|送|教|守|看|打工|服务|任职|修|焊|刷|炒|洗|搬|缝|挡车|"
    r"伺候|护理|效力|卖命|忙活|安装)"
)
_AMOUNTING_TO = r"(?:[也都就才刚整共有足这]|已经|一共|总共|前后|整整)"
_WORKED_BEFORE = re.compile(
    rf"{_WORK}{_JOB}?(?:到现在|到今天|到今儿)?{_AMOUNTING_TO}*[了满够]{_AMOUNTING_TO}*\s*$"
    rf"|(?:干|做|当|跑|开){_JOB}{_AMOUNTING_TO}*\s*$|(?:挡车|来(?:这里?|这儿|公司|厂里?)|^来|[我俺]来){_AMOUNTING_TO}*了?\s*$"
    rf"|(?:干|工作|入职|在职|上班){_AMOUNTING_TO}*\s*$"
    r"|(?:工龄|司龄|厂龄|工作年限)(?:[是有都了为才满也:]|已经)*\s*$"
    r"|在(?:这家?|这个?|那家?|该|本)?(?:单位|公司|厂里?|店里?|医院|学校|车间|岗位|这儿|这里|那儿|那里)(?:里?面|里头)?"
    r"(?:[都有待也]|已经)*\s*$"
)
_WORKED_AFTER = re.compile(
    rf"的?(?:(?:工龄|司龄|厂龄)(?![\d一二两三四五六七八九十]+[百千块元])|老员工|老职工|老工人)|[的]?{_JOB}"
)
_CONDITION = re.compile(
    r"(?:要|得|必须|须|再|等|想|只能|多|签的|回去|明年|一年|每年|约定|协议|合同|写明|规定|保证|承诺)[^了,]{0,8}$"
    r"|(?<!已经)(?<!都)(?<!我)(?<!俺)(?:干|做|工作|上|工龄)[满够]\s*$"
)
_ELSEWHERE = re.compile(
    r"上家|上一家|之前在|以前在|别处|别的|原单位|老单位|前单位|原来的?(?:单位|公司)|进修|当兵|服役|脱产"
)
_NOT_WORKED_AFTER = re.compile(
    r"(?:前|后|以后|之后|内|之内|以内|服务期|社保|合同|一签|就得|才能|以上|的?[,]?(?:年假|就|才|以上|员工)|半载)"
)
_MOST_MONTHS_WORKED = 12 * 55


def find_tenure_years(text: str, as_of: date) -> list[Fact]:
    """Find how long the member has worked there, in years to two places (干了五年八个月 is 5.67)."""

    def worked(span: Mention) -> bool:
        front, back = clause_before(text, span.start, 20), after(text, span.end, 12)
        return (
            bool(_WORKED_BEFORE.search(front) or _WORKED_AFTER.match(back))
            and not _CONDITION.search(front)
            and not _ELSEWHERE.search(clause_before(text, span.start, 30))
            and not _NOT_WORKED_AFTER.match(back)
            and not is_unpaid(text, span)
            and span.amount <= _MOST_MONTHS_WORKED
        )

    return stated("tenure_years", text, durations(text), worked, lambda span: plain(in_years(span.amount)))
