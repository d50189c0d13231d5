"""The intent classifier of the pipeline: a linear model with probabilities that mean what they say."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack, vstack

from nlu.calibration import Floats
from nlu.clauses import CLAUSES
from nlu.encoders.component import CLAUSE_VECTORS
from nlu.features import CLAUSE_FEATURES
from nlu.fingerprints import array_digest, source_digest
from nlu.intent_model import IntentModel, Settings, train
from nlu.network import keys_of
from nlu.tokeniser import SAMPLE

logger = logging.getLogger(__name__)

VERDICT = "verdict"
"""Message property when serving: the classifier's whole `Verdict`, not only its best guesses."""
HELD_OUT = "held_out"
"""Message property in training: the `Verdict` of a model that has not seen the sentence."""
CLAUSE_RANKINGS = "clause_rankings"
"""Message property when serving: one ranking per clause."""

Ranking = list[tuple[str, float]]


@dataclass(frozen=True)
class Verdict:
    """Verdict: the score and the calibrated probability of every class for one text."""

    classes: list[str]
    scores: Floats
    probabilities: Floats

    def fingerprint(self) -> str:
        """Return a digest of the verdict (Rasa's training cache asks for it)."""
        return array_digest(self.scores, self.probabilities)

    def ranking(self, length: int) -> Ranking:
        """Return the ``length`` most probable classes, the first first."""
        best = np.argsort(-self.probabilities, kind="stable")[:length]
        return [(self.classes[column], round(float(self.probabilities[column]), 4)) for column in best]


class LinearIntentClassifier(GraphComponent, IntentClassifier):
    """Pipeline component: writes ``intent`` and ``intent_ranking`` with calibrated confidences.

    Training fits the model on all sentences, and once per held-out fold to calibrate it; what the
    folds said of every sentence is kept in the model (for the acceptance gate, and as its score).
    Dense sentence features, where a featuriser in front of it adds any (configs/encoder.yml,
    configs/spacy.yml), are appended to the sparse rows with ``dense_weight``.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Sentence features come from a featuriser."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``Settings`` of the intent model; ``dense_weight`` of dense features; ``ranking_length``."""
        return {**asdict(Settings()), "dense_weight": 1.0, "ranking_length": 10}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        """Create an untrained classifier."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        """Load a trained classifier."""
        with model_storage.read_from(resource) as folder:
            model = IntentModel.read(folder)
        return cls(config, model_storage, resource, model)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a change of the model."""
        return source_digest(
            "nlu.classifier", "nlu.intent_model", "nlu.linear", "nlu.network", "nlu.calibration"
        )

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model and its calibration on the training sentences."""
        examples = _examples(training_data)
        rows = vstack([self._row(message) for message in examples], format="csr")
        labels = [str(message.get(INTENT)) for message in examples]
        settings = Settings(**{field.name: self._config[field.name] for field in fields(Settings)})
        texts = [str(message.get(TEXT)) for message in examples]
        model, scores = train(rows, labels, [_length(message) for message in examples], settings, texts)
        column_of = {name: column for column, name in enumerate(model.classes)}
        right = np.asarray([column_of[label] for label in labels])
        logger.info(
            "held-out accuracy %.4f (%d sentences, %d intents)",
            (scores.argmax(axis=1) == right).mean(),
            len(labels),
            len(model.classes),
        )
        with self._model_storage.write_to(self._resource) as folder:
            model.write(folder)
            np.save(folder / "held_out.npy", scores.astype(np.float16), allow_pickle=False)
            # Which sentence each line is about, for who compares two models (nlu.evaluation.held_out).
            np.save(folder / "held_out_keys.npy", keys_of(texts), allow_pickle=False)
            np.save(folder / "held_out_right.npy", right.astype(np.int16), allow_pickle=False)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Tell the components trained after this one what held-out models made of every sentence."""
        model = self._trained()
        with self._model_storage.read_from(self._resource) as folder:
            scores = np.load(folder / "held_out.npy", allow_pickle=False).astype(np.float32)
        examples = _examples(training_data)
        probabilities = model.calibration.probabilities(scores, [_length(message) for message in examples])
        for message, line, chances in zip(examples, scores, probabilities, strict=True):
            message.set(HELD_OUT, Verdict(model.classes, line, chances))
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Classify ``messages`` in place, and every clause of those that have several."""
        model = self._trained()
        for message in messages:
            row = self._row(message)
            if row is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [], add_to_output=True)
                continue
            verdict, *of_clauses = self._verdicts(model, message, row)
            best = verdict.ranking(self._config["ranking_length"])
            ranking = [{"name": name, "confidence": confidence} for name, confidence in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(VERDICT, verdict)
            if of_clauses:
                length = self._config["ranking_length"]
                message.set(CLAUSE_RANKINGS, [clause.ranking(length) for clause in of_clauses])
        return messages

    def _verdicts(self, model: IntentModel, message: Message, row: csr_matrix) -> list[Verdict]:
        """Judge a text and its clauses, in one multiplication."""
        lengths = [_length(message)]
        rows = row
        clauses = message.get(CLAUSE_FEATURES)
        if clauses is not None:
            lengths += [len(clause.text) for clause in message.get(CLAUSES)]
            vectors = message.get(CLAUSE_VECTORS)
            if vectors is not None:
                clauses = [self._joined(*pair) for pair in zip(clauses, vectors, strict=True)]
            rows = vstack([row, *clauses], format="csr")
        scores = model.scores(rows)
        probabilities = model.calibration.probabilities(scores, lengths)
        return [Verdict(model.classes, *one) for one in zip(scores, probabilities, strict=True)]

    def _row(self, message: Message) -> csr_matrix | None:
        sparse = _sparse_row(message)
        dense = message.get_dense_features(TEXT)[1]
        if sparse is None or dense is None:
            return sparse
        return self._joined(sparse, dense.features)

    def _joined(self, row: csr_matrix, vector: Floats) -> csr_matrix:
        """Append dense features to a sparse row; the whole row keeps length 1."""
        dense = np.asarray(vector, dtype=np.float32).reshape(1, -1)
        dense = dense * np.float32(self._config["dense_weight"] / max(float(np.linalg.norm(dense)), 1e-9))
        joined = hstack([row, csr_matrix(dense)], format="csr")
        return joined / np.float32(max(np.sqrt(float(joined.multiply(joined).sum())), 1e-9))

    def _trained(self) -> IntentModel:
        if self._model is None:
            raise RuntimeError("the classifier has not been trained")
        return self._model


def _examples(training_data: TrainingData) -> list[Message]:
    examples = training_data.intent_examples
    return [message for message in examples if message.get(INTENT) and _sparse_row(message) is not None]


def _sparse_row(message: Message) -> csr_matrix | None:
    """Return the sparse sentence row of a text (Rasa would copy it deeply each time it is asked)."""
    rows = [
        one.features
        for one in message.features
        if one.attribute == TEXT and one.type == FEATURE_TYPE_SENTENCE and one.is_sparse()
    ]
    return hstack(rows, format="csr") if len(rows) > 1 else next(iter(rows), None)


def _length(message: Message) -> int:
    """Characters of a text as the featuriser saw it (greetings in front left out)."""
    sample = message.get(SAMPLE)
    return len(sample.text if sample is not None else message.get(TEXT) or "")
