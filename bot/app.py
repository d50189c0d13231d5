"""The application: everything the bot's process opens at start, serves, and closes at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from bot import desk, web, workbench
from bot.api import attachments, calculators, cases, documentation, health, model_server, routes, votes
from bot.api.errors import Faults, install_errors
from bot.api.health import Health
from bot.api.limits import BodyLimit, Limits
from bot.canary import keep_canary
from bot.desk import sessions
from bot.desk.entrance import Entrance
from bot.desk.errors import DeskFaults, install_desk_errors
from bot.desk.keeper import keep_watch
from bot.desk.live import open_desk_feed
from bot.dialogue import DialogueClient, open_dialogue
from bot.headers import SecurityHeaders
from bot.house import House
from bot.inbox_keeping import keep_gathering, keeper_of
from bot.keeping import keep_no_longer
from bot.model_watch import ModelWatch, keep_looking
from bot.reminding import keep_reminding
from bot.switchboard import Switchboard
from bot.training.launcher import keep_training
from bot.web import calculators as calculator_pages
from bot.web import case_page, claim_page
from casework.attachments import AttachmentStore
from casework.clock import Clock, SystemClock
from casework.crisis import CrisisRules
from casework.crypto import install_cipher, load_keys
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.entitlements.registry import Entitlements
from casework.errors import ConfigurationError
from casework.knowledge import Knowledge
from casework.rates import Rates
from casework.reminder_rules import ReminderRules
from casework.settings import Settings

if TYPE_CHECKING:
    from bot.telegram.setup import TelegramDoor

TITLE = "娘家人 · Niangjia API"
DESCRIPTION = """\
Members of the Jinan trade unions write, the assistant answers, and a person takes over when one is wanted. \
A union app, a WeChat account or a web page plugs in here.

Begin a conversation, keep its token, send messages and show the replies with their buttons and sources. \
What arrives later (a person's reply, a notice about a case) comes as server-sent events.

Every error has the same shape: a code for programs, a Chinese sentence for people, and details.\
"""

RECOVERY_PATIENCE_S = 120.0
"""How long recovery waits for the dialogue to start before it takes messages up without it."""
SWEEP_EVERY_S = 60.0
STOP_PATIENCE_S = 5.0
SETTLED_FOR = timedelta(seconds=60)
"""A message pending for longer than this is under nobody's hands any more."""

log = logging.getLogger(__name__)


def create_app(
    settings: Settings, *, dialogue: DialogueClient | None = None, clock: Clock | None = None
) -> FastAPI:
    """The bot's application; opens nothing before it is started.

    ``dialogue`` and ``clock`` replace Rasa and the machine's clock. Starting raises ConfigurationError
    when the installation is wrong (schema not up to date, no data key, unreadable knowledge).
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            talk = dialogue
            if talk is None:
                talk = await stack.enter_async_context(open_dialogue(settings))
            house = await stack.enter_async_context(open_house(settings, talk, clock or SystemClock()))
            app.state.house = house
            app.state.desk_feed = await stack.enter_async_context(open_desk_feed(house))
            app.state.limits = Limits.of(settings)
            app.state.entrance = Entrance()
            app.state.health = Health(house.database, talk)
            app.state.telegram = await stack.enter_async_context(open_telegram(house))
            yield

    app = FastAPI(
        title=TITLE,
        version="1.0.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    api = (routes, votes, cases, attachments, calculators, health, documentation, model_server)
    for door in (*api, web, case_page, calculator_pages, claim_page):
        app.include_router(door.router)
    if settings.telegram_token is not None:
        from bot.telegram import webhook  # noqa: PLC0415  # takes 0.3 s, and most start without a token

        app.include_router(webhook.router)
    for router in (*desk.routers(), *workbench.routers()):
        app.include_router(router)
    app.mount("/static", web.static_files(), name="static")
    app.mount("/desk/static", desk.static_files(), name="desk-static")
    app.mount(workbench.STATIC_URL, workbench.static_files(), name="workbench-static")
    install_errors(app)
    install_desk_errors(app)
    app.add_exception_handler(sessions.SeeOther, sessions.see_other)
    # The last one added is the first a request meets.
    app.add_middleware(DeskFaults)
    app.add_middleware(BodyLimit, file_limit_bytes=settings.attachment_max_bytes)
    app.add_middleware(Faults)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            expose_headers=["Retry-After"],
        )
    app.add_middleware(SecurityHeaders)
    return app


@asynccontextmanager
async def open_house(settings: Settings, dialogue: DialogueClient, clock: Clock) -> AsyncIterator[House]:
    """Open what every door needs, and keep its background work going; raises ConfigurationError."""
    install_cipher(load_keys(settings).cipher)
    root = settings.home / "data" / "knowledge"
    knowledge = Knowledge.load(root)
    rates = Rates.load(root)
    entitlements = Entitlements.load(
        root, rates, frozenset(intent.topic for intent in knowledge.intents.values())
    )
    crisis = CrisisRules.load(root / "crisis.yml", frozenset(knowledge.hotlines))
    reminder_rules = ReminderRules.load(root)
    database = Database(settings.database_url)
    try:
        if not await database.is_current():
            raise ConfigurationError("the database schema is not up to date: run `niangjia db upgrade`")
        switchboard = Switchboard(
            database,
            dialogue,
            crisis=crisis,
            wording=knowledge.wording,
            reminder_rules=reminder_rules,
            clock=clock,
            time_limit_s=settings.rasa_timeout_s,
            attachments_per_message=settings.attachments_per_message,
        )
        house = House(
            settings=settings,
            database=database,
            clock=clock,
            wording=knowledge.wording,
            knowledge=knowledge,
            rates=rates,
            entitlements=entitlements,
            crisis=crisis,
            dialogue=dialogue,
            switchboard=switchboard,
            attachments=AttachmentStore.of(settings),
            reminder_rules=reminder_rules,
            desk_rules=load_desk_rules(root),
        )
        model_watch, inbox_keeper = ModelWatch(house), keeper_of(house)
        stopping = asyncio.Event()
        background = [
            asyncio.create_task(switchboard.feed.run(), name="live feed"),
            asyncio.create_task(take_up(house, stopping), name="recovery"),
            asyncio.create_task(keep_no_longer(house, stopping), name="retention"),
            asyncio.create_task(keep_watch(house, stopping), name="desk keeper"),
            asyncio.create_task(keep_reminding(house, stopping), name="reminders"),
            asyncio.create_task(keep_looking(model_watch, stopping), name="model watch"),
            asyncio.create_task(keep_gathering(inbox_keeper, stopping), name="inbox"),
            asyncio.create_task(keep_training(house, stopping), name="trainings"),
            asyncio.create_task(keep_canary(house, stopping), name="canary"),
        ]
        try:
            yield house
        finally:
            stopping.set()
            await switchboard.close()
            # Cancelled in the middle of a query, they would leave a connection nobody can use.
            _, late = await asyncio.wait(background, timeout=STOP_PATIENCE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    finally:
        await database.close()


@asynccontextmanager
async def open_telegram(house: House) -> AsyncIterator[TelegramDoor | None]:
    """Open the Telegram door when there is a token for it."""
    if house.settings.telegram_token is None:
        yield None
        return
    from bot.telegram.setup import TelegramDoor  # noqa: PLC0415  # as in create_app

    door = TelegramDoor(house)
    await door.start()
    try:
        yield door
    finally:
        await door.stop()


async def take_up(
    house: House, stopping: asyncio.Event, patience_s: float = RECOVERY_PATIENCE_S, look_s: float = 1.0
) -> None:
    """Answer what a crash left pending, once the dialogue is there, and from then on what got stuck.

    Started together with Rasa, the bot is ready first: messages taken up at once would all fail.
    """
    deadline = asyncio.get_running_loop().time() + patience_s
    while not all((await house.dialogue.health()).values()):
        if asyncio.get_running_loop().time() > deadline or await _passes(stopping, look_s):
            break
    settled_for = timedelta(0)
    while not stopping.is_set():
        try:
            if taken := await house.switchboard.recover(settled_for=settled_for):
                log.info("took up %d messages that were left pending", taken)
        except Exception as error:
            log.error("recovery failed (%s); it is tried again", type(error).__name__)
        settled_for = SETTLED_FOR
        await _passes(stopping, SWEEP_EVERY_S)


async def _passes(event: asyncio.Event, patience_s: float) -> bool:
    """Whether the event happens within so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), patience_s)
    return event.is_set()


def end_streams(app: FastAPI) -> None:
    """Let every event stream end; the server waits for them before it stops."""
    house: House | None = getattr(app.state, "house", None)
    if house is not None:
        house.switchboard.feed.close()
        app.state.desk_feed.close()
