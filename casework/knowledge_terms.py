"""Knowledge terms: what search compares, the words of a text, its characters, its sounds and its concepts.

Pure once read: the same text always gives the same terms. The stop words and what each topic is also called
are data (``data/knowledge/search.yml``), the union's words are the dictionary of the language model.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import jieba
from pypinyin import lazy_pinyin

from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge

logging.getLogger("jieba").setLevel(logging.WARNING)

LONGEST_QUERY = 400
"""Characters of a query that are looked at: a story's matter is told by then."""
_KEPT = 4096
_LONGEST_WORD = 8
_LONGEST_SYLLABLE = 6
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|[0-9]+")
_SPOKEN = re.compile(r"[\u4e00-\u9fff]|[a-z]+")
_TYPED = re.compile(r"[a-z]{4,}")
_BETWEEN_LETTERS = re.compile(r"(?<=[a-z]) +(?=[a-z])")
_FOLDED_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms: one text as search sees it, field by field; a term said twice is there twice."""

    words: tuple[str, ...]
    grams: tuple[str, ...]
    """Two and three neighbouring characters."""
    sounds: tuple[str, ...]
    """Two neighbouring syllables without tones, so that a word typed by its sound is found."""
    concepts: tuple[str, ...]
    """What the union's words in it stand for (拖欠 and 没发工资 are both ``arrears``)."""

    def __bool__(self) -> bool:
        return bool(self.words or self.grams or self.sounds or self.concepts)


@dataclass(frozen=True, slots=True)
class Nickname:
    """Nickname: what a topic is also called, by concept of the dictionary and in members' own words."""

    concepts: tuple[str, ...]
    words: tuple[str, ...]


class Lexicon:
    """Lexicon: the union's words, stop words and nicknames of one knowledge folder."""

    def __init__(
        self,
        concepts: Mapping[str, str],
        frequencies: Mapping[str, int],
        stop: frozenset[str],
        nicknames: Mapping[str, Nickname],
        fold: Mapping[int, str],
    ) -> None:
        told = {one for nickname in nicknames.values() for one in nickname.concepts}
        self._concepts = {word: concept for word, concept in concepts.items() if concept in told}
        self._stop = stop
        self._fold = dict(fold)
        self.nicknames = dict(nicknames)
        self._jieba = _own_jieba(frequencies)
        self._by_sound = _unambiguous(
            (tuple(syllable(char) for char in word), concept)
            for word, concept in self._concepts.items()
            if len(word) > 1 and _HAN.fullmatch(word)
        )
        self._spelt: dict[tuple[str, ...], str] = {}
        """The word, the likeliest one, that typed pinyin stands for."""
        for word in sorted(self._concepts, key=lambda word: -frequencies.get(word, 0)):
            if len(word) > 1 and _HAN.fullmatch(word):
                self._spelt.setdefault(tuple(syllable(char) for char in word), word)
        self._syllables = frozenset(one for sound in self._by_sound for one in sound)
        self.kept_terms = lru_cache(maxsize=_KEPT)(self.terms)
        """``terms`` for what articles say, remembered so that a new index costs little; never for a query."""

    @classmethod
    def load(cls, root: Path) -> Lexicon:
        """Read ``search.yml`` and the dictionary; raises KnowledgeError naming the entry at fault.

        Read once a folder, as cutting words needs jieba's own dictionary in memory.
        """
        return _load(root.resolve())

    def terms(self, text: str) -> Terms:
        """The terms of a text."""
        plain = self._plain(text)
        words, kept = self._cut(plain)
        return Terms(
            words=tuple(words),
            grams=tuple(_grams(kept)),
            sounds=tuple(self._sounds(kept)),
            concepts=tuple(self._concepts_in(plain)),
        )

    def spoken(self, text: str) -> dict[str, bool]:
        """The different words (true) and neighbouring characters (false) of a text."""
        words, kept = self._cut(self._plain(text))
        return dict.fromkeys(_grams(kept), False) | dict.fromkeys(words, True)

    def _plain(self, text: str) -> str:
        """Narrow, small letters, simplified characters, typed pinyin read."""
        narrow = unicodedata.normalize("NFKC", text).lower().translate(self._fold)
        plain = _BETWEEN_LETTERS.sub("", narrow)
        return _TYPED.sub(lambda typed: self._read(typed.group()), plain)

    def _cut(self, plain: str) -> tuple[list[str], str]:
        """The words that tell something, and the text with blanks for marks and stop words."""
        cut = [word for word in self._jieba.cut_for_search(plain, HMM=False) if word[0].isalnum()]
        kept = "".join(char if char.isalnum() else " " for char in plain)
        for word in sorted({word for word in cut if word in self._stop}, key=len, reverse=True):
            kept = kept.replace(word, " ") if len(word) > 1 else kept
        return [word for word in cut if word not in self._stop and not _is_filler(word)], kept

    def _sounds(self, text: str) -> Iterator[str]:
        for run in text.split():
            syllables = self._syllables_of(run)
            for first, second in pairwise(syllables):
                yield f"{first} {second}"

    def _syllables_of(self, text: str) -> list[str]:
        found: list[str] = []
        for piece in _SPOKEN.findall(text):
            found.extend([syllable(piece)] if _HAN.fullmatch(piece) else self._typed(piece) or [piece])
        return found

    def _read(self, letters: str) -> str:
        """Typed pinyin with the union's words in their place (qianxin is 欠薪); other letters as they are."""
        syllables = self._typed(letters)
        if syllables is None:
            return letters
        read: list[str] = []
        start = 0
        while start < len(syllables):
            for length in range(min(_LONGEST_WORD, len(syllables) - start), 0, -1):
                word = self._spelt.get(tuple(syllables[start : start + length]))
                if word is not None or length == 1:
                    read.append(word or syllables[start])
                    start += length
                    break
        return "".join(read) if any(_HAN.search(one) for one in read) else letters

    def _typed(self, letters: str) -> list[str] | None:
        """Letters cut into syllables, the longest first, or None where they are no pinyin."""
        reached: dict[int, list[str]] = {0: []}
        for start in range(len(letters)):
            if start not in reached:
                continue
            for end in range(min(len(letters), start + _LONGEST_SYLLABLE), start, -1):
                folded = _fold_sound(letters[start:end])
                if folded in self._syllables and end not in reached:
                    reached[end] = [*reached[start], folded]
        return reached.get(len(letters))

    def _concepts_in(self, text: str) -> Iterator[str]:
        """Concepts of the longest words that are there; what only sounds like one counts as ``~concept``."""
        for run in text.split():
            start = 0
            while start < len(run):
                length = self._longest(run, start)
                if length:
                    yield self._concepts[run[start : start + length]]
                start += max(length, 1)
        syllables = self._syllables_of(text)
        start = 0
        while start < len(syllables):
            for length in range(min(_LONGEST_WORD, len(syllables) - start), 1, -1):
                concept = self._by_sound.get(tuple(syllables[start : start + length]))
                if concept is not None:
                    yield f"~{concept}"
                    start += length - 1
                    break
            start += 1

    def _longest(self, run: str, start: int) -> int:
        for length in range(min(_LONGEST_WORD, len(run) - start), 1, -1):
            if run[start : start + length] in self._concepts:
                return length
        return 0


@lru_cache(maxsize=16_384)
def syllable(char: str) -> str:
    """How a character sounds: no tone, and alike where typists mix them up (shi and si, ying and yin)."""
    return _fold_sound(lazy_pinyin(char)[0])


def _fold_sound(sound: str) -> str:
    if sound[:2] in ("zh", "ch", "sh"):
        sound = sound[0] + sound[2:]
    for long, short in _FOLDED_FINALS:
        if sound.endswith(long):
            return sound.removesuffix(long) + short
    return sound


def _grams(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        if not _HAN.fullmatch(run):
            yield run
            continue
        for length in (2, 3):
            for start in range(len(run) - length + 1):
                yield run[start : start + length]


def _is_filler(word: str) -> bool:
    """One character alone says nothing about what is asked, and neither does a bare number."""
    return len(word) == 1 or word.isdigit()


def _own_jieba(frequencies: Mapping[str, int]) -> jieba.Tokenizer:
    """A jieba of its own: nothing global changes, and no cache file is shared."""
    instance = jieba.Tokenizer()
    instance.FREQ, instance.total = instance.gen_pfdict(instance.get_dict_file())
    instance.initialized = True
    for word, frequency in frequencies.items():
        instance.add_word(word, frequency)
    return instance


def _unambiguous(pairs: Iterator[tuple[tuple[str, ...], str]]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str | None] = {}
    for sound, concept in pairs:
        found[sound] = concept if found.setdefault(sound, concept) == concept else None
    return {sound: concept for sound, concept in found.items() if concept is not None}


@lru_cache(maxsize=4)
def _load(root: Path) -> Lexicon:
    concepts, frequencies = _read_dictionary(root / "dictionary" / "union.txt")
    path = root / "search.yml"
    top = Entry(path.name, "(top)", read_knowledge(path))
    stop = top.texts("stop_words")
    fold = _read_fold(top.entry("fold")) if top.has("fold") else {}
    top.raw("fold")
    nicknames: dict[str, Nickname] = {}
    for topic, entry in top.named_entries("topics").items():
        nicknames[topic] = Nickname(entry.texts("concepts"), entry.texts("words"))
        entry.done()
    top.done()
    unknown = {one for nickname in nicknames.values() for one in nickname.concepts} - set(concepts.values())
    if unknown:
        raise KnowledgeError(
            f"{path.name}: no word of the dictionary stands for {', '.join(sorted(unknown))}"
        )
    return Lexicon(concepts, frequencies, frozenset(stop), nicknames, fold)


def _read_fold(entry: Entry) -> dict[int, str]:
    traditional, simplified = entry.text("traditional"), entry.text("simplified")
    entry.done()
    if len(traditional) != len(simplified):
        raise entry.error("traditional and simplified must have the same length")
    return {ord(old): new for old, new in zip(traditional, simplified, strict=True)}


def _read_dictionary(path: Path) -> tuple[dict[str, str], dict[str, int]]:
    concepts: dict[str, str] = {}
    frequencies: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) != 3 or not parts[1].isdigit():
            raise KnowledgeError(f"{path.name}: line {number}: must be 'word frequency concept'")
        word = unicodedata.normalize("NFKC", parts[0]).lower()
        concepts[word], frequencies[word] = parts[2], int(parts[1])
    return concepts, frequencies
