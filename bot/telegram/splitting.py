"""Long replies: cut into parts that Telegram takes, where a reader would pause."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_UNITS = 4096
"""The longest message Telegram takes, in UTF-16 code units (an emoji counts two or more)."""

_BORDERS = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?:[。！？…；]|[.!?;](?=\s))[”’」』）)】]*\s*"),
    re.compile(r"[，、：,:]\s*|\s+"),
)
"""Paragraph, line, sentence, phrase: the best place to cut first."""

_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_COMBINING = ("\u0300", "\u036f")


def utf16_length(text: str) -> int:
    """How long Telegram finds a text: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def split_text(text: str, limit: int = MAX_UNITS) -> list[str]:
    """The text in parts of at most ``limit`` UTF-16 units, none of them blank; a blank text has no parts.

    Cuts after a paragraph, else a line, a sentence, a phrase; only a word longer than the limit is cut
    inside, and then never within one emoji or letter.
    """
    return list(_parts(text.strip(), limit))


def _parts(text: str, limit: int) -> Iterator[str]:
    while text:
        if utf16_length(text) <= limit:
            yield text
            return
        window = _fitting(text, limit)
        cut = _border(text, window)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit into ``limit`` units."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > limit:
            return index
    return len(text)


def _border(text: str, window: int) -> int:
    """Where to cut: the last good border in the window, if it is not too near its start."""
    for pattern in _BORDERS:
        best = 0
        for match in pattern.finditer(text[:window]):
            best = match.end()
        # A short first part followed by a full one reads worse than a cut at a smaller border.
        if best > window // 3:
            return best
    return _between_letters(text, window)


def _between_letters(text: str, window: int) -> int:
    cut = window
    while cut > 1 and (_continues(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut if cut > 1 else window


def _continues(character: str) -> bool:
    return (
        character in _JOINERS
        or _SKIN_TONES[0] <= character <= _SKIN_TONES[1]
        or _COMBINING[0] <= character <= _COMBINING[1]
    )
