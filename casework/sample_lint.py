"""Sample lint: what is wrong with the training sentences, one as it is typed or the whole set.

Sentences are compared without fact marks, marks of punctuation, blanks, case and width; nearly the same are
those that share most of their runs of three characters. Wrong labels take held-out models to find and come
from a training's own process (``nlu.label_errors``); they are findings like the others.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from casework.errors import BadInput
from casework.knowledge import Intent
from casework.personal_data import holds_personal_data
from casework.sample_files import MARK, TrainingSet, plain
from casework.sample_rules import check_form

GRAM = 3
NEAR_OTHER = 0.75
"""Likeness (Jaccard) from which a sentence is too like one under another intent."""
NEAR = 0.85
"""Likeness from which a sentence is hardly worth having beside one of the same intent."""
NEAR_GOLD = 0.6
"""Likeness from which a sentence gives one of the gold set away (as ``nlu.leakage`` has it)."""
GOLD_LEAST = 8
"""Characters, digits aside, a gold sentence must have to be protected (as ``nlu.leakage`` has it)."""
FEWEST = 60
"""Sentences an intent needs (as ``nlu.validation`` has it); service topics may do with fewer."""
FEWEST_SERVICE = 20
MOST_SHOWN = 5
"""Findings of one kind about one sentence."""
_NO_WORD = re.compile(r"[\W_]+")


class LintKind(StrEnum):
    """What is wrong; in the order in which it is shown."""

    LABEL = "label"
    """It probably stands under the wrong intent."""
    TWO_INTENTS = "two_intents"
    NEAR_OTHER = "near_other"
    """Nearly the same as one under another intent."""
    LEAK = "leak"
    """It gives a sentence of the gold set away."""
    FORM = "form"
    """An unknown fact is marked, a mark is broken, or it looks like a command."""
    PERSONAL_DATA = "personal_data"
    """It may hold somebody's name or number. Adding one is refused; those in the files are made up."""
    DUPLICATE = "duplicate"
    NEAR = "near"
    TOO_FEW = "too_few"


class Severity(StrEnum):
    """How much it matters: an error teaches the model something wrong or makes its measure worthless."""

    ERROR = "error"
    WARNING = "warning"


_WARNINGS = {
    LintKind.LABEL,
    LintKind.PERSONAL_DATA,
    LintKind.DUPLICATE,
    LintKind.NEAR,
    LintKind.TOO_FEW,
}


@dataclass(frozen=True)
class Finding:
    """Finding: one thing that is wrong with a sentence (or, with too few of them, with an intent)."""

    kind: LintKind
    intent: str
    text: str = ""
    """The sentence, facts marked."""
    other: str = ""
    """The sentence it is like; never one of the gold set."""
    other_intent: str = ""
    """The intent the other one stands under, or the sentence seems to mean."""
    detail: str = ""
    """How like (0.87), how sure, how many, or which rule it breaks."""

    @property
    def severity(self) -> Severity:
        """Whether it is an error or a warning."""
        return Severity.WARNING if self.kind in _WARNINGS else Severity.ERROR

    @property
    def key(self) -> str:
        """What a dismissed finding is remembered by: nothing anybody could read a sentence from."""
        parts = (self.kind, self.intent, plain(self.text), plain(self.other), self.other_intent)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]

    def as_dict(self) -> dict[str, str]:
        """As it is stored."""
        return asdict(self)


def bare(text: str) -> str:
    """A sentence as it is compared: narrow, small, without fact marks, blanks and punctuation.

    One that is nothing but punctuation or emoji stays as it is.
    """
    narrow = unicodedata.normalize("NFKC", MARK.sub(r"\1", text)).lower()
    return _NO_WORD.sub("", narrow) or narrow.strip()


def grams(text: str) -> frozenset[str]:
    """The runs of three characters of a bare text."""
    return frozenset(text[start : start + GRAM] for start in range(len(text) - GRAM + 1))


class NearIndex:
    """Sentences by their rarest runs of characters: finds those like a given one without a look at all.

    Two sets with a likeness of at least t share one of the (1 − t) rarest runs of either, whatever they are;
    so only these are looked up (prefix filtering).
    """

    def __init__(self, texts: Iterable[str], least: float) -> None:
        self.least = least
        self.texts = list(texts)
        self._bare = [bare(text) for text in self.texts]
        self._same: dict[str, list[int]] = defaultdict(list)
        self._frequency: Counter[str] = Counter()
        for number, words in enumerate(self._bare):
            self._same[words].append(number)
            self._frequency.update(grams(words))
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, words in enumerate(self._bare):
            for gram in self._rarest(grams(words)):
                self._holders[gram].append(number)

    def add(self, text: str) -> int:
        """Take one more sentence in and give its place; how rare runs are stays as it was counted first."""
        number, words = len(self.texts), bare(text)
        self.texts.append(text)
        self._bare.append(words)
        self._same[words].append(number)
        for gram in self._rarest(grams(words)):
            self._holders[gram].append(number)
        return number

    def same(self, text: str) -> Sequence[int]:
        """The places of the sentences that are the same but for marks, blanks, case and width."""
        return self._same.get(bare(text), ())

    def near(self, text: str) -> list[tuple[float, int]]:
        """(likeness, place) of those nearly the same, the likest first; the same ones are not among them."""
        words = bare(text)
        pieces = grams(words)
        found = []
        for number in {number for gram in self._rarest(pieces) for number in self._holders.get(gram, ())}:
            other = self._bare[number]
            if other == words or not self._may_be(len(pieces), max(0, len(other) - GRAM + 1)):
                continue
            others = grams(other)
            shared = len(pieces & others)
            likeness = shared / (len(pieces) + len(others) - shared)
            if likeness >= self.least:
                found.append((likeness, number))
        return sorted(found, key=lambda one: (-one[0], one[1]))

    def _may_be(self, size: int, most: int) -> bool:
        return most >= self.least * size

    def _rarest(self, pieces: Collection[str]) -> list[str]:
        ordered = sorted(pieces, key=lambda gram: (self._frequency.get(gram, 0), gram))
        return ordered[: len(pieces) - math.ceil(self.least * len(pieces)) + 1]


class GoldGuard:
    """Gold guard: knows whether a sentence would give one of the gold set away, and never says which."""

    def __init__(self, gold: Iterable[str]) -> None:
        long_enough = (text for text in gold if sum(not char.isdigit() for char in bare(text)) >= GOLD_LEAST)
        self._index = NearIndex(long_enough, NEAR_GOLD)

    def gives_away(self, text: str) -> bool:
        """Whether a sentence is the same as one of them, or nearly."""
        return bool(self._index.same(text) or self._index.near(text))


class Checker:
    """Checker: looks at one sentence as it is typed, against a training set.

    ``base`` is the index of the files' sentences, which stays while people change sentences on top of them.
    """

    def __init__(
        self, training_set: TrainingSet, base: NearIndex, facts: Collection[str], gold: GoldGuard
    ) -> None:
        self._set = training_set
        self._base = base
        known = {plain(text) for text in base.texts}
        added = [
            text for texts in training_set.blocks.values() for key, text in texts.items() if key not in known
        ]
        self._added = NearIndex(added, base.least)
        self._facts = facts
        self._gold = gold

    def check(self, text: str, intent: str, was: str = "") -> list[Finding]:
        """What is wrong with a sentence under an intent; ``was`` is the sentence it shall replace."""
        if not plain(text):
            return []
        found = list(_of_itself(text, intent, self._facts))
        left_out = {plain(was)} if was else set()
        same = list(self._stand(self._places(text, exact=True), left_out))
        found += [
            Finding(_same_kind(intent, other_intent), intent, text, other, other_intent)
            for other_intent, other, _ in same[:MOST_SHOWN]
        ]
        if not same:
            near = sorted(self._stand(self._places(text, exact=False), left_out), key=lambda one: -one[2])
            found += [
                Finding(kind, intent, text, other, other_intent, f"{likeness:.2f}")
                for other_intent, other, likeness in near
                if (kind := _near_kind(intent, other_intent, likeness)) is not None
            ][:MOST_SHOWN]
        if self._gold.gives_away(text):
            found.append(Finding(LintKind.LEAK, intent, text))
        return _in_order(found)

    def _places(self, text: str, *, exact: bool) -> Iterator[tuple[str, float]]:
        for index in (self._base, self._added):
            if exact:
                yield from ((index.texts[number], 1.0) for number in index.same(text))
            else:
                yield from ((index.texts[number], likeness) for likeness, number in index.near(text))

    def _stand(
        self, places: Iterable[tuple[str, float]], left_out: Collection[str]
    ) -> Iterator[tuple[str, str, float]]:
        """(intent, sentence, likeness) of those that still stand in the set, each once."""
        seen = set(left_out)
        for text, likeness in places:
            key = plain(text)
            where = self._set.intents.get(key)
            if where is not None and key not in seen:
                seen.add(key)
                yield where, self._set.blocks[where][key], likeness


def lint(
    training_set: TrainingSet, intents: Mapping[str, Intent], facts: Collection[str], gold: Iterable[str]
) -> list[Finding]:
    """Everything that is wrong with a set but wrong labels, in a fixed order; a second or two for 15,000.

    ``facts`` are those that may be marked, ``gold`` the texts no sentence may be like.
    """
    pairs = [(intent, text) for intent, texts in training_set.sentences.items() for text in texts]
    index, guard = NearIndex((text for _, text in pairs), NEAR_OTHER), GoldGuard(gold)
    found = list(_too_few(training_set, intents))
    for number, (intent, text) in enumerate(pairs):
        found += _of_itself(text, intent, facts)
        same = [place for place in index.same(text) if place < number]
        found += [
            Finding(_same_kind(intent, pairs[place][0]), intent, text, pairs[place][1], pairs[place][0])
            for place in same[:1]
        ]
        near = [(place, likeness) for likeness, place in index.near(text) if place < number]
        found += [
            Finding(kind, intent, text, pairs[place][1], pairs[place][0], f"{likeness:.2f}")
            for place, likeness in near[:MOST_SHOWN]
            if (kind := _near_kind(intent, pairs[place][0], likeness)) is not None
        ]
        if guard.gives_away(text):
            found.append(Finding(LintKind.LEAK, intent, text))
    return _in_order(found)


def gold_texts(home: Path) -> list[str]:
    """The texts of the gold set, which no training sentence may be like; none where it is not installed."""
    files = sorted((home / "tests" / "nlu" / "gold").glob("*.jsonl"))
    return [
        str(json.loads(line)["text"])
        for file in files
        if not file.stem.startswith("facts")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def counts(findings: Iterable[Finding]) -> dict[LintKind, int]:
    """How many findings there are of each kind; every kind is named."""
    counted = Counter(finding.kind for finding in findings)
    return {kind: counted[kind] for kind in LintKind}


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By kind; within it as they were found."""
    place = {kind: number for number, kind in enumerate(LintKind)}
    return sorted(findings, key=lambda one: place[one.kind])


def _of_itself(text: str, intent: str, facts: Collection[str]) -> Iterator[Finding]:
    try:
        check_form(text, facts)
    except BadInput as error:
        yield Finding(LintKind.FORM, intent, text, detail=str(error.values["field"]))
    if holds_personal_data(MARK.sub(r"\1", text)):
        yield Finding(LintKind.PERSONAL_DATA, intent, text)


def _same_kind(intent: str, other_intent: str) -> LintKind:
    return LintKind.DUPLICATE if other_intent == intent else LintKind.TWO_INTENTS


def _near_kind(intent: str, other_intent: str, likeness: float) -> LintKind | None:
    if other_intent != intent:
        return LintKind.NEAR_OTHER
    return LintKind.NEAR if likeness >= NEAR else None


def _too_few(training_set: TrainingSet, intents: Mapping[str, Intent]) -> Iterator[Finding]:
    for name, intent in intents.items():
        if not intent.trained:
            continue
        least = FEWEST_SERVICE if intent.topic.startswith("service.") else FEWEST
        have = len(training_set.sentences.get(name, ()))
        if have < least:
            yield Finding(LintKind.TOO_FEW, name, detail=f"{have}/{least}")
