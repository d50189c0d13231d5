"""When a member's work began (hired_on) and ended (left_on)."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.dates import dates
from nlu.facts.model import Fact, Mention, after, clause_after, clause_before
from nlu.facts.roles import settled, stated

_PLACE = (
    r"(?:公司|厂|店|单位|机构|学校|医院|幼儿园|酒店|饭店|超市|物业|工地|车间|集团|银行|项目部|事务所|中心|"
    r"园|所|站|家|队)"
)
_HIRED_AFTER = re.compile(
    r"[我俺就才刚正式份的起号日,]{0,4}(?:入的?职|进的?厂|进的?公司|进的?单位|进的?店|到岗|上岗|报的?到|上的?工(?!伤)|来的|去的(?=[,。!?…]|$)|招的|上班(?=[,。]|$)|"
    rf"应聘|参加工作|开始(?:干|上班|工作|在)|来(?:这|到|上班)|入的|招进|进来|进的|到.{{0,14}}?{_PLACE}.{{0,6}}(?:上班|干|工作|当|做)|"
    rf"(?:进了?|入职|任职于?)(?!.{{0,4}}驿站).{{0,12}}{_PLACE}|到的?(?:公司|厂|单位|店)(?=[,。]|$)|(?:起)?在.{{1,16}}从事|以.{{0,6}}身份进|跳(?:槽)?到|干到现在|工作至今|上班至今|干起)"
)
_HIRED_BEFORE = re.compile(
    r"(?:入职(?:日期|时间)?(?:也|还)*|进厂(?:日期|时间)?|上班(?:日期|时间)|开始上班|参加工作|到岗(?:日期|时间)?)(?:是|在|为|于|[:\s])*$"
)
_FROM_BEFORE = re.compile(r"(?:从|自|打)\s*$")
_FROM_AFTER = re.compile(
    r"(?:份|起|开始|就|在|,)*(?:干|上班|工作|入职|进厂|在.{1,14}(?:上班|干活|干|工作|做))(?!.{0,4}(?:没发|不发|欠))"
)
_LEFT_AFTER = re.compile(
    r"[我俺就才刚正式份的给被老板公司厂里经理单位人事那边突然口头又叫说把,]{0,10}(?:离的?职|辞的?职|辞(?:退|掉)?了?(?!前)|开除|解除|解雇|"
    r"走的|走了|让(?:我|俺|我们)?(?:走|滚|回家|收拾|卷铺盖)|走人|裁(?:员|掉|了|的)|不干了|不用(?:来|去)|别(?:来|去)了?|收拾东西|"
    r"办(?:的|了|结|完)?.{0,4}离职|办结交接|劝退|通知(?:我|俺)?(?:不用|别|被|解除|离职)|优化|撵|赶(?:走|出)|炒|通知回家|收到解除|被以[^,。]{0,24}解除|被.{1,6}(?:辞|裁|炒)|从.{1,12}(?:走的|离开|离职)|"
    r"(?:公司|单位|厂里?)?以.{2,16}为由(?:口头|书面)?(?:终止|解除|通知))"
)
_LEFT_BEFORE = re.compile(
    r"(?:最后一天(?:上班)?|最后上班(?:日|那天)?|离职(?:日期|时间|那天)?|辞退(?:日期|时间)?|解除(?:日期|时间)?|干到|做到|上到|"
    r"上班到|工作到|走的(?:日子|那天)|被辞(?:退)?(?:日期|时间)?)(?:是|在|为|于|了|[:\s])*$"
)
_DEATH = re.compile(r"丧葬|抚恤|去世|过世|工亡")
_UNTIL_BEFORE = re.compile(r"(?:到|至|[-~—–])\s*$")
_OTHER_AFTER = re.compile(
    r"(?:出生|生人|生的|毕业|结婚|受伤|受的伤|查出|确诊|开庭|仲裁|判|发(?:的)?工资|的工资|工资|签|合同到期|续签|怀孕|休|请假|"
    r"上工伤|住院|交的|提的|申请|报的名|报名|投诉|举报|立案|打的条)"
)
_EARLIEST = date(1950, 1, 1)


def find_employment_dates(text: str, as_of: date) -> list[Fact]:
    """Find hired_on and left_on (ISO); a future or impossible date, or leaving before coming, is none."""
    mentions = dates(text, as_of)

    def possible(mention: Mention) -> bool:
        return _EARLIEST <= mention.day <= as_of

    def hired(mention: Mention) -> bool:
        return possible(mention) and _is_hired(text, mention, mentions)

    def left(mention: Mention) -> bool:
        return (
            possible(mention) and not _is_hired(text, mention, mentions) and _is_left(text, mention, mentions)
        )

    facts = stated("hired_on", text, mentions, hired, lambda mention: mention.day.isoformat())
    facts += stated("left_on", text, mentions, left, lambda mention: mention.day.isoformat())
    agreed = {fact.name: fact.value for fact in settled(facts)}
    if "hired_on" in agreed and "left_on" in agreed and agreed["left_on"] < agreed["hired_on"]:
        return []
    return facts


def _is_hired(text: str, mention: Mention, mentions: list[Mention]) -> bool:
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    if _HIRED_BEFORE.search(front):
        return True
    if _LEFT_BEFORE.search(front) or _OTHER_AFTER.match(back):
        return False
    if _FROM_BEFORE.search(front) and _FROM_AFTER.match(back):
        return True
    if _HIRED_AFTER.match(back):
        return True
    return _starts_a_range(text, mention, mentions)


def _is_left(text: str, mention: Mention, mentions: list[Mention]) -> bool:
    if _DEATH.search(text):  # 走了 is also said of the dead
        return False
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    if _LEFT_BEFORE.search(front):
        return True
    if _OTHER_AFTER.match(back):
        return False
    if _LEFT_AFTER.match(back):
        return True
    earlier = [other for other in mentions if other.end <= mention.start]
    return (
        bool(_UNTIL_BEFORE.search(front)) and bool(earlier) and _starts_a_range(text, earlier[-1], mentions)
    )


def _own_words(text: str, mention: Mention, mentions: list[Mention]) -> str:
    """Return what follows a date up to the next date: later words belong to that one."""
    later = [other.start for other in mentions if other.start >= mention.end]
    own = text[mention.end : min([*later, mention.end + 26])]
    sentence = re.split(r"[。!?;]", own)[0]
    first_clause = clause_after(text, mention.end, 26)
    return sentence if len(first_clause) <= 2 else first_clause[: len(own)]


def _starts_a_range(text: str, mention: Mention, mentions: list[Mention]) -> bool:
    """Say whether this is the first date of 从2019年3月干到2024年5月 or 2022年6月20日到2025年7月3日."""
    later = [other for other in mentions if other.start >= mention.end]
    if not later:
        return False
    between = text[mention.end : later[0].start]
    if not re.fullmatch(
        r"\s*(?:起|开始)?(?:一直)?(?:在.{0,14})?(?:干|上班|工作|做)?\s*(?:到|至|[-~—–])\s*", between
    ):
        return False
    worked = re.search(r"干|上班|工作|做|任职|在职", between + after(text, later[0].end, 10))
    return bool(worked or re.search(r"在职|工作时间|任职", clause_before(text, mention.start)))
