"""What an action sees of the member's turn, read once from Rasa's tracker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Tracker

SKIPPED = "—"
"""Value of a slot the member chose not to fill; never sent to the case."""

FALLBACK_INTENT = "nlu_fallback"

BARE = ("bare_day", "bare_number")
"""Entities without a role of their own: a question gives them one."""


@dataclass(frozen=True)
class Turn:
    """One message of a member as understood: intent, facts, and where the dialogue stands."""

    conversation_id: str
    message_id: int | None
    text: str
    intent: str
    confidence: float
    entities: Mapping[str, Any]
    ranking: tuple[tuple[str, float], ...]
    topics: tuple[str, ...]
    slots: Mapping[str, Any]
    requested_slot: str | None
    active_form: str | None
    is_payload: bool
    rest: str = ""
    """The text without the words its facts were found in."""
    previous: Mapping[str, Any] = field(default_factory=dict)
    bare: Mapping[str, str] = field(default_factory=dict)
    """The one day and the one number of a short message, whatever they are about."""

    @classmethod
    def of(cls, tracker: Tracker) -> Turn:
        """Read the turn from a tracker; a missing part becomes an empty one."""
        latest = tracker.latest_message or {}
        intent = latest.get("intent") or {}
        text = str(latest.get("text") or "")
        heard = [entity for entity in latest.get("entities") or [] if entity.get("value") is not None]
        found = [entity for entity in heard if entity["entity"] not in BARE]
        entities = {str(entity["entity"]): entity["value"] for entity in found}
        message_id = (latest.get("metadata") or {}).get("message_id")
        return cls(
            conversation_id=str(tracker.sender_id),
            message_id=int(message_id) if message_id is not None else None,
            text="" if text.startswith("/") else text.strip(),
            intent=str(intent.get("name") or FALLBACK_INTENT),
            confidence=float(intent.get("confidence") or 0.0),
            entities=entities,
            ranking=tuple(
                (str(item.get("name")), float(item.get("confidence") or 0.0))
                for item in latest.get("intent_ranking") or []
            ),
            topics=tuple(str(item["topic"]) for item in latest.get("topics") or []),
            slots=dict(tracker.slots),
            requested_slot=tracker.slots.get("requested_slot"),
            active_form=(tracker.active_loop or {}).get("name"),
            is_payload=text.startswith("/"),
            rest=_without(text, found),
            bare={str(entity["entity"]): entity["value"] for entity in heard if entity["entity"] in BARE},
            previous=_slots_before_this_turn(tracker),
        )

    @property
    def understood(self) -> bool:
        """Whether the assistant would act on its reading of this message."""
        return self.intent != FALLBACK_INTENT

    def slot(self, name: str) -> Any:
        """A slot's value, or None when it is empty or was skipped."""
        value = self.slots.get(name)
        return None if value in (None, "", SKIPPED) else value


def _without(text: str, entities: list[dict[str, Any]]) -> str:
    """The text with the entities' spans taken out, from the last to the first."""
    for entity in sorted(entities, key=lambda entity: int(entity.get("start") or 0), reverse=True):
        start, end = entity.get("start"), entity.get("end")
        if start is not None and end is not None:
            text = text[:start] + text[end:]
    return text


def _slots_before_this_turn(tracker: Tracker) -> dict[str, Any]:
    """Slot values as they stood when the member's latest message arrived."""
    before: dict[str, Any] = {}
    pending: dict[str, Any] = {}
    for event in tracker.events:
        if event.get("event") == "user":
            before.update(pending)
            pending = {}
        elif event.get("event") == "slot":
            pending[str(event["name"])] = event.get("value")
    return before
