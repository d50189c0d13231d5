"""When a member's work began (hired_on) and ended (left_on)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from nlu.facts.dates import dates
from nlu.facts.model import Fact, Mention, after, clause_after, clause_before
from nlu.facts.roles import settled, stated

_PLACE = (
    r"(?:公司|厂|店|单位|机构|学校|医院|幼儿园|酒店|饭店|超市|物业|工地|车间|集团|银行|项目部|事务所|中心|"
    r"园|所|站|家|队|网点)"
)
_HIRED_AFTER = re.compile(
    r"[我俺就才刚正式份的起号日,]{0,4}(?:入的?职|进的?厂|进的?公司|进的?单位|进的?店|到的?岗|上的?岗|报的?到|上的?工(?!伤)|来的|去的(?=[,。!?…]|$)|招的|上班(?=[,。]|$)|"
    rf"应聘|参加工作|开始(?:干|上班|工作|在)|来(?:这|到|上班)|入的|招进|进来|进的|[到去].{{0,14}}?{_PLACE}.{{0,6}}(?:上班|干|工作|当|做)|"
    rf"[到去]的?(?:一家|这家)?.{{2,12}}{_PLACE}的?(?=[,。!?]|$)|[到去](?!期|达).{{2,12}}(?:当(?!时|天|场)|上班|干活)|"
    rf"(?:进了?|入职|任职于?)(?!.{{0,4}}驿站).{{0,12}}{_PLACE}|到的?(?:公司|厂|单位|店)(?=[,。]|$)|(?:起)?在.{{1,16}}从事|以.{{0,6}}身份进|跳(?:槽)?到|干到现在|工作至今|上班至今|干起)"
)
_HIRED_BEFORE = re.compile(
    r"(?:入职(?:日期|时间)?(?:也|还)*|进厂(?:日期|时间)?|上班(?:日期|时间)|开始上班|参加工作|到岗(?:日期|时间)?)(?:是|在|为|于|[:\s])*$"
)
_FROM_BEFORE = re.compile(r"(?:从|自|打)\s*$")
_FROM_AFTER = re.compile(
    r"(?:份|起|开始|就|在|,)*(?:干|上班|工作|入职|进厂|在.{1,14}(?:上班|干活|干|工作|做))(?!.{0,4}(?:没发|不发|欠))"
)
_LEFT = re.compile(
    r"离的?了?职|辞的?了?职(?!报告|信|书|申请)|辞(?:退|掉|了)(?!前)|(?:被|给).{0,6}(?:开了|裁|炒|撵|清退|辞)|被(?:开$|优化|请走)|开除|解雇|解聘|裁(?:员(?!名单|方案)|掉|了|的)|"
    r"把(?:我|俺)(?:们)?(?:开|裁|炒|撵|赶|辞|优化|劝退)|解除(?:了)?(?:劳动|合同|关系|通知|我|$)|终止(?:了)?(?:劳动|合同)|"
    r"[让叫喊](?:我|俺|我们|俺们|她|他)?(?:走|滚|回家|收拾|卷铺盖|离开)|走的(?!时候)|^.{0,4}走了|走人|不干了|不干的|不用(?:再)?(?:来|去|上班)|"
    r"不让(?:我|俺|再)?(?:干|来|去|上班|上岗)|不再(?:上岗|上班|录用)|别(?:再)?(?:来|去)|没再(?:来|去)|收拾东西|卷铺盖|办结交接|劝退|撵|赶(?:走|出)|"
    r"到期.{0,10}(?:不续|没续|未续|没有续|终止|不签)|最后一天(?!收|报|交|办)|离开(?:了)?(?:公司|单位|厂)|结账走"
)
"""Words that say that the work ended on the day they are told of."""
_STAYS = re.compile(
    r"提交|递交|提的|提了|提出|提离职|写了?辞|[交递]了?.{0,2}辞|申请|要求|打算|准备|想(?:走|辞)|计划|没批|不批|投诉|仲裁|开庭|起诉|"
    r"月底|下个?月|下周|年底|过完年|同意.{0,4}$|谈(?!话)|撤回|签.{0,6}劳动合同|调岗|以前|之前在|要是|如果|让我签|寄"
)
"""Words that say that the day is that of a request, a plan or something else."""
_LEFT_BEFORE = re.compile(
    r"(?:最后一天(?:上班)?|最后上班(?:日|那天)?|离职(?:日期|时间|那天)?|辞退(?:日期|时间)?|解除(?:日期|时间)?|(?<!让我)干到|做到|上到|"
    r"上班到|工作到|走的(?:日子|那天)|被辞(?:退)?(?:日期|时间)?)(?:是|在|为|于|了|[:\s])*$"
)
_WANTED_BEFORE = re.compile(
    r"(?:要求|约定|说好|通知(?:我|俺)?|offer|定在|写(?:着|明|的)?|打算|准备|让(?:我|俺)?|眼看|预计|(?:人事|公司|老板|领导)说)[^,:]{0,2}$"
)
_SCHOOL = re.compile(r"孩子|闺女|女儿|儿子|孙|录取|开学|大学|入学|学校.{0,4}报到")
_DEATH = re.compile(r"丧葬|抚恤|去世|过世|工亡")
_UNTIL_BEFORE = re.compile(r"(?:到|至|[-~—–])\s*$")
_OTHER_AFTER = re.compile(
    r"(?:出生|生人|生的|毕业|结婚|受伤|受的伤|查出|确诊|开庭|仲裁|判|发(?:的)?工资|的工资|工资|签(?!的?.{0,4}(?:离职|解除|终止))|续签|怀孕|休|请假|"
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


def _is_hired(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    earlier = [other.end for other in mentions if other.end <= mention.start]
    if earlier and text[earlier[-1] : mention.start] == front[-(mention.start - earlier[-1]) :]:
        front = ""  # 去年6月1日入职|今年6月1日…: the word is the earlier date's
    if _HIRED_BEFORE.search(front):
        return True
    if _LEFT_BEFORE.search(front) or _OTHER_AFTER.match(back):
        return False
    if _FROM_BEFORE.search(front) and _FROM_AFTER.match(back):
        return True
    if _HIRED_AFTER.match(back):
        school = "报到" in back and _SCHOOL.search(text)
        return not (school or _WANTED_BEFORE.search(front))
    return _starts_a_range(text, mention, mentions)


def _is_left(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    if _DEATH.search(text):  # 走了 is also said of the dead
        return False
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    if _LEFT_BEFORE.search(front):
        return True
    if _OTHER_AFTER.match(back):
        return False
    ending = _LEFT.search(back)
    if ending and not _STAYS.search(back[: ending.end()] + back[ending.end() : ending.end() + 4]):
        return not _WANTED_BEFORE.search(front)
    earlier = [other for other in mentions if other.end <= mention.start]
    return (
        bool(_UNTIL_BEFORE.search(front)) and bool(earlier) and _starts_a_range(text, earlier[-1], mentions)
    )


def _own_words(text: str, mention: Mention, mentions: Sequence[Mention]) -> str:
    """Return what follows a date up to the next date: later words belong to that one."""
    later = [other.start for other in mentions if other.start >= mention.end]
    own = text[mention.end : min([*later, mention.end + 26])]
    sentence = re.split(r"[。!?;]", own)[0]
    first_clause = clause_after(text, mention.end, 26)
    return sentence if len(first_clause) <= 2 else first_clause[: len(own)]


def _starts_a_range(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
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
