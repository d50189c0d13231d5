"""The featuriser of the pipeline: sparse n-gram features of whole sentences and of their clauses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.sparse_featurizer.sparse_featurizer import SparseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix

from nlu.clauses import CLAUSES
from nlu.fingerprints import SparseFeatures, source_digest
from nlu.ngrams import NgramVectoriser, Sample
from nlu.tokeniser import SAMPLE

KNOWN_SHARE = "known_share"
"""Message property: which share of the text's neighbouring characters was seen in training."""
CLAUSE_FEATURES = "clause_features"
"""Message property with one sparse row per clause (only when serving, only for several clauses)."""


class NgramFeaturizer(SparseFeaturizer, GraphComponent):
    """Pipeline component: tf-idf n-gram features of the sentence (and, when serving, of its clauses)."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Words come from a tokeniser."""
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``weights``: share of each n-gram block; ``min_count``: sentences an n-gram must occur in."""
        return {
            "alias": None,
            "weights": {"char": 1.0, "word": 0.7, "pinyin": 1.0, "tail": 0.6},
            "min_count": 3,
        }

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        vectoriser: NgramVectoriser | None = None,
    ) -> None:
        settings = {**self.get_default_config(), **config}
        super().__init__(name, settings)
        self._vectoriser = vectoriser or NgramVectoriser(settings["weights"], settings["min_count"])
        self._model_storage = model_storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> NgramFeaturizer:
        """Create an untrained featuriser."""
        return cls(config, execution_context.node_name, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> NgramFeaturizer:
        """Load a trained featuriser."""
        with model_storage.read_from(resource) as folder:
            vectoriser = read_vectoriser(folder)
        return cls(config, execution_context.node_name, model_storage, resource, vectoriser)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Accept any weights; an unknown block fails when training (``KeyError`` naming it)."""

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a change of the n-grams."""
        return source_digest("nlu.features", "nlu.ngrams", "nlu.pinyin")

    def train(self, training_data: TrainingData) -> Resource:
        """Learn vocabulary and idf from the training sentences."""
        samples = [message.get(SAMPLE) for message in training_data.training_examples if message.get(SAMPLE)]
        _Learnt.last = _Learnt(self._vectoriser, samples, self._vectoriser.fit_transform(samples))
        with self._model_storage.write_to(self._resource) as folder:
            write_vectoriser(self._vectoriser, folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add features to the training sentences."""
        learnt = _Learnt.last
        if learnt is not None and learnt.is_of(self._vectoriser):
            self._add(training_data.training_examples, learnt.row)
        else:
            self.process(training_data.training_examples)
        _Learnt.last = None
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add one sentence row to every message with text, and one row per clause where there are clauses."""
        return self._add(messages, lambda sample: self._vectoriser.transform([sample]))

    def _add(self, messages: list[Message], row_of: Callable[[Sample], csr_matrix]) -> list[Message]:
        for message in messages:
            sample = message.get(SAMPLE)
            if sample is None:
                continue
            message.set(KNOWN_SHARE, self._vectoriser.known_share(sample.text))
            row = row_of(sample)
            message.add_features(SparseFeatures(row, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
            clauses = message.get(CLAUSES)
            if clauses:
                message.set(CLAUSE_FEATURES, self._vectoriser.transform(clauses))
        return messages


class _Learnt:
    """The rows of the sentences a vectoriser was just trained on.

    Rasa trains one instance of a component and lets another, read from what that one stored, process the
    training sentences: taking them apart a second time was a tenth of a training.
    """

    last: ClassVar[_Learnt | None] = None

    def __init__(self, vectoriser: NgramVectoriser, samples: list[Sample], rows: csr_matrix) -> None:
        self._vectoriser = vectoriser
        self._samples = samples  # kept alive: their identity is what says which row is whose
        self._rows = rows
        self._row_of = {id(sample): number for number, sample in enumerate(samples)}

    def is_of(self, vectoriser: NgramVectoriser) -> bool:
        """Say whether ``vectoriser`` would make the same rows."""
        mine = self._vectoriser
        return mine.weights == vectoriser.weights and mine.vocabulary == vectoriser.vocabulary

    def row(self, sample: Sample) -> csr_matrix:
        """Return the row of a sample (float32, as ``NgramVectoriser.transform`` makes it)."""
        number = self._row_of.get(id(sample))
        return self._vectoriser.transform([sample]) if number is None else self._rows[number]


def write_vectoriser(vectoriser: NgramVectoriser, folder: Path) -> None:
    """Store a trained vectoriser as JSON and one array (no pickles in a model)."""
    content = {
        "weights": vectoriser.weights,
        "min_count": vectoriser.min_count,
        "vocabulary": {block: list(known) for block, known in vectoriser.vocabulary.items()},
    }
    (folder / "ngrams.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    np.save(folder / "idf.npy", vectoriser.idf, allow_pickle=False)


def read_vectoriser(folder: Path) -> NgramVectoriser:
    """Read what ``write_vectoriser`` stored."""
    content = json.loads((folder / "ngrams.json").read_text("utf-8"))
    vectoriser = NgramVectoriser(content["weights"], content["min_count"])
    column = 0
    for block, grams in content["vocabulary"].items():
        vectoriser.vocabulary[block] = {gram: column + i for i, gram in enumerate(grams)}
        column += len(grams)
    vectoriser.idf = np.load(folder / "idf.npy", allow_pickle=False)
    return vectoriser
