"""The stage of schooling a member's child (or the member) is in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from nlu.facts.gazetteer import Gazetteer
from nlu.facts.model import Fact, Mention, after, before, clause_before
from nlu.facts.roles import stated

_NOT_A_STAGE_AFTER = re.compile(
    r"(?:医院|门诊|城|路|点|些|截|等|头|块|级(?!中学)|附近|食堂|暑|工(?!学校)|代课|学校聘|老师|教师|任教|旁边|门口|对面|生创业|到初|到大年|加班|宿管|收(?!到)|强令|划片|摇号|招生|文化|学历|毕业证|学生去|后出站|部|楼|那[天会]|当天|值班)"
)
_NOT_A_STAGE_BEFORE = re.compile(
    r"(?:大年|月|正月|腊月|农历|除夕|春节|放到|到|老年|农民|要求|限|招(?:聘|收)?|考|专升|没(?:有)?|没能|没考上|没上过|没念完|多名|几个|名校|组织|法律)$"
)
_FINISHED = re.compile(r"(?:毕业|文化|学历|没毕业|没念完|没读完|辍学)")
_CHILD_NEARBY = re.compile(r"孩子|儿子|女儿|闺女|娃|孙|小子|助学|学费|高考|中考|升学")
_TIER_BEFORE = re.compile(r"(?:^|考[上的了]?|上的?|是|读|念|录取?|个)$")
_TIER_AFTER = re.compile(r"[,。!?\s]|$|给|能|大学|院校|线|学生|的?学费|录|补")
"""一本 is also a book: 手里只有一本发黄的会员证."""
_FAMILY = re.compile(r"孩子|儿子|女儿|闺女|娃|弟|妹|孙|侄|供|我是|家里|助学")
_IN_SCHOOL = re.compile(r"上|读|念|学|孩子|儿子|女儿|闺女|小孩|娃|升|今年|开学|考")


class SchoolStages:
    """Finds the stage in the words of ``data/knowledge/schools.yml``."""

    def __init__(self, stages: Iterable[Mapping[str, Any]]) -> None:
        entries = list(stages)
        weak = [f"{entry['stage']}?" for entry in entries]
        names: dict[str, list[str]] = {entry["stage"]: entry["words"] for entry in entries}
        names |= {name: entry["weak"] for name, entry in zip(weak, entries, strict=True)}
        self._gazetteer = Gazetteer(names)

    def find(self, text: str, as_of: date) -> list[Fact]:
        """Find the stage (初中, 高中, 中职, 大专, 本科, 研究生); two that contradict are none."""
        found = self._gazetteer.find(text)
        strong = [one for one in found if not one.meaning.endswith("?")]
        going_on = [one for one in strong if not _FINISHED.match(after(text, one.end, 4))]
        counted = strong if going_on else found
        mentions = [Mention(one.meaning.rstrip("?"), one.start, one.end) for one in counted]
        sound = [mention for mention in mentions if _is_stage(text, mention)]
        current = [mention for mention in sound if not _FINISHED.match(after(text, mention.end, 4))]

        def always(mention: Mention) -> bool:
            return True

        return stated("school_stage", text, current or sound, always, lambda mention: str(mention.value))


def _is_stage(text: str, mention: Mention) -> bool:
    front = clause_before(text, mention.start, 6)
    if _NOT_A_STAGE_AFTER.match(text, mention.end):
        return False
    if _NOT_A_STAGE_BEFORE.search(front) and not re.search(r"(?:刚|才|已经?)考$", front):
        return False
    written = text[mention.start : mention.end]
    if written in ("一本", "二本"):
        return bool(_TIER_BEFORE.search(front) and _TIER_AFTER.match(text, mention.end))
    if len(written) == 2 and written[0] in "初高大研" and written[1] in "一二三四五":
        # 初三 is also a day of the new year, 高一 begins 高一截, 大一 begins 大一点.
        nearby = _CHILD_NEARBY.search(before(text, mention.start, 8) + after(text, mention.end, 8))
        return bool(nearby or _IN_SCHOOL.search(before(text, mention.start, 8)))
    return written != "大学生" or bool(_FAMILY.search(text))
