"""Understanding without a server: a trained model's NLU half, for the command line and for tests.

Loads only our components from the model, in the order of ``config.yml``. Rasa's own loader would
import TensorFlow (some ten seconds) for nothing we use.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.facts.model import FACT_NAMES
from nlu.topics import FALLBACK

_OURS = "nlu."
_BATCH = 64


class ModelUnreadable(Exception):
    """The file is no trained model of ours; says what is missing."""


class Interpreter:
    """Interpreter: what a trained model makes of sentences (intent, topics, facts; no dialogue)."""

    def __init__(self, components: list[Any]) -> None:
        self._components = components

    @classmethod
    def load(cls, model: str | Path) -> Interpreter:
        """Load a model file (``models/….tar.gz``); raises ``ModelUnreadable``."""
        folder = Path(tempfile.mkdtemp(prefix="niangjia-model-"))
        try:
            storage, metadata = LocalModelStorage.from_model_archive(folder, Path(model))
            return cls(_components(metadata.predict_schema, metadata.nlu_target, storage))
        except (OSError, KeyError, ValueError, json.JSONDecodeError) as error:
            raise ModelUnreadable(f"{model} is no model of this assistant: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def parse(self, text: str, as_of: date) -> dict[str, Any]:
        """Return what is understood of one text, as ``niangjia parse`` prints it (design.md §7)."""
        return next(self.parse_many([text], as_of))

    def parse_many(self, texts: Iterable[str], as_of: date) -> Iterator[dict[str, Any]]:
        """Yield what is understood of each text, in order; relative dates count from ``as_of``."""
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == _BATCH:
                yield from self._parse_batch(batch, as_of)
                batch = []
        yield from self._parse_batch(batch, as_of)

    def _parse_batch(self, texts: list[str], as_of: date) -> Iterator[dict[str, Any]]:
        messages = [
            # A member's own words are never a command, whatever they start with.
            Message({TEXT: text.lstrip("/ \t"), "metadata": {"as_of": as_of.isoformat()}})
            for text in texts
        ]
        for component in self._components:
            messages = component.process(messages)
        for text, message in zip(texts, messages, strict=True):
            yield {"text": text, **summary(message.data)}


def summary(parsed: Mapping[str, Any]) -> dict[str, Any]:
    """Return topic, intent, confidence, topics, accepted and facts of a parsed message.

    Topic, intent and confidence are those of the best guess even where it is not acted on.
    """
    ranking = [guess for guess in parsed.get("intent_ranking") or [] if guess["name"] != FALLBACK]
    best = ranking[0] if ranking else {"name": None, "confidence": 0.0}
    return {
        "topic": parsed.get("topic"),
        "intent": best["name"],
        "confidence": round(float(best["confidence"] or 0.0), 4),
        "topics": list(parsed.get("topics") or []),
        "accepted": bool(parsed.get("accepted")),
        "facts": {
            entity["entity"]: entity["value"]
            for entity in parsed.get("entities") or []
            if entity["entity"] in FACT_NAMES
        },
    }


def _components(schema: GraphSchema, target: str, storage: LocalModelStorage) -> list[GraphComponent]:
    """Instantiate our components in the order in which the prediction graph runs them."""
    chain: list[tuple[str, Any]] = []
    name = schema.nodes[target].needs["messages"]
    while name in schema.nodes and schema.nodes[name].uses.__module__.startswith(_OURS):
        chain.append((name, schema.nodes[name]))
        name = schema.nodes[name].needs["messages"]
    if not chain:
        raise ValueError("none of the components in nlu/ is in its pipeline")
    return [
        node.uses.load(
            {**node.uses.get_default_config(), **node.config},
            storage,
            node.resource or Resource(name),
            ExecutionContext(schema, node_name=name),
        )
        for name, node in reversed(chain)
    ]
