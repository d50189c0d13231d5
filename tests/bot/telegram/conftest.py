"""What the tests of the Telegram door share: a door with everything real but Telegram and the dialogue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from bot.switchboard import Switchboard
from bot.telegram.setup import TelegramDoor
from casework.attachments import AttachmentStore
from casework.clock import FixedClock
from casework.database import Database
from casework.settings import Settings
from casework.tables import Attachment, Conversation, Member, Message, OutboxEntry
from casework.wording import Wording
from tests.bot.telegram import updates as build
from tests.bot.telegram.fakes import FakeSwitchboard
from tests.bot.telegram.offline import OfflineBotApi

TOKEN = "7000000001:AAE-the-secret-of-the-tests_0123456789"
SECRET = "a-webhook-secret_of-the-tests"


@pytest.fixture(autouse=True)
def timedelta_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot's time periods as timedelta, as the door itself sets it."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.lanes.ALBUM_WAIT_S", 0.4)
    monkeypatch.setattr("bot.telegram.downloads.PAUSE_S", 0.0)


@dataclass(frozen=True)
class HouseParts:
    """What the door needs of the house."""

    settings: Settings
    database: Database
    clock: FixedClock
    wording: Wording
    switchboard: Any
    attachments: AttachmentStore


@pytest.fixture
def api() -> OfflineBotApi:
    return OfflineBotApi()


@pytest.fixture
def telegram_settings(settings: Settings) -> Settings:
    """Webhook mode, so that a test may hand updates to the door itself."""
    return replace(
        settings,
        telegram_token=TOKEN,
        telegram_mode="webhook",
        telegram_webhook_url="https://example.org/telegram/webhook",
        telegram_webhook_secret=SECRET,
    )


@pytest.fixture
def house_parts(
    telegram_settings: Settings,
    database: Database,
    clock: FixedClock,
    wording: Wording,
    switchboard: Switchboard,
) -> HouseParts:
    """The real switchboard over a scripted dialogue."""
    store = AttachmentStore.of(telegram_settings)
    return HouseParts(telegram_settings, database, clock, wording, switchboard, store)


@pytest.fixture
def fake_switchboard(database: Database, clock: FixedClock) -> FakeSwitchboard:
    return FakeSwitchboard(database, clock)


class Line:
    """One door as a test uses it: updates go in, what the bot said comes out."""

    def __init__(self, door: TelegramDoor, api: OfflineBotApi, database: Database) -> None:
        self.door, self.api, self.database = door, api, database

    async def bring(self, *updates: build.Json) -> None:
        """Let Telegram bring updates side by side and wait until they are settled (albums included)."""
        await asyncio.gather(*(self.door.take(build.numbered(update)) for update in updates))
        await asyncio.gather(*self.door._spooled)

    async def heard(self, chat_id: int | None = None) -> list[str]:
        """Deliver what waits; everything the bot has said so far."""
        while await self.door._deliverer.deliver_due():
            pass
        sent = self.api.made("sendMessage")
        return [params["text"] for params in sent if chat_id in (None, int(params["chat_id"]))]

    async def transcript(self) -> list[Message]:
        return await self._all(Message)

    async def attachments(self) -> list[Attachment]:
        return await self._all(Attachment)

    async def conversation(self) -> Conversation:
        (only,) = await self._all(Conversation)
        return only

    async def member(self) -> Member:
        (only,) = await self._all(Member)
        return only

    async def outbox(self) -> list[OutboxEntry]:
        return await self._all(OutboxEntry)

    async def _all(self, table: Any) -> list[Any]:
        async with self.database.read() as session:
            return list(await session.scalars(select(table).order_by(table.id)))


OpenDoor = Callable[..., Awaitable[Line]]


@pytest.fixture
async def open_door(api: OfflineBotApi, database: Database) -> AsyncIterator[OpenDoor]:
    """Opens doors the way ``start`` does, but without its loops; closes them again."""
    opened: list[TelegramDoor] = []

    async def open_one(parts: Any) -> Line:
        door = TelegramDoor(parts, request=api.request)
        await door.application.initialize()
        door._ready = True
        opened.append(door)
        return Line(door, api, database)

    yield open_one
    for door in opened:
        await door.stop()


@pytest.fixture
async def line(open_door: OpenDoor, house_parts: HouseParts) -> Line:
    """A door to the real switchboard."""
    return await open_door(house_parts)


@pytest.fixture
async def fake_line(open_door: OpenDoor, house_parts: HouseParts, fake_switchboard: FakeSwitchboard) -> Line:
    """A door to a switchboard that does what the test tells it to."""
    return await open_door(replace(house_parts, switchboard=fake_switchboard))
