"""A dialogue without Rasa, and Rasa's side of the contract without a socket; one script for both."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

import httpx

from bot.dialogue import (
    HEALTH,
    PARSE,
    WEBHOOK,
    Answer,
    Choice,
    Citation,
    DialogueDown,
    DialogueNonsense,
    DialogueTimeout,
    Extras,
    RasaDialogue,
    Said,
    Understanding,
    Utterance,
)

INTERNAL_TOKEN = "the-internal-token-of-the-tests"
STUB_TIME_LIMIT_S = 0.05
ACTIONS_HEALTH = "/actions/health"


class Trouble(Enum):
    """What can go wrong on Rasa's side."""

    DOWN = "connection refused"
    ERROR = "status 500 that echoes the tracker"
    HANGING = "no answer"
    SILENT = "200 and an empty list: an action raised"
    GARBAGE = "200 and something that is not the contract"


def say(*texts: str, topic: str | None = None, buttons: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer of one or more sentences; the buttons and the topic belong to the last."""
    *first, last = texts
    return Answer(
        messages=(
            *(Said(text=text) for text in first),
            Said(
                text=last,
                buttons=tuple(Choice(title=title, payload=payload) for title, payload in buttons),
                custom=Extras(
                    topic=topic,
                    sources=(Citation(title="中华人民共和国劳动法", article="第五十条", as_of="2025-04-30"),)
                    if topic
                    else (),
                ),
            ),
        ),
        understanding=Understanding(intent="ask_wage_arrears", topic=topic, confidence=0.9, accepted=True),
    )


def understand(
    intent: str, confidence: float = 0.9, accepted: bool = True, model: str | None = None
) -> Understanding:
    """How a model read a sentence."""
    return Understanding(intent=intent, topic=None, confidence=confidence, accepted=accepted, model=model)


@dataclass
class Script:
    """What the dialogue will do next, and what it has heard."""

    answers: deque[Answer | Trouble] = field(default_factory=deque)
    readings: deque[Understanding | Trouble] = field(default_factory=deque)
    heard: list[Utterance] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    well: bool = True
    before_answering: Callable[[Utterance], Awaitable[None]] | None = None
    """Called while the dialogue thinks: what an action or a hotline worker does meanwhile."""
    _ear: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, utterance: Utterance) -> None:
        """Note what was heard."""
        self.heard.append(utterance)
        self._ear.set()

    async def hears(self, count: int = 1) -> None:
        """Wait until so many messages were heard."""
        while len(self.heard) < count:
            self._ear.clear()
            await self._ear.wait()

    def hold(self, conversation_id: str | None = None) -> asyncio.Event:
        """Think (about one conversation only, if given) until the event that is returned is set."""
        release = asyncio.Event()

        async def wait(utterance: Utterance) -> None:
            if conversation_id in (None, utterance.conversation_id):
                await release.wait()

        self.before_answering = wait
        return release

    def will_say(self, *answers: Answer | Trouble) -> None:
        """Answer the next messages like this; afterwards each is answered with ``答：<its text>``."""
        self.answers.extend(answers)

    def will_read(self, *readings: Understanding | Trouble) -> None:
        """Read the next sentences like this; afterwards each is nlu_fallback."""
        self.readings.extend(readings)

    def next_answer(self, text: str) -> Answer | Trouble:
        """The scripted answer, or the echo."""
        return self.answers.popleft() if self.answers else say(f"答：{text}")

    def next_reading(self) -> Understanding | Trouble:
        """The scripted reading, or the fallback."""
        return self.readings.popleft() if self.readings else understand("nlu_fallback", 0.3, accepted=False)


class FakeDialogue:
    """A dialogue that says what a script tells it to."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()

    async def reply(self, utterance: Utterance) -> Answer:
        """The script's next answer."""
        self.script.hear(utterance)
        if self.script.before_answering is not None:
            await self.script.before_answering(utterance)
        answer = self.script.next_answer(utterance.text)
        return _raise(answer) if isinstance(answer, Trouble) else answer

    async def parse(self, text: str, as_of: date) -> Understanding:
        """The script's next reading."""
        self.script.read.append(text)
        reading = self.script.next_reading()
        return _raise(reading) if isinstance(reading, Trouble) else reading

    async def health(self) -> dict[str, bool]:
        """Whatever the script says."""
        return {"rasa": self.script.well, "actions": self.script.well}


def _raise(trouble: Trouble) -> Any:
    match trouble:
        case Trouble.DOWN | Trouble.ERROR:
            raise DialogueDown("scripted")
        case Trouble.HANGING:
            raise DialogueTimeout("scripted")
        case Trouble.SILENT | Trouble.GARBAGE:
            raise DialogueNonsense("scripted")


class RasaStub:
    """Rasa's side of the contract as an ASGI app: the token, the paths, and the ways it fails."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path, method = scope["path"], scope["method"]
        if (method, path) in {("GET", HEALTH), ("GET", ACTIONS_HEALTH)}:
            await _send(send, 200 if self.script.well else 503, {"status": "ok"})
        elif dict(scope["headers"]).get(b"authorization") != f"Bearer {INTERNAL_TOKEN}".encode():
            await _send(send, 401, {"error": "token"})
        elif (method, path) == ("POST", WEBHOOK):
            await self._webhook(json.loads(body), send)
        elif (method, path) == ("POST", PARSE):
            self.script.read.append(json.loads(body)["text"])
            await _act(send, self.script.next_reading(), body)
        else:
            await _send(send, 404, {"error": "path"})

    async def _webhook(self, body: dict[str, Any], send: Any) -> None:
        metadata = body["metadata"]
        utterance = Utterance(
            conversation_id=body["sender"],
            message_id=metadata["message_id"],
            text=body["message"],
            channel=metadata["channel"],
            as_of=date.fromisoformat(metadata["as_of"]),
        )
        assert metadata["conversation_id"] == body["sender"]
        self.script.hear(utterance)
        await _act(send, self.script.next_answer(utterance.text), json.dumps(body).encode())


def stubbed_rasa(script: Script) -> RasaDialogue:
    """The real client, talking to RasaStub in this process."""
    client = httpx.AsyncClient(
        base_url="http://rasa.invalid", transport=httpx.ASGITransport(app=RasaStub(script))
    )
    return RasaDialogue(client, INTERNAL_TOKEN, STUB_TIME_LIMIT_S, ACTIONS_HEALTH)


async def _act(send: Any, scripted: Answer | Understanding | Trouble, heard: bytes) -> None:
    match scripted:
        case Trouble.DOWN:
            raise httpx.ConnectError("connection refused")
        case Trouble.ERROR:
            await _send(send, 500, {"tracker": heard.decode()})
        case Trouble.HANGING:
            await asyncio.sleep(STUB_TIME_LIMIT_S * 20)
        case Trouble.SILENT:
            await _send(send, 200, {"messages": []})
        case Trouble.GARBAGE:
            await _send(send, 200, [{"recipient_id": "x", "text": heard.decode()}])
        case _:
            await _send(send, 200, scripted.model_dump(mode="json"))


async def _send(send: Any, status: int, content: object) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
