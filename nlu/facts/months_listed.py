"""Months of wages told by their names: 七月八月的工资没发 is two months owed, 欠8、9、10月份工资 three."""

from __future__ import annotations

import re

from nlu.facts.model import Fact, clause_before
from nlu.facts.numerals import read_count

_MONTH = r"(?:1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])"
_AND = r"[、,和及与跟]"
_MORE = rf"月份?{_AND}?{_MONTH}(?=月)|{_AND}{_MONTH}(?={_AND}|月|这?[两三四]个?月)"
_LISTED = re.compile(
    rf"(?<![\d一二三四五六七八九十到至-])(?P<months>{_MONTH}(?:{_MORE})+(?:月份?|(?=这?[两三四]个?月)))"
    r"(?:这?[两三四五六\d]个?月)?的?(?P<pay>工资|工钱|薪水|工薪|薪资|钱)?"
)
_NOT_GIVEN = re.compile(
    r"[,]?(?:[都也还全一直仍到现在至今就愣是]|公司|老板|单位)*"
    r"(?:没(?:有)?(?:给|发|结|见|开|付|拿|到账)|未(?:发|付|结|支付)|不(?:给|发|结)|拖着|欠着|压着|拖到|没影)"
)
_OWED_BEFORE = re.compile(r"(?:欠|拖欠|没给|没发|未发|压着?)(?:了|着|的是|的|我们?|俺们?|工资|[:,])*$")
_FEWEST = 2


def find_listed_months(text: str) -> list[Fact]:
    """Find how many months of wages are owed where they are named one by one (two at least)."""
    facts = []
    for match in _LISTED.finditer(text):
        named = {read_count(month) for month in re.findall(_MONTH, match["months"])}
        owed = _OWED_BEFORE.search(clause_before(text, match.start(), 12))
        unpaid = match["pay"] and (owed or _NOT_GIVEN.match(text, match.end()))
        if len(named) >= _FEWEST and unpaid:
            facts.append(
                Fact("months_owed", str(len(named)), match.start(), match.end("months"), match["months"])
            )
    return facts
