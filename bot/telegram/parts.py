"""Parts: the calls to Telegram that one message of ours takes: texts of a bearable length, then files."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest

from bot.telegram.keyboards import keyboard, vote_row
from bot.telegram.splitting import split_text
from bot.transcript import as_views
from bot.views import MessageView, Source, Vote
from casework import attachments
from casework.attachments import AttachmentStore
from casework.database import Database
from casework.tables import Message
from casework.wording import Wording

log = logging.getLogger(__name__)

MAX_PHOTO_BYTES = 10 * 1024 * 1024
"""What Telegram shows as a picture; a larger one is sent as a file."""
_PHOTO_TYPES = frozenset({"image/jpeg", "image/png"})
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Part(Protocol):
    """One call to Telegram."""

    async def send(self, bot: Bot, chat_id: int) -> None:
        """Send it; raises TelegramError."""
        ...


Compose = Callable[[Message], Awaitable[Sequence[Part]]]
"""Makes a stored message's parts: the same ones each time, so that a retry can go on where it stopped."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text, sent plain: nothing in it is markup, no link in it is previewed."""

    text: str
    markup: InlineKeyboardMarkup | None = None

    async def send(self, bot: Bot, chat_id: int) -> None:
        """Send it; raises TelegramError."""
        await bot.send_message(chat_id, self.text, reply_markup=self.markup, link_preview_options=_NO_PREVIEW)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of ours: a picture is shown as one where Telegram can, everything else is a document."""

    read: Callable[[], Awaitable[bytes]]
    filename: str
    media_type: str
    size: int
    """Bytes."""
    markup: InlineKeyboardMarkup | None = None

    async def send(self, bot: Bot, chat_id: int) -> None:
        """Send it; raises TelegramError."""
        content = await self.read()
        if self.media_type in _PHOTO_TYPES and self.size <= MAX_PHOTO_BYTES:
            try:
                await bot.send_photo(chat_id, content, filename=self.filename, reply_markup=self.markup)
                return
            except BadRequest:
                log.info("a picture of %s bytes is sent as a file: Telegram would not show it", self.size)
        await bot.send_document(chat_id, content, filename=self.filename, reply_markup=self.markup)


class Composer:
    """Makes a stored message's parts from its text, its sources and its files."""

    def __init__(self, database: Database, store: AttachmentStore, wording: Wording) -> None:
        self._database = database
        self._store = store
        self._wording = wording

    async def compose(self, message: Message) -> list[Part]:
        """The parts of one message: its texts, then its files."""
        async with self._database.read() as session:
            (view,) = await as_views(session, [message])
            files = (await attachments.of_messages(session, [message.id])).get(message.id, [])
        parts: list[Part] = [*text_parts(view, self._wording)]
        markup = None if parts else _keyboard(view, self._wording)
        for number, file in enumerate(files, start=1):
            parts.append(
                FilePart(
                    read=partial(self._store.read, file),
                    filename=file.filename,
                    media_type=file.media_type,
                    size=file.size,
                    markup=markup if number == len(files) else None,
                )
            )
        return parts


def text_parts(view: MessageView, wording: Wording) -> list[TextPart]:
    """A message's text with its sources, cut to Telegram's size; the buttons are under the last part."""
    texts = split_text("\n\n".join(filter(None, (view.text, cite(view, wording)))))
    markup = _keyboard(view, wording)
    return [
        TextPart(text, markup if number == len(texts) else None) for number, text in enumerate(texts, start=1)
    ]


def _keyboard(view: MessageView, wording: Wording) -> InlineKeyboardMarkup | None:
    """The message's buttons, and below them whether it helped, where that is still open."""
    say = wording.say
    asked = view.vote is Vote.OPEN
    vote = vote_row(view.id, say("telegram.vote_helpful"), say("telegram.vote_unhelpful")) if asked else ()
    return keyboard(view.buttons, vote)


def cite(view: MessageView, wording: Wording) -> str:
    """The sources the text itself does not name, one line for each date they were checked on."""
    lines = []
    missing = [source for source in view.sources if source.title not in view.text]
    for as_of in dict.fromkeys(source.as_of for source in missing):
        names = wording.say("answer.separator").join(
            dict.fromkeys(_name(source, wording) for source in missing if source.as_of == as_of)
        )
        lines.append(
            wording.say("telegram.sources", sources=names)
            if as_of is None
            else wording.say("answer.source", sources=names, as_of=as_of)
        )
    return "\n".join(lines)


def _name(source: Source, wording: Wording) -> str:
    return wording.say("answer.source_one", title=source.title, article=source.article or "")
