"""What about a topic is asked: amount, who, materials, how, when, where, phone, deadline, evidence."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.model import Fact

_SO = r"(?:怎么|咋|如何|怎样|咋样|怎么样)"
_WHAT = r"(?:什么|啥|哪些|哪几样|哪个)"
_ASPECTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "phone",
            rf"(?:电话|热线|号码|联系方式)(?:号码?)?(?:是)?(?:多少|{_WHAT}|几|有(?:没有|吗|不))|打(?:哪个|啥|什么|多少)(?:电话|号)?|"
            rf"(?:给|求|要)个?(?:电话|联系方式)|电话(?=[?]|$)|{_SO}联系|联系谁",
        ),
        (
            "deadline",
            r"(?:时效|期限)[^,。]{0,6}(?:多久|多长时间|几年|几天|多少)|时效|截止|期限|最晚|最迟|多久(?:之?内|以内)|多长时间(?:之?内|以内|有效)|过期|来得及|来不来得及|过了.{0,4}(?:还能|能不能|还行)|"
            r"(?:晚|迟)了(?:吗|没|不)|还能(?:报|申请|告|仲裁|要)(?:不|吗|么)|有没有时间限制|超过.{1,6}(?:还能|还管|还行|咋办)",
        ),
        (
            "materials",
            rf"材料|证件|手续|(?:带|拿|准备|交|提交|需要|要)(?:些|点)?{_WHAT}(?!时候|地方|条件|人)|证明{_SO}(?:开|写|弄)|要(?:户口本|身份证|证明)|复印件",
        ),
        (
            "evidence",
            rf"证据|举证|{_SO}证明|凭(?:啥|什么)证明|录音(?:能|算|行|有用)|截图(?:能|算|行|有用)|证人|没(?:合同|证据).{{0,6}}(?:能|行|算)",
        ),
        (
            "where",
            r"(?:在|去|到|上|找)?(?:哪里|哪儿|哪块|哪边)(?!来)|(?:去|在|上|到)哪(?=[?,。!个办里领交报申]|$|能|可以)|啥地方|什么地方|地址|怎么走|咋走|"
            r"哪个(?:部门|窗口|单位|地方|机构)|找哪(?:个|里)",
        ),
        (
            "when",
            rf"{_WHAT}时候|几点|何时|哪天|几月|多久(?!(?:之?内|以内))|多长时间(?!(?:之?内|以内|有效))|几天(?:能|才|到|下)|啥时|周末(?:上班|开门|开不开)",
        ),
        (
            "amount",
            rf"多少(?!电话|号)|几(?:个月|倍|块|百|千|万|成)(?!了|没)|标准(?!.{{0,3}}动作)|{_SO}(?:算|折算|计算|个算法|赔|补|发)|赔几|补几|给几|多高",
        ),
        (
            "who",
            r"谁(?:能|可以|有|给|符合|出|来)|哪些人|什么人|啥人|条件|资格|符合|够不够|(?:能|可)不(?:能|可以)?(?:申请|领|享受|报|办|参加|入)|"
            r"能(?:申请|领|享受|报|参加|入)(?:不|吗|么)|(?:给|有|发)(?:不|没|吗|么)(?:[?,。]|$)|有没有(?:份|资格)|轮(?:得|不)?到我|"
            r"(?:算不算|适用)(?:吗|不)?|(?:农民工|外地|临时工|派遣工?|保安|保洁|退休).{0,6}(?:能|给|有|算)(?:不|吗|没)",
        ),
        (
            "how",
            rf"{_SO}(?:办|申请|报|弄|整|搞|做|走|告|投诉|举报|要|领|交|写|处理|维权|登记|参加|入|加入|查|去|能)|流程|步骤|程序|咋整|{_SO}(?=[?]|$)",
        ),
    )
)


def find_aspect(text: str, as_of: date) -> list[Fact]:
    """Find what is asked about; of several questions the last one counts, as it is the one left standing."""
    found: list[tuple[int, int, Fact]] = []
    for priority, (name, pattern) in enumerate(_ASPECTS):
        for match in pattern.finditer(text):
            fact = Fact("aspect", name, match.start(), match.end(), match.group())
            found.append((match.end(), -priority, fact))
    return [max(found, key=lambda one: one[:2])[2]] if found else []
