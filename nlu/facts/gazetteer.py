"""Gazetteers: names from data files, found in the text with spaCy's phrase matcher, character by character.

``spacy.blank("zh")`` cuts into single characters, so a name may end anywhere (jieba would cut across it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import spacy
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans


@lru_cache(maxsize=1)
def language() -> Language:
    """Return the one blank Chinese pipeline (character segmenter, nothing trained)."""
    return spacy.blank("zh")


@lru_cache(maxsize=4)
def characters(text: str) -> Doc:
    """Return ``text`` as one token per character, so that token and character offsets are the same."""
    return Doc(language().vocab, words=list(text), spaces=[False] * len(text))


@dataclass(frozen=True)
class Found:
    """One name found in the text, and what it stands for."""

    meaning: str
    start: int
    end: int


class Gazetteer:
    """Names by what they stand for; of overlapping names the longest counts. Case does not matter."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._matcher = PhraseMatcher(language().vocab, attr="LOWER")
        for meaning, spellings in names.items():
            self._matcher.add(meaning, [characters(spelling) for spelling in spellings if spelling])

    def find(self, text: str) -> list[Found]:
        """Return the names in ``text``, in order."""
        if not text:
            return []
        spans = filter_spans(self._matcher(characters(text), as_spans=True))
        return [Found(span.label_, span.start, span.end) for span in spans]
