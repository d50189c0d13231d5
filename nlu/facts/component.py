"""The fact extractor of the pipeline: facts become entities, and with them slots."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.facts.finder import FactFinder
from nlu.fingerprints import source_digest

logger = logging.getLogger(__name__)

EXTRACTOR = "FactExtractor"
_SHANGHAI = ZoneInfo("Asia/Shanghai")
Today = Callable[[], date]


def today_in_shanghai() -> date:
    """Return the day in Shanghai, by the machine's clock: for messages that do not say theirs."""
    return datetime.now(_SHANGHAI).date()


class FactExtractor(GraphComponent):
    """Pipeline component: sets one entity per fact, with its normalised value (design.md §7).

    Dates count from the message's own day, ``metadata["as_of"]`` (ISO); without one, from today in
    Shanghai. The gazetteers travel inside the model.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``districts`` and ``schools``: paths of the gazetteers, read when training."""
        return {"districts": "data/knowledge/districts.yml", "schools": "data/knowledge/schools.yml"}

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        districts: str,
        schools: str,
        today: Today = today_in_shanghai,
    ) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._districts = districts
        self._schools = schools
        self._finder = FactFinder.from_content(districts, schools)
        self._today = today

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FactExtractor:
        """Create the extractor for training, reading the gazetteers."""
        settings = {**cls.get_default_config(), **config}
        districts = Path(settings["districts"]).read_text("utf-8")
        return cls(model_storage, resource, districts, Path(settings["schools"]).read_text("utf-8"))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FactExtractor:
        """Load the extractor with the gazetteers its model was trained with."""
        with model_storage.read_from(resource) as folder:
            districts = (folder / "districts.yml").read_text("utf-8")
            schools = (folder / "schools.yml").read_text("utf-8")
        return cls(model_storage, resource, districts, schools)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice changed gazetteers."""
        settings = {**cls.get_default_config(), **config}
        return source_digest("nlu.facts.component", files=(settings["districts"], settings["schools"]))

    def train(self, training_data: TrainingData) -> Resource:
        """Put the gazetteers into the model; nothing is learnt."""
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "districts.yml").write_text(self._districts, "utf-8")
            (folder / "schools.yml").write_text(self._schools, "utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the facts of ``messages`` as entities; payloads are left to Rasa."""
        for message in messages:
            # Where each word stands is of no use to the dialogue, and would be kept with every message.
            message.output_properties.discard(TEXT_TOKENS)
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            entities = [
                {
                    "entity": fact.name,
                    "start": fact.start,
                    "end": fact.end,
                    "value": fact.value,
                    "extractor": EXTRACTOR,
                }
                for fact in self._finder.find(text, self._day_of(message))
            ]
            message.set(ENTITIES, entities, add_to_output=True)
        return messages

    def _day_of(self, message: Message) -> date:
        stated = (message.get("metadata") or {}).get("as_of")
        if stated is None:
            return self._today()
        try:
            return date.fromisoformat(str(stated))
        except ValueError:
            logger.warning("a message's as_of is not an ISO date; counting from today")
            return self._today()
