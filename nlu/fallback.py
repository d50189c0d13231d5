"""The acceptance gate of the pipeline: it decides whether the assistant acts on its guess."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.acceptance import (
    UNCHECKED,
    Thresholds,
    accepts,
    choose_thresholds,
    most_likely_topic_first,
    topic_probabilities,
    topics_of,
)
from nlu.classifier import CLAUSE_RANKINGS, HELD_OUT, VERDICT, Verdict
from nlu.features import KNOWN_SHARE
from nlu.fingerprints import source_digest
from nlu.rejector import Rejector, fit_rejector, signals_of
from nlu.tokeniser import SAMPLE
from nlu.topics import FALLBACK, OUT_OF_SCOPE, IntentTable

logger = logging.getLogger(__name__)

ACCEPTED = "accepted"
TOPIC = "topic"
TOPICS = "topics"
OUTSIDE = "outside"
"""How likely the message is out of scope (0–1)."""
SURE = "topic_confidence"
"""The probability of the best guess's topic."""
_RANKED = 10
_LEAST_OUTSIDE = 20
"""With fewer training sentences out of scope there is nothing to learn a rejector from."""
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
        rejector: Rejector | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._intents = intents
        self._thresholds = thresholds
        self._rejector = rejector

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
            stored = folder / "rejector.json"
            rejector = Rejector.read(stored) if stored.is_file() else None
        return cls(config, model_storage, resource, intents, thresholds, rejector)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a changed table or changed costs."""
        path = {**cls.get_default_config(), **config}["intents"]
        return source_digest("nlu.fallback", "nlu.acceptance", "nlu.rejector", "nlu.topics", files=(path,))

    def train(self, training_data: TrainingData) -> Resource:
        """Train the rejector, choose the cheapest thresholds, and store them with the table of intents.

        Both learn from the held-out folds. After a classifier that keeps none (DIET) there is no rejector,
        and the thresholds are those of the costs alone.
        """
        examples = [message for message in training_data.intent_examples if message.get(HELD_OUT)]
        thresholds, rejector = UNCHECKED, None
        if examples:
            labels = [str(message.get(INTENT)) for message in examples]
            verdicts: list[Verdict] = [message.get(HELD_OUT) for message in examples]
            outside: Sequence[float] | None = None
            strangers = np.asarray([label == OUT_OF_SCOPE for label in labels])
            if strangers.sum() >= _LEAST_OUTSIDE and not strangers.all():
                signals = self._signals(verdicts, examples)
                rejector = fit_rejector(signals, strangers)
                outside = [float(one) for one in rejector.probabilities(signals)]
            rankings = [
                most_likely_topic_first(verdict.ranking(_RANKED), self._intents) for verdict in verdicts
            ]
            thresholds = choose_thresholds(rankings, labels, self._intents, outside)
        logger.info("acceptance thresholds on held-out folds: %s", thresholds.as_dict())
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "intents.yml").write_text(self._intents.content, "utf-8")
            (folder / "thresholds.json").write_text(json.dumps(thresholds.as_dict()), "utf-8")
            if rejector is not None:
                rejector.write(folder / "rejector.json")
        return self._resource

    def _signals(self, verdicts: list[Verdict], messages: list[Message]) -> np.ndarray[Any, Any]:
        """What the rejector looks at, one line a message."""
        classes = verdicts[0].classes
        topics = [self._intents.topic(name) or name for name in classes]
        numbers = {topic: number for number, topic in enumerate(dict.fromkeys(topics))}
        return signals_of(
            np.vstack([verdict.scores for verdict in verdicts]),
            np.vstack([verdict.probabilities for verdict in verdicts]),
            classes.index(OUT_OF_SCOPE),
            np.asarray([numbers[topic] for topic in topics]),
            [len(message.get(SAMPLE).text) for message in messages],
            [message.get(KNOWN_SHARE, 1.0) for message in messages],
        )

    def process(self, messages: list[Message]) -> list[Message]:
        """Judge the guesses of ``messages`` in place."""
        if self._thresholds is None:
            raise RuntimeError("the acceptance gate has not been trained")
        for message in messages:
            known = message.get(KNOWN_SHARE, 1.0)
            guesses = message.get(INTENT_RANKING_KEY) or [] if known > 0 else []
            ranking = most_likely_topic_first(
                [(guess["name"], guess["confidence"]) for guess in guesses], self._intents
            )
            if ranking:
                ordered = [{"name": name, "confidence": confidence} for name, confidence in ranking]
                message.set(INTENT, ordered[0], add_to_output=True)
                message.set(INTENT_RANKING_KEY, ordered, add_to_output=True)
            clauses = message.get(CLAUSE_RANKINGS) or []
            verdict: Verdict | None = message.get(VERDICT)
            outside = dict(ranking).get(OUT_OF_SCOPE, 0.0)
            if self._rejector is not None and verdict is not None and known > 0:
                outside = float(self._rejector.probabilities(self._signals([verdict], [message]))[0])
            accepted = known >= _LEAST_KNOWN and accepts(ranking, self._intents, self._thresholds, outside)
            topic = self._intents.topic(ranking[0][0]) if ranking else None
            message.set(ACCEPTED, accepted, add_to_output=True)
            message.set(TOPIC, topic, add_to_output=True)
            message.set(TOPICS, topics_of(ranking, clauses, self._intents), add_to_output=True)
            message.set(OUTSIDE, round(outside, 4), add_to_output=True)
            sure = topic_probabilities(ranking, self._intents).get(topic, 0.0) if topic else 0.0
            message.set(SURE, round(min(sure, 1.0), 4), add_to_output=True)
            if not accepted:
                self._fall_back(message, self._thresholds.confidence)
        return messages

    @staticmethod
    def _fall_back(message: Message, confidence: float) -> None:
        fallback = {"name": FALLBACK, "confidence": confidence}
        ranking = message.get(INTENT_RANKING_KEY) or []
        message.set(INTENT, fallback, add_to_output=True)
        message.set(INTENT_RANKING_KEY, [fallback, *ranking], add_to_output=True)
