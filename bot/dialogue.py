"""Dialogue client: takes what a member said to Rasa and brings the answer back; only it knows the address."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework.canary_share import on_canary
from casework.settings import Settings

WEBHOOK = "/webhooks/switchboard/webhook"
PARSE = "/webhooks/switchboard/parse"
HEALTH = "/webhooks/switchboard/"

HEALTH_TIME_LIMIT_S = 2.0
# Sanic drops idle connections after five seconds; a request must not race with that.
KEEP_ALIVE_S = 4.0

Reading = TypeVar("Reading", bound=BaseModel)


class DialogueError(Exception):
    """The dialogue gave no usable answer; the message itself is never part of the error."""


class DialogueDown(DialogueError):
    """Rasa cannot be reached, or answered with anything but 200."""


class DialogueTimeout(DialogueError):
    """Rasa did not answer within the time limit."""


class DialogueNonsense(DialogueError):
    """Rasa answered 200 with a body that breaks the contract, or with nothing to say."""


class _Wire(BaseModel):
    """A part of Rasa's answer; types are not converted and what we do not know is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Choice(_Wire):
    """A button as the dialogue offers it: ``payload`` is ``/intent{…}`` and never leaves this house."""

    title: Annotated[str, Field(min_length=1)]
    payload: Annotated[str, Field(min_length=1)]


class Citation(_Wire):
    """A source as the dialogue names it."""

    title: str
    article: str | None = None
    as_of: str | None = None


class Extras(_Wire):
    """What comes beside a sentence: its topic and its sources."""

    topic: str | None = None
    sources: tuple[Citation, ...] = ()


class Said(_Wire):
    """One sentence of the dialogue, with its buttons."""

    text: str
    buttons: tuple[Choice, ...] = ()
    custom: Extras = Extras()


class Understanding(_Wire):
    """How the model read a sentence; ``accepted`` is false where the assistant would not act on it."""

    intent: str | None = None
    topic: str | None = None
    confidence: float = 0.0
    accepted: bool = False
    guesses: tuple[tuple[str, float], ...] = ()
    """At most three intents with their probabilities, the likeliest first."""
    facts: dict[str, Any] = Field(default_factory=dict)
    model: str | None = None
    """The model version that read it."""


class Answer(_Wire):
    """What the dialogue says to one message (at least one sentence), and how it understood it."""

    messages: tuple[Said, ...]
    understanding: Understanding | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message on its way to the dialogue: a member's words, or a ``/intent{…}`` of ours."""

    conversation_id: str
    message_id: int
    text: str
    channel: str
    as_of: date
    """The day in Shanghai against which 昨天 and 上个月 are read."""


class DialogueClient(Protocol):
    """Anything that can hold the assistant's side of a conversation."""

    async def reply(self, utterance: Utterance) -> Answer:
        """What to say, never nothing; raises DialogueDown, DialogueTimeout or DialogueNonsense."""
        ...

    async def parse(self, text: str, as_of: date) -> Understanding:
        """How the model reads a sentence; nothing is said or remembered; raises as ``reply`` does."""
        ...

    async def health(self) -> Mapping[str, bool]:
        """Whether each process behind the dialogue answers; raises nothing."""
        ...


class RasaDialogue:
    """The dialogue held by Rasa over HTTP (``nlu`` holds the other end of the contract)."""

    canary_share: int = 0
    """How many percent of the conversations the canary answers at present (``bot.canary`` keeps it)."""

    def __init__(
        self,
        client: httpx.AsyncClient | Sequence[httpx.AsyncClient],
        internal_token: str,
        time_limit_s: float,
        actions_health: str,
    ) -> None:
        """Take a client for each replica (base_url: Rasa's), and where the action server says it is well.

        A conversation stays with one replica while that answers; ``time_limit_s`` is for a whole exchange.
        """
        self._actions_health = actions_health
        self._replicas = (client,) if isinstance(client, httpx.AsyncClient) else tuple(client)
        self._headers = {"Authorization": f"Bearer {internal_token}"}
        self._time_limit_s = time_limit_s

    async def reply(self, utterance: Utterance) -> Answer:
        """What Rasa says; raises DialogueDown, DialogueTimeout or DialogueNonsense."""
        body = {
            "sender": utterance.conversation_id,
            "message": utterance.text,
            "metadata": {
                "message_id": utterance.message_id,
                "conversation_id": utterance.conversation_id,
                "channel": utterance.channel,
                "as_of": utterance.as_of.isoformat(),
                "canary": on_canary(utterance.conversation_id, self.canary_share),
            },
        }
        answer = _read(Answer, await self._post(WEBHOOK, body, utterance.conversation_id))
        # An action may send only data, or nothing: an action that raised does, and Rasa answers 200.
        spoken = tuple(said for said in answer.messages if said.text.strip())
        if not spoken:
            raise DialogueNonsense("nothing was said")
        return answer.model_copy(update={"messages": spoken})

    async def parse(self, text: str, as_of: date) -> Understanding:
        """How Rasa's model reads a sentence; raises DialogueDown, DialogueTimeout or DialogueNonsense."""
        body = {"text": text, "as_of": as_of.isoformat()}
        return _read(Understanding, await self._post(PARSE, body, text))

    async def health(self) -> dict[str, bool]:
        """Whether each replica answers with our channel and a model, and the action server they ask."""
        *replicas, actions = await asyncio.gather(
            *(self._is_well(replica, HEALTH) for replica in self._replicas),
            self._is_well(self._replicas[0], self._actions_health),
        )
        names = ["rasa", *(f"rasa-{number}" for number in range(2, len(replicas) + 1))]
        return {**dict(zip(names, replicas, strict=True)), "actions": actions}

    async def _is_well(self, client: httpx.AsyncClient, url: str) -> bool:
        try:
            async with asyncio.timeout(HEALTH_TIME_LIMIT_S):
                response = await client.get(url)
        except (httpx.HTTPError, TimeoutError):
            return False
        return response.status_code == httpx.codes.OK

    async def _post(self, path: str, body: Mapping[str, object], key: str) -> bytes:
        try:
            # httpx limits each read, not the exchange: a server that dribbles would hold the member forever.
            async with asyncio.timeout(self._time_limit_s):
                return await self._ask(path, body, key)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise DialogueTimeout(f"no answer within {self._time_limit_s} s") from error

    async def _ask(self, path: str, body: Mapping[str, object], key: str) -> bytes:
        """The answer of the key's own replica, or of the next one where that is down or has no model.

        Asking twice is safe: what was said to a message is said again, not answered anew (``nlu.channel``).
        """
        first = zlib.crc32(key.encode(errors="replace"))
        error = DialogueDown("no replica")
        for number in range(len(self._replicas)):
            replica = self._replicas[(first + number) % len(self._replicas)]
            try:
                response = await replica.post(path, json=body, headers=self._headers)
            except httpx.TimeoutException:
                raise
            except httpx.HTTPError as problem:
                error = DialogueDown(type(problem).__name__)
                error.__cause__ = problem
                continue
            if response.status_code == httpx.codes.OK:
                return response.content
            # The action server's 500 body echoes the whole tracker: the body stays out of the error.
            error = DialogueDown(f"status {response.status_code}")
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
        raise error


@asynccontextmanager
async def open_dialogue(settings: Settings) -> AsyncIterator[RasaDialogue]:
    """The dialogue with Rasa's replicas; opens no connection before it is asked something."""
    async with AsyncExitStack() as stack:
        clients = [rasa_client(settings, url) for url in settings.replica_urls]
        for client in clients:
            await stack.enter_async_context(client)
        actions_health = f"http://127.0.0.1:{settings.actions_port}/health"
        yield RasaDialogue(clients, settings.internal_token, settings.rasa_timeout_s, actions_health)


def rasa_client(settings: Settings, url: str | None = None) -> httpx.AsyncClient:
    """An HTTP client for one of Rasa's replicas; the first one where no address is given."""
    return httpx.AsyncClient(
        base_url=url or settings.replica_urls[0],
        timeout=httpx.Timeout(settings.rasa_timeout_s),
        limits=httpx.Limits(max_connections=100, keepalive_expiry=KEEP_ALIVE_S),
        trust_env=False,
    )


def _read(kind: type[Reading], body: bytes) -> Reading:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "body" for problem in error.errors()[:5])
        # "from None": pydantic's own message quotes what the member and Rasa said.
        raise DialogueNonsense(f"{kind.__name__} breaks the contract at {places}") from None
