"""The library's Application for this installation: whose token, which server, which connections."""

from __future__ import annotations

from typing import Any

from telegram import BotCommand
from telegram.ext import Application, ApplicationBuilder

from bot.telegram.door_bot import CALL_LIMIT_S, DoorBot
from bot.telegram.pacing import Pacing
from bot.telegram.request import TelegramRequest
from bot.views import COMMANDS
from casework.settings import Settings
from casework.wording import Wording

App = Application[DoorBot, Any, Any, Any, Any, Any]

CONNECTIONS = 32
FILE_LIMIT_S = 40.0


def new_request() -> TelegramRequest:
    """Connections to the Bot API with this door's time limits; proxies come from the environment."""
    return TelegramRequest(
        connection_pool_size=CONNECTIONS,
        connect_timeout=CALL_LIMIT_S,
        read_timeout=CALL_LIMIT_S,
        write_timeout=CALL_LIMIT_S,
        pool_timeout=CALL_LIMIT_S,
        media_write_timeout=FILE_LIMIT_S,
    )


def build_application(
    settings: Settings, pacing: Pacing, polling: TelegramRequest, calls: TelegramRequest
) -> App:
    """An Application without an Updater of its own (see ``bot.telegram.polling``) and without jobs.

    ``polling`` carries getUpdates, ``calls`` the rest. Raises ValueError without a token.
    """
    if settings.telegram_token is None:
        raise ValueError("the Telegram door needs a token")
    base = settings.telegram_api_base
    bot = DoorBot(
        settings.telegram_token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=calls,
        get_updates_request=polling,
        rate_limiter=pacing,
    )
    application: App = ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()
    return application


def bot_commands(wording: Wording) -> list[BotCommand]:
    """The commands Telegram offers members, with what they do in Chinese."""
    return [BotCommand(name, wording.say(f"telegram.command.{name}")) for name in COMMANDS]
