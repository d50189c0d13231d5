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
    r"(?:干|工作|做|上班|上|在职|在岗|待|呆|当|跑|站|扫|开|送|教|守|看|打工|服务|任职|入职|来|修|焊|刷|炒|洗|搬|缝|挡车|"
    r"伺候|护理|效力|卖命|忙活|连续工作|安装)"
)
_WORKED_BEFORE = re.compile(
    rf"{_WORK}{_JOB}?(?:到现在|到今天|到今儿)?(?:[也都就已经才刚整共有足这]|一共|总共|前后|整整|将近)*[了满够]?"
    r"(?:[也都就有整足这的共]|一共|总共|整整)*\s*$"
    r"|(?:工龄|司龄|厂龄|工作年限)(?:[是有都了为才满也:]|已经)*\s*$"
    r"|在(?:这家?|这个?|那家?|该|本)?(?:单位|公司|厂里?|店里?|医院|学校|车间|岗位|这儿|这里|那儿|那里)(?:里?面|里头)?"
    r"(?:[都有待也]|已经)*\s*$"
)
_WORKED_AFTER = re.compile(rf"的?(?:工龄|司龄|厂龄|老员工|老职工|老工人)|[的]?{_JOB}")
_CONDITION = re.compile(
    r"(?:(?:要|得|必须|再|才|等|想)(?:干|做|工作|上)?|(?:干|做|工作|上))[满够]$|(?:要|得|必须|再|才|想)(?:干|做|工作|上)$"
)
_NOT_WORKED_AFTER = re.compile(r"(?:前|后|以后|之后|内|之内|以内|服务期|社保|合同|一签|就得|才能|以上)")
_MOST_MONTHS_WORKED = 12 * 55


def find_tenure_years(text: str, as_of: date) -> list[Fact]:
    """Find how long the member has worked there, in years to two places (干了五年八个月 is 5.67)."""

    def worked(span: Mention) -> bool:
        front, back = clause_before(text, span.start, 20), after(text, span.end, 12)
        return (
            bool(_WORKED_BEFORE.search(front) or _WORKED_AFTER.match(back))
            and not _CONDITION.search(front)
            and not _NOT_WORKED_AFTER.match(back)
            and not is_unpaid(text, span)
            and span.amount <= _MOST_MONTHS_WORKED
        )

    return stated("tenure_years", text, durations(text), worked, lambda span: plain(in_years(span.amount)))
