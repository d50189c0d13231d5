"""Cutting a text into words and finding the union's concepts in it. Plain jieba, no Rasa."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jieba

from nlu.courtesy import courtesy_length
from nlu.dictionary import UnionDictionary, lower
from nlu.ngrams import Sample

Piece = tuple[str, int, int]
"""A lower-cased word, its first character's place in the text and the place behind its last."""


class Cutter:
    """Cuts texts with a dictionary, in a jieba instance of its own."""

    def __init__(self, dictionary: UnionDictionary) -> None:
        self.dictionary = dictionary

    @functools.cached_property
    def jieba(self) -> jieba.Tokenizer:
        """The instance of jieba; making it takes most of a second."""
        return self.dictionary.new_jieba()

    def words(self, text: str) -> list[Piece]:
        """Return the words of ``text`` (lower-cased, marks and spaces left out)."""
        return [
            piece
            for piece in self.jieba.tokenize(lower(text), HMM=False)
            if any(char.isalnum() for char in piece[0])
        ]

    def sample(self, text: str, start: int, words: Sequence[Piece]) -> Sample:
        """Return what the featuriser needs of a text that begins at ``start`` of the message.

        Courtesy in front of the matter is left out.
        """
        lowered = lower(text)
        skipped = courtesy_length(lowered)
        matter = lowered[skipped:]
        of_matter = tuple(word for word, place, _ in words if place >= start + skipped)
        return Sample(matter, of_matter, tuple(self.dictionary.concepts(matter, of_matter)))

    def cut(self, text: str) -> tuple[list[Piece], Sample]:
        """Return the words of a whole text, and what the featuriser needs of it."""
        words = self.words(text)
        return words, self.sample(text, 0, words)
