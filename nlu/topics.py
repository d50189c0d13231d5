"""Which topic every intent belongs to, and what kind of intent it is (``data/knowledge/intents.yml``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

OUT_OF_SCOPE = "out_of_scope"
FALLBACK = "nlu_fallback"


@dataclass(frozen=True)
class IntentInfo:
    """What the pipeline must know of an intent: its topic key and its kind (ask, deed, talk, crisis)."""

    topic: str
    kind: str


class IntentTable:
    """Every intent with its topic and kind; an intent the table does not know has no topic."""

    def __init__(self, content: str) -> None:
        self.content = content
        entries = (yaml.safe_load(content) or {}).get("intents", {})
        self._intents = {
            name: IntentInfo(entry["topic"], entry.get("kind", "ask")) for name, entry in entries.items()
        }

    @classmethod
    def read(cls, path: str | Path) -> IntentTable:
        """Read the table from a file; raises ``KeyError`` where a topic is missing."""
        return cls(Path(path).read_text("utf-8"))

    def topic(self, intent: str | None) -> str | None:
        """Return the topic key of ``intent``, or None."""
        info = self._intents.get(intent or "")
        return info.topic if info else None

    def kind(self, intent: str | None) -> str | None:
        """Return the kind of ``intent``, or None."""
        info = self._intents.get(intent or "")
        return info.kind if info else None

    def __contains__(self, intent: str) -> bool:
        return intent in self._intents
