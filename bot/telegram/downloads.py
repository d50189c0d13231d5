"""Downloads: files members sent, brought from Telegram into the attachment store as a stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Bot
from telegram.error import BadRequest, TelegramError

from bot.telegram.reading import FileOffer
from bot.telegram.request import FileSource
from casework.attachments import AttachmentStore
from casework.clock import Clock
from casework.database import Database
from casework.errors import AttachmentRefused
from casework.settings import MIB
from casework.wording import Wording

log = logging.getLogger(__name__)

ATTEMPTS = 3
TIME_LIMIT_S = 60.0
"""For one attempt at one file."""
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """The files that were kept, and a sentence for each that was not."""

    attachment_ids: tuple[str, ...]
    complaints: tuple[str, ...]


class FileLost(Exception):
    """Telegram could not give the file, several times."""


class Downloads:
    """Keeps what members send, within the store's limits."""

    def __init__(
        self,
        database: Database,
        store: AttachmentStore,
        *,
        wording: Wording,
        clock: Clock,
        source: FileSource,
    ) -> None:
        """``source`` reads the files Telegram names."""
        self._database = database
        self._store = store
        self._wording = wording
        self._clock = clock
        self._source = source

    async def keep(self, conversation_id: str, bot: Bot, offers: Sequence[FileOffer]) -> Kept:
        """Bring the files into the store; what is refused or cannot be had becomes a sentence."""
        kept: list[str] = []
        complaints: list[str] = []
        for offer in offers:
            try:
                kept.append(await self._fetch(conversation_id, bot, offer))
            except AttachmentRefused as refusal:
                complaints.append(self._wording.refuse(refusal))
            except FileLost:
                complaints.append(self._wording.say("telegram.file_lost"))
        return Kept(tuple(kept), tuple(complaints))

    async def _fetch(self, conversation_id: str, bot: Bot, offer: FileOffer) -> str:
        """One file's id in the store; raises AttachmentRefused and FileLost."""
        if offer.size is not None and offer.size > self._store.limits.max_bytes:
            raise self._too_large()
        async with self._database.read() as session:
            await self._store.check_allowance(session, conversation_id, self._clock.now())
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with asyncio.timeout(TIME_LIMIT_S):
                    return await self._bring(conversation_id, bot, offer)
            except BadRequest as error:
                if "too big" in error.message.lower():
                    raise self._too_large() from error
                raise FileLost from error
            except (TelegramError, TimeoutError) as error:
                log.warning("a file did not arrive (attempt %s): %s", attempt, type(error).__name__)
            await asyncio.sleep(PAUSE_S * attempt)
        raise FileLost

    async def _bring(self, conversation_id: str, bot: Bot, offer: FileOffer) -> str:
        file = await bot.get_file(offer.file_id)
        if not file.file_path:
            raise TelegramError("the Bot API named no place for the file")
        async with (
            self._source.open_file(file.file_path) as stream,
            self._store.receiving(stream, offer.filename, offer.media_type) as draft,
            # Opened last: a transaction must not wait for an upload.
            self._database.transaction() as session,
        ):
            attachment = await self._store.keep(session, conversation_id, draft, self._clock.now())
        return attachment.id

    def _too_large(self) -> AttachmentRefused:
        return AttachmentRefused("too large", reason="too_large", limit=self._store.limits.max_bytes // MIB)
