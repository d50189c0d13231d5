"""The member's phone."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

from nlu.facts.model import Fact, clause_after, clause_before, corrects_span, is_denied, is_taken_back
from nlu.facts.numerals import read_digits

_SEP = r"[\s-]?"
_MOBILE = re.compile(
    rf"(?<![\d.])(?:(?:\+|00)?86{_SEP})?(?P<number>1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}|1[3-9]\d{{2}}{_SEP}\d{{3}}{_SEP}\d{{4}})(?![\dXx]|{_SEP}\d{{3}})"
)
_LANDLINE = re.compile(
    r"(?<![\d.+-])(?P<area>0(?:10|2\d|[3-9]\d{2}))[\s-]?(?P<number>[0-9]\d{6,7})(?![\dXx]|[\s-]\d{3})"
)
_BARE_LANDLINE = re.compile(r"(?:座机|固话|办公电话)(?:号码?)?(?:是|[:\s])*(?P<number>[2-8]\d{7})(?!\d)")
_SPOKEN = re.compile(
    r"(?<![零〇一幺二三四五六七八九])(?P<number>[一幺][三四五六七八九][零〇一幺二三四五六七八九]{9})(?![零〇一幺二三四五六七八九])"
)
_SOMEBODY_ELSES = re.compile(
    r"(?:老板娘?|工头|包工头|经理|主管|站长|队长|领导|单位|公司|厂里|店里|人事|HR|对方|骗子|他|她|他们|中介|自称|客服|拨打|打过|来电|窗口|"
    r"旧的?|原来的?|以前的?|停用的?|不用的?)(?:的|那个|给的)?(?:手机|电话|座机|号码?|联系方式|联系电话)*(?:号码?)?(?:是|[:\s])*$"
)
_DIALLED_BEFORE = re.compile(r"[打拨](?:了|过|的|通|给|了个|过了)$")
_DIALLED_AFTER = re.compile(
    r"\s*(?:打(?:了|过)?电话|(?:这个)?(?:号|电话)?(?:总是?|一直|老是?|也|都|又|就)?"
    r"(?:没有?人[接管理]|不接|占线|打不通|无人接|空号|是空号|没打通|关机|不通))"
)
_OWN_BEFORE = re.compile(r"[我俺]的?(?:手机|电话|号码?|联系方式)*(?:是|[:\s])*$")
_NEW_ONE = re.compile(r"换成|改成|新的|新号|新电话|改为|更换|变更")


def find_phone(text: str, as_of: date) -> list[Fact]:
    """Find the member's phone: eleven digits, or area code and number, digits only (0531…).

    Not part of a longer number (identity card, bank card, case number), not the boss's or a company's.
    Of several numbers the one after 换成/新的 counts; otherwise none does.
    """
    found = []
    for match in _MOBILE.finditer(text):
        found.append(_phone(text, match, re.sub(r"\D", "", match["number"])))
    for match in _SPOKEN.finditer(text):
        found.append(_phone(text, match, read_digits(match["number"]) or ""))
    for match in _LANDLINE.finditer(text):
        found.append(_phone(text, match, match["area"] + match["number"]))
    for match in _BARE_LANDLINE.finditer(text):
        found.append(_phone(text, match, match["number"]))
    found.sort(key=lambda fact: fact.start)
    corrected = {
        one.start
        for one, following in pairwise(found)
        if corrects_span(text, one.start, one.end, following.start)
    }
    own = [fact for fact in found if fact.start not in corrected and _is_own(text, fact)]
    if len({fact.value for fact in own}) > 1:
        own = [fact for fact in own if _NEW_ONE.search(clause_before(text, fact.start, 12))]
    return own


def _is_own(text: str, fact: Fact) -> bool:
    front = clause_before(text, fact.start, 14)
    if is_denied(text, fact.start) or is_taken_back(text, fact.end) or _SOMEBODY_ELSES.search(front):
        return False
    dialled = _DIALLED_BEFORE.search(front) or _DIALLED_AFTER.match(clause_after(text, fact.end))
    return not dialled or bool(_OWN_BEFORE.search(front))


def _phone(text: str, match: re.Match[str], value: str) -> Fact:
    start, end = match.start("number"), match.end("number")
    if "area" in match.groupdict():
        start = match.start("area")
    return Fact("phone", value, start, end, text[start:end])
