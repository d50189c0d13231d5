"""How a text sounds: pinyin syllables without tones, for Chinese characters and for typed pinyin alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pypinyin.pinyin_dict import pinyin_dict

_PIECE = re.compile(r"[a-z]+|.")
_LONGEST_SYLLABLE = 6


def syllables(text: str) -> list[str]:
    """Return the syllables of a lower-case text: 拖欠gongzi is tuo, qian, gong, zi; marks are left out.

    Letters that are no pinyin (app, offer) come one by one.
    """
    found: list[str] = []
    for piece in _PIECE.findall(text):
        if len(piece) > 1:
            found.extend(_typed(piece) or piece)
        elif piece.isalnum():
            found.append(syllable(piece))
    return found


@lru_cache(maxsize=16_384)
def syllable(char: str) -> str:
    """Return the first reading of a character without its tone, or the character itself."""
    reading = pinyin_dict.get(ord(char))
    if reading is None:
        return char
    decomposed = unicodedata.normalize("NFD", reading.split(",")[0])
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def initials(word: str) -> str:
    """Return the first letters of a word's syllables (劳动仲裁 is ldzc)."""
    return "".join(syllable(char)[0] for char in word)


@lru_cache(maxsize=4096)
def _typed(letters: str) -> tuple[str, ...] | None:
    """Cut letters into pinyin syllables, the longest first, or return None where that is impossible."""
    known = _known_syllables()
    reached: dict[int, tuple[str, ...]] = {0: ()}
    for start in range(len(letters)):
        if start not in reached:
            continue
        for end in range(min(len(letters), start + _LONGEST_SYLLABLE), start, -1):
            if letters[start:end] in known and end not in reached:
                reached[end] = (*reached[start], letters[start:end])
    return reached.get(len(letters))


@lru_cache(maxsize=1)
def _known_syllables() -> frozenset[str]:
    common = (syllable(chr(code)) for code in range(0x4E00, 0x9FA6))
    return frozenset(one for one in common if one.isascii() and one.isalpha())
