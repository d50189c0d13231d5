"""The name of the employer: a proper name, not 一家食品厂 or 某物业公司."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import jieba

from nlu.facts.brand import Brands
from nlu.facts.lexicon import any_of
from nlu.facts.model import Fact, clause_after, clause_before

_NAME = r"[\u4e00-\u9fffA-Za-z0-9()&·]"
_CUE = re.compile(
    r"(?:单位(?:名称|名字|名子|全称)?|公司(?:全称|名称|名字|名)?|厂(?:名字?|子|家)|店名|老板的公司|用人单位|用工单位|总包|被投诉(?:单位|人)?|"
    r"举报对象|投诉对象|被申请人)(?:[是叫为就写在:\s]|名字|名称)*$"
    r"|(?:举报|投诉|反映|关于|告|隶属|属于|从|由|被|跟|和|与|给|去|往|叫|[来到去进]的?|(?:入职|进)了?|就职于|任职于|供职于|在|(?<!写的)是|今年|去年|原来?是?)$"
)
_DISTRICT_FRONT = re.compile(
    rf"^(?:山东省?)?(?:济南市)?(?:[\u4e00-\u9fff]{{2}}[区县]|[\u4e00-\u9fff]{{1,3}}(?:街道|镇))(?:的)?(?={_NAME}{{4}})"
)
_NOT_IN_A_NAME = re.compile(
    r"[我俺你您他她它咱们这那哪某的了着过是在有和跟与给被把让叫就才都也还又不没别很太说问干做上下去来到进从一二两三几个家名多少什么怎咋哪谁啥"
    r"每各另同其因为写举报投诉映关于该找称里村镇乡县区市省所以如果当时后前年月日号天要推换开合派改否能]|老板|经理|领导|工资|合同|员工|工人|原来|以前|现在|直接|单位|自己|人家|工会|劳动|仲裁|社保|法院|享福|朋友|网约|仲宫|柳埠|西营|桑梓|崔寨|孙村"
)
_LEAD_IN = re.compile(
    r"[在从到去给被由向]|公司|单位|用人单位|投诉|举报|反映|关于|请问|申请|控告|状告|劳务公司"
)
_SEAT = re.compile(r"(?:山东|济南|北京|上海|深圳|广州|杭州|青岛|中国)(?!\))")
_LINK = re.compile(r"叫|是|为|就|写|名|全称|在|的|了")
_NOT_IN_A_FULL_NAME = re.compile(r"[我俺你这那哪某的在从\d]|一家|单位|老板|入职|就职|任职")
_FULL = re.compile(r"有限(?:责任)?公司$")
_PUBLIC = re.compile(
    r"(?:济南|山东|齐鲁|章丘|莱芜|长清|历城|历下|槐荫|天桥|市中|平阴|商河|济阳|钢城)[市省区县]?"
    r"(?:第[一二三四五六七八九十]+(?:人民)?(?:医院|中学|小学)|(?:人民|中心|中医|妇幼保健)医院|[^上读念考在的]{0,6}(?:集团|大学(?:[^的]{0,6}医院)?|重工|银行|热力|公交|宾馆))$"
)
_PART_OF_A_FIRM = ("分公司", "子公司", "总公司")
_BRANCH = "济南分公司"
_LEAST_TRADE, _MOST_MADE_UP = 3, 4
_SCOPE_WORDS = re.compile(
    r"(?:一家|一个|某家?|这家|那家|哪家|几家|本|我们?|俺们?|咱们?|他们|原|别的|另一家|新|老|那个|这个|个)$"
)
_KNOWN_BEFORE = re.compile(
    r"(?:^|(?:[在给是进为从跟和]|(?<!派)到)(?:济南)?|入职|[我俺]|关于|投诉|举报|反映)$"
)
_KNOWN_AFTER = re.compile(
    r"(?:集团|公司|项目部|[\u4e00-\u9fff]{2}(?=工厂|分公司))?(?:的)?(?:工厂|分公司|骑手|员工|职工|司机|快递|外卖|网点|站点|客服|专送|众包|送|跑|上班|干|工作|打工|做|当|安装|维修|保洁|保安|仓库|门店|店|"
    r"欠|拖|不|把|辞|[,。]|$)"
)


class Employers:
    """Finds employers by the words of ``words.yml``: how names end, which words are no name, who is known."""

    def __init__(self, words: Mapping[str, str], districts: Iterable[str]) -> None:
        endings = any_of(words["endings"])
        self._named = re.compile(
            rf"(?P<name>{_NAME}{{2,24}}?(?:(?:{endings})(?!的?(?:有限|股份|集团|总部|附属)|[\u4e00-\u9fff]{{0,2}}公司|[\u4e00-\u9fff]{{2,4}}医院)"
            rf"|(?P<trade>{any_of(words['trades'])})(?![\u4e00-\u9fff]{{0,8}}(?:{endings}))))"
        )
        self._generic = re.compile(any_of(words["generic"]))
        self._known = re.compile(any_of(words["known"]) + r"|中[铁建交冶][一二三四五六七八九十]{1,3}局")
        self._brands = Brands(words, districts)
        self._fortunate = frozenset(words["fortunate"])
        jieba.dt.initialize()  # half a second now instead of at a member's first sentence

    def find(self, text: str, as_of: date) -> list[Fact]:
        """Find the employer's name as written: it must say more than a trade (鑫达机械厂, not 一家机械厂)."""
        spans = list(self._proper_names(text))
        for match in self._known.finditer(text):
            apart = all(_apart(match.span(), span) for span in spans)
            front = clause_before(text, match.start(), 4)
            if apart and _KNOWN_BEFORE.search(front) and _KNOWN_AFTER.match(text, match.end()):
                spans.append(match.span())
        for introduced in self._brands.introduced(text):
            spans = [span for span in spans if _apart(span, introduced)]
            spans.append(introduced)
        if not spans:
            spans = list(self._brands.placed(text))[:1]
        return [Fact("employer", text[a:b], a, b, text[a:b]) for a, b in sorted(spans)]

    def _proper_names(self, text: str) -> Iterator[tuple[int, int]]:
        position = 0
        while match := self._named.search(text, position):
            position = match.end()
            named = self._proper_name(text, match.start("name"), match.end("name"))
            if named is not None:
                branch = text.startswith(_BRANCH, named[1])
                yield named[0], named[1] + branch * len(_BRANCH)

    def _proper_name(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return where the name begins and ends: as far back as a cue (在, 单位是, 举报) leads, or None."""
        seat = _SEAT.search(text, start, end - 4)
        if seat and _FULL.search(text[start:end]) and self._is_proper(text[seat.start() : end]):
            return seat.start(), end
        for cue in range(start, end - 2):
            front = clause_before(text, cue, 12)
            if front and not _CUE.search(front):
                continue
            # At the head of a clause a word is only a name when nothing follows it, or when it is a full one.
            if (_LINK if front else _LEAD_IN).match(text[cue:end]):
                continue
            if not front and not (_FULL.search(text[cue:end]) or not clause_after(text, end, 4)):
                continue
            district = _DISTRICT_FRONT.match(text[cue:end])  # the district is a fact of its own
            begin = cue + district.end() if district and not _PUBLIC.match(text[cue:end]) else cue
            if self._is_proper(text[begin:end]) and not _SCOPE_WORDS.search(text[max(0, begin - 3) : begin]):
                return begin, end
        return None

    def _is_proper(self, name: str) -> bool:
        if _PUBLIC.fullmatch(name):
            return True
        core = self._generic.sub("", name)
        if name.endswith(_PART_OF_A_FIRM) or name.count("(") != name.count(")"):
            return False
        if _FULL.search(name):
            return 1 <= len(core) <= 8 and not _NOT_IN_A_FULL_NAME.search(core)
        if _NOT_IN_A_NAME.search(core) or not 2 <= len(core) <= 6:
            return False
        return bool(self._fortunate.intersection(core)) or self._is_made_up(core, name)

    def _is_made_up(self, core: str, name: str) -> bool:
        """Whether a name is a trade's (塬澈家具厂) and what is left of it is no word anybody else uses."""
        seat = _SEAT.match(name)
        place = seat.end() if seat else 0
        trade = len(name) - place - len(core) >= _LEAST_TRADE and name.startswith(core, place)
        return trade and len(core) <= _MOST_MADE_UP and not _holds_a_word(core)


def _holds_a_word(core: str) -> bool:
    """Whether jieba's dictionary knows two or more neighbouring characters of ``core`` as a word."""
    known = jieba.dt.FREQ
    return any(
        known.get(core[start:end], 0) > 0
        for start in range(len(core) - 1)
        for end in range(start + 2, len(core) + 1)
    )


def _apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[1] <= other[0] or one[0] >= other[1]
