"""Handlers: which of a member's Telegram updates becomes what, for the switchboard or for this door."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable
from typing import Any

from telegram import Bot, CallbackQuery, Chat, InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot.telegram.downloads import Downloads
from bot.telegram.indicator import typing_in
from bot.telegram.keyboards import USED, pressed, read_vote, without_vote
from bot.telegram.lanes import Album
from bot.telegram.reading import Reading, read_album, read_command, read_correction, read_message
from bot.telegram.reception import Guest, Reception
from bot.telegram.splitting import split_text
from bot.views import MAX_TEXT, Incoming, Receipt
from casework.knowledge import Wording
from casework.tables import Owner

log = logging.getLogger(__name__)

Context = ContextTypes.DEFAULT_TYPE
_REMEMBERED = 5_000
TYPING_AFTER_S = 0.3
"""A wait shorter than this needs no sign of life."""
_PRESENT = frozenset({ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED})


class Handlers:
    """What the library calls for each kind of update."""

    def __init__(
        self,
        reception: Reception,
        downloads: Downloads,
        wording: Wording,
        files_per_message: int,
    ) -> None:
        self._reception = reception
        self._downloads = downloads
        self._wording = wording
        self._files_per_message = files_per_message
        self._used_keyboards: OrderedDict[tuple[int, int], int] = OrderedDict()
        """(chat, message) of a keyboard, and the update that pressed it."""
        self._refused_groups: OrderedDict[int, None] = OrderedDict()

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the library which handler takes what; the first that fits takes all."""
        application.add_handlers(
            [
                TypeHandler(Album, self.on_album),
                ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER),
                CallbackQueryHandler(self.on_press),
                MessageHandler(~filters.ChatType.PRIVATE, self.on_group),
                MessageHandler(filters.UpdateType.EDITED_MESSAGE, self.on_edit),
                MessageHandler(filters.UpdateType.MESSAGE, self.on_message),
            ]
        )

    async def on_message(self, update: Update, context: Context) -> None:
        """A message in a private chat: a command, or anything else a person may send."""
        message = update.effective_message
        if message is None:
            return
        if command := read_command(message, context.bot.username):
            await self._command(update.update_id, message, context.bot, *command)
            return
        await self._hear(update.update_id, message, context.bot, read_message(message))

    async def on_album(self, album: Album, context: Context) -> None:
        """Several photos or files sent as one."""
        first = album.messages[0]
        if first.chat.type != ChatType.PRIVATE:
            await self._refuse_group(first.chat, context.bot)
            return
        await self._hear(album.update_id, first, context.bot, read_album(album.messages))

    async def on_edit(self, update: Update, context: Context) -> None:
        """A message was changed: its new words are a new message that says so."""
        message = update.effective_message
        if message is None:
            return
        reading = read_correction(message)
        if reading.unsupported is not None:
            return
        if reading.text:
            reading = Reading(text=self._wording.say("telegram.correction", text=reading.text))
        await self._hear(update.update_id, message, context.bot, reading)

    async def on_press(self, update: Update, context: Context) -> None:
        """A button was pressed: answer at once, show the choice, and take it, once for each keyboard."""
        query = update.callback_query
        if query is None:
            return
        data = query.data or ""
        place = (query.message.chat.id, query.message.message_id) if query.message else None
        if (voted := read_vote(data)) is not None:
            await self._take_vote(query, voted, place, context.bot)
            return
        by_whom = self._used_keyboards.get(place) if place else None
        if data == USED or by_whom not in (None, update.update_id):
            await _quietly(query.answer(self._wording.say("telegram.button_used")))
            return
        answering = asyncio.create_task(_quietly(query.answer()))
        try:
            if query.message is None or query.message.chat.type == ChatType.PRIVATE:
                await self._take_press(update.update_id, query, data, place, context.bot)
        finally:
            await answering

    async def on_membership(self, update: Update, context: Context) -> None:
        """Somebody blocked the bot, or took it into a group."""
        change = update.my_chat_member
        if change is None:
            return
        status = change.new_chat_member.status
        if change.chat.type == ChatType.PRIVATE:
            if status == ChatMemberStatus.BANNED:
                await self._reception.note_block(change.chat.id)
        elif status in _PRESENT:
            await self._refuse_group(change.chat, context.bot)

    async def on_group(self, update: Update, context: Context) -> None:
        """Something was written in a group we should not be in."""
        if update.effective_chat is not None:
            await self._refuse_group(update.effective_chat, context.bot)

    async def _command(self, update_id: int, message: Message, bot: Bot, name: str, words: str) -> None:
        guest = await self._reception.greet(message.chat.id, message.date)
        await self._hand_in(guest, bot, Incoming(guest.conversation_id, f"tg:{update_id}", payload=name))
        # What follows /start is the link it was opened with, nothing anybody wrote.
        if words and name != "start":
            await self._hand_in(guest, bot, Incoming(guest.conversation_id, f"tg:{update_id}.1", text=words))

    async def _hear(self, update_id: int, message: Message, bot: Bot, reading: Reading) -> None:
        if reading.empty:
            return
        guest = await self._reception.greet(message.chat.id, message.date)
        name = f"tg:{update_id}"
        if reading.unsupported is not None:
            await self._unsupported(guest, bot, name, reading)
        elif reading.files:
            await self._files(guest, bot, name, reading)
        elif reading.location is not None:
            await self._hand_in(guest, bot, Incoming(guest.conversation_id, name, location=reading.location))
        else:
            text = reading.text
            if contact := reading.contact:
                key = "telegram.contact_own" if contact.own else "telegram.contact_other"
                text = self._wording.say(key, phone=contact.phone, name=contact.name)
            await self._words(guest, bot, name, text or "")

    async def _words(self, guest: Guest, bot: Bot, name: str, text: str) -> None:
        """Hand in a text; Telegram's longest is a little more than a message may hold, so that one is cut."""
        pieces = split_text(text, MAX_TEXT) if len(text) > MAX_TEXT else [text]
        for number, piece in enumerate(pieces):
            client_message_id = f"{name}.{number}" if number else name
            await self._hand_in(guest, bot, Incoming(guest.conversation_id, client_message_id, text=piece))

    async def _unsupported(self, guest: Guest, bot: Bot, name: str, reading: Reading) -> None:
        """What we cannot read gets a friendly sentence; a human who is listening learns that it came."""
        kind = self._wording.say(f"telegram.kind.{reading.unsupported}", emoji=reading.sticker)
        shown = self._wording.say("telegram.bracketed", kind=kind)
        if guest.owner is Owner.BOT:
            answer = self._wording.say("telegram.unsupported", kind=kind)
            await self._reception.answer_here(guest, name, shown, answer)
        else:
            await self._hand_in(guest, bot, Incoming(guest.conversation_id, name, text=shown))

    async def _files(self, guest: Guest, bot: Bot, name: str, reading: Reading) -> None:
        """Keep the files and hand them in, so many to a message as it may carry; the caption comes first."""
        offers = reading.files
        starts = range(0, len(offers), self._files_per_message)
        for number, start in enumerate(starts):
            text = reading.text if number == 0 else None
            client_message_id = f"{name}.{number}" if number else name
            async with typing_in(bot, guest.chat_id, TYPING_AFTER_S):
                kept = await self._downloads.keep(
                    guest.conversation_id, bot, offers[start : start + self._files_per_message]
                )
            complaints = "\n".join(dict.fromkeys(kept.complaints))
            if not kept.attachment_ids and text is None:
                shown = self._wording.say("telegram.file_not_taken")
                await self._reception.answer_here(guest, client_message_id, shown, complaints)
                continue
            incoming = Incoming(
                guest.conversation_id, client_message_id, text=text, attachment_ids=kept.attachment_ids
            )
            receipt = await self._hand_in(guest, bot, incoming)
            if receipt is not None and not receipt.duplicate:
                await self._remark(guest, reading, receipt, kept.attachment_ids, complaints)

    async def _remark(
        self, guest: Guest, reading: Reading, receipt: Receipt, kept: tuple[str, ...], complaints: str
    ) -> None:
        if complaints:
            await self._reception.say(guest.conversation_id, complaints)
        if reading.heard and kept and receipt.owner == Owner.BOT:
            kind = self._wording.say(f"telegram.kind.{reading.heard}")
            text = self._wording.say("telegram.recording_kept", kind=kind)
            await self._reception.say(guest.conversation_id, text)

    async def _take_press(
        self, update_id: int, query: CallbackQuery, data: str, place: tuple[int, int] | None, bot: Bot
    ) -> None:
        guest = await self._reception.greet(query.from_user.id, None)
        marking: asyncio.Task[None] | None = None
        if place is not None:
            _remember(self._used_keyboards, place, update_id)
            markup = query.message.reply_markup if isinstance(query.message, Message) else None
            if ticked := pressed(markup, data):
                marking = asyncio.create_task(_quietly(_mark(bot, place, ticked)))
        try:
            await self._hand_in(guest, bot, Incoming(guest.conversation_id, f"tg:{update_id}", payload=data))
        finally:
            if marking is not None:
                await marking

    async def _take_vote(
        self, query: CallbackQuery, voted: tuple[int, bool], place: tuple[int, int] | None, bot: Bot
    ) -> None:
        """Whether an answer helped: keep it, thank for it, and do not ask again; it is no message."""
        if query.message is not None and query.message.chat.type != ChatType.PRIVATE:
            await _quietly(query.answer())
            return
        guest = await self._reception.greet(query.from_user.id, None)
        taken = await self._reception.take_vote(guest, *voted)
        await _quietly(query.answer(self._wording.say("telegram.vote_thanks") if taken else None))
        if taken and place is not None and isinstance(query.message, Message):
            await _quietly(_mark(bot, place, without_vote(query.message.reply_markup)))

    async def _hand_in(self, guest: Guest, bot: Bot, incoming: Incoming) -> Receipt | None:
        if guest.owner is not Owner.BOT:
            return await self._reception.hand_in(incoming)
        async with typing_in(bot, guest.chat_id, TYPING_AFTER_S):
            return await self._reception.hand_in(incoming)

    async def _refuse_group(self, chat: Chat, bot: Bot) -> None:
        """Say once that this is no place for us, and leave; nothing about a group is kept."""
        if chat.id in self._refused_groups:
            return
        _remember(self._refused_groups, chat.id, None)
        if chat.type != ChatType.CHANNEL:
            await _quietly(bot.send_message(chat.id, self._wording.say("telegram.group")))
        await _quietly(bot.leave_chat(chat.id))


async def _mark(bot: Bot, place: tuple[int, int], markup: InlineKeyboardMarkup | None) -> None:
    chat_id, message_id = place
    await bot.edit_message_reply_markup(chat_id, message_id, reply_markup=markup)


async def _quietly(call: Awaitable[object]) -> None:
    """Make a call that may fail without harm (a press too old to answer, an edit twice)."""
    try:
        await call
    except TelegramError as error:
        log.info("a call to Telegram did not go through: %s", type(error).__name__)


def _remember(memory: OrderedDict[Any, Any], key: object, value: object) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
