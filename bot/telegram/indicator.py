"""The typing indicator: shown while a member waits, and only when the wait is noticeable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

AGAIN_AFTER_S = 4.5
"""Telegram shows it for five seconds."""


@asynccontextmanager
async def typing_in(bot: Bot, chat_id: int, first_after_s: float) -> AsyncIterator[None]:
    """Show "typing…" in a chat for as long as the block takes; what goes wrong with it is no matter."""
    task = asyncio.create_task(_keep_typing(bot, chat_id, first_after_s), name="telegram typing")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_typing(bot: Bot, chat_id: int, first_after_s: float) -> None:
    await asyncio.sleep(first_after_s)
    while True:
        try:
            await bot.send_chat_action(chat_id, ChatAction.TYPING)
        except TelegramError:
            return
        await asyncio.sleep(AGAIN_AFTER_S)
