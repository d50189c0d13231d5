"""spaCy's word vectors as sentence features, looked up for our own words.

Rasa's SpacyNLP and SpacyFeaturizer bring spaCy's own tokeniser, and Rasa allows one tokeniser in a
pipeline; they also run the tagger and the entity recogniser on every message. Here only the vocabulary
is loaded, so that neither spaCy's segmenter (spacy-pkuseg) nor its pipeline is needed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from nlu.encoders.bert import FloatArray
from nlu.encoders.component import DenseSentenceFeaturizer, SentenceVectors, place
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import digest_of
from nlu.encoders.sentence_encoder import unit_rows
from nlu.ngrams import Sample

_VECTOR_FILES = ("vectors", "key2row", "strings.json")


class SpacyVectorFeaturizer(DenseSentenceFeaturizer):
    """Pipeline component: the mean of spaCy's word vectors over our own words."""

    modules = ("nlu.encoders.component", "nlu.encoders.spacy_vectors")

    @staticmethod
    def required_packages() -> list[str]:
        """Return spaCy alone; its Chinese segmenter is not needed."""
        return ["spacy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``model``: an installed spaCy package or a folder; ``normalize``: rows of length 1."""
        return {"alias": None, "model": "zh_core_web_md", "normalize": True}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Accept any model name; a missing one is reported when it is opened."""

    @classmethod
    def identity(cls, settings: dict[str, Any]) -> str:
        """Return the digest of the model's vectors and of the words they belong to."""
        vocabulary = _vocabulary_folder(settings["model"])
        return digest_of(tuple(vocabulary / name for name in _VECTOR_FILES))

    @classmethod
    def open(cls, settings: dict[str, Any]) -> SentenceVectors:
        """Load the vectors of a package or folder; raises ``EncoderUnreadable``."""
        return WordVectors(_vocabulary_folder(settings["model"]), settings["normalize"])


class WordVectors:
    """Word vectors: the mean over a sample's words; a word without one gives those of its longest parts."""

    def __init__(self, vocabulary: Path, normalize: bool) -> None:
        from spacy.vocab import Vocab  # noqa: PLC0415  (seconds to load, and only for those who use it)

        loaded = Vocab().from_disk(vocabulary, exclude=["lookups"])
        self._vectors = loaded.vectors
        self._strings = loaded.strings
        self._normalize = normalize
        self.dimension = int(loaded.vectors_length)
        if self.dimension == 0 or self._vectors.mode != "default":
            raise EncoderUnreadable(
                f"{vocabulary} holds no table of word vectors; "
                "of spaCy's Chinese models zh_core_web_md and zh_core_web_lg do"
            )

    def vectors(self, samples: Sequence[Sample]) -> FloatArray:
        """Return one row per sample; zeros where none of its words is known."""
        rows: FloatArray = np.zeros((len(samples), self.dimension), dtype=np.float32)
        for row, sample in zip(rows, samples, strict=True):
            known = [vector for word in sample.words for vector in self._of_word(word)]
            if known:
                row[:] = np.mean(known, axis=0)
        return unit_rows(rows) if self._normalize else rows

    def _of_word(self, word: str) -> list[FloatArray]:
        found: list[FloatArray] = []
        start = 0
        while start < len(word):
            # The whole word first; what is left is taken apart the same way (金秋助学: 金秋, 助学).
            for end in range(len(word), start, -1):
                number = self._vectors.key2row.get(self._strings[word[start:end]])
                if number is not None:
                    found.append(self._vectors.data[number])
                    break
            else:
                end = start + 1
            start = end
        return found


def _vocabulary_folder(model: str) -> Path:
    """Where a package or a folder keeps its vocabulary; raises ``EncoderUnreadable``."""
    folder = place(model)
    if not folder.is_dir():
        folder = _package_folder(model)
    vocabulary = folder / "vocab"
    if not all((vocabulary / name).is_file() for name in _VECTOR_FILES):
        raise EncoderUnreadable(
            f"{folder} is no spaCy model: it has no vocabulary with vectors in {vocabulary}"
        )
    return vocabulary


def _package_folder(model: str) -> Path:
    spec = util.find_spec(model) if model.isidentifier() else None
    if spec is None or spec.origin is None:
        raise EncoderUnreadable(
            f"the spaCy model {model!r} is neither an installed package nor a folder. Install it where this "
            "runs, `python -m spacy download zh_core_web_md --no-deps`, or unpack its archive and name the "
            "folder in the configuration, e.g. `model: encoders/zh_core_web_md` (docs/encoders.md)"
        )
    package = Path(spec.origin).parent
    meta = json.loads((package / "meta.json").read_text("utf-8"))
    return package / f"{meta['lang']}_{meta['name']}-{meta['version']}"
