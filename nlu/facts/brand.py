"""Names of firms that only the words around them give away: 单位叫清禾家政, 在历下区青柚女装上班."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from nlu.facts.lexicon import any_of

_HAN = r"[\u4e00-\u9fff]"
_BRAND = rf"(?:{_HAN}{{2,5}}?|[A-Za-z]{{2,10}})"
_KINDS = (
    r"(?:单位|公司|企业|厂子?|工厂|店铺?|门店|饭店|酒店|站点?|机构|"
    r"中介|幼儿园|园|学校|诊所|平台|铺子|工地|东家)"
)
_LABEL = r"(?:名称|名字|全称|全名|名)"
_CALLED = (
    rf"{_KINDS}的?{_LABEL}?\s*(?:就|都)?(?:叫做?|名叫|名为|是叫)\s*|(?:名叫|叫做)\s*"
    rf"|{_KINDS}{_LABEL}?\s*(?::|写的?|就写|填)\s*|{_KINDS}{_LABEL}?是\s*"
    r"|(?:用人|用工|工作)单位[是:\s]\s*|(?:欠薪|被投诉|被告|所在)单位是?\s*|登记\s*:\s*"
)
_ENDS_HERE = (
    r"[,。!?;、:…\s()]|$|上班|打工|干[了活着过]?|做|当|工作|的|拖|欠|没|还|不|在|把|给|管|老板|法人|地址|电话|压|扣|说|"
    r"倒闭|一直|老是|总是|至今|到现在|跑路|跑了|关门|里|这|那|[我俺]"
)
_WORKS_THERE = r"上班|打工|干活|干了|干|工作|当|做|任|站|卖|送|的"
_DOES_TO_ME = (
    r"(?:一直|到现在|至今|公司|老板|也|都|从来)?"
    r"(?:没(?:有)?给[我俺]|没(?:有)?[跟和][我俺]|还(?:排|让|叫|欠|扣|压|拖)[着了]?[我俺]|拖欠|欠[着了]?[我俺]|把[我俺]|不给[我俺]|"
    r"不让[我俺]|让[我俺]|扣[着了]?[我俺]|压[着了]?[我俺]|辞退|拖[着了]?[我俺]|要[我俺]|逼[我俺])"
)
_FUNCTION_WORDS = re.compile(
    r"[我俺你您他她它咱们这那哪某的了着过是在有跟与给被把让叫就才都也还又不没别很说问干做上下去到进从几个家"
    r"什么怎咋谁啥每各另其因为写拖欠]|(?<=.)和|老板|经理|领导|工资|合同|自己|人家|工会|劳动|仲裁|社保|法院|一家|原来|以前|现在|直接|通知|开会|停工|"
    r"大哥|大姐|师傅|别人|哪个|济南|山东"
)
_COMMON_IN_FRONT = re.compile(r"(?:老|新|大|小|总|原|本|旧|前|外|私|公|该)$")
_FEWEST, _MOST = 2, 5


class Brands:
    """Finds brand and trade (阿渔小馆) after a naming word, behind a district, or at work on somebody."""

    def __init__(self, words: Mapping[str, str], districts: Iterable[str]) -> None:
        name = rf"(?P<name>(?P<brand>{_BRAND})(?:{any_of(words['signs'])}))"
        any_name = rf"(?P<name>(?P<brand>{_BRAND})(?:{any_of(words['signs'] + ' ' + words['endings'])}))"
        district = "|".join(sorted({one[:-1] for one in districts}))
        at = rf"(?:{district})(?:区|县|市)?"
        self._called = re.compile(rf"(?:{_CALLED}){any_name}(?={_ENDS_HERE})")
        self._in_charge = re.compile(rf"归{name}(?=管|的|负责)")
        self._at_work = re.compile(rf"在(?:济南市?)?(?:{at}的?)?{name}(?={_WORKS_THERE})")
        self._in_district = re.compile(rf"(?:{at}的|(?:{district})[区县]){name}(?={_ENDS_HERE})")
        self._acting = re.compile(rf"(?:^|[,。!?;\s])(?:{at}的?)?{name}(?={_DOES_TO_ME})")
        self._nameless = re.compile(rf"(?:{any_of(words['nameless'])}|{any_of(words['generic'])})+")

    def introduced(self, text: str) -> list[tuple[int, int]]:
        """Return where names stand that a word for naming introduces (单位叫X, 店名:X, 归X管)."""
        matches = [*self._called.finditer(text), *self._in_charge.finditer(text)]
        return [self._span(match) for match in matches if self._is_brand(match)]

    def placed(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where names stand that only their place in the sentence gives away (在历城X上班)."""
        for pattern in (self._at_work, self._in_district, self._acting):
            yield from (self._span(match) for match in pattern.finditer(text) if self._is_brand(match))

    def _is_brand(self, match: re.Match[str]) -> bool:
        brand = match["brand"]
        if not _FEWEST <= len(brand) <= max(_MOST, len(brand) * brand.isascii()):
            return False
        return not (
            _FUNCTION_WORDS.search(brand) or self._nameless.fullmatch(brand) or _COMMON_IN_FRONT.search(brand)
        )

    @staticmethod
    def _span(match: re.Match[str]) -> tuple[int, int]:
        return match.start("name"), match.end("name")
