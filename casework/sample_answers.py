"""Sample answers: what a member is told after a sentence of an intent, and the buttons beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from casework.knowledge_files import read_knowledge


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of ``domain.yml``: its words and the titles of its buttons."""

    text: str
    buttons: tuple[str, ...]


@cache
def told_of(home: Path) -> Mapping[str, tuple[Told, ...]]:
    """Intent → the answers of ``domain.yml`` its rules lead to, whatever is under way; read once.

    Intents that a program answers (articles, cases, crises) are not in it. Raises KnowledgeError for files
    that cannot be read.
    """
    responses: dict[str, Any] = read_knowledge(home / "domain.yml").get("responses") or {}
    found: dict[str, tuple[Told, ...]] = {}
    for path in sorted((home / "data" / "stories").glob("*.yml")):
        for rule in read_knowledge(path).get("rules") or []:
            steps = rule["steps"]
            after = steps[1].get("action") if len(steps) > 1 else None
            if after not in responses:
                continue
            for intent in _intents(steps[0]):
                found.setdefault(intent, tuple(map(_told, responses[after])))
    return found


def _intents(step: Mapping[str, Any]) -> Iterator[str]:
    for one in step.get("or") or [step]:
        if "intent" in one:
            yield str(one["intent"])


def _told(response: Mapping[str, Any]) -> Told:
    buttons = tuple(str(one["title"]) for one in response.get("buttons") or [])
    return Told(str(response.get("text", "")), buttons)
