"""The acceptance gate of the pipeline: it decides whether the assistant acts on its guess."""

from __future__ import annotations

import json
import logging
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.acceptance import UNCHECKED, Thresholds, accepts, choose_thresholds, topics_of
from nlu.classifier import CLAUSE_RANKINGS, HELD_OUT
from nlu.features import KNOWN_SHARE
from nlu.fingerprints import source_digest
from nlu.topics import FALLBACK, IntentTable

logger = logging.getLogger(__name__)

ACCEPTED = "accepted"
TOPIC = "topic"
TOPICS = "topics"
_LEAST_KNOWN = 0.2
"""Less of the text than this seen in training (gibberish, only emoji): no guess is worth anything."""


class AcceptanceGate(GraphComponent, IntentClassifier):
    """Pipeline component: sets ``nlu_fallback`` where the guess is not worth acting on.

    Adds ``accepted``, ``topic`` (of the best guess) and ``topics`` to the message and leaves the
    original guess in the ranking, behind the fallback.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``intents``: path of the table of intents, topics and kinds, read when training."""
        return {"intents": "data/knowledge/intents.yml"}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        intents: IntentTable,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._intents = intents
        self._thresholds = thresholds

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> AcceptanceGate:
        """Create the gate for training, reading the table of intents."""
        path = {**cls.get_default_config(), **config}["intents"]
        return cls(config, model_storage, resource, IntentTable.read(path))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> AcceptanceGate:
        """Load the gate with the table and the thresholds its model was trained with."""
        with model_storage.read_from(resource) as folder:
            intents = IntentTable.read(folder / "intents.yml")
            thresholds = Thresholds(**json.loads((folder / "thresholds.json").read_text("utf-8")))
        return cls(config, model_storage, resource, intents, thresholds)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a changed table or changed costs."""
        path = {**cls.get_default_config(), **config}["intents"]
        return source_digest("nlu.fallback", "nlu.acceptance", "nlu.topics", files=(path,))

    def train(self, training_data: TrainingData) -> Resource:
        """Choose the cheapest thresholds on the held-out folds and store them with the table of intents.

        After a classifier that keeps no held-out folds (DIET), the thresholds are those of the costs alone.
        """
        examples = [message for message in training_data.intent_examples if message.get(HELD_OUT)]
        thresholds = UNCHECKED
        if examples:
            thresholds = choose_thresholds(
                [message.get(HELD_OUT) for message in examples],
                [message.get(INTENT) for message in examples],
                self._intents,
            )
        logger.info("acceptance thresholds on held-out folds: %s", thresholds.as_dict())
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "intents.yml").write_text(self._intents.content, "utf-8")
            (folder / "thresholds.json").write_text(json.dumps(thresholds.as_dict()), "utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Judge the guesses of ``messages`` in place."""
        if self._thresholds is None:
            raise RuntimeError("the acceptance gate has not been trained")
        for message in messages:
            known = message.get(KNOWN_SHARE, 1.0)
            guesses = message.get(INTENT_RANKING_KEY) or [] if known > 0 else []
            ranking = [(guess["name"], guess["confidence"]) for guess in guesses]
            clauses = message.get(CLAUSE_RANKINGS) or []
            accepted = known >= _LEAST_KNOWN and accepts(ranking, self._intents, self._thresholds)
            topics = topics_of(ranking, clauses, self._intents)
            message.set(ACCEPTED, accepted, add_to_output=True)
            message.set(TOPIC, self._intents.topic(ranking[0][0]) if ranking else None, add_to_output=True)
            message.set(TOPICS, topics, add_to_output=True)
            if not accepted:
                self._fall_back(message, self._thresholds.confidence)
        return messages

    @staticmethod
    def _fall_back(message: Message, confidence: float) -> None:
        fallback = {"name": FALLBACK, "confidence": confidence}
        ranking = message.get(INTENT_RANKING_KEY) or []
        message.set(INTENT, fallback, add_to_output=True)
        message.set(INTENT_RANKING_KEY, [fallback, *ranking], add_to_output=True)
