"""Understanding without a server: a trained model's NLU half, for the command line and for tests.

Loads only the NLU components of a model, in the order of ``config.yml``. Rasa's own loader would import
TensorFlow (some ten seconds) for nothing we use.
"""

from __future__ import annotations

import importlib
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.facts.model import FACT_NAMES
from nlu.topics import FALLBACK

_OURS = "nlu."
_FIRST = "nlu_message_converter"
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
        with tempfile.TemporaryDirectory(prefix="niangjia-model-") as folder:
            try:
                metadata = _unpack(Path(model), Path(folder))
                return cls(_components(metadata, LocalModelStorage(Path(folder))))
            except (OSError, KeyError, ValueError, tarfile.TarError) as error:
                raise ModelUnreadable(f"{model} is no model of this assistant: {error}") from error

    def parse(self, text: str, as_of: date) -> dict[str, Any]:
        """Return what is understood of one text, as ``niangjia parse`` prints it (design.md §7)."""
        return next(self.parse_many([text], as_of))

    def parse_many(
        self, texts: Iterable[str], as_of: date, *, detail: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield what is understood of each text, in order; relative dates count from ``as_of``.

        With ``detail`` also ``outside``, where the gate knows it: the probability (0–1) that the text is out
        of scope.
        """
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == _BATCH:
                yield from self._parse_batch(batch, as_of, detail)
                batch = []
        yield from self._parse_batch(batch, as_of, detail)

    def _parse_batch(self, texts: list[str], as_of: date, detail: bool) -> Iterator[dict[str, Any]]:
        messages = [
            # A member's own words are never a command, whatever they start with.
            Message({TEXT: text.lstrip("/ \t"), "metadata": {"as_of": as_of.isoformat()}})
            for text in texts
        ]
        for component in self._components:
            messages = component.process(messages)
        for text, message in zip(texts, messages, strict=True):
            outside = message.get("outside")
            more = {"outside": float(outside)} if detail and outside is not None else {}
            yield {"text": text, **summary(message.data), **more}


def summary(parsed: Mapping[str, Any]) -> dict[str, Any]:
    """Return topic, intent, confidence, topics, accepted and facts of a parsed message.

    Topic, intent and confidence are those of the best guess even where it is not acted on; the confidence
    is that of its topic (a topic's intents added up).
    """
    ranking = [guess for guess in parsed.get("intent_ranking") or [] if guess["name"] != FALLBACK]
    best = ranking[0] if ranking else {"name": None, "confidence": 0.0}
    return {
        "topic": parsed.get("topic"),
        "intent": best["name"],
        "confidence": round(float(parsed.get("topic_confidence") or best["confidence"] or 0.0), 4),
        "topics": list(parsed.get("topics") or []),
        "accepted": bool(parsed.get("accepted")),
        "facts": {
            entity["entity"]: entity["value"]
            for entity in parsed.get("entities") or []
            if entity["entity"] in FACT_NAMES
        },
    }


def _unpack(model: Path, folder: Path) -> dict[str, Any]:
    """Write the components' files of a model archive into ``folder`` and return its metadata."""
    metadata: dict[str, Any] = {}
    with tarfile.open(model, mode="r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name.lstrip("./")).parts
            content = archive.extractfile(member) if member.isfile() and ".." not in parts else None
            if content is None:
                continue
            if parts == ("metadata.json",):
                metadata = json.load(content)
            elif len(parts) == 3 and parts[0] == "components":
                target = folder / parts[1] / parts[2]
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(content.read())
    return metadata


def _components(metadata: Mapping[str, Any], storage: LocalModelStorage) -> list[GraphComponent]:
    """Instantiate the NLU components in the order in which the prediction graph runs them."""
    nodes = metadata["predict_schema"]["nodes"]
    chain: list[tuple[str, Mapping[str, Any]]] = []
    name = nodes[metadata["nlu_target"]]["needs"]["messages"]
    while name in nodes and "messages" in nodes[name]["needs"] and name != _FIRST:
        chain.append((name, nodes[name]))
        name = nodes[name]["needs"]["messages"]
    if not any(node["uses"].startswith(_OURS) for _, node in chain):
        raise ValueError("none of the components in nlu/ is in its pipeline")
    return [_component(name, node, storage) for name, node in reversed(chain)]


def _component(name: str, node: Mapping[str, Any], storage: LocalModelStorage) -> GraphComponent:
    module, _, class_name = node["uses"].rpartition(".")
    kind: type[GraphComponent] = getattr(importlib.import_module(module), class_name)
    resource = Resource(**node["resource"]) if node["resource"] else Resource(name)
    context = ExecutionContext(GraphSchema({}), node_name=name)
    return kind.load({**kind.get_default_config(), **node["config"]}, storage, resource, context)
