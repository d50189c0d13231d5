"""The door between the switchboard and Rasa: one request a message, and what was understood beside it.

Rasa's own REST channel lets anybody in (``--auth-token`` does not cover webhooks) and says nothing about
what it understood. This one wants the internal token and fails closed without one.
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from nlu.facts.bare import BARE
from nlu.model_pulling import canary_of, model_name
from nlu.topics import FALLBACK, IntentTable
from nlu.tracker_store import ConversationTrackerStore

logger = logging.getLogger(__name__)

MAX_MESSAGE = 8000
"""Characters; the switchboard's own limit is lower, payloads included."""
MOST_GUESSES = 3


class UtteranceCollector(CollectingOutputChannel):
    """Collects what the bot says, one entry an utterance.

    Rasa's own collector cuts a text at blank lines and splits text, buttons and custom data of one
    utterance into several entries, some of them without a text.
    """

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep one utterance as it is."""
        self.messages.append({key: value for key, value in message.items() if value})


class SwitchboardChannel(InputChannel):
    """Rasa's channel for our switchboard (docs/architecture.md, "bot ↔ Rasa")."""

    @classmethod
    def name(cls) -> str:
        """Name in credentials.yml and in the address."""
        return "switchboard"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes: health (open), webhook and parse (internal token)."""
        blueprint = Blueprint("switchboard_webhook", __name__)
        intents = IntentTable.read(
            Path(os.environ.get("NIANGJIA_HOME") or Path(__file__).parents[1]) / "data/knowledge/intents.yml"
        )
        token = os.environ.get("NIANGJIA_INTERNAL_TOKEN", "")

        def refused(request: Request) -> HTTPResponse | None:
            given = request.headers.get("Authorization", "")
            if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return None
            return json_response({"error": "not authorised"}, status=401)

        @blueprint.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            agent = getattr(request.app.ctx, "agent", None)
            if agent is None or not agent.is_ready():
                return json_response({"status": "no model is loaded"}, status=503)
            return json_response({"status": "ok"})

        @blueprint.route("/webhook", methods=["POST"])
        async def webhook(request: Request) -> HTTPResponse:
            if (no := refused(request)) is not None:
                return no
            try:
                sender, message, metadata = _read(request)
            except ValueError as error:
                return json_response({"error": str(error)}, status=400)
            agent = _agent_for(request.app.ctx.agent, metadata)
            if agent is None or not agent.is_ready():
                return json_response({"error": "no model is loaded"}, status=503)
            again = await _answered_before(agent.tracker_store, sender, message, metadata)
            if again is not None:
                return json_response(again | {"understanding": {}})
            collector, model = UtteranceCollector(), model_name(agent)
            # Rasa's own way to the live model, whichever that is at this moment.
            handle = on_new_message if agent is request.app.ctx.agent else agent.handle_message
            await handle(
                UserMessage(message, collector, sender, input_channel=self.name(), metadata=metadata)
            )
            tracker = await _as_saved(agent.tracker_store, sender)
            return json_response(
                {
                    "messages": [_said(raw) for raw in collector.messages],
                    "understanding": {**_latest(tracker, intents), "model": model},
                }
            )

        @blueprint.route("/parse", methods=["POST"])
        async def parse(request: Request) -> HTTPResponse:
            if (no := refused(request)) is not None:
                return no
            try:
                body = _object(request)
                message = _text(body, "text")
            except ValueError as error:
                return json_response({"error": str(error)}, status=400)
            agent = _agent_for(request.app.ctx.agent, body)
            if agent is None or not agent.is_ready():
                return json_response({"error": "no model is loaded"}, status=503)
            model = model_name(agent)
            # Through the processor: Agent.parse_message takes no metadata, and relative dates need it.
            parsed = await agent.processor.parse_message(
                UserMessage(message, metadata={"as_of": body.get("as_of")})
            )
            return json_response({**understanding(parsed, intents), "model": model})

        return blueprint


def _agent_for(agent: Any, asked: Mapping[str, Any]) -> Any:
    """The agent that answers: the canary where that is asked for and it can, else the live one."""
    return (canary_of(agent) or agent) if asked.get("canary") is True else agent


def _read(request: Request) -> tuple[str, str, dict[str, Any]]:
    """Sender, message and metadata of a request; raises ValueError saying what is wrong with it."""
    body = _object(request)
    sender, metadata = body.get("sender"), body.get("metadata") or {}
    if not isinstance(sender, str) or not 0 < len(sender) <= 64:
        raise ValueError("sender must be 1 to 64 characters")
    if not isinstance(metadata, dict):
        raise ValueError("metadata must be an object")
    return sender, _text(body, "message"), metadata


def _object(request: Request) -> dict[str, Any]:
    try:
        body = request.json
    except Exception as error:
        raise ValueError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    return body


def _text(body: Mapping[str, Any], field: str) -> str:
    text = body.get(field)
    if not isinstance(text, str) or not 0 < len(text) <= MAX_MESSAGE:
        raise ValueError(f"{field} must be 1 to {MAX_MESSAGE} characters")
    return text


async def _as_saved(store: Any, sender: str) -> DialogueStateTracker | None:
    """The dialogue as last saved, to be read only: from memory where this process saved it."""
    ours = getattr(store, "_tracker_store", store)  # Rasa wraps every store in one that survives its failures
    if isinstance(ours, ConversationTrackerStore) and (known := await ours.peek(sender)) is not None:
        return known
    found: DialogueStateTracker | None = await store.retrieve(sender)
    return found


async def _answered_before(
    store: Any, sender: str, message: str, metadata: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]] | None:
    """What was said to this very message before: after a crash the switchboard asks again.

    A photo with words comes as two messages under one id: the file's payload, then the words.
    """
    message_id = metadata.get("message_id")
    if message_id is None:
        return None
    tracker = await _as_saved(store, sender)
    if tracker is None:
        return None
    events = list(tracker.events)
    said: list[dict[str, Any]] = []
    for event in reversed(events):
        if isinstance(event, BotUttered):
            said.insert(0, _uttered(event))
        elif isinstance(event, UserUttered):
            if (event.metadata or {}).get("message_id") != message_id:
                return None
            if event.text == message.strip():
                return {"messages": said}
            said = []
    return None


def _uttered(event: BotUttered) -> dict[str, Any]:
    """A bot event as the collector would have given it."""
    return _said(
        {"text": event.text, **{key: value for key, value in event.data.items() if value is not None}}
    )


def _said(raw: Mapping[str, Any]) -> dict[str, Any]:
    """One thing the bot said: text and buttons from either side, topic and sources from our actions."""
    custom = raw.get("custom")
    custom = dict(custom) if isinstance(custom, dict) else {}
    text = custom.pop("text", None) or raw.get("text") or ""
    buttons: Sequence[Any] = custom.pop("buttons", None) or raw.get("buttons") or []
    return {"text": text, "buttons": list(buttons), "custom": custom}


def _latest(tracker: DialogueStateTracker | None, intents: IntentTable) -> dict[str, Any]:
    if tracker is None or tracker.latest_message is None:
        return {}
    latest = tracker.latest_message
    parsed = {**(latest.parse_data or {})}
    parsed["intent"], parsed["entities"] = latest.intent, latest.entities
    return understanding(parsed, intents)


def understanding(parsed: Mapping[str, Any], intents: IntentTable) -> dict[str, Any]:
    """What a message was taken for, as ``niangjia parse`` says it: the best guess even where not acted on."""
    ranking = [guess for guess in parsed.get("intent_ranking") or [] if guess.get("name") != FALLBACK]
    intent = dict(parsed.get("intent") or {})
    accepted = intent.get("name") not in (None, FALLBACK)
    best = intent if accepted or not ranking else dict(ranking[0])
    topic = parsed.get("topic") or intents.topic(best.get("name"))
    confidence = float(best.get("confidence") or 0.0)
    return {
        "intent": best.get("name"),
        "topic": topic,
        "confidence": round(confidence, 4),
        "accepted": accepted,
        "guesses": [
            [guess["name"], round(float(guess.get("confidence") or 0.0), 4)]
            for guess in ranking[:MOST_GUESSES]
            if guess.get("name")
        ],
        "topics": parsed.get("topics") or ([{"topic": topic, "confidence": confidence}] if topic else []),
        "facts": {
            entity["entity"]: entity.get("value")
            for entity in parsed.get("entities") or []
            if entity["entity"] not in BARE
        },
    }
