"""Fact: one thing a member stated exactly, with its normalised value and where it stands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

FACT_NAMES = (
    "district",
    "employer",
    "hired_on",
    "left_on",
    "monthly_wage",
    "amount_owed",
    "months_owed",
    "tenure_years",
    "phone",
    "case_no",
    "school_stage",
    "temperature",
    "person_name",
)
"""The facts a message can state; ``aspect`` (what is asked about) is found beside them for the dialogue."""


@dataclass(frozen=True)
class Fact:
    """One stated fact: ``value`` as design.md §7 wants it, ``text`` as written, offsets in the text."""

    name: str
    value: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Mention:
    """A number, date, span of time … found in the text, before its role is known.

    ``exact`` is false for what is only approximate (左右, 三四个, 快); such a mention is never a fact,
    but it still stands in the way of a guess.
    """

    value: Decimal | date | str
    start: int
    end: int
    exact: bool = True

    @property
    def amount(self) -> Decimal:
        """The value of a number or span of time; raises ``TypeError`` for a date."""
        if not isinstance(self.value, Decimal):
            raise TypeError(f"{self.value!r} is no amount")
        return self.value

    @property
    def day(self) -> date:
        """The value of a date; raises ``TypeError`` for a number."""
        if not isinstance(self.value, date):
            raise TypeError(f"{self.value!r} is no date")
        return self.value


_CLAUSE_MARK = re.compile(r"[,。!?;、…\n]")
_APPROXIMATE_BEFORE = re.compile(
    r"(?:大概|大约|大致|约莫|(?<![合预签违])约|差不多|将近|接近|(?<![最附])近|(?<!赶)快|不到|不足|估计|估摸|好像|可能|"
    r"至少|起码|最多|顶多|超过|多于|少于|低于|高于|好几|大半|小半|大几|零头|(?<!大)小)(?:是|有|要|能|得|了)?\s*$"
)
_APPROXIMATE_AFTER = re.compile(
    r"\s*(?:块钱?|元|年|个月|月|度)?(?:左右|上下|出头|多(?!少|发|给|扣|交|次|亏|半)|来(?=个|年|块|度)|开外|挂零|以上|以下|"
    r"往上|以内|之内|不等|起步|打底|的样子|吧(?=[,。!?…]|$)|几(?!个)|有余)"
)
_NUMERAL = r"[\d一二两三四五六七八九十百千万]"
_RANGE_AFTER = re.compile(
    rf"\s*(?:块钱?|元|个月|年|度)?\s*(?:[-~—–]|到|至|或者?|还是)\s*{_NUMERAL}++(?!\s*(?:月|号|日|点|岁|年前|年\d))"
)
_RANGE_BEFORE = re.compile(rf"{_NUMERAL}(?:块|元|个月|年|度)?\s*(?:[-~—–]|到|至|或者?)\s*$")


def before(text: str, start: int, length: int) -> str:
    """Return up to ``length`` characters in front of ``start``."""
    return text[max(0, start - length) : start]


def after(text: str, end: int, length: int) -> str:
    """Return up to ``length`` characters behind ``end``."""
    return text[end : end + length]


def clause_before(text: str, start: int, length: int = 16) -> str:
    """Return what stands in front of ``start`` within its clause, at most ``length`` characters."""
    window = before(text, start, length)
    return _CLAUSE_MARK.split(window)[-1]


def clause_after(text: str, end: int, length: int = 16) -> str:
    """Return what stands behind ``end`` within its clause, at most ``length`` characters."""
    window = after(text, end, length)
    return _CLAUSE_MARK.split(window, maxsplit=1)[0]


_HEDGED = re.compile(r"大概|大约|估计|估摸|好像|可能|似乎|差不多|记不清|说不准|不确定")


def is_exact(text: str, start: int, end: int) -> bool:
    """Say whether the number at ``start``–``end`` is stated exactly (no 大概, 左右, 出头, 多, no range)."""
    return not (
        _APPROXIMATE_BEFORE.search(before(text, start, 6))
        or _HEDGED.search(clause_before(text, start, 10))
        or _APPROXIMATE_AFTER.match(after(text, end, 8))
        or _RANGE_AFTER.match(after(text, end, 12))
        or _RANGE_BEFORE.search(before(text, start, 8))
    )


_TAKES_BACK = r"(?<!对)不对|(?<!是)不是|错了|说错|记错|记岔|搞错|写错|打错|口误|更正|纠正|改成|换成|重新说"
_SAYS_BETTER = r"应该是|准确(?:点|地)?[说讲]|其实是|实际是|具体(?:点|地)?(?:说|讲)?是|确切(?:点|地)?(?:说|是)"
_NO_BUT = r"[哦啊哎噢]不(?=[,、]|是|$)"
_CORRECTION = re.compile(rf"[^。!?]{{0,10}}?(?:{_TAKES_BACK}|{_SAYS_BETTER}|{_NO_BUT})[^。!?]{{0,10}}?")
_DENIED = re.compile(r"(?:不是|并非|而非|不叫|没有|不算)(?:说|的是|拖?欠了?|干了?)?\s*$")


def undenied(front: str) -> str:
    """Return what leads to a mention without a 不是 at its end, so that the role shows (月薪不是|8000)."""
    return _DENIED.sub("", front)


def is_denied(text: str, start: int) -> bool:
    """Say whether 不是 stands right in front (不是8000是6000)."""
    return bool(_DENIED.search(before(text, start, 5)))


_TAKEN_BACK = re.compile(
    r"[^。!?]{0,6}?(?:(?<!对)不对(?=[,。!?、… ]|是|$)|(?:说|记|搞|写|打|讲|弄)错了|记岔了|口误|更正)"
)


def is_taken_back(text: str, end: int) -> bool:
    """Say whether the member takes back what ends at ``end`` (…,不对,是9号)."""
    return bool(_TAKEN_BACK.match(text, end))


def corrects(text: str, earlier: Mention, later: Mention) -> bool:
    """Say whether ``later`` takes the place of ``earlier`` (三年哦不对四年, 不是8000是6000)."""
    return corrects_span(text, earlier.start, earlier.end, later.start)


def corrects_span(text: str, start: int, end: int, later: int) -> bool:
    """Say whether what begins at ``later`` takes the place of what stands at ``start``–``end``."""
    between = text[end:later]
    if is_denied(text, start) and len(between) <= 8 and re.search(r"(?:是|而是|[,、])\s*$", between):
        return True
    return bool(_CORRECTION.fullmatch(between)) and not is_denied(text, later)
