"""What the classifier sees of a sentence: weighted blocks of n-grams, as plain functions and arrays.

Blocks: ``char`` (1–3 characters, digits all alike), ``word`` (1–2 words, the union dictionary's concepts
and pairs of those, the text's shape), ``pinyin`` (1–2 syllables without tones, so that 经济不长 sounds like
经济补偿) and ``tail`` (1–2 characters of the last two clauses, where the question usually stands). Longer
n-grams make the model half as large again and understand nothing better. No dense arrays.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, count, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from nlu.pinyin import syllable, syllables

Grams = dict[str, list[str]]
_PAUSE = re.compile(r"[,。!?;:、… ]+")
_TAIL_CHARACTERS = 40
_FEW_PAIRS = 3
_DIGIT = re.compile(r"\d")
_LENGTHS = (3, 6, 10, 20, 40, 80)
_SHAPES = {
    "asks": re.compile(r"[?吗不没么啥咋呢]$|怎么|咋|多少|什么|能不能|吗|哪|几"),
    "phone": re.compile(r"1[3-9]\d{9}"),
    "digits": re.compile(r"\d"),
    "date": re.compile(r"\d{4}年|\d月|月\d|[一二三四五六七八九十]月"),
    "greets": re.compile(r"^(?:你好|您好)"),
}


@dataclass(frozen=True)
class Sample:
    """One sentence as the n-gram blocks need it: lower-cased text, its words, their concepts."""

    text: str
    words: tuple[str, ...]
    concepts: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Return what tells samples apart (Rasa's training cache asks for it)."""
        return self.text


def grams_of(sample: Sample) -> Grams:
    """Return the n-grams of ``sample`` by block name."""
    text = sample.text
    sounds = syllables(text)
    clauses = [clause for clause in _PAUSE.split(text) if clause]
    return {
        "char": _runs(_DIGIT.sub("0", text), 3),
        "word": [*sample.words, *_pairs(sample.words), *_concept_grams(sample.concepts), *shape(text)],
        "pinyin": [" ".join(sounds[i : i + n]) for n in range(1, 3) for i in range(len(sounds) - n + 1)],
        "tail": _runs("".join(clauses[-2:])[-_TAIL_CHARACTERS:], 2),
    }


def shape(text: str) -> list[str]:
    """Return what a text looks like, whatever it says: length, numbers, dates, a phone, a question."""
    found = [f"?length{bisect(_LENGTHS, len(text))}"]
    found += [f"?{name}" for name, pattern in _SHAPES.items() if pattern.search(text)]
    return found


def _concept_grams(concepts: Sequence[str]) -> list[str]:
    certain = sorted({concept for concept in concepts if not concept.startswith("~")})
    return [
        *(concept if concept.startswith("~") else f"#{concept}" for concept in concepts),
        *(f"#{one}#{other}" for one, other in combinations(certain, 2)),
    ]


def _pairs(words: Sequence[str]) -> list[str]:
    return ["_".join(pair) for pair in pairwise(words)]


def _runs(text: str, longest: int) -> list[str]:
    return [text[i : i + n] for n in range(1, longest + 1) for i in range(len(text) - n + 1)]


class NgramVectoriser:
    """Sublinear tf-idf over blocks of n-grams: every block and the whole row have length 1."""

    def __init__(self, weights: dict[str, float], min_count: int = 3) -> None:
        self.weights = weights
        self.min_count = min_count
        self.vocabulary: dict[str, dict[str, int]] = {}
        self.idf: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def fit(self, samples: Sequence[Sample]) -> NgramVectoriser:
        """Learn the n-grams that at least ``min_count`` samples contain, and how rare each is."""
        self.fit_transform(samples)
        return self

    def fit_transform(self, samples: Sequence[Sample]) -> csr_matrix:
        """Do as ``fit`` and then ``transform``, taking every sample apart only once."""
        codes: dict[str, dict[str, int]] = {block: defaultdict(count().__next__) for block in self.weights}
        found: dict[str, list[int]] = {block: [] for block in self.weights}
        ends: dict[str, list[int]] = {block: [0] for block in self.weights}
        for sample in samples:
            grams = grams_of(sample)
            for block in self.weights:
                found[block].extend(map(codes[block].__getitem__, grams[block]))
                ends[block].append(len(found[block]))
        blocks: list[csr_matrix] = []
        idf: list[NDArray[np.float32]] = []
        column = 0
        for block, weight in self.weights.items():
            counts = csr_matrix(
                (np.ones(len(found[block]), np.float32), found[block], ends[block]),
                shape=(len(samples), len(codes[block])),
            )
            counts.sum_duplicates()
            frequency = np.bincount(counts.indices, minlength=len(codes[block]))
            kept = sorted(gram for gram, code in codes[block].items() if frequency[code] >= self.min_count)
            self.vocabulary[block] = {gram: column + i for i, gram in enumerate(kept)}
            column += len(kept)
            of_kept = np.fromiter(map(codes[block].__getitem__, kept), dtype=np.int64, count=len(kept))
            idf.append((np.log((1 + len(samples)) / (1 + frequency[of_kept])) + 1).astype(np.float32))
            rows = counts[:, of_kept]
            rows.data = (1 + np.log(rows.data)) * idf[-1][rows.indices]
            blocks.append(_of_length(rows, weight))
        self.idf = np.concatenate(idf)
        return _of_length(hstack(blocks, format="csr"), 1.0)

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

    def known_share(self, text: str) -> float:
        """Return which share of a text's neighbouring characters was seen or heard in training (marks aside).

        Heard: 防署 was never written, but 防暑 sounds the same.
        """
        seen, heard = self.vocabulary.get("char", {}), self.vocabulary.get("pinyin", {})
        folded = _DIGIT.sub("0", text)
        pairs = [pair for pair in map("".join, pairwise(folded)) if pair.isalnum()]
        if len(pairs) < _FEW_PAIRS:  # 嗯嗯, 3q: what is said in a breath has no pairs to speak of
            single = [char for char in folded if char.isalnum()]
            return sum(char in seen for char in single) / len(single) if single else 0.0
        known = sum(
            pair in seen or (not pair.isascii() and " ".join(map(syllable, pair)) in heard) for pair in pairs
        )
        return known / len(pairs)

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


def _of_length(rows: csr_matrix, length: float) -> csr_matrix:
    """Bring every row that is not empty to a length."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).ravel())
    factors = length / np.where(lengths > 0, lengths, 1)
    rows.data = (rows.data * np.repeat(factors, np.diff(rows.indptr))).astype(np.float32)
    return rows
