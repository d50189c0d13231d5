"""Noise: what voice input, hasty thumbs and other scripts do to a text. The same seed, the same noise."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from random import Random

import jieba
from opencc import OpenCC
from pypinyin import lazy_pinyin

CHARACTERS_PER_SLIP = 12
"""One character in so many is changed, and at least one in every text."""
_COMMON = 3500
_CHUNK = 200
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[\u4e00-\u9fff]{2,}")
Change = Callable[[str, Random], str]


def homophones(text: str, rng: Random) -> str:
    """Return the text with characters replaced by common ones of the same sound, tones aside (公资, 仲才)."""
    choices = {
        place: others
        for place, (char, sound) in enumerate(zip(text, _sounds(text), strict=True))
        if _HAN.match(char) and (others := [other for other in _sounding(sound) if other[0] != char])
    }
    chars = list(text)
    for place in _places(text, list(choices), rng):
        characters, weights = zip(*choices[place], strict=True)
        chars[place] = rng.choices(characters, weights)[0]
    return "".join(chars)


def typos(text: str, rng: Random) -> str:
    """Return the text with neighbours swapped, characters dropped, doubled or taken for their look-alikes."""
    slips: Mapping[str, Callable[[list[str], int], bool]] = {
        "swap": _swap,
        "drop": _drop,
        "double": _double,
        "mistake": lambda chars, place: _mistake(chars, place, rng),
    }
    chars = list(text)
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    # From the end, so that a dropped or doubled character does not move the places still to come.
    for place in sorted(_places(text, letters, rng), reverse=True):
        for name in rng.sample(sorted(slips), len(slips)):
            if slips[name](chars, place):
                break
    return "".join(chars)


def without_punctuation(text: str, rng: Random | None = None) -> str:
    """Return the text without its marks, those between digits aside; blanks stay where they stood."""
    kept = [
        char
        for place, char in enumerate(text)
        if unicodedata.category(char)[0] != "P"
        or (text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit())
    ]
    return "".join(kept) or text


def traditional(text: str, rng: Random | None = None) -> str:
    """Return the text in traditional characters."""
    # OpenCC's parse tree recurses once per character: long texts are cut.
    pieces = (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
    return "".join(_to_traditional().convert(piece) for piece in pieces)


def one_word_in_pinyin(text: str, rng: Random) -> str:
    """Return the text with one word of two characters or more (failing that, of one) in pinyin."""
    words = list(_cutter().cut(text))
    places = [place for place, word in enumerate(words) if _WORD.fullmatch(word)]
    places = places or [place for place, word in enumerate(words) if _HAN.fullmatch(word)]
    if not places:
        return text
    place = rng.choice(places)
    words[place] = "".join(lazy_pinyin(words[place]))
    return "".join(words)


@dataclass(frozen=True)
class Noise:
    """One kind of noise: how a text changes, and whether chance has a part in it (then several seeds)."""

    change: Change
    by_chance: bool = True

    def __call__(self, text: str, seed: int) -> str:
        """Return the noisy text; it depends on the text and the seed alone, not on what came before."""
        return self.change(text, Random(f"{seed} {text}"))  # noqa: S311  (noise, no secret)


KINDS: Mapping[str, Noise] = {
    "homophones": Noise(homophones),
    "typos": Noise(typos),
    "punctuation": Noise(without_punctuation, by_chance=False),
    "traditional": Noise(traditional, by_chance=False),
    "pinyin_word": Noise(one_word_in_pinyin),
}


def _places(text: str, possible: list[int], rng: Random) -> list[int]:
    wanted = max(1, round(sum(not char.isspace() for char in text) / CHARACTERS_PER_SLIP))
    return rng.sample(possible, min(wanted, len(possible)))


def _swap(chars: list[str], place: int) -> bool:
    after = place + 1
    if after >= len(chars) or not chars[after].isalpha() or chars[after] == chars[place]:
        return False
    chars[place], chars[after] = chars[after], chars[place]
    return True


def _drop(chars: list[str], place: int) -> bool:
    if len(chars) < 2:
        return False
    del chars[place]
    return True


def _double(chars: list[str], place: int) -> bool:
    chars.insert(place, chars[place])
    return True


def _mistake(chars: list[str], place: int, rng: Random) -> bool:
    others = _looking_like().get(chars[place])
    if not others:
        return False
    chars[place] = rng.choice(others)
    return True


@lru_cache(maxsize=1)
def _by_sound() -> Mapping[str, list[tuple[str, int]]]:
    """The 3,500 commonest characters of jieba's dictionary by their sound, with how common they are."""
    counts: Counter[str] = Counter()
    for line in resources.files("jieba").joinpath("dict.txt").read_text("utf-8").splitlines():
        word, frequency, *_ = line.split(" ")
        for char in filter(_HAN.match, word):
            counts[char] += int(frequency)
    by_sound: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for char, times in counts.most_common(_COMMON):
        by_sound[lazy_pinyin(char)[0]].append((char, times))
    return by_sound


def _sounds(text: str) -> list[str]:
    """The syllable of every character as read in its context; what is no Chinese character is itself."""
    sounds = list(text)
    for run in _HAN_RUN.finditer(text):
        syllables = lazy_pinyin(run.group())
        if len(syllables) == len(run.group()):  # else a rare character has no reading
            sounds[run.start() : run.end()] = syllables
    return sounds


def _sounding(sound: str) -> list[tuple[str, int]]:
    return _by_sound().get(sound, [])


@lru_cache(maxsize=1)
def _looking_like() -> Mapping[str, list[str]]:
    others: dict[str, list[str]] = defaultdict(list)
    content = resources.files("nlu.evaluation").joinpath("look_alikes.txt").read_text("utf-8")
    for line in content.splitlines():
        group = "" if line.startswith("#") else line.strip()
        for char in group:
            others[char] += [other for other in group if other != char]
    return others


@lru_cache(maxsize=1)
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")


@lru_cache(maxsize=1)
def _cutter() -> jieba.Tokenizer:
    cutter = jieba.Tokenizer()
    # By hand instead of initialize(): that one shares a cache file in the temporary folder and logs.
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter
