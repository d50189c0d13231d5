"""The Telegram door, opened and closed with the bot's process."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from telegram import Update
from telegram.error import InvalidToken, RetryAfter, TelegramError
from telegram.ext import ContextTypes

from bot.faults import log_fault, new_reference
from bot.telegram.application import bot_commands, build_application, new_request
from bot.telegram.deliverer import Deliverer
from bot.telegram.discretion import Discretion
from bot.telegram.door_bot import DoorBot, Unreadable
from bot.telegram.downloads import Downloads
from bot.telegram.handlers import Handlers
from bot.telegram.intake import Intake, NotRecorded
from bot.telegram.lanes import Album
from bot.telegram.pacing import Pacing, retry_seconds
from bot.telegram.parts import Composer
from bot.telegram.polling import ALLOWED_UPDATES, LONG_POLL_S, Poller
from bot.telegram.reception import Receiver, Reception
from bot.telegram.request import TelegramRequest
from bot.telegram.spool import Spool
from casework.attachments import AttachmentStore
from casework.clock import Clock
from casework.database import Database
from casework.errors import ConfigurationError
from casework.settings import Settings
from casework.wording import Wording

log = logging.getLogger(__name__)

WEBHOOK_CONNECTIONS = 20
STOP_PATIENCE_S = 4.0
"""For messages coming in, and again for what is being sent."""
LONGEST_PAUSE_S = 60.0
SPOOL = "telegram-spool"


class TelegramHouse(Protocol):
    """What of the house this door needs; ``bot.house.House`` has it."""

    @property
    def settings(self) -> Settings:
        """This installation's settings."""

    @property
    def database(self) -> Database:
        """The case database."""

    @property
    def clock(self) -> Clock:
        """The present moment."""

    @property
    def wording(self) -> Wording:
        """What members are told."""

    @property
    def switchboard(self) -> Receiver:
        """Where messages go."""

    @property
    def attachments(self) -> AttachmentStore:
        """Where files go."""


class TelegramDoor:
    """The door for members who write on Telegram: updates in, outbox out.

    ``start`` returns at once and never fails: while Telegram cannot be reached, or refuses the token, the
    door keeps trying and the rest of the bot goes on.
    """

    def __init__(
        self,
        house: TelegramHouse,
        *,
        request: Callable[[], TelegramRequest] = new_request,
        long_poll_s: int = LONG_POLL_S,
    ) -> None:
        """``request`` makes the library's connections.

        Raises ConfigurationError without a token, and for a webhook without a secret.
        """
        self._settings = house.settings
        self._wording = house.wording
        if house.settings.telegram_token is None:
            raise ConfigurationError("the Telegram door needs TELEGRAM_TOKEN")
        self._is_webhook = house.settings.telegram_mode == "webhook"
        if self._is_webhook and not house.settings.telegram_webhook_secret:
            raise ConfigurationError("a Telegram webhook needs TELEGRAM_WEBHOOK_SECRET")
        # The library's time periods as timedelta: otherwise it warns with every flood refusal.
        os.environ["PTB_TIMEDELTA"] = "true"
        self._discretion = Discretion(house.settings.telegram_token)
        # Before the library's Bot is made: it logs its addresses then.
        self._discretion.install()
        pacing = Pacing()
        calls = request()
        self.application = build_application(house.settings, pacing, request(), calls)
        self.bot: DoorBot = self.application.bot
        composer = Composer(house.database, house.attachments, house.wording)
        self._deliverer = Deliverer(self.bot, house.database, house.clock, composer.compose, pacing)
        self._reception = Reception(house.database, house.switchboard, house.wording, house.clock, self.wake)
        downloads = Downloads(
            house.database, house.attachments, wording=house.wording, clock=house.clock, source=calls
        )
        handlers = Handlers(self._reception, downloads, house.wording, house.settings.attachments_per_message)
        handlers.register(self.application)
        self.application.add_error_handler(self._keep_error)
        self._errors: dict[int, Exception] = {}
        self._intake = Intake(self._handle, self._apologise)
        self._poller = Poller(self.bot, self._intake, long_poll_s)
        self._spool = Spool(house.settings.var_dir / SPOOL)
        self._spooled: set[asyncio.Task[None]] = set()
        self._ready = False
        self._running: asyncio.Task[None] | None = None
        self._delivering: asyncio.Task[None] | None = None

    @property
    def webhook_secret(self) -> str | None:
        """What Telegram has to repeat with each update; None unless this door is a webhook."""
        return self._settings.telegram_webhook_secret if self._is_webhook else None

    @property
    def ready(self) -> bool:
        """Whether Telegram has accepted the token since the start."""
        return self._ready

    def wake(self) -> None:
        """Something was written to the outbox in this process: deliver it now."""
        self._deliverer.wake()

    async def start(self) -> None:
        """Open the door in the background."""
        self._running = asyncio.create_task(self._patiently(self._run), name="telegram door")

    async def stop(self) -> None:
        """Close it: nothing new is taken, what is under way ends, Telegram learns what was settled.

        Call it before the switchboard is closed.
        """
        try:
            await _end(self._running)
            await self._intake.close(STOP_PATIENCE_S)
            for task in self._spooled:
                task.cancel()
            await asyncio.gather(*self._spooled, return_exceptions=True)
            if self._ready and not self._is_webhook:
                await self._poller.finish()
            if self._delivering is not None:
                self._deliverer.stop()
                await asyncio.wait([self._delivering], timeout=STOP_PATIENCE_S)
                await _end(self._delivering)
            await self.application.shutdown()
            await self.bot.shutdown()
        except TelegramError as error:
            log.warning("Telegram's connections did not close well: %s", type(error).__name__)
        finally:
            self._discretion.uninstall()

    async def take(self, update: dict[str, Any]) -> None:
        """Settle one update that came by webhook.

        Raises NotRecorded when it shall come again, ValueError for what is no update.
        """
        if not self._ready:
            raise NotRecorded("the door is not open yet")
        try:
            parsed = self.bot.read_update(update)
        except Unreadable as error:
            if error.update_id is None:
                raise
            await self._intake.pass_over(update, error)
            return
        if parsed.message is not None and parsed.message.media_group_id is not None:
            try:
                await self._spool.keep(parsed.update_id, update)
            except OSError as error:
                raise NotRecorded("the spool cannot be written") from error
            self._take_spooled(parsed)
        else:
            await self._intake.take(parsed)

    async def _run(self) -> None:
        await self._patiently(self.application.initialize)
        self._ready = True
        if self._delivering is None:
            self._delivering = asyncio.create_task(self._deliverer.run(), name="telegram deliverer")
        if self._is_webhook:
            await self._take_up_spooled()
            await self._patiently(self._set_webhook)
        else:
            await self._once(self.bot.delete_webhook())
        await self._once(self.bot.set_my_commands(bot_commands(self._wording)))
        log.info("the Telegram door is open (%s)", self._settings.telegram_mode)
        if not self._is_webhook:
            await self._patiently(self._poller.run)

    async def _set_webhook(self) -> None:
        await self.bot.set_webhook(
            self._settings.telegram_webhook_url or "",
            secret_token=self._settings.telegram_webhook_secret,
            allowed_updates=ALLOWED_UPDATES,
            max_connections=WEBHOOK_CONNECTIONS,
        )

    async def _patiently(self, deed: Callable[[], Awaitable[object]]) -> None:
        """Do something until it succeeds, with longer and longer pauses: Telegram may be out of reach."""
        failures = 0
        while True:
            try:
                await deed()
            except RetryAfter as error:
                await asyncio.sleep(retry_seconds(error) + 0.5)
            except InvalidToken:
                log.error("Telegram refuses TELEGRAM_TOKEN; the Telegram door stays closed until it is right")
                await asyncio.sleep(LONGEST_PAUSE_S)
            except TelegramError as error:
                log.warning("Telegram cannot be reached: %s", type(error).__name__)
                await asyncio.sleep(min(2.0**failures, LONGEST_PAUSE_S))
                failures += 1
            except Exception as error:
                log_fault(log, new_reference(), "the Telegram door", error)
                await asyncio.sleep(min(2.0**failures, LONGEST_PAUSE_S))
                failures += 1
            else:
                return

    async def _once(self, call: Awaitable[object]) -> None:
        """Make a call the door can do without."""
        try:
            await call
        except TelegramError as error:
            log.warning("a call on opening the Telegram door failed: %s", type(error).__name__)

    async def _handle(self, item: Update | Album) -> None:
        """Let the library call the handler; what it raised is raised here (the library would swallow it)."""
        await self.application.process_update(item)
        if (error := self._errors.pop(item.update_id, None)) is not None:
            raise error

    async def _keep_error(self, item: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        if isinstance(item, (Update, Album)) and context.error is not None:
            self._errors[item.update_id] = context.error

    async def _apologise(self, update_id: int, chat_id: int | None, error: Exception, *, final: bool) -> None:
        """Log what broke and tell the member, past the outbox: the database may be what is broken."""
        reference = new_reference()
        log_fault(log, reference, f"telegram update {update_id}{' (given up)' if final else ''}", error)
        if chat_id is None:
            return
        key = "telegram.given_up" if final else "telegram.fault"
        try:
            await self.bot.send_message(chat_id, self._wording.say(key, reference=reference))
        except TelegramError as failure:
            log.warning("fault %s could not be told: %s", reference, type(failure).__name__)

    async def _take_up_spooled(self) -> None:
        """Take what a crash left in the spool."""
        for raw in await self._spool.waiting():
            try:
                self._take_spooled(self.bot.read_update(raw))
            except Unreadable as error:
                log_fault(log, new_reference(), "an update in the spool", error)

    def _take_spooled(self, update: Update) -> None:
        task = asyncio.create_task(self._settle_spooled(update), name=f"spooled update {update.update_id}")
        self._spooled.add(task)
        task.add_done_callback(self._spooled.discard)

    async def _settle_spooled(self, update: Update) -> None:
        pause = 1.0
        while True:
            try:
                await self._intake.take(update)
            except NotRecorded:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                await self._spool.drop(update.update_id)
                return


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
