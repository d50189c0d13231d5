"""The air temperature a member reports, in ℃."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from nlu.facts.model import Fact, Mention, clause_after, clause_before, is_exact
from nlu.facts.numerals import plain, read_number
from nlu.facts.roles import stated

_DEGREES = re.compile(
    r"(?<![\d.])(?P<number>\d{1,2}(?:\.\d)?|[二三四五]?十[一二三四五六七八九]?)\s*(?:多)?(?:度|°\s*C|℃|摄氏度)(?!数|电|角|假)",
    re.IGNORECASE,
)
_GUESSED = re.compile(r"(?:[一二两三四五六七八九十几好]|\d[、,-])$")
_BODY = re.compile(r"体温|发烧|高烧|低烧|烧到|烧了|额温|近视|度数|度电|角度|旋转|倾斜|零下|酒")
_COLDEST, _HOTTEST = Decimal(15), Decimal(60)


def find_temperature(text: str, as_of: date) -> list[Fact]:
    """Find the air temperature, 15–60 ℃ (39度, 四十度, 38.5℃); body temperatures and bounds are none."""
    mentions = []
    for match in _DEGREES.finditer(text):
        value = read_number(match["number"])
        if value is None or not _COLDEST <= value <= _HOTTEST:
            continue
        guessed = "多" in match.group() or bool(_GUESSED.search(text[: match.start()]))
        exact = not guessed and is_exact(text, match.start(), match.end())
        mentions.append(Mention(value, match.start(), match.end(), exact))

    def of_the_air(mention: Mention) -> bool:
        around = clause_before(text, mention.start, 8) + clause_after(text, mention.end, 4)
        return not _BODY.search(around)

    return stated("temperature", text, mentions, of_the_air, lambda mention: plain(mention.amount))
