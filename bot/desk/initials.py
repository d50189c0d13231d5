"""Initials: the first letters of a Chinese word's sounds, as staff type them to find something."""

from __future__ import annotations

from bisect import bisect_right

# GB 2312 puts its 3,755 common characters in the order of their sound; these are where each letter begins.
_BEGINS = (
    (0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"),
    (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"),
    (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x"),
    (0xD1B9, "y"), (0xD4D1, "z"),
)  # fmt: skip
_CODES = [code for code, _ in _BEGINS]
_LAST = 0xD7F9


def initials(text: str) -> str:
    """The initials of a text: ``拖欠工资`` → ``tqgz``; letters and digits stay, the rest goes."""
    return "".join(_initial(character) for character in text)


def _initial(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    try:
        encoded = character.encode("gb2312")
    except UnicodeEncodeError:
        return ""
    code = int.from_bytes(encoded, "big")
    if not _CODES[0] <= code <= _LAST:
        return ""
    return _BEGINS[bisect_right(_CODES, code) - 1][1]
