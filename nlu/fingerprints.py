"""Fingerprints for Rasa's training cache: what it cannot see, and what it would take too long to look at.

It cannot see the source of plain functions nor the contents of data files. And it hashes everything every
component leaves on every message, after every component: texts of matrices and of tokens, which took
longer than the training itself.
"""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path

import numpy as np
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.training_data.features import Features


def source_digest(*modules: str, files: tuple[str | Path, ...] = ()) -> str:
    """Return a digest (hex) of the modules' source files and of ``files``; a missing file counts as empty."""
    digest = hashlib.sha256()
    for name in modules:
        spec = util.find_spec(name)
        if spec is not None and spec.origin:
            digest.update(Path(spec.origin).read_bytes())
    for file in files:
        path = Path(file)
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def array_digest(*arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """Return a digest (hex) of the bytes of ``arrays``."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class SparseFeatures(Features):
    """Sparse features whose fingerprint is taken of their arrays instead of their text."""

    def fingerprint(self) -> str:
        """Return a digest (hex) of the matrix."""
        return array_digest(self.features.indptr, self.features.indices, self.features.data)


class Word(Token):
    """A token whose fingerprint is what it says: its place in the text follows from the words before it."""

    def fingerprint(self) -> str:
        """Return the word."""
        return str(self.text)
