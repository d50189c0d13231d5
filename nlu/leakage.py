"""Leakage: sentences of the gold set that also stand among the training sentences, alike or nearly so."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nlu.normaliser import normalise

GRAM = 3
NEAR = 0.6
"""Share of character 3-grams in common from which two sentences are nearly the same (Jaccard)."""
LEAST_TO_COMPARE = 8
"""Characters, digits aside, a gold sentence must have to be compared by 3-grams; shorter ones leak only
word for word."""
TOO_SHORT_TO_DIFFER = 4
"""Up to so many characters, digits aside, there are too few ways to say it (谢谢, a phone number)."""

_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Leak:
    """Leak: a gold sentence, the training sentence it is like, and how like (1.0 is word for word)."""

    gold: str
    training: str
    likeness: float

    def __str__(self) -> str:
        return f"{self.likeness:.2f}  {self.gold}  ↔  {self.training}"


def leaks(gold: Iterable[Mapping[str, object]], training: Iterable[str]) -> list[Leak]:
    """Return the gold rows (``text``, ``topic``) that training sentences give away, the likest first.

    Compared without marks, blanks and case, in the normaliser's spelling. Exempt are texts of up to 4
    characters (a bare phone or case number too), and greetings and the like (``talk.*``) of under 8.
    """
    index = _Index(training)
    found = [leak for row in gold for leak in index.like(str(row["text"]), str(row.get("topic") or ""))]
    return sorted(found, key=lambda leak: (-leak.likeness, leak.gold))


def plain(text: str) -> str:
    """Return a text in one spelling, with nothing but its letters, digits and characters."""
    return _NO_WORD.sub("", normalise(text).lower())


def grams(text: str) -> frozenset[str]:
    """Return the character 3-grams of a text."""
    return frozenset(text[start : start + GRAM] for start in range(len(text) - GRAM + 1))


class _Index:
    """Training sentences by their 3-grams, so that each gold sentence meets only those it shares one with."""

    def __init__(self, training: Iterable[str]) -> None:
        self._texts = list(training)
        self._same: dict[str, int] = {}
        self._sizes: list[int] = []
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self._texts):
            bare = plain(text)
            self._same.setdefault(bare, number)
            pieces = grams(bare)
            self._sizes.append(len(pieces))
            for gram in pieces:
                self._holders[gram].append(number)

    def like(self, text: str, topic: str) -> Iterator[Leak]:
        bare = plain(text)
        length = sum(not char.isdigit() for char in bare)
        if length <= TOO_SHORT_TO_DIFFER:
            return
        short = length < LEAST_TO_COMPARE
        if short and topic.startswith("talk."):
            return
        if bare in self._same:
            yield Leak(text, self._texts[self._same[bare]], 1.0)
        elif not short:
            yield from self._near(text, grams(bare))

    def _near(self, text: str, pieces: frozenset[str]) -> Iterator[Leak]:
        shared = Counter(number for gram in pieces for number in self._holders.get(gram, ()))
        likest = max(
            ((both / (len(pieces) + self._sizes[number] - both), number) for number, both in shared.items()),
            default=(0.0, -1),
        )
        if likest[0] >= NEAR:
            yield Leak(text, self._texts[likest[1]], round(likest[0], 4))
