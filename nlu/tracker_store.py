"""Where Rasa keeps its dialogues: one encrypted row a conversation, the current session only.

The transcript of record is elsewhere; this is only what the dialogue needs to go on. Rasa's own SQL store
wants SQLAlchemy 1, writes a row an event in plain text, and took 58 % of a message's time.
"""

from __future__ import annotations

import json
import logging
import os
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from nlu.tracker_cipher import TrackerCipher, data_keys

logger = logging.getLogger(__name__)

KEEP_AT_MOST = 100
"""Events a stored dialogue may have before its beginning is folded into slot values."""
KEEP_WHEN_TRIMMED = 40
CACHED = 2000
"""Dialogues kept in memory; each is checked against its stored version before it is used."""
FORGET_AFTER_S = 90 * 24 * 3600
"""A dialogue nobody went on with for 90 days is deleted at the next start."""

_metadata = MetaData()
_dialogues = Table(
    "dialogues",
    _metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Column("saved_at", BigInteger, nullable=False, index=True),
)


class DialogueConflict(RuntimeError):
    """Two replicas took a turn in one conversation at the same time; the second one's turn is refused."""


@dataclass
class _Known:
    """A dialogue as it was last stored: its version, its tracker, its events and the same as JSON lines."""

    version: int
    tracker: DialogueStateTracker
    events: list[Event]
    lines: list[str]


class ConversationTrackerStore(TrackerStore):
    """Rasa's dialogues in SQLite or PostgreSQL, encrypted, trimmed, and cached by version."""

    def __init__(
        self,
        domain: Domain | None = None,
        event_broker: EventBroker | None = None,
        host: str | None = None,
        **kwargs: Any,
    ) -> None:
        """``host`` is a database URL; empty means ``var/trackers.db``."""
        super().__init__(domain, event_broker, **kwargs)
        self._url = host or _default_url()
        self._engine: AsyncEngine | None = None
        self._cipher = TrackerCipher(data_keys(dict(os.environ)))
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._begun: OrderedDict[str, _Known] = OrderedDict()

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation's dialogue, or None. What it returns leaves the cache until it is saved again,
        so that a turn that fails half-way never leaves a half-changed dialogue behind.
        """
        known = self._known.pop(sender_id, None)
        engine = await self._opened()
        async with engine.connect() as connection:
            version = await connection.scalar(
                select(_dialogues.c.version).where(_dialogues.c.conversation_id == sender_id)
            )
            if version is None:
                self._begun.pop(sender_id, None)
                return None
            if known is None or known.version != version:
                known = await self._read(connection, sender_id)
        _put(self._begun, sender_id, known)
        return known.tracker

    async def peek(self, sender_id: str) -> DialogueStateTracker | None:
        """The dialogue as last saved by this process, without a look at the database; do not change it."""
        known = self._known.get(sender_id)
        return known.tracker if known is not None else None

    async def create_tracker(self, sender_id: str, append_action_listen: bool = True) -> DialogueStateTracker:
        """A new dialogue; stored when its first turn is saved."""
        tracker = self.init_tracker(sender_id)
        if append_action_listen:
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the dialogue's current session; raises DialogueConflict when another replica was faster."""
        await self.stream_events(tracker)
        sender_id = tracker.sender_id
        before = self._begun.get(sender_id)
        version = before.version if before is not None else 0
        events = current_session(list(tracker.events))
        if len(events) > KEEP_AT_MOST:
            events = fold(events, self.domain, sender_id)
        kept = tracker
        if len(events) != len(tracker.events):
            kept = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        lines = _lines(events, before)
        body = self._cipher.encrypt(sender_id, zlib.compress("\n".join(lines).encode(), 1))
        engine = await self._opened()
        async with engine.begin() as connection:
            stored = await _write(connection, sender_id, version, body)
        if not stored:
            raise DialogueConflict(f"conversation {sender_id} was changed elsewhere since version {version}")
        known = _Known(version + 1, kept, events, lines)
        _put(self._begun, sender_id, known)
        if events:
            _put(self._known, sender_id, known)
        # Else Rasa has just made it, and its first turn goes on with this very tracker.

    async def keys(self) -> Iterable[str]:
        """Every conversation that has a dialogue."""
        engine = await self._opened()
        async with engine.connect() as connection:
            return list(await connection.scalars(select(_dialogues.c.conversation_id)))

    async def delete(self, sender_id: str) -> None:
        """Forget a dialogue."""
        self._known.pop(sender_id, None)
        self._begun.pop(sender_id, None)
        engine = await self._opened()
        async with engine.begin() as connection:
            await connection.execute(delete(_dialogues).where(_dialogues.c.conversation_id == sender_id))

    async def close(self) -> None:
        """Close the database."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    async def _read(self, connection: AsyncConnection, sender_id: str) -> _Known:
        row = (
            await connection.execute(
                select(_dialogues.c.version, _dialogues.c.events).where(
                    _dialogues.c.conversation_id == sender_id
                )
            )
        ).one()
        # One line an event; none where the first turn was begun and never finished.
        body = zlib.decompress(self._cipher.decrypt(sender_id, row.events)).decode()
        lines = [line for line in body.split("\n") if line]
        events = [event for line in lines if (event := Event.from_parameters(json.loads(line))) is not None]
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        return _Known(row.version, tracker, events, lines)

    async def _opened(self) -> AsyncEngine:
        if self._engine is None:
            engine = create_async_engine(self._url)
            async with engine.begin() as connection:
                if engine.dialect.name == "sqlite":
                    await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    await connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
                await connection.run_sync(_metadata.create_all)
                await connection.execute(
                    delete(_dialogues).where(_dialogues.c.saved_at < int(time.time()) - FORGET_AFTER_S)
                )
            self._engine = engine
        return self._engine


async def _write(connection: AsyncConnection, sender_id: str, version: int, body: bytes) -> bool:
    """Store a body over exactly this version (0: none yet); whether it was so."""
    now = int(time.time())
    if version == 0:
        found = await connection.scalar(
            select(_dialogues.c.version).where(_dialogues.c.conversation_id == sender_id)
        )
        if found is not None:
            return False
        await connection.execute(
            insert(_dialogues).values(conversation_id=sender_id, version=1, events=body, saved_at=now)
        )
        return True
    changed = await connection.execute(
        update(_dialogues)
        .where(_dialogues.c.conversation_id == sender_id, _dialogues.c.version == version)
        .values(version=version + 1, events=body, saved_at=now)
    )
    return changed.rowcount == 1


def current_session(events: Sequence[Event]) -> list[Event]:
    """The events since the latest restart or session start: what the dialogue can still depend on."""
    begin = 0
    for index, event in enumerate(events):
        if isinstance(event, Restarted):
            begin = index + 1
        elif isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME:
            begin = index
    return list(events[begin:])


def fold(events: Sequence[Event], domain: Domain, sender_id: str) -> list[Event]:
    """The latest events, with what came before folded into the slots and the form it left behind."""
    listens = [
        index
        for index, event in enumerate(events[:-1])
        if isinstance(event, ActionExecuted)
        and event.action_name == ACTION_LISTEN_NAME
        and isinstance(events[index + 1], UserUttered)
    ]
    cut = next((index for index in listens if index >= len(events) - KEEP_WHEN_TRIMMED), None)
    if cut is None:
        return list(events)
    before = DialogueStateTracker.from_events(sender_id, list(events[:cut]), domain.slots)
    folded: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    folded += [
        SlotSet(name, slot.value) for name, slot in before.slots.items() if slot.value != slot.initial_value
    ]
    if before.active_loop_name is not None:
        folded += [ActionExecuted(before.active_loop_name), ActiveLoop(before.active_loop_name)]
        folded.append(SlotSet("requested_slot", before.get_slot("requested_slot")))
        if before.is_active_loop_rejected:
            folded.append(ActionExecutionRejected(before.active_loop_name))
    return [*folded, *events[cut:]]


def _lines(events: Sequence[Event], before: _Known | None) -> list[str]:
    """Events as JSON lines; those stored before are not written out again."""
    known = 0
    if before is not None:
        for event, stored in zip(events, before.events, strict=False):
            if event is not stored:
                break
            known += 1
    fresh = [
        json.dumps(event.as_dict(), ensure_ascii=False, separators=(",", ":")) for event in events[known:]
    ]
    return [*(before.lines[:known] if before is not None else []), *fresh]


def _put(cache: OrderedDict[str, _Known], sender_id: str, known: _Known) -> None:
    cache[sender_id] = known
    cache.move_to_end(sender_id)
    while len(cache) > CACHED:
        cache.popitem(last=False)


def _default_url() -> str:
    home = Path(os.environ.get("NIANGJIA_HOME") or Path(__file__).parents[1])
    folder = home / (os.environ.get("NIANGJIA_VAR") or "var")
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite+aiosqlite:///{folder / 'trackers.db'}"
