"""The air temperature a member reports, in ℃."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from nlu.facts.model import Fact, Mention, clause_after, clause_before, is_exact
from nlu.facts.numerals import plain, read_number
from nlu.facts.roles import stated

_TENTHS = r"(?P<tenths>一(?=[,。!?\s还都]|$)|[1-9二三四五六七八九半](?![\d个天月号点小人多名次度.十百千]))"
_NUMBER = r"\d{1,2}(?:\.\d)?|[二三四五]?十[一二三四五六七八九]?|(?:(?<=零下)|(?<=负))[一二两三四五六七八九]"
_DEGREES = re.compile(
    rf"(?<![\d.])(?P<below>零下|负|-)?\s*(?P<number>{_NUMBER})\s*(?:多)?"
    rf"(?:度{_TENTHS}?|°\s*C|℃|摄氏度)(?!数|电|角|假)",
    re.IGNORECASE,
)
_GUESSED = re.compile(r"(?:[一二两三四五六七八九十几好]|\d[、,-])$")
_FEVER = re.compile(r"发烧|发热|退烧|体温|感冒|核酸|隔离|正常吗|病假|不让进")
_FEVERISH = Decimal(36), Decimal(42)
_NOT_OF_THE_AIR = re.compile(
    r"体温|发烧|高烧|低烧|退烧|烧到|烧了|额温|近视|度数|度电|角度|旋转|倾斜|酒|空调(?:调|开|定|设)|调到|水温|泡"
)
_BOUND_BEFORE = re.compile(
    r"(?:超过|高于|低于|(?<!高)达到?|到了|到|满|够|不够|没有?|过|非要?|非得|才|规定|标准|算|是不是|叫|说的|只要|一旦|要是|如果|比|提出|和)\s*(?:了|等到)?\s*$"
)
_BOUND_AFTER = re.compile(
    r"\s*(?:往上|就[停该能得应]|才[停能给发算]|停工|放假|即|时[,户室作应停是能]|是不是|和\d|算(?:不算)?高温|单位[该应要得必]|[该应](?:咋|怎么|当|该)|这条|标准|线|的(?:规定|标准|线))"
)
_REACHED = re.compile(r"(?:已经|都|达|热|升|飙|量|报|最高|气温|温度|真|晒|天)[^,。!?]{0,6}到了?$")
_MEASURED = re.compile(r"达到?了?$")
_BOUNDS_OF_RULES = {Decimal(35), Decimal(37), Decimal(40)}
"""What the rules speak of (达到37度时…); 达39.5℃ was measured."""
_TO_COME = re.compile(r"明天|后天|明儿|后儿|下周|过两天")
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
        if match["tenths"]:
            value += (
                Decimal("0.5")
                if match["tenths"] == "半"
                else (read_number(match["tenths"]) or Decimal(0)) / 10
            )
        if match["below"]:
            value = -value
        guessed = "多" in match.group() or bool(_GUESSED.search(text[: match.start("number")]))
        exact = not guessed and _COLDEST <= value <= _HOTTEST and is_exact(text, match.start(), match.end())
        mentions.append(Mention(value, match.start(), match.end(), exact))

    def of_the_air(mention: Mention) -> bool:
        front, back = clause_before(text, mention.start, 14), clause_after(text, mention.end, 6)
        if _NOT_OF_THE_AIR.search(front[-8:] + back[:4]) or _BOUND_AFTER.match(back):
            return False
        if _FEVERISH[0] <= mention.amount <= _FEVERISH[1] and _FEVER.search(
            text[max(0, mention.start - 24) : mention.end + 16]
        ):
            return False
        measured = _MEASURED.search(front) and mention.amount not in _BOUNDS_OF_RULES
        if _BOUND_BEFORE.search(front) and not _REACHED.search(front) and not measured:
            return False
        cold = text[mention.start : mention.end] + front
        return mention.amount >= _COOL or bool(_OF_THE_WEATHER.search(cold))

    now = [mention for mention in mentions if not _TO_COME.search(clause_before(text, mention.start))]
    return stated("temperature", text, now or mentions, of_the_air, lambda mention: plain(mention.amount))
