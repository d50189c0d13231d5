"""Spans of time as members say them: 五年八个月, 仨月, 两个半月, 半年, 一年零两个月."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from nlu.facts.model import Mention, is_exact
from nlu.facts.numerals import read_number

_COUNT = r"(?:\d{1,3}(?:\.\d)?|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两俩三仨四五六七八九])"
_HALF_AFTER = r"半(?![天年月价薪成个截道])"
"""仨月半 is three months and a half."""
_SPAN = re.compile(
    rf"(?P<years>{_COUNT})\s*(?P<measure>个)?年(?!代(?![课驾理])|[假级休薪终龄初底前后月])(?:整|头)?(?:"
    rf"(?:(?:零|又|加|外加)?\s*(?P<rest>{_COUNT})\s*个(?P<rest_half>半)?月(?!份)|(?:零|又|加)?(?P<rest2>[俩仨])月|(?:零|又|加)(?P<rest3>{_COUNT})月)|零?(?P<and_half>半年)"
    r"|(?P<half_year>半))?"
    rf"|(?P<months>{_COUNT})\s*个(?P<month_half>半)?(?P<month_many>多)?月(?!份)(?P<half_after>{_HALF_AFTER})?"
    rf"|(?P<fused>[仨俩])(?P<fused_half>半)?月(?P<fused_half_after>{_HALF_AFTER})?"
    r"|(?<![\d一二两三四五六七八九十])(?P<one_and_half>个半月)"
    r"|(?<![大小上下前后一])(?P<half>半(?:年|个月|拉年))(?![前后])"
)
_GUESSED = re.compile(r"(?:[一二两三四五六七八九十几数]|(?<![正刚恰])好)$")
_AND_DAYS = re.compile(r"(?:零|又|加|外加)?(?:\d{1,2}|[一二两三四五六七八九十]{1,3})[天周]")
_IN_A_YEAR = re.compile(
    r"\s*就?(?:\d|[进入来到去毕买签调招干跟]|一二月|开始|底|初|春|夏|秋|冬|上半|下半|的时候|那会|认识|参加|[一二三四五六七八九十]+月)"
)
_SINCE = re.compile(r"(?:从|自|打|生于|[于是])\s*$")
_HALF = Decimal("0.5")


@lru_cache(maxsize=4)
def durations(text: str) -> tuple[Mention, ...]:
    """Return every span of years and months in ``text``, in months (五年八个月 68, 仨月 3, 半年 6)."""
    found = []
    for match in _SPAN.finditer(text):
        months = _months(match)
        if months is None or months <= 0 or _is_calendar_year(text, match):
            continue
        guessed = (
            bool(match["month_many"])
            or bool(_GUESSED.search(text[: match.start()]))
            or bool(_AND_DAYS.match(text, match.end()))
        )
        exact = not guessed and is_exact(text, match.start(), match.end())
        found.append(Mention(months, match.start(), match.end(), exact))
    return tuple(found)


def in_years(months: Decimal) -> Decimal:
    """Return a span of months in years, rounded half-up to two places."""
    return (months / 12).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _months(match: re.Match[str]) -> Decimal | None:
    if match["half"]:
        return _HALF if "月" in match["half"] else Decimal(6)
    if match["one_and_half"]:
        return Decimal("1.5")
    if match["fused"] or match["months"]:
        value = read_number(match["fused"] or match["months"])
        half = any(match[name] for name in ("fused_half", "fused_half_after", "month_half", "half_after"))
        return None if value is None else value + (_HALF if half else 0)
    years, rest = read_number(match["years"]), Decimal(0)
    if written := match["rest"] or match["rest2"] or match["rest3"]:
        rest = (read_number(written) or Decimal(12)) + (_HALF if match["rest_half"] else 0)
    if match["half_year"] or match["and_half"]:
        rest = Decimal(6)
    return None if years is None or rest >= 12 else years * 12 + rest


def _is_calendar_year(text: str, match: re.Match[str]) -> bool:
    """Say whether this is a year of the calendar (18年进厂, 18年3月, 二三年的) and not a span of time."""
    written = match["years"]
    if written is None:
        return False
    if match.start() and text[match.start() - 1] in "0123456789零〇一二三四五六七八九":
        return True
    if not written.isdigit() or len(written) != 2:
        return False
    return bool(_IN_A_YEAR.match(text, match.end()) or _SINCE.search(text[: match.start()]))
