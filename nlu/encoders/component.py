"""What both dense featurisers share, and the one that runs a sentence encoder from a local folder."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.clauses import CLAUSES
from nlu.dictionary import lower
from nlu.encoders.bert import FloatArray
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import POOLINGS, read_folder
from nlu.encoders.sentence_encoder import AUTO, EncoderSettings, SentenceEncoder
from nlu.fingerprints import source_digest
from nlu.ngrams import Sample
from nlu.tokeniser import SAMPLE

CLAUSE_VECTORS = "clause_vectors"
"""Message property with one dense row per clause (only when serving, only for several clauses)."""
_IDENTITY_FILE = "vectors.json"


class SentenceVectors(Protocol):
    """Sentence vectors: anything that turns samples into one row each."""

    dimension: int

    def vectors(self, samples: Sequence[Sample]) -> FloatArray:
        """Return samples × dimension."""


class DenseSentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one dense row per sentence, and when serving one per clause.

    The vectors come from files outside the model. A model remembers a digest of those it was trained
    with, and refuses to load beside others.
    """

    modules: ClassVar[tuple[str, ...]] = ("nlu.encoders.component",)
    """The modules whose change calls for a new training."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Words come from a tokeniser."""
        return [Tokenizer]

    @classmethod
    @abstractmethod
    def identity(cls, settings: dict[str, Any]) -> str:
        """Return a digest of the files behind the vectors; raises ``EncoderUnreadable``."""

    @classmethod
    @abstractmethod
    def open(cls, settings: dict[str, Any]) -> SentenceVectors:
        """Load the vectors; raises ``EncoderUnreadable``."""

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        vectors: SentenceVectors,
    ) -> None:
        super().__init__(name, {**self.get_default_config(), **config})
        self._model_storage = model_storage
        self._resource = resource
        self._vectors = vectors

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Self:
        """Create the component for training; raises ``EncoderUnreadable`` when its files are missing."""
        settings = {**cls.get_default_config(), **config}
        cls.validate_config(settings)
        return cls(config, execution_context.node_name, model_storage, resource, cls.open(settings))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Self:
        """Load the component; raises ``EncoderUnreadable`` when its files are missing or have changed."""
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            trained_with = json.loads((folder / _IDENTITY_FILE).read_text("utf-8"))
        settings = {**cls.get_default_config(), **config}
        if trained_with["digest"] != cls.identity(settings):
            place = settings.get("folder") or settings.get("model")
            raise EncoderUnreadable(
                f"the files of {place} are not those the model was trained with: "
                "put the old ones back or train again"
            )
        return component

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice other files behind the vectors, and a change of our code."""
        try:
            files = cls.identity({**cls.get_default_config(), **config})
        except EncoderUnreadable:
            files = "missing"
        return source_digest(*cls.modules) + files

    def train(self, training_data: TrainingData) -> Resource:
        """Remember which files the vectors come from."""
        content = {"digest": self.identity(self._config), "dimension": self._vectors.dimension}
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _IDENTITY_FILE).write_text(json.dumps(content), "utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add features to the training sentences."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add one row to every message with text, and one per clause where the tokeniser found several."""
        found = [(message, sample) for message in messages if (sample := _sample(message)) is not None]
        clauses = [message.get(CLAUSES) or [] for message, _ in found]
        samples = [sample for _, sample in found] + [clause for some in clauses for clause in some]
        if not samples:
            return messages
        rows = self._vectors.vectors(samples)
        start = len(found)
        for (message, _), row, some in zip(found, rows, clauses, strict=False):
            message.add_features(Features(row[None], FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
            if some:
                own = rows[start : start + len(some)]
                before = message.get(CLAUSE_VECTORS)
                message.set(CLAUSE_VECTORS, own if before is None else np.hstack([before, own]))
                start += len(some)
        return messages


class LocalEncoderFeaturizer(DenseSentenceFeaturizer):
    """Pipeline component: sentence vectors of a pretrained encoder that lies in a local folder.

    Reads Hugging Face, sentence-transformers and ONNX folders; never opens a connection.
    """

    modules = (
        "nlu.encoders.component",
        "nlu.encoders.folder",
        "nlu.encoders.sentence_encoder",
        "nlu.encoders.bert",
        "nlu.encoders.onnx_model",
    )

    @staticmethod
    def required_packages() -> list[str]:
        """The tokenizers' package; onnxruntime only where the folder holds an ONNX file."""
        return ["tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``folder`` (relative to the assistant's home), ``file`` in it, and ``EncoderSettings``."""
        settings = EncoderSettings()
        return {
            "alias": None,
            "folder": "encoders/bge-small-zh-v1.5",
            "file": None,
            "pooling": settings.pooling,
            "max_length": settings.max_length,
            "batch_size": settings.batch_size,
            "normalize": settings.normalize,
            "prefix": settings.prefix,
        }

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse an unknown pooling and sizes that make no sense."""
        if config["pooling"] not in (AUTO, *POOLINGS):
            raise EncoderUnreadable(
                f"pooling is {config['pooling']!r}; known: {', '.join((AUTO, *POOLINGS))}"
            )
        if int(config["max_length"]) < 3 or int(config["batch_size"]) < 1:
            raise EncoderUnreadable("max_length is at least 3 word pieces and batch_size at least 1 text")

    @classmethod
    def identity(cls, settings: dict[str, Any]) -> str:
        """Return the digest of the folder's files that take part."""
        return read_folder(place(settings["folder"]), settings["file"]).digest

    @classmethod
    def open(cls, settings: dict[str, Any]) -> SentenceVectors:
        """Load tokenizer and weights."""
        folder = read_folder(place(settings["folder"]), settings["file"])
        names = ("pooling", "max_length", "batch_size", "normalize", "prefix")
        return _Encoded(
            SentenceEncoder.open(folder, EncoderSettings(**{name: settings[name] for name in names}))
        )


class _Encoded:
    """An encoder seen as sentence vectors: it reads the text and ignores our words."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self.dimension = encoder.dimension

    def vectors(self, samples: Sequence[Sample]) -> FloatArray:
        return self._encoder.encode([sample.text for sample in samples])


def _sample(message: Message) -> Sample | None:
    """What our tokeniser left of the text, or the same from another tokeniser's words; None for payloads."""
    sample: Sample | None = message.get(SAMPLE)
    text = message.get(TEXT)
    if sample is not None or not text or text.startswith("/"):
        return sample
    return Sample(lower(text), tuple(token.text for token in message.get(TOKENS_NAMES[TEXT]) or []))


def place(folder: str) -> Path:
    """Return where a configured folder is: relative ones count from the assistant's home (NIANGJIA_HOME)."""
    return Path(os.environ.get("NIANGJIA_HOME") or Path(__file__).parents[2]) / folder
