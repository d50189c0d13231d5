"""What the classifier sees of a sentence: weighted blocks of n-grams, as plain functions and arrays.

Blocks: ``char`` (1–4 characters), ``word`` (1–2 words, the union dictionary's concepts behind them and
pairs of those), ``pinyin`` (1–3 syllables without tones, so that 经济不长 sounds like 经济补偿) and
``tail`` (1–3 characters of the last two clauses, where the question usually stands). No dense arrays.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pypinyin.pinyin_dict import pinyin_dict
from scipy.sparse import csr_matrix

Grams = dict[str, list[str]]
_PAUSE = re.compile(r"[,。!?;:、… ]+")
_TAIL_CHARACTERS = 40


@dataclass(frozen=True)
class Sample:
    """One sentence as the n-gram blocks need it: lower-cased text, its words, their concepts."""

    text: str
    words: tuple[str, ...]
    concepts: tuple[str, ...] = ()


def grams_of(sample: Sample) -> Grams:
    """Return the n-grams of ``sample`` by block name."""
    text = sample.text
    syllables = [syllable(char) for char in text if char.isalnum()]
    clauses = [clause for clause in _PAUSE.split(text) if clause]
    tail = "".join(clauses[-2:])[-_TAIL_CHARACTERS:]
    pairs = zip(sample.words, sample.words[1:], strict=False)
    concepts = sorted(set(sample.concepts))
    return {
        "char": _runs(text, 4),
        "word": [
            *sample.words,
            *("_".join(pair) for pair in pairs),
            *(f"#{concept}" for concept in sample.concepts),
            *(f"#{one}#{other}" for one, other in combinations(concepts, 2)),
        ],
        "pinyin": [
            " ".join(syllables[i : i + n]) for n in range(1, 4) for i in range(len(syllables) - n + 1)
        ],
        "tail": _runs(tail, 3),
    }


def _runs(text: str, longest: int) -> list[str]:
    return [text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1)]


@lru_cache(maxsize=16_384)
def syllable(char: str) -> str:
    """Return the first pinyin reading of a character without its tone, or the character itself."""
    reading = pinyin_dict.get(ord(char))
    if reading is None:
        return char
    decomposed = unicodedata.normalize("NFD", reading.split(",")[0])
    return "".join(part for part in decomposed if not unicodedata.combining(part))


class NgramVectoriser:
    """Sublinear tf-idf over blocks of n-grams: every block and the whole row have length 1."""

    def __init__(self, weights: dict[str, float], min_count: int = 2) -> None:
        self.weights = weights
        self.min_count = min_count
        self.vocabulary: dict[str, dict[str, int]] = {}
        self.idf: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def fit(self, samples: Sequence[Sample]) -> NgramVectoriser:
        """Learn the n-grams that at least ``min_count`` samples contain, and how rare each is."""
        counts: dict[str, Counter[str]] = {block: Counter() for block in self.weights}
        for sample in samples:
            grams = grams_of(sample)
            for block, counter in counts.items():
                counter.update(set(grams[block]))
        column = 0
        frequencies: list[int] = []
        for block, counter in counts.items():
            kept = sorted(gram for gram, count in counter.items() if count >= self.min_count)
            self.vocabulary[block] = {gram: column + i for i, gram in enumerate(kept)}
            frequencies.extend(counter[gram] for gram in kept)
            column += len(kept)
        document_frequency = np.asarray(frequencies, dtype=np.float32)
        self.idf = (np.log((1 + len(samples)) / (1 + document_frequency)) + 1).astype(np.float32)
        return self

    def transform(self, samples: Iterable[Sample]) -> csr_matrix:
        """Return one sparse row (float32) per sample; a row without any known n-gram is empty."""
        columns: list[NDArray[np.int32]] = []
        values: list[NDArray[np.float32]] = []
        starts = [0]
        for sample in samples:
            row_columns, row_values = self.row(sample)
            columns.append(row_columns)
            values.append(row_values)
            starts.append(starts[-1] + len(row_columns))
        data = np.concatenate(values) if values else np.zeros(0, dtype=np.float32)
        indices = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)
        return csr_matrix((data, indices, starts), shape=(len(starts) - 1, len(self.idf)), dtype=np.float32)

    def row(self, sample: Sample) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and values of one sample's row."""
        grams = grams_of(sample)
        columns: list[NDArray[np.int32]] = []
        values: list[NDArray[np.float32]] = []
        for block, weight in self.weights.items():
            known = self.vocabulary[block]
            found = Counter([known[gram] for gram in grams[block] if gram in known])
            if not found:
                continue
            block_columns = np.fromiter(found.keys(), dtype=np.int32, count=len(found))
            block_values = np.fromiter(found.values(), dtype=np.float32, count=len(found))
            block_values = (1 + np.log(block_values)) * self.idf[block_columns]
            columns.append(block_columns)
            values.append((block_values * (weight / np.linalg.norm(block_values))).astype(np.float32))
        if not columns:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        row_values = np.concatenate(values)
        return np.concatenate(columns), (row_values / np.linalg.norm(row_values)).astype(np.float32)
