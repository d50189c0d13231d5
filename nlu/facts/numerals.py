"""Numbers as members write them: 6500, 6,500, 1.2万, 1万2, 六千五, 一万九千五, 十万八, 8k, 仨, 二〇二三.

cn2an reads them (一万二 is 12000); what it does not know (俩, k, w) is put into its words first.
"""

from __future__ import annotations

import re
from decimal import Decimal

import cn2an

DIGITS = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3,
    "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
CN = "零〇一二两三四五六七八九十百千万"
FORMAL = "壹贰叁肆伍陆柒捌玖拾佰仟萬"
"""The numerals of receipts (壹万贰仟元)."""
_EVERYDAY = str.maketrans("俩仨幺kKwW" + FORMAL, "两三一千千万万一二三四五六七八九十百千万")
_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_PLAIN = r"\d+(?:\.\d+)?"
NUMBER = (
    rf"(?:{_GROUPED}|{_PLAIN})(?:[百千万kKwW](?:\d+(?:\.\d+)?[百千]?|[一二两三四五六七八九][百千]?)?(?:\d[百十]?)?)?"
    rf"|[{CN}]+?(?=一(?:个?[月半]|[天年晚趟单件次直分共定起毛块人家]|小时))|[{CN}{FORMAL}]+"
)
"""Pattern of one written number (amounts; not durations or dates)."""
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WITH_UNIT = re.compile(r"(?=.*[十百千万])(?:[\d一二两三四五六七八九]|十(?![百千])).*")


def read_number(text: str) -> Decimal | None:
    """Return the value of a written number, or None where it is none (十十, 三四千, 1.2.3, 千百五)."""
    text = text.replace(",", "").strip().translate(_EVERYDAY)
    if _PLAIN_NUMBER.fullmatch(text):
        return Decimal(text)
    if len(text) == 1 and text in DIGITS:
        return Decimal(DIGITS[text])
    if not _WITH_UNIT.fullmatch(text):
        return None  # 三四 is a guess and 二〇二三 a year or a phone number
    try:
        return Decimal(str(cn2an.cn2an(text, "smart")))
    except (ValueError, KeyError):  # KeyError is what cn2an 0.5.24 raises for 十359
        return None


def read_digits(text: str) -> str | None:
    """Return a string of digits for digits said one by one (二〇二三 is 2023), or None."""
    digits = [char if char.isdigit() else str(DIGITS.get(char, "?")) for char in text]
    joined = "".join(digits)
    return joined if joined.isdigit() and joined.isascii() else None


def read_count(text: str) -> int | None:
    """Return a whole number below 10 000 as counted (三, 十二, 廿 is none, 31), or None."""
    value = read_number(text)
    if value is None or value != value.to_integral_value() or not 0 <= value < 10_000:
        return None
    return int(value)


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without trailing zeros (6500, 2.5)."""
    normal = value.normalize()
    return format(normal, "f")
