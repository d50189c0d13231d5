"""When a member's work began (hired_on) and ended (left_on)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from nlu.facts.dates import dates
from nlu.facts.model import Fact, Mention, after, before, clause_after, clause_before
from nlu.facts.roles import settled, stated

_PLACE = (
    r"(?:公司|厂|店|单位|机构|学校|医院|幼儿园|酒店|饭店|超市|物业|工地|车间|集团|银行|项目部|事务所|中心|"
    r"园|所|站|家|队|网点)"
)
_DOES = r"(?:担?任|当|做|干|上班|工作|修|烧|看|开|炒|焊|送|教|打工|从事|缝|洗)"
_HIRED_AFTER = re.compile(
    r"[我俺就才刚正式份的起号日,]{0,4}(?:入的?职|进的?厂|进的?公司|进的?单位|进的?店|到的?岗|上的?岗|报的?到|上的?工(?!伤)|来的|去的(?=[,。!?…]|$)|招的|上班(?=[,。\s]|$)|"
    rf"应聘|参加工作|开始(?:干|上班|工作|在)|来(?:这|到|上班)|入的|招进|进来|进的|上的班|当天就(?:上|开始|干)|开始(?:送|跑|当|做)|[到去].{{0,14}}?{_PLACE}.{{0,6}}(?:上班|干|工作|当|做)|"
    rf"[到去]的?(?:一家|这家)?.{{2,12}}{_PLACE}的?(?=[,。!?]|$)|[到去](?!期|达).{{2,12}}(?:当(?!时|天|场)|上班|干活)|"
    rf"(?:进了?|入职|任职于?)(?!.{{0,4}}驿站).{{0,12}}{_PLACE}|到的?(?:公司|厂|单位|店)(?=[,。]|$)|(?:起)?在.{{1,16}}从事|以.{{0,6}}身份进|跳(?:槽)?到|干到现在|工作至今|上班至今|干起)"
    rf"|(?:日|号)?起?,?就(?:一直)?在(?:这|那|这家|那家)(?:儿|里|边)?.{{0,6}}(?:干|上班|工作|做|烧|看|修)"
    rf"|起,?(?:就|便)?(?:一直)?在(?!家|宿舍|医院).{{0,12}}(?:{_PLACE}|铺|部|馆|户|校|处|这儿?|那儿?).{{0,4}}{_DOES}"
)
_SAME_DAY = re.compile(r"[^。!?;]{0,12}当天就(?:上(?:的|了)?班|上岗|上工|开始干|干活)")
_HIRED_BEFORE = re.compile(
    r"(?:入职(?:日期|时间)?(?:也|还)*|进厂(?:日期|时间)?|上班(?:日期|时间)|开始上班|参加工作|到岗(?:日期|时间)?)(?:是|在|为|于|[:\s])*$"
)
_HIRED_EARLIER = re.compile(r"入职(?:日期|时间|那天)[^。!?;\d不没忘]{0,14}(?:应该)?是$")
_FROM_BEFORE = re.compile(r"(?:从|自|打)\s*$")
_FROM_AFTER = re.compile(
    r"(?:份|起|开始|就|在|,)*(?:干|上班|工作|入职|进厂|在.{1,14}(?:上班|干活|干|工作|做))(?!.{0,4}(?:没发|不发|欠))"
)
_RESIGNED = (
    r"离的?了?职|离的(?=[,。!?;…\s]|$)|(?:就|才|已经)离了(?!婚|职)|辞的?了?职(?!报告|信|书|申请)|"
    r"辞(?:退|掉|了)(?!前)|不干了|不干的|没再(?:来|去)|收拾东西|卷铺盖|办结交接|结账走|离开(?:了)?(?:公司|单位|厂)"
)
_DISMISSED = (
    r"(?:被|给).{0,6}(?:开了|裁|炒|撵|清退|辞)|被(?:开$|优化|请走)|开除|解雇|解聘|裁(?:员(?!名单|方案)|掉|了|的)|"
    r"把(?:我|俺)(?:们)?(?:开|裁|炒|撵|赶|辞|优化|劝退)|劝退|撵|赶(?:走|出)"
)
_ENDED = (
    r"解除(?:了)?(?:劳动|合同|关系|通知|我|$)|终止(?:了)?(?:劳动|合同)|"
    r"到期.{0,10}(?:不续|没续|未续|没有续|终止|不签)|最后一天(?!收|报|交|办)"
)
_SENT_AWAY = (
    r"[让叫喊](?:我|俺|我们|俺们|她|他)?(?:走|滚|回家(?!等|待|歇|休)|收拾|卷铺盖|离开)|"
    r"不用(?:再)?(?:来|去|上班)|(?:说|就)(?:都)?不用了|不用[我俺](?:们)?了|不要[我俺](?:们)?了|"
    r"不让(?:我|俺|再)?(?:干|来|去|上班|上岗)|不再(?:上岗|上班|录用)|别(?:再)?(?:来|去)"
)
_WENT = r"走的(?=[,。!?;…\s]|$|[我俺工押公老他还没人])|^.{0,4}走了|[我俺]?就走了|走人"
_SHUT_OUT = (
    r"(?:被[^,。]{0,4}|把[我俺])(?<!微信)拉黑(?!.{0,3}(?:微信|电话))|停(?:了|掉)?[^,。手银微社]{0,3}(?:账号|号(?!码))|"
    r"(?<!银行)(?<!微信)(?<!社保)(?<!手机)(?<!电话)(?:账号|号)(?:被|给|就|让).{0,3}(?:停|封|注销)|"
    r"封(?:了)?[^,。手银微社]{0,2}(?:账号|号(?!码))"
)
_LEFT = re.compile("|".join((_RESIGNED, _DISMISSED, _ENDED, _SENT_AWAY, _WENT, _SHUT_OUT)))
"""Words that say that the work ended on the day they are told of."""
_STAYS = re.compile(
    r"提交|递交|提的|提了|提出|提离职|写了?辞|[交递]了?.{0,2}辞|申请|要求|打算|准备|想(?:走|辞)|计划|没批|不批|投诉|仲裁|开庭|起诉|"
    r"月底|下个?月|下周|年底|过完年|同意.{0,4}$|谈(?!话)|撤回|签.{0,6}劳动合同|调岗|以前|之前在|要是|如果|让我签|寄|开会|会上|宣布|说要|将要|待岗|等通知|撤下来|放假|停班"
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
_MY_DATE = re.compile(r"[我俺](?:自己)?(?:是|就是|在|从)?\s*$")
_THEIR_DATE = re.compile(
    r"(?:她|他|(?:[我俺](?:家|的)?)?(?:妈|爸|爹|娘|老公|老婆|媳妇|对象|哥|姐|弟|妹|丈夫|妻子)|同事|工友|老乡|小[王李张刘赵陈])"
    r"(?:是|就是|在|从)?\s*$"
)
_ALREADY = re.compile(r"(?:辞退|开除|解除|解雇|不要[我俺]|不用[我俺]?|被裁|拉黑|让[我俺]走)[^。!?;]{0,10}$")
_THE_MATTER = re.compile(r"的(?:事|时候|通知)")
_NOTICE = re.compile(r"(?:通知|告知|宣布|说好?|定了?)[^。!?;]{0,10}$")
_UNTIL_TODAY = re.compile(r"今[天日早儿]")
_ENDS_ON = re.compile(r"(?:劳动关系|劳动合同|合同|双方)[^,。]{0,4}[于在]$")
_IS_OVER = re.compile(r"(?:被)?(?:终止|解除)(?!劳动|合同)")
_WORKED_AT = re.compile(
    rf"[,\s]*(?:都|一直)?在(?:这|那|一家|某)?.{{0,8}}{_PLACE}.{{0,2}}(?!欠|没发|拖)(?:{_DOES}|绑|搬|端|扛|刷|砌|装|卖|分拣|值)"
)
_EARLIEST = date(1950, 1, 1)


def find_employment_dates(text: str, as_of: date) -> list[Fact]:
    """Find hired_on and left_on (ISO); a future or impossible date, or leaving before coming, is none."""
    mentions = _own_dates(text, dates(text, as_of))

    def possible(mention: Mention) -> bool:
        return _EARLIEST <= mention.day <= as_of

    def hired(mention: Mention) -> bool:
        return possible(mention) and _is_hired(text, mention, mentions)

    def left(mention: Mention) -> bool:
        return (
            possible(mention)
            and not _is_hired(text, mention, mentions)
            and _is_left(text, mention, mentions, as_of)
        )

    facts = stated("hired_on", text, mentions, hired, lambda mention: mention.day.isoformat())
    facts += stated("left_on", text, mentions, left, lambda mention: mention.day.isoformat())
    agreed = {fact.name: fact.value for fact in settled(facts)}
    if "hired_on" in agreed and "left_on" in agreed and agreed["left_on"] < agreed["hired_on"]:
        return []
    return facts


def _own_dates(text: str, mentions: Sequence[Mention]) -> Sequence[Mention]:
    """Leave out another person's dates where the member tells of the own (她2月11号走的 俺10月27号走的)."""

    def told_of(who: re.Pattern[str], mention: Mention) -> bool:
        return bool(who.search(clause_before(text, mention.start)))

    if not any(told_of(_MY_DATE, mention) for mention in mentions):
        return mentions
    return [mention for mention in mentions if not told_of(_THEIR_DATE, mention)]


def _is_hired(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    earlier = [other.end for other in mentions if other.end <= mention.start]
    if earlier and text[earlier[-1] : mention.start] == front[-(mention.start - earlier[-1]) :]:
        front = ""  # 去年6月1日入职|今年6月1日…: the word is the earlier date's
    if _HIRED_BEFORE.search(front) or _HIRED_EARLIER.search(before(text, mention.start, 28)):
        return True
    if _SAME_DAY.match(text, mention.end) and _own_rest(text, mention, mentions).find("当天就") >= 0:
        return True
    if _LEFT_BEFORE.search(front) or _OTHER_AFTER.match(back):
        return False
    if _FROM_BEFORE.search(front) and _FROM_AFTER.match(back):
        return True
    if _HIRED_AFTER.match(back):
        school = "报到" in back and _SCHOOL.search(text)
        return not (school or _WANTED_BEFORE.search(front))
    return _starts_a_range(text, mention, mentions)


def _is_announced(text: str, mention: Mention, as_of: date) -> bool:
    """Say whether a day without a year may still come (发通知,12月31日起解除)."""
    written = text[mention.start : mention.end]
    guessed = mention.day.year < as_of.year and "年" not in written and not written[:4].isdigit()
    return guessed and bool(_NOTICE.search(before(text, mention.start, 20)))


def _is_left(text: str, mention: Mention, mentions: Sequence[Mention], as_of: date) -> bool:
    if _DEATH.search(text):  # 走了 is also said of the dead
        return False
    front, back = clause_before(text, mention.start), _own_words(text, mention, mentions)
    if _is_announced(text, mention, as_of):
        return False
    if _LEFT_BEFORE.search(front):
        ongoing = _UNTIL_TODAY.match(text, mention.start) and not _LEFT.search(back)
        return not ongoing
    if _OTHER_AFTER.match(back):
        return False
    if _ALREADY.search(before(text, mention.start, 20)) and _THE_MATTER.match(back):
        return True
    if _ENDS_ON.search(front) and _IS_OVER.match(back):
        return True
    ending = _LEFT.search(back)
    if ending and not _STAYS.search(back[: ending.end()] + back[ending.end() : ending.end() + 4]):
        return not _WANTED_BEFORE.search(front)
    earlier = [other for other in mentions if other.end <= mention.start]
    return (
        bool(_UNTIL_BEFORE.search(front)) and bool(earlier) and _starts_a_range(text, earlier[-1], mentions)
    )


def _own_rest(text: str, mention: Mention, mentions: Sequence[Mention]) -> str:
    """Return what follows a date in its sentence up to the next date."""
    later = [other.start for other in mentions if other.start >= mention.end]
    return re.split(r"[。!?;]", text[mention.end : min([*later, mention.end + 26])])[0]


def _own_words(text: str, mention: Mention, mentions: Sequence[Mention]) -> str:
    """Return what follows a date up to the next date: later words belong to that one."""
    sentence = _own_rest(text, mention, mentions)
    first_clause = clause_after(text, mention.end, 26)
    return (sentence if len(first_clause) <= 2 else first_clause[: len(sentence)]).lstrip()


def _starts_a_range(text: str, mention: Mention, mentions: Sequence[Mention]) -> bool:
    """Say whether this is the first date of 从2019年3月干到2024年5月 or 2022年6月20日到2025年7月3日."""
    later = [other for other in mentions if other.start >= mention.end]
    if not later:
        return False
    between = text[mention.end : later[0].start]
    if not re.fullmatch(
        r"\s*(?:起|开始)?(?:一直)?(?:在.{0,14})?(?:干|上班|工作|做|跑|送|开|当|看|待)?\s*(?:到|至|[-~—–])\s*",
        between,
    ):
        return False
    behind = after(text, later[0].end, 18)
    worked = re.search(r"干|上班|工作|做|跑|送|任职|在职", between + behind[:10]) or _WORKED_AT.match(behind)
    return bool(worked or re.search(r"在职|工作时间|任职", clause_before(text, mention.start)))
