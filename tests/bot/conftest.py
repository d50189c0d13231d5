"""A switchboard with everything real but the dialogue."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastapi.routing
import pytest

from bot.switchboard import Switchboard
from bot.views import Incoming, MessageView, Receipt
from casework import conversations
from casework.clock import FixedClock
from casework.crisis import CrisisRules
from casework.database import Database
from casework.reminder_rules import ReminderRules
from casework.tables import Author, Channel, Conversation
from casework.wording import Wording
from tests.bot.fakes import FakeDialogue, Script
from tests.factories import make_conversation

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
TIME_LIMIT_S = 30.0
"""Far longer than anything takes: a test about it gives a switchboard its own."""


BUILT: dict[tuple[int, str], Any] = {}


@pytest.fixture(autouse=True)
def routes_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI reads the signatures of all doors anew for every application; longer than most tests take."""
    contexts: Any = getattr(fastapi.routing, "_EffectiveRouteContext", None)
    if contexts is None:  # another FastAPI, which builds them in another way
        return
    build = contexts.from_api_route

    def built(*, original_route: Any, include_context: Any) -> Any:
        names = (
            "prefix",
            "tags",
            "dependencies",
            "responses",
            "callbacks",
            "deprecated",
            "include_in_schema",
        )
        key = id(original_route), repr([getattr(include_context, name) for name in names])
        if key not in BUILT:
            BUILT[key] = build(original_route=original_route, include_context=include_context)
        return BUILT[key]

    monkeypatch.setattr(contexts, "from_api_route", built)


@pytest.fixture(scope="session")
def wording() -> Wording:
    return Wording.load(KNOWLEDGE)


@pytest.fixture(scope="session")
def crisis() -> CrisisRules:
    return CrisisRules.load(KNOWLEDGE / "crisis.yml")


@pytest.fixture
def script() -> Script:
    return Script()


@dataclass
class Line:
    """One member on the phone: says things and reads what the transcript holds."""

    switchboard: Switchboard
    database: Database
    conversation_id: str
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def say(self, text: str, client_message_id: str | None = None) -> Receipt:
        """Send a text."""
        return await self.send(text=text, client_message_id=client_message_id)

    async def press(self, payload: str) -> Receipt:
        """Press a button or use a command."""
        return await self.send(payload=payload)

    async def send(self, client_message_id: str | None = None, **what: Any) -> Receipt:
        """Send anything."""
        name = client_message_id or f"c{next(self._ids)}"
        return await self.switchboard.receive(Incoming(self.conversation_id, name, **what))

    async def transcript(self) -> list[MessageView]:
        """Everything said so far."""
        return await self.switchboard.messages(self.conversation_id)

    async def said_by_bot(self) -> list[str]:
        """The bot's sentences so far."""
        return [view.text for view in await self.transcript() if view.author == Author.BOT]

    async def conversation(self) -> Conversation:
        """The conversation as it is now."""
        async with self.database.read() as session:
            return await conversations.get(session, self.conversation_id)


@pytest.fixture
def another_switchboard(
    database: Database, script: Script, crisis: CrisisRules, wording: Wording, clock: FixedClock
) -> Callable[..., Switchboard]:
    """Makes a switchboard as a process would, with a scripted dialogue."""

    def make(time_limit_s: float = TIME_LIMIT_S) -> Switchboard:
        return Switchboard(
            database,
            FakeDialogue(script),
            crisis=crisis,
            wording=wording,
            reminder_rules=ReminderRules.load(KNOWLEDGE),
            clock=clock,
            time_limit_s=time_limit_s,
            attachments_per_message=5,
        )

    return make


@pytest.fixture
async def switchboard(another_switchboard: Callable[[], Switchboard]) -> AsyncIterator[Switchboard]:
    made = another_switchboard()
    yield made
    await made.close()


@pytest.fixture
async def line(switchboard: Switchboard, database: Database) -> Line:
    return await new_line(switchboard, database)


async def new_line(switchboard: Switchboard, database: Database, channel: Channel = Channel.WEB) -> Line:
    """A new member's conversation."""
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=channel)
    return Line(switchboard, database, conversation.id)
