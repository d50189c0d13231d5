"""The Jinan district a member's matter belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from nlu.facts.gazetteer import Found, Gazetteer
from nlu.facts.model import Fact, after, before, clause_after, clause_before, corrects_span, is_denied

_NOT_A_DISTRICT = {
    # 市中级法院, 城市中间, 股市中, 过街天桥: ordinary words in which a district's name happens to stand.
    "市中": re.compile(r"(?<=[城超股菜夜门集都楼黑房车早])市中|市中(?=[级医心学间国秋考层央小专等午])"),
    "天桥": re.compile(
        r"(?:过街|人行|立交|高架|登机)天桥|天桥(?:下|上(?!班)|底|栏杆|扶手|旁|边|口(?!区))|走天桥|过天桥|"
        r"(?:门口|路口|路上|前面|个)的?天桥"
    ),
    "长清": re.compile(r"长清(?:楚|理|单|零|空)"),
    "平阴": re.compile(r"水平阴"),
    "商河": re.compile(r"[协磋]商河"),
    "明水": re.compile(r"[透文说]明水"),
    "历城": re.compile(r"[经来学]历城"),
    "历下": re.compile(r"[学经简病履]历下"),
}
_OTHER_CITIES = re.compile(r"(?:枣庄|济宁|乐山|内江|淮安|江苏|外地)市?(?:的)?$")
_LETTERS = re.compile(r"[A-Za-z]")
_AT_WORK_BEFORE = re.compile(
    r"(?:工作在|人在|人是在|我在|俺在|工地在|单位在|公司在|厂子?在|店在|上班在|干活(?:的地儿)?在|地址在|实际在|具体在|在)$"
)
_AT_WORK_AFTER = re.compile(
    r"(?:区|县)?(?:的|这边|那边|这里|那里|这儿|那儿|某|一家|一个|一处|有个)?.{0,12}?(?:上班|干活|工作|打工|干|工地|厂|公司|店|单位|"
    r"写字楼|物业|送外卖|跑|开车|搬砖|保洁|保安|看门)"
)
_NOT_THERE_BEFORE = re.compile(
    r"(?:注册(?:地)?(?:是|在)?|总部(?:是|在)?|老家(?:是|在)?|户口(?:是|在)?|户籍(?:是|在)?|搬(?:到|去)|调(?:到|去)(?:我)?|叫我去|让我去|"
    r"派遣公司在|劳务公司在|合同(?:是)?跟|转(?:到|给)|选成(?:了)?|法院在|老板是|爱人是|同事是)$"
)
_LESS_LIKELY_BEFORE = re.compile(r"(?:家(?:是|住|在)|住(?:在)?|租(?:在|房)?|从|去|[我俺]是)$")
_NATIVE_AFTER = re.compile(r"人(?![力民员事多少才])|户口|老家")
_CAME_TO_JINAN = re.compile(r"[在来到]济南")
_LIVES_AFTER = re.compile(r"[^,。!?]{0,8}住(?!院|建|房|宿)")
_MOVED_AFTER = re.compile(r"[区县]?(?:搬|迁|调|转)(?:到|去|往|走)")
_NO_DISTRICT = "-"
"""What stands for a zone: it is no district, though its name may hold one's (莱芜高新区)."""


class Districts:
    """Finds districts by the names, aliases, misspellings and pinyin of ``data/knowledge/districts.yml``."""

    def __init__(
        self,
        districts: Iterable[Mapping[str, Any]],
        zones: Iterable[Mapping[str, Any]],
        places: Mapping[str, list[str]],
    ) -> None:
        names: dict[str, list[str]] = {}
        for entry in districts:
            official = entry.get("name") or entry["official"]
            spellings = [entry.get("aliases"), entry.get("misspellings"), entry.get("pinyin")]
            names[official] = [official, *(one for several in spellings for one in several or [])]
        names[_NO_DISTRICT] = [zone["name"] for zone in zones]
        self._names, self._places = Gazetteer(names), Gazetteer(places)

    def find(self, text: str, as_of: date) -> list[Fact]:
        """Find the district by its official name: where the work is, not where the firm is registered.

        Of several, the one at which the member works counts, or the one that corrects the others; where
        that does not tell, there is no fact. A place (洪楼, 大学城) counts where no district is named.
        """
        named = [one for one in self._names.find(text) if one.meaning != _NO_DISTRICT]
        found = [one for one in named if _is_district(text, one)]
        found = found or [one for one in self._places.find(text) if _is_district(text, one)]
        found = [one for one in found if not is_denied(text, one.start)]
        kept: list[Found] = []
        for one in found:
            if kept and corrects_span(text, kept[-1].start, kept[-1].end, one.start):
                kept.pop()
            kept.append(one)
        best = max((_weight(text, one) for one in kept), default=0)
        chosen = [one for one in kept if best > 0 and _weight(text, one) == best]
        return [
            Fact("district", one.meaning, one.start, one.end, text[one.start : one.end]) for one in chosen
        ]


def _is_district(text: str, found: Found) -> bool:
    written = text[found.start : found.end]
    if _OTHER_CITIES.search(before(text, found.start, 5)):
        return False
    if written.isascii():
        around = before(text, found.start, 1) + after(text, found.end, 1)
        return not _LETTERS.search(around)
    pattern = next((one for name, one in _NOT_A_DISTRICT.items() if name in written), None)
    if pattern is None:
        return True
    start = max(0, found.start - 2)
    window = text[start : found.end + 2]
    return not any(
        start + match.start() < found.end and found.start < start + match.end()
        for match in pattern.finditer(window)
    )


def _weight(text: str, found: Found) -> int:
    """Weigh a district: 0 where it is not the place of the matter, 1 to 4 the more clearly it is."""
    front, back = clause_before(text, found.start, 10), clause_after(text, found.end, 18)
    if _NOT_THERE_BEFORE.search(front) or _MOVED_AFTER.match(back):
        return 0
    if _NATIVE_AFTER.match(back):
        return int(front.endswith(("我是", "俺是")))
    if front.endswith(("我是", "俺是")) and _CAME_TO_JINAN.search(text):
        return 0
    if _LESS_LIKELY_BEFORE.search(front) or _LIVES_AFTER.match(back):
        return 1
    return 2 + bool(_AT_WORK_BEFORE.search(front)) + bool(_AT_WORK_AFTER.match(back))
