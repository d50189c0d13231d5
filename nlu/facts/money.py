"""Sums of money in a text, in 元, before it is known what they are for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from nlu.facts.dates import dates
from nlu.facts.model import Mention, clause_before, is_exact, undenied
from nlu.facts.numerals import NUMBER, read_number

_SUM = re.compile(
    rf"(?:(?<=xin)|(?<![\dA-Za-z./第]))(?<!\d:)(?P<sign>-|负)?(?P<mark>[¥￥$]|RMB)?\s*(?P<number>{NUMBER})\s*"
    r"(?P<unit>人民币|块钱|元钱|块|元|圆)?(?P<tail>[一二两三四五六七八九\d](?![\d个天年月人名岁号日点]))?"
)
_COUNTED = re.compile(
    r"\s*(?:个|天|年|月|日|号|人|名|岁|点|时|分(?!之?文|钱)|秒|次|度|℃|°|平|斤|公里|里|米|%|％|倍|份|页|条|件|台|辆|位|口|家|期|级|"
    r"小时|多岁|周|班|层|栋|楼|路|街|折|成|比|/(?!月|人)|-\d|:\d|后|块(?:地|板|砖|表))"
)
_SMALLEST, _LARGEST = Decimal(100), Decimal(100_000_000)
_HOTLINES = frozenset(
    {
        "12351",
        "12333",
        "12345",
        "12348",
        "12329",
        "12366",
        "12393",
        "12350",
        "12338",
        "12355",
        "12356",
        "12320",
    }
)


@lru_cache(maxsize=4)
def sums(text: str, as_of: date) -> tuple[Mention, ...]:
    """Return every sum of money in ``text``, in order (a bare number counts from 100 on)."""
    taken = dates(text, as_of)
    found = []
    for match in _SUM.finditer(text):
        start, end = match.start("number"), match.end("unit") if match["unit"] else match.end("number")
        if any(start < other.end and other.start < end for other in taken):
            continue
        value = read_number(match["number"])
        if value is not None and match["unit"] and match["tail"] and match["unit"] == "块":
            continue  # 三块五, 六块2: prices, and never a wage
        if value is None:
            value = Decimal(0)
        money = bool(match["unit"] or match["mark"])
        if not money and (_COUNTED.match(text, end) or value < _SMALLEST or match["number"] in _HOTLINES):
            continue
        sound = _SMALLEST <= value <= _LARGEST and not match["sign"] and match["mark"] != "$"
        found.append(Mention(value, start, end, sound and is_exact(text, start, end)))
    return tuple(found)


def own_front(text: str, mention: Mention, mentions: Sequence[Mention], length: int) -> str:
    """Return what leads to a sum in its clause, from the sum before it on."""
    front = undenied(clause_before(text, mention.start, length))
    earlier = [other.end for other in mentions if other.end <= mention.start]
    return front[-(mention.start - earlier[-1]) :] if earlier and earlier[-1] < mention.start else front


SPELT_MONTHLY_WAGE = r"月\s?xin|yue\s?xin|月新"
"""How a phone leaves 月薪."""
BY_THE_MONTH = re.compile(
    rf"月薪|{SPELT_MONTHLY_WAGE}|(?<![个俩仨半\d一二两三四五六七八九十])月工资|月收入|每月|每个月|一个月|按月|月给|月均|月平均"
)
"""Words that say a sum is for one month, whatever else the clause says."""
