"""Personal data: taking it out of a member's words before they become training material.

Names, employers, phones, identity and case numbers become placeholders; amounts, dates and districts stay,
because what a sentence means hangs on them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from casework.redaction import redact
from casework.tables import Member

NAME, EMPLOYER, PHONE, CASE_NUMBER = "[姓名]", "[单位]", "[电话]", "[工单号]"
_PLACEHOLDERS = {
    "person_name": NAME,
    "employer": EMPLOYER,
    "phone": PHONE,
    "case_no": CASE_NUMBER,
}
"""Facts that identify somebody, and what stands in their place."""
_REDACTED = {
    "[phone]": PHONE,
    "[id-card]": "[证件号]",
    "[bank-card]": "[银行卡]",
    "[email]": "[邮箱]",
    "[token]": "[密码]",
    "=[location]": "[位置]",
}
_CASE_NUMBER = re.compile(r"(?<![0-9A-Za-z])[Jj][Nn][\s-]?\d{8}[\s-]?\d{4}[\s-]?\d(?!\d)")
_HAN = r"\u4e00-\u9fff"
_FIRM = re.compile(
    rf"[{_HAN}（）()·]{{2,24}}?(?:有限责任公司|股份有限公司|有限公司|集团公司)(?:[{_HAN}]{{1,8}}分公司)?"
)
_LEADS_TO_FIRM = re.compile(r".*(?:[在是叫给被从到向的跟让找告]|(?<!人)和)")
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐"
    "费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧计成戴谈宋茅庞熊纪舒屈项祝董梁杜"
    "阮蓝闵席季贾路娄江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀甄"
    "曲封储靳段焦谷车侯全班仇宁甘祖武符刘景詹龙叶黎薄印白蒲赖卓蔺池乔阴胥能苍双闻莘党翟谭贡劳冉郦雍桑桂牛边燕尚温庄晏柴瞿阎慕连"
    "习艾容向古易廖终居衡步耿满匡文寇广东欧沃利越师巩聂晁冷辛阚简饶曾关蒯相查荆游权司"
)
_TRADES_AND_PLACES = (
    "司机|程序|项目|高校|高中|高职|高级|高空|车队|车间|车工|车床|车险|水利|水电|水暖|水泥|水厂|房东|房主|房产|章丘|平阴|平台|支教|"
    "包工|包装|包车|安全|安检|安装|安保|管道|管理|管事|管家|管工|应届|应聘|全职|全日|全家|全厂|金融|金属|时薪|常驻"
)
"""What somebody is or where they come from, though it begins with a surname: 我是司机, 我是章丘的."""
_INTRODUCED = re.compile(
    rf"(?P<lead>我叫|俺叫|名字叫|名字是|姓名是?[:：]?\s?|联系人是?[:：]?\s?|(?:我是|俺是)(?!{_TRADES_AND_PLACES}))"
    rf"(?!用名|曾用|单位)(?P<name>[{_SURNAMES}][{_HAN}]{{1,2}})(?=[^{_HAN}]|$|[，。,.、！!；;：:的在电])"
)
_LONG_NUMBER = re.compile(r"\d{9,}")
"""No amount or date has so many digits: whatever it is, it belongs to somebody."""
_STAYS_WIDE = frozenset(map(ord, "，！？；："))
"""Punctuation that stands in nobody's number or name: a sentence is read as it was written."""
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if wide not in _STAYS_WIDE} | {0x3000: 0x20}
_GAP = r"[\s\-‐-―·.()]{0,3}"
_TITLES = "(?:师傅|先生|女士|大姐|大哥|老师|阿姨|大叔|小姐)"
_PLACES = re.compile(r"^(?:山东省?济南市?|山东省?|济南市?)")
_KINDS = re.compile(r"(?:股份有限公司|有限责任公司|有限公司|集团公司|集团|公司)$")
_SHORTEST_CORE = 3


def removed_personal_data(text: str, member: Member | None, facts: Mapping[str, Any]) -> str:
    """A member's words with personal data replaced by placeholders like [姓名] [单位] [电话] [工单号].

    ``facts`` are what the member has told anywhere (fact name → value or list of values); the member's own
    name and phone are taken out whatever the facts say. A name of one character alone is left: it would take
    ordinary words with it.
    """
    clean = text.translate(_NARROW)
    for placeholder, pattern in _known(member, facts):
        clean = pattern.sub(placeholder, clean)
    clean = _CASE_NUMBER.sub(CASE_NUMBER, clean)
    # What is taken out may bring digits together that stood apart.
    while (redacted := redact(clean)) != clean:
        clean = redacted
    for kind, placeholder in _REDACTED.items():
        clean = clean.replace(kind, placeholder)
    clean = _LONG_NUMBER.sub("[号码]", clean)
    clean = _INTRODUCED.sub(rf"\g<lead>{NAME}", clean)
    return _FIRM.sub(_without_firm, clean)


def holds_personal_data(text: str) -> bool:
    """Whether something in a text would be taken out as personal data, whoever says it."""
    return removed_personal_data(text, None, {}) != text.translate(_NARROW)


def _without_firm(match: re.Match[str]) -> str:
    """What leads to a firm's name stays: 我在…有限公司 → 我在[单位]."""
    if EMPLOYER in match[0]:
        return match[0]
    led = _LEADS_TO_FIRM.match(match[0])
    return (led[0] if led else "") + EMPLOYER


def _known(member: Member | None, facts: Mapping[str, Any]) -> list[tuple[str, re.Pattern[str]]]:
    """What is known to identify somebody, as patterns, the longest first."""
    values: dict[str, str] = {}
    told = [(name, value) for name in _PLACEHOLDERS for value in _texts(facts.get(name))]
    if member is not None:
        told += [("person_name", value) for value in _texts(member.name)]
        told += [("phone", value) for value in _texts(member.phone)]
    for name, value in told:
        values.setdefault(value, name)
    patterns: dict[str, tuple[str, str]] = {}
    for value, name in values.items():
        for spelt, pattern in _spellings(name, value):
            patterns.setdefault(spelt, (_PLACEHOLDERS[name], pattern))
    longest_first = sorted(patterns.items(), key=lambda item: -len(item[0]))
    return [(shown, re.compile(pattern, re.IGNORECASE)) for _, (shown, pattern) in longest_first]


def _spellings(name: str, value: str) -> Iterable[tuple[str, str]]:
    if name == "phone":
        digits = [character for character in value if character.isdecimal()]
        if len(digits) >= 7:
            yield "".join(digits), _GAP.join(digits)
        return
    if len(value) >= 2:
        yield value, r"\s*".join(re.escape(character) for character in value if not character.isspace())
    if name == "person_name" and 2 <= len(value) <= 3 and value[0] in _SURNAMES:
        yield value[0] + "师傅", re.escape(value[0]) + _TITLES
    if name == "employer":
        core = _KINDS.sub("", _PLACES.sub("", value))
        if len(core) >= _SHORTEST_CORE and core != value:
            yield core, re.escape(core)


def _texts(value: object) -> list[str]:
    """One value or a list of them as texts in narrow characters, without empty ones."""
    listed = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    texts = [str(one).translate(_NARROW).strip() for one in listed if one is not None]
    return [text for text in texts if text and not unicodedata.category(text[0]).startswith("C")]
