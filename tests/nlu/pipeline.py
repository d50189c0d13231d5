"""A small assistant's NLU, trained by the components themselves: no Rasa graph, a few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.classifier import LinearIntentClassifier
from nlu.facts.component import FactExtractor
from nlu.fallback import AcceptanceGate
from nlu.features import NgramFeaturizer
from nlu.normaliser import TextNormaliser
from nlu.tokeniser import UnionJiebaTokenizer
from nlu.understanding import Interpreter

ROOT = Path(__file__).parents[2]
KNOWLEDGE = ROOT / "data" / "knowledge"
SENTENCES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("small_sentences.yml").read_text("utf-8")
)


@dataclass
class SmallPipeline:
    """The trained components, their storage, and what training left behind."""

    storage: LocalModelStorage
    examples: list[Message]
    resources: dict[str, Resource] = field(default_factory=dict)

    def interpreter(self) -> Interpreter:
        """An interpreter over components loaded anew from the storage."""
        return Interpreter([TextNormaliser(), *(self.load(kind) for kind in TRAINED)])

    def load(self, kind: type[Any], **config: Any) -> Any:
        """One component, loaded as Rasa would."""
        return kind.load(settings(kind, **config), self.storage, self.resources[kind.__name__], context(kind))


TRAINED: tuple[type[Any], ...] = (
    UnionJiebaTokenizer,
    NgramFeaturizer,
    LinearIntentClassifier,
    AcceptanceGate,
    FactExtractor,
)
# A hundred sentences are no thousands: rarer n-grams must count, and more folds leave more to learn from.
CHANGES: dict[str, dict[str, Any]] = {
    "NgramFeaturizer": {"min_count": 2},
    "LinearIntentClassifier": {"min_count": 2, "folds": 5},
    "UnionJiebaTokenizer": {"dictionary": str(KNOWLEDGE / "dictionary" / "union.txt")},
    "AcceptanceGate": {"intents": str(KNOWLEDGE / "intents.yml")},
    "FactExtractor": {
        "districts": str(KNOWLEDGE / "districts.yml"),
        "schools": str(KNOWLEDGE / "schools.yml"),
    },
}


def settings(kind: type[Any], **config: Any) -> dict[str, Any]:
    """A component's configuration as Rasa hands it over: its defaults, then what the file says."""
    return {**kind.get_default_config(), **CHANGES.get(kind.__name__, {}), **config}


def context(kind: type[Any]) -> ExecutionContext:
    """The execution context a graph node gets."""
    return ExecutionContext(GraphSchema({}), node_name=f"run_{kind.__name__}")


def train(folder: Path, sentences: dict[str, list[str]] | None = None) -> SmallPipeline:
    """Train every component in order, as Rasa's graph does."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = [
        Message({"text": text, "intent": intent})
        for intent, texts in (sentences or SENTENCES).items()
        for text in texts
    ]
    data = TextNormaliser().process_training_data(TrainingData(examples))
    pipeline = SmallPipeline(LocalModelStorage(folder), examples)
    for kind in TRAINED:
        resource = Resource(f"train_{kind.__name__}")
        component = kind.create(settings(kind), pipeline.storage, resource, context(kind))
        component.train(data)
        pipeline.resources[kind.__name__] = resource
        if hasattr(kind, "process_training_data"):
            pipeline.load(kind).process_training_data(data)
    return pipeline
