"""Clauses: the parts of a longer message that may each be about something else."""

from __future__ import annotations

import re
from dataclasses import dataclass

CLAUSES = "clauses"
"""Message property under which the tokeniser leaves a sample of every clause for the featuriser."""

_SENTENCE = re.compile(r"[^。!?;…\n]+[。!?;…\n]*")
_COMMA = re.compile(r"[^,、: ]+[,、: ]*")
_MIN_CHARACTERS = 6
_LONG_SENTENCE = 24
_MAX_CLAUSES = 24
_LINK = re.compile(r"(?=(?:还有|另外|再就是|顺便|然后我想问|同时|而且还))")


@dataclass(frozen=True)
class Clause:
    """One clause of a message: its text, and where it starts in the message."""

    text: str
    start: int


def split_clauses(text: str) -> list[Clause]:
    """Cut a normalised text into clauses of at least 6 characters, at most 24 of them.

    Sentences are clauses; a sentence over 24 characters is cut again at commas, spaces and at words
    that open another matter (还有, 另外). Pieces that are too short join the one before.
    """
    pieces: list[tuple[int, str]] = []
    for sentence in _SENTENCE.finditer(text):
        if len(sentence.group()) <= _LONG_SENTENCE:
            pieces.append((sentence.start(), sentence.group()))
            continue
        for part in _COMMA.finditer(sentence.group()):
            offset = sentence.start() + part.start()
            for piece in _LINK.split(part.group()):
                pieces.append((offset, piece))
                offset += len(piece)
    return _joined(pieces)[:_MAX_CLAUSES]


def _joined(pieces: list[tuple[int, str]]) -> list[Clause]:
    clauses: list[Clause] = []
    for start, piece in pieces:
        if clauses and min(len(piece.strip()), len(clauses[-1].text.strip())) < _MIN_CHARACTERS:
            last = clauses.pop()
            clauses.append(Clause(last.text + piece, last.start))
        else:
            clauses.append(Clause(piece, start))
    return [clause for clause in clauses if clause.text.strip()]
