"""The intent classifier of the pipeline: a linear model with probabilities that mean what they say."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, vstack

from nlu.features import CLAUSE_FEATURES
from nlu.fingerprints import source_digest
from nlu.linear import LinearModel, fit, fit_sharpness, held_out_scores, softmax

logger = logging.getLogger(__name__)

HELD_OUT = "held_out"
"""Message property in training: the ranking by a model that has not seen the sentence."""
CLAUSE_RANKINGS = "clause_rankings"
"""Message property when serving: one ranking per clause."""

Ranking = list[tuple[str, float]]


class LinearIntentClassifier(GraphComponent, IntentClassifier):
    """Pipeline component: writes ``intent`` and ``intent_ranking`` with calibrated confidences.

    Training fits the model on all sentences, and once per held-out fold to calibrate it; what the
    folds said of every sentence is kept in the model (for the acceptance gate, and as its score).
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Sentence features come from a featuriser."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``kind`` logistic or svm, ``c`` its cost, ``folds`` held out, ``min_count`` of the n-grams."""
        return {"kind": "svm", "c": 1.0, "folds": 5, "min_count": 2, "ranking_length": 10, "seed": 20}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: LinearModel | None = None,
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
            model = LinearModel.read(folder)
        return cls(config, model_storage, resource, model)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a change of the model."""
        return source_digest("nlu.classifier", "nlu.linear")

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model and its calibration on the training sentences."""
        examples = _examples(training_data)
        rows = _rows(examples)
        labels = [str(message.get(INTENT)) for message in examples]
        settings = self._config
        shared = {"kind": settings["kind"], "c": settings["c"], "seed": settings["seed"]}
        model = fit(rows, labels, **shared)
        scores = held_out_scores(
            rows, labels, model.classes, folds=settings["folds"], min_count=settings["min_count"], **shared
        )
        model.sharpness = fit_sharpness(scores, labels, model.classes)
        held_out = [self._ranking(model, line) for line in softmax(scores * np.float32(model.sharpness))]
        right = sum(ranking[0][0] == label for ranking, label in zip(held_out, labels, strict=True))
        logger.info(
            "held-out accuracy %.4f (%d sentences, %d intents)",
            right / len(labels),
            len(labels),
            len(model.classes),
        )
        with self._model_storage.write_to(self._resource) as folder:
            model.write(folder)
            (folder / "held_out.json").write_text(json.dumps(held_out), "utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Tell the components trained after this one what held-out models made of every sentence."""
        with self._model_storage.read_from(self._resource) as folder:
            held_out = json.loads((folder / "held_out.json").read_text("utf-8"))
        for message, ranking in zip(_examples(training_data), held_out, strict=True):
            message.set(HELD_OUT, ranking)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Classify ``messages`` in place, and every clause of those that have several."""
        if self._model is None:
            raise RuntimeError("the classifier has not been trained")
        for message in messages:
            rows = _row(message)
            if rows is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [], add_to_output=True)
                continue
            clauses = message.get(CLAUSE_FEATURES)
            if clauses is not None:
                rows = vstack([rows, clauses], format="csr")
            first, *others = self._model.probabilities(rows)
            best = self._ranking(self._model, first)
            ranking = [{"name": name, "confidence": confidence} for name, confidence in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            if clauses is not None:
                message.set(CLAUSE_RANKINGS, [self._ranking(self._model, line) for line in others])
        return messages

    def _ranking(self, model: LinearModel, probabilities: np.ndarray[Any, np.dtype[np.float32]]) -> Ranking:
        best = np.argsort(-probabilities, kind="stable")[: self._config["ranking_length"]]
        return [(model.classes[column], round(float(probabilities[column]), 4)) for column in best]


def _examples(training_data: TrainingData) -> list[Message]:
    examples = training_data.intent_examples
    return [message for message in examples if message.get(INTENT) and _row(message) is not None]


def _row(message: Message) -> csr_matrix | None:
    sentence_features = message.get_sparse_features(TEXT)[1]
    return None if sentence_features is None else sentence_features.features


def _rows(examples: list[Message]) -> csr_matrix:
    return vstack([_row(message) for message in examples], format="csr")
