"""How long the member has worked there."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.durations import durations, in_years
from nlu.facts.model import Fact, Mention, after, before, clause_before
from nlu.facts.months_owed import is_unpaid
from nlu.facts.numerals import plain
from nlu.facts.roles import stated

_JOB = (
    r"(?:保安|保洁|护士|护理|老师|教师|教练|司机|环卫|焊工|挡车工?|铲车|货车|护工|厨师|帮厨|门卫|骑手|外卖|快递|专送|导购|收银|会计|财务|出纳|"
    r"行政|文员|客服|前台|电工|木工|瓦工|钳工|车工|叉车|班|地|大街|代驾|网约车|出租车|月嫂|保姆|服务员|幼师|染烫|大班|内勤|驻唱|炉前工|代理人|"
    r"水电工|劳务工|设备维护|主持|摄像|阿姨|队长|锅炉)"
)
_WORK = (
    r"(?:干|工作|做|上班|在职|在岗|待|呆|当|跑|站|扫|开|送|教|看|打工|服务|任职|修|焊|刷|炒|洗|搬|缝|挡车|烧|踩|叠|抡|打磨|坐班|喂|任|"
    r"伺候|护理|效力|卖命|忙活|安装|收银|洗碗|驻唱)"
)
_PLACE = (
    r"(?:单位|公司|厂|店|医院|学校|园|食堂|车间|酒店|饭店|超市|银行|分析室|机房|矿|场|站|所|队|院|馆|社|物业|工地|机构|网点|中心|大学|企业|家|室|房|线|"
    r"这儿?|这里|那儿?|那里|他那|岗位|部门|铺|局|协会|村委会|私企|国企)"
)
_AMOUNTING_TO = (
    r"(?:[也都就才刚整共有足这正好]|已经?|一共|总共|前后|整整|最后|满打满算|连续|快|将近|差不多|大概)"
)
_WORKED_BEFORE = re.compile(
    rf"{_WORK}{_JOB}?(?:到现在|到今天|到今儿)?{_AMOUNTING_TO}*[了满够]{_AMOUNTING_TO}*\s*$"
    rf"|(?:[进入]厂|进公司|进店|进单位|入职[^,。]{{0,8}}(?:公司|单位|厂|店)|(?:干|工作|上班|做)(?:至今|到现在)){_AMOUNTING_TO}*[满了]?{_AMOUNTING_TO}*\s*$"
    rf"|(?:干|做|当|跑|开|是)?{_JOB}{_AMOUNTING_TO}*\s*$|(?:挡车|来(?:这里?|这儿|公司|厂里?|单位|店里?)|^来|[我俺]来){_AMOUNTING_TO}*了?{_AMOUNTING_TO}*\s*$"
    rf"|(?:干|工作|入职|在职|上班|打磨|[开跑修]车|送货|干活|打零?工|帮工|任职|{_WORK}(?:到现在|到今天)){_AMOUNTING_TO}*\s*$"
    r"|(?<!累计)(?<!总)(?:工龄|司龄|厂龄|工作年限)(?:[是有都了为才满也:]|已经)*\s*$"
    rf"|在[^,。]{{0,14}}{_PLACE}(?:里?面|里头|里|上)?(?:[都有待也]|已经|满打满算)*\s*$"
)
_WORKED_AFTER = re.compile(
    rf"的?(?:(?:工龄|司龄|厂龄)(?![\d一二两三四五六七八九十]+[百千块元])|老员工|老职工|老工人)|[的]?{_JOB}"
    rf"|(?:一直)?都?在[^,。]{{1,10}}{_PLACE}(?=[,。!?]|$|干|上班|工作)"
)
_AT_WORK = re.compile(
    rf"在[^,。]{{1,10}}{_PLACE}(?!住|读|念|学|等|休|歇|躺|养|实|租|存|借)"
    r"[^,。住读等休歇躺养租存交签打官欠押了房孕]{1,6}$"
)
_STANDS_ALONE = re.compile(
    r"^(?:这|都|前后|一晃|到现在|到今年|已经|算下来|满打满算|也|有|正好|刚好|整整|一共|总共|足足|干了)*$"
)
_HAS_A_JOB = re.compile(
    rf"(?:在|给|当|做|干|开|跑|烧|进)[^。!?]{{0,24}}(?:{_JOB}|{_PLACE}|干|工|活)|干到|干了|上班|我是|俺是"
)
_SINCE_HIRED = re.compile(
    r"(?:入的?职|进的?厂|来的|到岗),?(?:到现在|至今|到今天)(?:已经?|都|有|刚好|正好|整整)*$"
)
_IN_ALL = re.compile(r"^满打满算(?:也|是|有|干了|整整)*$")
_THIS_PLACE = re.compile(
    r"(?:这[个家边]?|现在这[个家]?|目前这[个家]?|在)(?:厂子?|公司|单位|店|家)里?[我俺]?(?:[是有就才刚正好]|干了)+$"
)
_UNCOUNTED = re.compile(r"不(?:认|算|承认)[^,。]{0,8}(?:以前|之前|原来|过去|从前|前面|早先)的?$")
"""Years that the firm does not want to count are years worked (不认我以前的六年)."""
_THAT_IS = re.compile(r"第[^,。]{1,12},(?:也)?就是$")
_NOT_A_JOB = re.compile(r"合同|社保|等|结婚|离婚|住院|欠|怀孕|生病|查出|孩子|官司|仲裁|贷款|试用|病假|休|停")
_CONDITION = re.compile(
    r"(?:要|得|必须|须|再|等|想|只能|多|签的|回去|明年|一年|每年|约定|协议|合同|写明|规定|保证|承诺|累计|培训|进修|停工|公积金|医保|怀孕|租房|试用期?|毕业|部队|学徒)[^了,]{0,8}$"
    r"|(?:连续工作满|接着干了?|又干了?|回来[^,]{0,4}|产假[^,]{0,8}|派[^,]{0,6}去[^,]{0,10})$"
    r"|(?<!已经)(?<!都)(?<!我)(?<!俺)(?<!刚好)(?<!正好)(?<!今年)(?<!刚)(?:干|做|工作|上|工龄)[满够]\s*$"
)
_ELSEWHERE = re.compile(
    r"上家|上一?个(?:厂|店|单位|公司)|上一家|此前|早年|当年|那会儿|以前的|先劳务派遣|之前在|以前在|别处|别的|原单位|老单位|前单位|原来的?(?:单位|公司)|进修|当兵|服役|脱产"
)
_NOT_WORKED_AFTER = re.compile(
    r"(?:前(?!台)|后(?!厨)|以后|之后|内|之内|以内|服务期|社保|合同|一签|就得|才能|以上|的?[,]?(?:年假|才|以上|员工)|就(?!怀孕|让|把|被|给[我俺]|辞|开除|裁|查|不)|半载|没签|包回来)"
)
_MOST_MONTHS_WORKED = 12 * 55


def find_tenure_years(text: str, as_of: date) -> list[Fact]:
    """Find how long the member has worked there, in years to two places (干了五年八个月 is 5.67)."""

    def worked(span: Mention) -> bool:
        front, back = clause_before(text, span.start, 20), after(text, span.end, 12)
        return (
            _tells_of_work(text, span, front, back)
            and (not _CONDITION.search(front) or _is_reached(span, front, back))
            and not front.endswith("第")
            and not (span.amount == 12 and front.endswith("连续工作"))
            and not (span.amount == 1 and not re.search(r"[了满]\s*$", front))
            and not (_ELSEWHERE.search(clause_before(text, span.start, 30)) and not _UNCOUNTED.search(front))
            and not _NOT_WORKED_AFTER.match(back)
            and not is_unpaid(text, span)
            and span.amount <= _MOST_MONTHS_WORKED
        )

    return stated("tenure_years", text, durations(text), worked, lambda span: plain(in_years(span.amount)))


def _is_reached(span: Mention, front: str, back: str) -> bool:
    """Say whether 干满 tells of years worked (十年零十一个月) and not of a bound."""
    reached = re.search(r"(?<![要得须能想])(?:干|做|工作)满$", front)
    return bool(reached) and span.amount > 12 and bool(span.amount % 6) and not re.match(r"[就才能可]", back)


def _tells_of_work(text: str, span: Mention, front: str, back: str) -> bool:
    if _THIS_PLACE.search(front) or _UNCOUNTED.search(front):
        return True
    if _THAT_IS.search(before(text, span.start, 18)):
        return True
    if _IN_ALL.match(front) and span.amount >= 12 and re.match(r"[了整,。!?]|$", back):
        return not _NOT_A_JOB.search(before(text, span.start, 12) + after(text, span.end, 4))
    if _WORKED_BEFORE.search(front) or _WORKED_AFTER.match(back):
        return True
    if _SINCE_HIRED.search(text[max(0, span.start - 24) : span.start]):
        return True
    return span.amount >= 12 and (bool(_AT_WORK.search(front)) or _stands_alone(text, span, front, back))


def _stands_alone(text: str, span: Mention, front: str, back: str) -> bool:
    """Say whether a clause of years alone follows one that tells of the job (俺在锻造厂抡锤,十五年了)."""
    if not _STANDS_ALONE.match(front) or not re.match(r"[了整啊呀嘞咧呢,]|[。!?]|$", back):
        return False
    told = re.split(r"[。!?;]", text[: span.start - len(front)])[-1][-40:]
    return bool(_HAS_A_JOB.search(told)) and not _NOT_A_JOB.search(told[-16:])
