"""The air temperature a member reports, in ℃."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from nlu.facts.model import Fact, Mention, clause_after, clause_before, is_exact
from nlu.facts.numerals import plain, read_number
from nlu.facts.roles import stated

_DEGREES = re.compile(
    r"(?<![\d.])(?P<below>零下|负|-)?\s*(?P<number>\d{1,2}(?:\.\d)?|[二三四五]?十[一二三四五六七八九]?)\s*(?:多)?(?:度|°\s*C|℃|摄氏度)(?!数|电|角|假)",
    re.IGNORECASE,
)
_GUESSED = re.compile(r"(?:[一二两三四五六七八九十几好]|\d[、,-])$")
_NOT_OF_THE_AIR = re.compile(
    r"体温|发烧|高烧|低烧|退烧|烧到|烧了|额温|近视|度数|度电|角度|旋转|倾斜|酒|空调(?:调|开|定|设)|调到|水温|泡"
)
_BOUND_BEFORE = re.compile(
    r"(?:超过|高于|低于|(?<!高)达到?|到了|到|满|够|不够|没有?|过|非要?|非得|才|规定|标准|算|是不是|叫|说的|只要|一旦|要是|如果|比|提出|和)\s*(?:了|等到)?\s*$"
)
_BOUND_AFTER = re.compile(
    r"\s*(?:往上|就[停该能得应]|才[停能给发算]|停工|放假|即|时[,户室作应停是能]|是不是|和\d|算(?:不算)?高温|这条|标准|线|的(?:规定|标准|线))"
)
_REACHED = re.compile(r"(?:已经|都|达|热|升|飙|量|报|最高|气温|温度|真|晒|天)[^,。!?]{0,6}到了?$")
_OF_THE_WEATHER = re.compile(
    r"气温|室外|外面|户外|天气|零下|天冷|最低|温度|今天|昨天|早上|早晨|夜里|晚上|预报"
)
_COLDEST, _COOL, _HOTTEST = Decimal(-45), Decimal(15), Decimal(65)


def find_temperature(text: str, as_of: date) -> list[Fact]:
    """Find the temperature of weather or workplace in ℃ (39度, 零下18度); the bound of a rule is none."""
    mentions = []
    for match in _DEGREES.finditer(text):
        value = read_number(match["number"])
        if value is None:
            continue
        if match["below"]:
            value = -value
        guessed = "多" in match.group() or bool(_GUESSED.search(text[: match.start("number")]))
        exact = not guessed and _COLDEST <= value <= _HOTTEST and is_exact(text, match.start(), match.end())
        mentions.append(Mention(value, match.start(), match.end(), exact))

    def of_the_air(mention: Mention) -> bool:
        front, back = clause_before(text, mention.start, 14), clause_after(text, mention.end, 6)
        if _NOT_OF_THE_AIR.search(front[-8:] + back[:4]) or _BOUND_AFTER.match(back):
            return False
        if _BOUND_BEFORE.search(front) and not _REACHED.search(front):
            return False
        cold = text[mention.start : mention.end] + front
        return mention.amount >= _COOL or bool(_OF_THE_WEATHER.search(cold))

    return stated("temperature", text, mentions, of_the_air, lambda mention: plain(mention.amount))
