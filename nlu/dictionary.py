"""The union's dictionary: words members use, and the concept each stands for."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from pathlib import Path

import jieba

from nlu.pinyin import initials, syllables

logging.getLogger("jieba").setLevel(logging.WARNING)

_LONGEST_WORD = 8
_SHORTEST_ABBREVIATION = 3
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LETTERS = re.compile(r"[a-z]{3,8}")


class UnionDictionary:
    """Union dictionary: the words of trade-union life, each with a frequency and the concept it stands for.

    One ``word frequency concept`` a line (jieba's user-dictionary format, its tag column holding the
    concept). Raises ``ValueError`` naming the line that breaks the format.
    """

    def __init__(self, content: str) -> None:
        self.content = content
        self.digest = hashlib.sha256(content.encode()).hexdigest()
        self.words: dict[str, tuple[int, str]] = {}
        for number, line in enumerate(content.splitlines(), start=1):
            parts = line.split()
            if not parts or parts[0].startswith("#"):
                continue
            if len(parts) != 3 or not parts[1].isdigit() or int(parts[1]) == 0:
                raise ValueError(f"dictionary line {number}: expected 'word frequency concept', got {line!r}")
            self.words[lower(parts[0])] = (int(parts[1]), parts[2])
        self._by_sound = _unambiguous(
            (" ".join(syllables(word)), concept)
            for word, (_, concept) in self.words.items()
            if len(word) > 1 and _HAN.fullmatch(word)
        )
        # Most places of a text begin no word: two characters, or two sounds, tell so without looking further.
        self._beginnings = {word[:2] for word in self.words if len(word) > 1}
        self._sound_beginnings = {tuple(sound.split(" ")[:2]) for sound in self._by_sound}
        self._by_initials = _unambiguous(
            (initials(word), concept)
            for word, (_, concept) in self.words.items()
            if len(word) >= _SHORTEST_ABBREVIATION and _HAN.fullmatch(word)
        )

    @classmethod
    def read(cls, path: str | Path) -> UnionDictionary:
        """Read a dictionary file (UTF-8)."""
        return cls(Path(path).read_text("utf-8"))

    def new_jieba(self) -> jieba.Tokenizer:
        """Return a jieba instance of its own that knows these words; nothing global changes."""
        instance = jieba.Tokenizer()
        # Done by hand instead of initialize(): that one shares a cache file in the temporary folder and logs.
        instance.FREQ, instance.total = instance.gen_pfdict(instance.get_dict_file())
        instance.initialized = True
        for word, (frequency, _) in self.words.items():
            instance.add_word(word, frequency)
        return instance

    def concepts(self, text: str, words: Iterable[str] = ()) -> list[str]:
        """Return the concepts in a lower-case text, in order; ``words`` are its words as cut.

        ``arrears`` for a word that is there, ``~arrears`` for one that only sounds so (拖钱工资); an
        abbreviation in letters (ldzc) counts as there. Words of one character count only where cut so.
        """
        found = [concept for _, concept in self._written(text)]
        found += [self.words[word][1] for word in words if len(word) == 1 and word in self.words]
        found += [
            self._by_initials[letters] for letters in _LETTERS.findall(text) if letters in self._by_initials
        ]
        return found + [f"~{concept}" for concept in self._heard(syllables(text))]

    def _written(self, text: str) -> list[tuple[str, str]]:
        found = []
        start = 0
        while start < len(text) - 1:
            if text[start : start + 2] not in self._beginnings:
                start += 1
                continue
            for end in range(min(len(text), start + _LONGEST_WORD), start + 1, -1):
                known = self.words.get(text[start:end])
                if known:
                    found.append((text[start:end], known[1]))
                    start = end
                    break
            else:
                start += 1
        return found

    def _heard(self, sounds: list[str]) -> list[str]:
        found = []
        start = 0
        while start < len(sounds) - 1:
            if (sounds[start], sounds[start + 1]) not in self._sound_beginnings:
                start += 1
                continue
            for end in range(min(len(sounds), start + _LONGEST_WORD), start + 1, -1):
                concept = self._by_sound.get(" ".join(sounds[start:end]))
                if concept:
                    found.append(concept)
                    start = end
                    break
            else:
                start += 1
        return found


def lower(text: str) -> str:
    """Lower-case without changing the length, so that offsets hold (``İ`` stays as it is)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    meanings: dict[str, set[str]] = {}
    for key, concept in pairs:
        meanings.setdefault(key, set()).add(concept)
    return {key: next(iter(concepts)) for key, concepts in meanings.items() if len(concepts) == 1}
