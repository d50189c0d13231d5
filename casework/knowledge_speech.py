"""How members speak of each topic: which words and characters of the training sentences tell topics apart.

A table of counts, no model: what articles are written in and what members say are not the same words. The
sentences are read once a process; without them (an image may leave them out) search has the articles alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from casework.errors import KnowledgeError
from casework.knowledge_terms import Lexicon

LEAST_OFTEN = 2
"""A term in fewer sentences than this tells nothing."""
DOUBT = 20.0
"""Sentences a topic is lent of what is said everywhere, so that few sentences do not speak loudly."""
CHARACTERS = 0.3
"""How much neighbouring characters count beside words."""
_ANNOTATED = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_Table = NDArray[np.float32]


class Speech:
    """Speech: for every term, how much more it is said of a topic than of others (log of the ratio)."""

    def __init__(self, sentences: Mapping[str, list[str]], lexicon: Lexicon) -> None:
        self.topics = tuple(sentences)
        self._lexicon = lexicon
        counts: list[Counter[str]] = []
        for said in sentences.values():
            counts.append(Counter(term for text in said for term in lexicon.spoken(text)))
        often: Counter[str] = Counter()
        for counted in counts:
            often.update(counted)
        terms = [term for term, times in often.items() if times >= LEAST_OFTEN]
        self._row = {term: place for place, term in enumerate(terms)}
        self._table = self._compare(counts, [len(said) for said in sentences.values()])

    def scores(self, text: str) -> NDArray[np.float64]:
        """How much a text sounds like each of ``topics``."""
        words: list[int] = []
        grams: list[int] = []
        for term, is_word in self._lexicon.spoken(text).items():
            row = self._row.get(term)
            if row is not None:
                (words if is_word else grams).append(row)
        found = self._table[words].sum(axis=0) + CHARACTERS * self._table[grams].sum(axis=0)
        return np.asarray(found, dtype=np.float64)

    def _compare(self, counts: list[Counter[str]], sizes: list[int]) -> _Table:
        table = np.zeros((len(self._row), len(counts)), dtype=np.float32)
        for column, counted in enumerate(counts):
            for term, times in counted.items():
                if (row := self._row.get(term)) is not None:
                    table[row, column] = times
        if not table.size:
            return table
        size = np.array(sizes, dtype=np.float32)
        everywhere = table.sum(axis=1, keepdims=True) / size.sum()
        rates = (table + DOUBT * everywhere) / (size + DOUBT)
        told = np.log(rates / rates.mean(axis=1, keepdims=True))
        return np.where((table > 0) & (told > 0), told, 0).astype(np.float32)


def speech_of(root: Path, topic_of: Mapping[str, str]) -> Speech | None:
    """The speech of the sentences beside a knowledge folder (``data/nlu``), or None when they are not there.

    ``topic_of`` maps an intent to its topic. Read once. Raises KnowledgeError for a file that is none.
    """
    folder = root.resolve().parent / "nlu"
    return _read(folder, root.resolve(), tuple(sorted(topic_of.items()))) if folder.is_dir() else None


@lru_cache(maxsize=2)
def _read(folder: Path, root: Path, topic_of: tuple[tuple[str, str], ...]) -> Speech | None:
    known = dict(topic_of)
    sentences: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
            blocks = [(block["intent"], block["examples"]) for block in content["nlu"] if "intent" in block]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise KnowledgeError(f"{path.name}: no sentences: {error}") from error
        for intent, examples in blocks:
            if intent in known:
                sentences.setdefault(known[intent], []).extend(_sentences(str(examples)))
    return Speech(sentences, Lexicon.load(root)) if sentences else None


def _sentences(examples: str) -> list[str]:
    lines = (line.strip() for line in examples.splitlines())
    return [_ANNOTATED.sub(r"\1", line.removeprefix("- ")) for line in lines if line.startswith("- ")]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where there is one: the sentences are many."""
