"""A stage for actions: what Rasa would do around them (slots from facts, the open form), and nothing more."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CaseworkAction
from actions.case_opening import ActionAskCaseFormCaseConfirmed, ActionFinishCase, ActionStartCase
from actions.intake import ValidateCaseForm
from actions.resources import Resources
from casework import messages
from casework.tables import Conversation
from tests.e2e.house import ROOT

_DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
FACTS = {
    name
    for name, slot in _DOMAIN["slots"].items()
    if any(mapping["type"] == "from_entity" for mapping in slot["mappings"])
}
_ids = itertools.count(1)


def wording(response: str) -> list[str]:
    """Every text ``utter_*`` may be said with."""
    return [str(variant.get("text")) for variant in _DOMAIN["responses"][response]]


@dataclass
class Stage:
    """One conversation on the stage."""

    house: Resources
    conversation: Conversation
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    form: str | None = None
    latest: dict[str, Any] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, slot in _DOMAIN["slots"].items():
            self.slots.setdefault(name, slot.get("initial_value"))
        self.slots.setdefault("requested_slot", None)

    async def hear(self, text: str, intent: str, ranking: list[str] | None = None, **entities: Any) -> None:
        """The member says something understood as ``intent``; recorded as the switchboard does."""
        async with self.house.database.transaction() as session:
            recorded = await messages.record_incoming(
                session, self.conversation, f"m{next(_ids)}", text=text, now=self.house.clock.now()
            )
            message_id = recorded.message.id
        self.latest = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "entities": [_entity(text, name, value) for name, value in entities.items()],
            "intent_ranking": [{"name": name, "confidence": 0.3} for name in ranking or [intent]],
            "metadata": {"message_id": message_id},
        }
        self.events.append({"event": "user", **self.latest})
        for name, value in entities.items():
            if name in FACTS:
                self._set(name, value)

    async def run(self, action: CaseworkAction) -> list[dict[str, Any]]:
        """Run one action and keep what it said and set; returns what it said."""
        dispatcher = CollectingDispatcher()
        tracker = Tracker(
            self.conversation.id,
            dict(self.slots),
            self.latest,
            list(self.events),
            False,
            None,
            {"name": self.form} if self.form else {},
            "action_listen",
        )
        for event in await action.run(dispatcher, tracker, {}):
            if event["event"] == "slot":
                self._set(event["name"], event["value"])
            elif event["event"] == "reset_slots":
                self.slots = dict.fromkeys(self.slots)
        said = [message.get("custom") or message for message in dispatcher.messages]
        self.heard += said
        return said

    async def start_case(self) -> list[dict[str, Any]]:
        """Start the intake, as the rule does."""
        said = await self.run(ActionStartCase())
        self.form = None
        self.slots["requested_slot"] = None
        said += await self.run(ValidateCaseForm())
        self.form = "case_form"
        return said

    async def answer(self, text: str, intent: str = "inform", **entities: Any) -> list[dict[str, Any]]:
        """Say something while the intake is open; the form's end runs as the rule has it."""
        await self.hear(text, intent, **entities)
        said = await self.run(ValidateCaseForm())
        if self.slots["requested_slot"] == "case_confirmed":
            said += await self.run(ActionAskCaseFormCaseConfirmed())
        if self.slots["requested_slot"] is None:
            self.form = None
            said += await self.run(ActionFinishCase())
        return said

    @property
    def asked(self) -> str | None:
        """The slot the form asks for now."""
        return self.slots["requested_slot"]

    def _set(self, name: str, value: Any) -> None:
        self.slots[name] = value
        self.events.append({"event": "slot", "name": name, "value": value})


def _entity(text: str, name: str, value: Any) -> dict[str, Any]:
    start = text.find(str(value))
    return {"entity": name, "value": value} | (
        {"start": start, "end": start + len(str(value))} if start >= 0 else {}
    )


def responses(said: list[dict[str, Any]]) -> list[str]:
    """The names of the ``utter_*`` among what was said."""
    return [str(message["response"]) for message in said if message.get("response")]


def values(said: list[dict[str, Any]], response: str) -> dict[str, Any]:
    """The values ``utter_*`` was said with."""
    return next(message for message in said if message.get("response") == response)
