"""Calendar days as members write them: 2023年3月5日, 17年4月, 去年三月, 3月5号, 上个月底, 前天.

A date without a year is the nearest one that is not after ``as_of``. What leaves the day open is not
exact: a month alone, 月底, 年初, a lunar date.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from functools import lru_cache

from nlu.facts.model import Mention
from nlu.facts.numerals import read_count, read_digits

_YEAR = (
    r"(?P<year>(?:19|20)\d{2}|(?<!\d)\d{2}|[一二][九〇零][零〇一二三四五六七八九]{2}|[零〇一二九八七][零〇一二三四五六七八九])年"
    r"|(?P<named_year>大前年|前年|去年|上年|今年|本年)"
)
_MONTH = (
    r"(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九]|(?<![\d百千万块])元)"
    r"(?:月(?:份)?|[.](?=\d{1,2}[号日]))"
)
_DAY = (
    r"(?:(?P<day>3[01]|[12]\d|0?[1-9]|三十一?|二十[一二三四五六七八九]?|十[一二三四五六七八九]?|[一二三四五六七八九])(?:日|号)"
    r"|(?P<last>的?最后一天)|(?P<end>底|末))"
)
_CALENDAR = re.compile(rf"(?:(?:{_YEAR})的?\s*)?{_MONTH}\s*(?:的)?(?:{_DAY})?")
_NUMERIC = re.compile(
    r"(?<![\d.])(?P<y>(?:19|20)\d{2})(?:(?P<mark>[./-])(?P<m>1[0-2]|0?[1-9])(?:(?P=mark)(?P<d>3[01]|[12]\d|0?[1-9]))?"
    r"|(?P<fm>0[1-9]|1[0-2])(?P<fd>0[1-9]|[12]\d|3[01]))(?![\d.%]|\s*(?:元|块|万))"
)
_OF_MONTH = re.compile(
    rf"(?P<back>上上个?|上个?|这个?|本)月(?:份)?(?:的)?(?:{_DAY})?(?!薪|工资|初|中|上旬|中旬|下旬)"
)
_NEAR_DAY = re.compile(r"大前天|前天|前日|前儿个?|昨天|昨日|昨儿个?|昨晚|今天|今日|今儿个?|今早")
_NEAR_DAYS = {"大前": 3, "前": 1 + 1, "昨": 1, "今": 0}
_WEEKDAY = re.compile(r"(?P<back>上上个?|上个?|这个?|本)(?:周|礼拜|星期)(?P<weekday>[一二三四五六日天末])")
_DAYS_AGO = re.compile(
    r"(?<![\d一二两三四五六七八九十几])(?P<count>\d{1,2}|[一二两三四五六七八九]|十[一二三四五六七八九]?)天(?:之)?前"
)
_LUNAR = re.compile(r"农历|阴历|正月|腊月|冬月|初[一二三四五六七八九十]|廿")
_VAGUE_AFTER = re.compile(
    r"\s*(?:初|中旬|上旬|下旬|中(?!午|班|国|心)|左右|前后|那会儿?|那阵|以前|之前|多|"
    r"[\d一二三四五六七八九十]+(?:日|号))"
)
_VAGUE_BEFORE = re.compile(r"(?:大概|大约|差不多|好像|可能|估计|约|记得)(?:是|在)?\s*$")
_BACK = {"上上": 2, "上": 1, "这": 0, "本": 0}
_YEARS_BACK = {"大前年": 3, "前年": 2, "去年": 1, "上年": 1, "今年": 0, "本年": 0}


@lru_cache(maxsize=4)
def dates(text: str, as_of: date) -> tuple[Mention, ...]:
    """Return every date in ``text``, in order; what is vague, lunar or impossible is marked inexact."""
    found = [
        *_calendar_dates(text, as_of),
        *_numeric_dates(text),
        *_dates_of_month(text, as_of),
        *_near_days(text, as_of),
    ]
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(mention.end <= other.start or mention.start >= other.end for other in kept):
            kept.append(mention)
    return tuple(sorted(kept, key=lambda one: one.start))


def _calendar_dates(text: str, as_of: date) -> list[Mention]:
    found = []
    stated_year: int | None = None
    for match in _CALENDAR.finditer(text):
        month = 1 if match["month"] == "元" else read_count(match["month"])
        if month is None or _is_month_count(text, match):
            continue
        year = _year(match, as_of)
        day = _day_of_month(match, year or as_of.year, month)
        vague = _is_vague(text, match) or not (match["day"] or match["last"])
        if year is not None:
            stated_year = year
            value = _valid(year, month, day)
        else:
            value = _nearest_past(month, day, as_of)
            # 去年三月进厂,八月让我走: this year's August or last year's? Not known, so not a fact.
            inherited = _valid(stated_year, month, day) if stated_year is not None else value
            vague = vague or value != inherited
        found.append(Mention(value or as_of, match.start(), match.end(), value is not None and not vague))
    return found


def _numeric_dates(text: str) -> list[Mention]:
    found = []
    for match in _NUMERIC.finditer(text):
        month, day = int(match["m"] or match["fm"]), int(match["d"] or match["fd"] or 1)
        value = _valid(int(match["y"]), month, day)
        if match["fm"] and value is None:
            continue
        exact = value is not None and bool(match["d"] or match["fd"]) and not _is_vague(text, match)
        found.append(Mention(value or date(1900, 1, 1), match.start(), match.end(), exact))
    return found


def _dates_of_month(text: str, as_of: date) -> list[Mention]:
    found = []
    for match in _OF_MONTH.finditer(text):
        if match["back"].startswith(("这", "本")) and not match["day"]:
            continue
        months_back = _BACK[match["back"].rstrip("个")]
        index = as_of.year * 12 + as_of.month - 1 - months_back
        year, month = divmod(index, 12)
        value = _valid(year, month + 1, _day_of_month(match, year, month + 1))
        exact = value is not None and bool(match["day"] or match["last"]) and not _is_vague(text, match)
        found.append(Mention(value or as_of, match.start(), match.end(), exact))
    return found


def _near_days(text: str, as_of: date) -> list[Mention]:
    found = []
    for match in _NEAR_DAY.finditer(text):
        back = next(days for word, days in _NEAR_DAYS.items() if match.group().startswith(word))
        found.append(Mention(as_of - timedelta(days=back), match.start(), match.end()))
    for match in _DAYS_AGO.finditer(text):
        count = read_count(match["count"])
        if count:
            exact = not _VAGUE_BEFORE.search(text[: match.start()])
            found.append(Mention(as_of - timedelta(days=count), match.start(), match.end(), exact))
    for match in _WEEKDAY.finditer(text):
        weekday = "一二三四五六日天".find(match["weekday"])
        monday = as_of - timedelta(days=as_of.weekday() + 7 * _BACK[match["back"].rstrip("个")])
        value = monday + timedelta(days=min(weekday, 6))
        exact = weekday >= 0 and value <= as_of
        found.append(Mention(value, match.start(), match.end(), exact))
    return found


def _year(match: re.Match[str], as_of: date) -> int | None:
    if match["named_year"]:
        return as_of.year - _YEARS_BACK[match["named_year"]]
    if not match["year"]:
        return None
    digits = read_digits(match["year"]) or ""
    if len(digits) == 2:
        short = int(digits)
        return 2000 + short if short <= as_of.year % 100 else 1900 + short
    return int(digits)


def _day_of_month(match: re.Match[str], year: int, month: int) -> int | None:
    if match["end"] or match["last"]:
        return calendar.monthrange(year, month)[1]
    return read_count(match["day"]) if match["day"] else 1


def _valid(year: int, month: int, day: int | None) -> date | None:
    try:
        return date(year, month, day or 0)
    except ValueError:
        return None


def _nearest_past(month: int, day: int | None, as_of: date) -> date | None:
    for year in (as_of.year, as_of.year - 1, as_of.year - 2, as_of.year - 3, as_of.year - 4):
        value = _valid(year, month, day)
        if value is not None and value <= as_of:
            return value
        if value is None and not (month == 2 and day == 29):
            return None
    return None


def _is_month_count(text: str, match: re.Match[str]) -> bool:
    """Say whether 三月 is part of a count (十三月, 个月) and not March."""
    start = match.start()
    return (
        start > 0 and match["year"] is None and text[start - 1] in "0123456789一二两三四五六七八九十个几.半"
    )


def _is_vague(text: str, match: re.Match[str]) -> bool:
    around = text[max(0, match.start() - 3) : match.end() + 4]
    return bool(
        _LUNAR.search(around)
        or _VAGUE_AFTER.match(text, match.end())
        or _VAGUE_BEFORE.search(text[max(0, match.start() - 6) : match.start()])
    )
