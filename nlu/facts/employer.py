"""The name of the employer: a proper name, not 一家食品厂 or 某物业公司."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.model import Fact, clause_after, clause_before

_ENDINGS = (
    "有限责任公司|股份有限公司|有限公司|公司|集团|总厂|分厂|工厂|厂|酒店|宾馆|饭店|餐厅|饭庄|酒楼|火锅店|"
    "医院|诊所|学校|幼儿园|培训中心|超市|商场|商厦|物流园|产业园|工程队|施工队|装修队|事务所|工作室|俱乐部|会所|养老院|"
    "药店|专卖店|美容院|理发店|健身房|汽配城|合作社|研究所|设计院|建材|汽配|银行|项目部|"
    "物流|健身|轮胎|电缆|热电|塑业|制衣|石材|传媒|科技|重工|药业|纸业|钢铁|快递网点"
)
_NAMED = re.compile(
    rf"(?P<name>[\u4e00-\u9fffA-Za-z0-9()&·]{{2,24}}?(?:{_ENDINGS}))(?!的?(?:有限|股份|集团|总部)|[\u4e00-\u9fff]{{0,2}}公司)"
)
_CUE = re.compile(
    r"(?:单位(?:名称|名字|名子|全称)?|公司(?:全称|名称|名字|名)?|厂(?:名字?|子|家)|店名|老板的公司|用人单位|用工单位|总包|被投诉(?:单位|人)?|"
    r"举报对象|投诉对象|被申请人)(?:[是叫为就写在:\s]|名字|名称)*$"
    r"|(?:举报|投诉|反映|关于|告|隶属|属于|从|由|被|跟|和|与|给|去|往|叫|来|到|入职了?|进了?|进的|就职于|任职于|在|(?<!写的)是)$"
)
_DISTRICT_FRONT = re.compile(
    r"^(?:山东省?)?(?:济南市)?(?:[\u4e00-\u9fff]{2}[区县]|[\u4e00-\u9fff]{1,3}(?:街道|镇))(?:的)?(?=[\u4e00-\u9fff]{4})"
)
_GENERIC = re.compile(
    "有限|责任|股份|公司|集团|工厂|总厂|分厂|厂|酒店|宾馆|饭店|餐厅|餐饮|饭庄|酒楼|火锅|店|医院|诊所|学校|幼儿园|培训|中心|超市|商场|商厦|物流|"
    "园|产业|工程|施工|装修|装饰|队|事务所|工作室|俱乐部|会所|养老|院|药|专卖|美容|美发|理发|健身|房|汽配|汽车|汽修|城|合作社|研究所|设计|建材|"
    "银行|项目部|食品|机械|电子|电器|电力|服装|纺织|印刷|包装|塑料|制品|化工|化机|铸造|五金|家具|家政|家居|玩具|皮革|鞋|制药|医药|钢铁|钢结构|"
    "钢|水泥|砖|瓷|玻璃|面粉|粮油|饲料|养殖|屠宰|肉联|啤酒|饮料|矿|煤|冶金|轮胎|橡胶|电缆|电池|软件|科技|信息|网络|技术|互联网|广告|传媒|文化|教育|"
    "教培|房地产|地产|置业|建筑|建设|路桥|防水|园林|绿化|市政|环卫|保洁|保安|物业|劳务|派遣|人力|资源|外包|管理|服务|咨询|贸易|商贸|进出口|电商|"
    "快递|外卖|配送|运输|货运|公交|出租|旅游|旅行社|保险|金融|投资|会计|律师|供热|热力|供电|水务|燃气|制造|加工|生产|零件|配件|模具|标牌|标识|"
    "直播|主播|通航|航空|通信|通讯|电信|移动|联通|公积金|背调|养护|中介|猎头|体检|第三方|甲方|乙方|承包|用工|派出|挂靠|关联|控股|上门|同城|"
    "实业|企业|事业|发展|国际|国有|私营|民营|私人|个体|合资|外资|独资|上市|连锁|大型|中型|小型|新型|编织|化肥|水产|木业|木材|石材|石料|门窗|铝合金|面包|蛋糕|烘焙|烧烤|早餐|快餐|洗衣|干洗|洗浴|足疗|"
    "济南|山东|本地|当地|外地|附近|公立|私立|普通|福利|残疾人|国营|国棉|棉纺|机床|网点|制衣|塑业|热电|重工|药业|纸业|职业|大学|中学|小学|医|重型|精密|数控"
)
_NOT_IN_A_NAME = re.compile(
    r"[我俺你您他她它咱们这那哪某的了着过是在有和跟与给被把让叫就才都也还又不没别很太说问干做上下去来到进从一二两三几个家名多少什么怎咋哪谁啥"
    r"每各另同其因为写举报投诉映关于称里村镇乡县区市省所以如果当时后前年月日号天]|老板|经理|领导|工资|合同|员工|工人|原来|以前|现在|直接|单位|自己|人家|工会|劳动|仲裁|社保|法院"
)
_FULL = re.compile(r"有限(?:责任)?公司$")
_OF_FORTUNE = frozenset(
    "鑫宏恒盛达源永顺发隆泰华兴荣昌祥瑞丰金银康嘉佳美龙凤腾飞德信诚义和利通立齐鲁泉济新星辰旭阳光明辉煌耀锦程鸿运聚宝润泽洋岳峰岭森松柏竹"
    "梅兰菊红叶云宇宙环球东方远同福禄寿喜乐益健仁爱惠众联合创智慧博雅晨曦晟昊皓浩瀚翔凯旋捷迅速优卓越冠群英豪杰骏骐骥邦国富贵万亿百千科"
)
"""Characters firms like in their names; a word without one of them is taken for a trade or a sentence."""
_SCOPE_WORDS = re.compile(
    r"(?:一家|一个|某家?|这家|那家|哪家|几家|本|我们?|俺们?|咱们?|他们|原|别的|另一家|新|老|那个|这个|个)$"
)


def find_employer(text: str, as_of: date) -> list[Fact]:
    """Find the employer's name as written: it must say more than a trade (鑫达机械厂, not 一家机械厂)."""
    facts = []
    position = 0
    while match := _NAMED.search(text, position):
        position = match.end()
        named = _proper_name(text, match.start("name"), match.end("name"))
        if named is not None:
            start, end = named
            facts.append(Fact("employer", text[start:end], start, end, text[start:end]))
    return facts


def _proper_name(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the name begins and ends: as far back as a cue (在, 单位是, 举报) leads, or None."""
    for begin in range(start, end - 2):
        front = clause_before(text, begin, 12)
        if front and not _CUE.search(front):
            continue
        # At the head of a clause a word is only a name when nothing follows it, or when it is a full one.
        if not front and not (_FULL.search(text[begin:end]) or not clause_after(text, end, 4)):
            continue
        stripped = _DISTRICT_FRONT.match(text[begin:end])
        if stripped:
            begin += stripped.end()  # noqa: PLW2901  (the district is a fact of its own)
        if _is_proper(text[begin:end]) and not _SCOPE_WORDS.search(text[max(0, begin - 3) : begin]):
            return begin, end
    return None


def _is_proper(name: str) -> bool:
    core = _GENERIC.sub("", name)
    if (
        name.endswith(("分公司", "子公司", "总公司"))
        or _NOT_IN_A_NAME.search(core)
        or name.count("(") != name.count(")")
    ):
        return False
    return 2 <= len(core) <= 6 and bool(_FULL.search(name) or _OF_FORTUNE.intersection(core))
