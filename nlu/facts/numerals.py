"""Numbers as members write them: 6500, 6,500, 1.2万, 1万2, 六千五, 一万九千五, 十万八, 8k, 仨, 二〇二三.

cn2an refuses or misreads the elliptic forms of speech (一万二 is 12000, not 10002), so they are read here.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

DIGITS = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3,
    "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
UNITS = {"十": 10, "百": 100, "千": 1000, "k": 1000, "K": 1000, "万": 10_000, "w": 10_000, "W": 10_000}
CN = "零〇一二两三四五六七八九十百千万"
FORMAL = "壹贰叁肆伍陆柒捌玖拾佰仟萬"
"""The numerals of receipts (壹万贰仟元)."""
_EVERYDAY = str.maketrans(FORMAL, "一二三四五六七八九十百千万")
_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_PLAIN = r"\d+(?:\.\d+)?"
NUMBER = (
    rf"(?:{_GROUPED}|{_PLAIN})(?:[百千万kKwW](?:\d+(?:\.\d+)?[百千]?|[一二两三四五六七八九][百千]?)?(?:\d[百十]?)?)?"
    rf"|[{CN}]+?(?=一(?:个?[月半]|[天年晚趟单件次直分共定起毛块人家]|小时))|[{CN}{FORMAL}]+"
)
"""Pattern of one written number (amounts; not durations or dates)."""
_SMALL = re.compile(r"(?P<high>\d+(?:\.\d+)?)(?P<unit>[百千万kKwW])(?P<rest>.*)")


def read_number(text: str) -> Decimal | None:
    """Return the value of a written number, or None where it is none (十十, 三四千, 1.2.3)."""
    text = text.replace(",", "").strip().translate(_EVERYDAY)
    if not text:
        return None
    if text[0].isdigit():
        return _read_mixed(text)
    if all(char in DIGITS for char in text):
        if len(text) == 1:
            return Decimal(DIGITS[text])
        return None  # 三四 is a guess and 二〇二三 a year or a phone number
    return _read_chinese(text)


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


def _read_mixed(text: str) -> Decimal | None:
    match = _SMALL.fullmatch(text)
    if match is None:
        return _decimal(text)
    high = _decimal(match["high"])
    if high is None:
        return None
    unit = UNITS[match["unit"]]
    rest = _read_rest(match["rest"], unit)
    return None if rest is None else high * unit + rest


def _read_rest(rest: str, unit: int) -> Decimal | None:
    """Read what follows a unit: 1万2 means 2千, 1万2千5 means 5百, 1万500 means 500."""
    if not rest:
        return Decimal(0)
    if len(rest) == 1:
        digit = DIGITS.get(rest, int(rest) if rest.isdigit() else None)
        return None if digit is None else Decimal(digit * unit // 10)
    if rest.isdigit():
        full = len(str(unit)) - 1  # 1万2000 and 1万500 are numbers, 1万05 and 1万50 are slips
        return Decimal(rest) if len(rest) in (full, full - 1) and rest[0] != "0" else None
    small = re.fullmatch(r"([\d一二两三四五六七八九])([百千])(\d?)([百十]?)", rest)
    if small is None:
        return None
    first = DIGITS.get(small[1]) or int(small[1])
    value = Decimal(first * UNITS[small[2]])
    if value >= unit:
        return None
    if small[3]:
        value += int(small[3]) * (UNITS[small[4]] if small[4] else UNITS[small[2]] // 10)
    return value


def _read_chinese(text: str) -> Decimal | None:
    if text.count("万") > 1:
        return None
    if "万" in text:
        high_text, low_text = text.split("万")
        high = _read_below_ten_thousand(high_text)
        if not high:
            return None
        low = _read_tail(low_text, 10_000)
        return None if low is None else Decimal(high * 10_000 + low)
    below = _read_below_ten_thousand(text)
    return None if below is None else Decimal(below)


def _read_tail(text: str, unit: int) -> int | None:
    if not text:
        return 0
    if len(text) == 1 and text in DIGITS:
        return DIGITS[text] * unit // 10
    return _read_below_ten_thousand(text)


def _read_below_ten_thousand(text: str) -> int | None:
    """Read 三千零五十, 六千五 (6500), 两百五 (250), 十四, 一百零五; None for anything irregular."""
    total, digit, last_unit, zero = 0, None, 10_000, False
    for char in text:
        if char in "零〇":
            if digit is not None:
                return None
            zero = True
        elif char in DIGITS:
            if digit is not None:
                return None
            digit = DIGITS[char]
        elif char in "十百千":
            unit = UNITS[char]
            if unit >= last_unit or (digit is None and not (char == "十" and total == 0)):
                return None
            total += (1 if digit is None else digit) * unit
            digit, last_unit, zero = None, unit, False
        else:
            return None
    if digit is not None:
        elliptic = last_unit in (100, 1000) and not zero
        total += digit * (last_unit // 10 if elliptic else 1)
    return total


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
