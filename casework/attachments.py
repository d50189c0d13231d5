"""Attachments: files members and staff send; checked as they arrive, encrypted at rest, served by id."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import delete, event, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from casework import file_types
from casework.clock import SHANGHAI, shanghai_day
from casework.conversations import lock
from casework.crypto import current_cipher
from casework.errors import AttachmentRefused, NotFound
from casework.file_intake import Arriving, Stream, office_type, pieces
from casework.file_types import FileType
from casework.sealed_files import CHUNK, FileDamaged, SealedReader, SealedWriter, reseal
from casework.settings import MIB, Settings
from casework.tables import Attachment, Author, Case, Message, new_id

ORPHAN_AFTER = timedelta(hours=1)
"""A file without a record is left alone this long: its transaction may not have ended yet."""
_FATE = "what the transaction does to attachment files"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, and how many a message and a conversation's Shanghai day may bring."""

    max_bytes: int = 10 * MIB
    per_message: int = 5
    per_day: int = 20


@dataclass(slots=True)
class Draft:
    """Draft: a file that has arrived and been checked, but belongs to no conversation yet."""

    id: str
    filename: str
    kind: FileType
    size: int
    sha256: str
    path: Path


class AttachmentStore:
    """The files under one folder: ``<first two digits>/<id>``, and ``incoming/`` for what is arriving."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self.limits = limits

    @classmethod
    def of(cls, settings: Settings) -> AttachmentStore:
        """The store of an installation."""
        limits = Limits(
            max_bytes=settings.attachment_max_bytes,
            per_message=settings.attachments_per_message,
            per_day=settings.attachments_per_day,
        )
        return cls(settings.var_dir / "attachments", limits)

    def path(self, attachment_id: str) -> Path:
        """Where a file lies."""
        return self.root / attachment_id[:2] / attachment_id

    @asynccontextmanager
    async def receiving(
        self, stream: Stream, filename: str, declared_type: str | None
    ) -> AsyncIterator[Draft]:
        """Take a file in, checking it as it arrives; inside the block, ``keep`` it in a short transaction.

        A file that is not kept, or whose transaction is undone, leaves nothing behind. Raises
        AttachmentRefused (``values["reason"]``: empty, too_large, type, mismatch) as soon as it is clear.
        """
        draft = await self._receive(stream, filename, declared_type)
        try:
            yield draft
        finally:
            draft.path.unlink(missing_ok=True)

    async def keep(
        self, session: AsyncSession, conversation_id: str, draft: Draft, now: datetime
    ) -> Attachment:
        """Make a file that has arrived part of a conversation (of no message yet).

        Raises AttachmentRefused (``reason`` per_day) when the conversation has sent enough for one day.
        """
        await lock(session, conversation_id)
        await self.check_allowance(session, conversation_id, now)
        attachment = Attachment(
            id=draft.id,
            conversation_id=conversation_id,
            filename=draft.filename,
            media_type=draft.kind.media_type,
            size=draft.size,
            sha256=draft.sha256,
            created_at=now,
        )
        session.add(attachment)
        await session.flush()
        target = self.path(draft.id)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.path.rename(target)
        _follow_transaction(session.sync_session).on_rollback.append(target)
        return attachment

    async def save(
        self,
        session: AsyncSession,
        conversation_id: str,
        stream: Stream,
        *,
        filename: str,
        declared_type: str | None,
        now: datetime,
    ) -> Attachment:
        """Take a file in and keep it at once, for bytes that are already here.

        An upload that may be slow belongs in ``receiving``: a transaction must not wait for it.
        """
        await self.check_allowance(session, conversation_id, now)
        async with self.receiving(stream, filename, declared_type) as draft:
            return await self.keep(session, conversation_id, draft, now)

    async def check_allowance(self, session: AsyncSession, conversation_id: str, now: datetime) -> None:
        """Raises AttachmentRefused (``reason`` per_day) when the conversation has sent enough today."""
        midnight = datetime.combine(shanghai_day(now), time(), SHANGHAI).astimezone(UTC)
        sent = await session.scalar(
            select(func.count())
            .select_from(Attachment)
            .where(Attachment.conversation_id == conversation_id, Attachment.created_at >= midnight)
        )
        if (sent or 0) >= self.limits.per_day:
            raise AttachmentRefused("enough for today", reason="per_day", limit=self.limits.per_day)

    def check_message(self, count: int) -> None:
        """Raises AttachmentRefused (``reason`` per_message) when one message brings too many files."""
        if count > self.limits.per_message:
            raise AttachmentRefused(
                "too many in one message", reason="per_message", limit=self.limits.per_message
            )

    async def open(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file, chunk by chunk; raises FileDamaged when it is missing or altered."""
        reader = await asyncio.to_thread(self._reader, attachment.id, attachment.size)
        try:
            while chunk := await asyncio.to_thread(reader.read, CHUNK):
                yield chunk
        finally:
            reader.close()

    async def read(self, attachment: Attachment) -> bytes:
        """All bytes of a file at once; raises FileDamaged."""
        content = b"".join([chunk async for chunk in self.open(attachment)])
        if hashlib.sha256(content).hexdigest() != attachment.sha256:
            raise FileDamaged(f"the file of attachment {attachment.id} is not what was sent")
        return content

    async def erase(self, session: AsyncSession, attachments: Sequence[Attachment]) -> None:
        """Delete records now and their files once the transaction is committed."""
        if not attachments:
            return
        ids = [attachment.id for attachment in attachments]
        await session.execute(delete(Attachment).where(Attachment.id.in_(ids)))
        paths = [self.path(attachment_id) for attachment_id in ids]
        _follow_transaction(session.sync_session).on_commit.extend(paths)

    async def sweep_orphans(self, session: AsyncSession, now: datetime) -> int:
        """Remove files no record speaks of (a crash between file and commit); returns how many."""
        before = (now - ORPHAN_AFTER).timestamp()
        old = await asyncio.to_thread(self._files_before, before)
        known = set(await session.scalars(select(Attachment.id)))
        orphans = [path for path in old if path.parent.name == "incoming" or path.name not in known]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    async def reencrypt(self, session: AsyncSession) -> int:
        """Write files sealed with an older data key again with the newest; returns how many.

        Part of rotating keys, as ``casework.key_rotation.reencrypt`` is for the database.
        """
        done = 0
        for attachment_id, size in await session.execute(select(Attachment.id, Attachment.size)):
            draft = self.root / "incoming" / attachment_id
            done += await asyncio.to_thread(
                reseal, self.path(attachment_id), draft, attachment_id, current_cipher(), size
            )
        return done

    def _files_before(self, moment: float) -> list[Path]:
        if not self.root.exists():
            return []
        return [path for path in self.root.glob("*/*") if path.is_file() and path.stat().st_mtime < moment]

    def _reader(self, attachment_id: str, size: int) -> SealedReader:
        return SealedReader(self.path(attachment_id), attachment_id, current_cipher(), size)

    async def _receive(self, stream: Stream, filename: str, declared_type: str | None) -> Draft:
        attachment_id = new_id()
        path = self.root / "incoming" / attachment_id
        cipher = current_cipher()
        writer = await asyncio.to_thread(SealedWriter, path, attachment_id, cipher)
        arriving = Arriving(declared_type, self.limits.max_bytes)
        try:
            async for piece in pieces(stream):
                arriving.look_at(piece)
                await asyncio.to_thread(writer.write, piece)
            arriving.check_not_empty()
            await asyncio.to_thread(writer.close)
            kind = arriving.kind or await asyncio.to_thread(
                office_type, path, attachment_id, arriving.size, cipher
            )
            if kind is None:
                raise AttachmentRefused("a type we do not take", reason="type")
            if not file_types.agrees(kind, declared_type, filename):
                raise AttachmentRefused("name, declared type and content differ", reason="mismatch")
        except BaseException:
            writer.abandon()
            path.unlink(missing_ok=True)
            raise
        return Draft(
            id=attachment_id,
            filename=file_types.clean_filename(filename, kind),
            kind=kind,
            size=arriving.size,
            sha256=arriving.sha256.hexdigest(),
            path=path,
        )


async def of_messages(session: AsyncSession, message_ids: Sequence[int]) -> dict[int, list[Attachment]]:
    """The files of each of these messages, in the order they came; messages without files are left out."""
    found: dict[int, list[Attachment]] = {}
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.created_at, Attachment.id)
    )
    for attachment in rows:
        if attachment.message_id is not None:
            found.setdefault(attachment.message_id, []).append(attachment)
    return found


async def of_case(session: AsyncSession, case: Case) -> list[Attachment]:
    """The files of a case, in the order they came."""
    rows = await session.scalars(
        select(Attachment).where(Attachment.case_id == case.id).order_by(Attachment.created_at, Attachment.id)
    )
    return list(rows)


async def get(session: AsyncSession, conversation_id: str, attachment_id: str) -> Attachment:
    """A file of this conversation; raises NotFound for any other, whether or not it exists."""
    attachment = await session.get(Attachment, attachment_id) if attachment_id.isalnum() else None
    if attachment is None or attachment.conversation_id != conversation_id:
        raise NotFound("no such attachment")
    return attachment


async def attach_to_case(session: AsyncSession, attachment_ids: Sequence[str], case: Case) -> None:
    """Make files part of a case of the same conversation; raises NotFound for any that is not free for it."""
    if not attachment_ids:
        return
    taken = await session.scalars(
        update(Attachment)
        .where(
            Attachment.id.in_(attachment_ids),
            Attachment.conversation_id == case.conversation_id,
            (Attachment.case_id.is_(None)) | (Attachment.case_id == case.id),
        )
        .values(case_id=case.id)
        .returning(Attachment.id)
    )
    if set(taken) != set(attachment_ids):
        raise NotFound("no such attachment")


async def attach_waiting(session: AsyncSession, conversation_id: str, case_id: str) -> int:
    """Make all files the member has sent in a conversation, and that belong to no case, part of this one.

    Returns how many there were.
    """
    from_member = select(Message.id).where(
        Message.conversation_id == conversation_id, Message.author == Author.MEMBER
    )
    taken = await session.scalars(
        update(Attachment)
        .where(
            Attachment.conversation_id == conversation_id,
            Attachment.case_id.is_(None),
            Attachment.message_id.in_(from_member),
        )
        .values(case_id=case_id)
        .returning(Attachment.id)
    )
    return len(taken.all())


@dataclass(slots=True)
class _Fate:
    """Which files a session's transaction takes with it, in either way it may end."""

    on_commit: list[Path]
    on_rollback: list[Path]

    def clear(self) -> None:
        self.on_commit.clear()
        self.on_rollback.clear()


def _follow_transaction(session: Session) -> _Fate:
    fate: _Fate | None = session.info.get(_FATE)
    if fate is None:
        fate = session.info[_FATE] = _Fate([], [])
        event.listen(session, "after_commit", _after_commit)
        event.listen(session, "after_soft_rollback", _after_rollback)
    return fate


def _after_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    fate: _Fate = session.info[_FATE]
    for path in fate.on_commit:
        path.unlink(missing_ok=True)
    fate.clear()


def _after_rollback(session: Session, transaction: SessionTransaction) -> None:
    fate: _Fate = session.info[_FATE]
    # When only a savepoint was undone, nobody knows which files were its own: none is removed now. A file
    # without a record is swept later; a record without its file would be a loss.
    if transaction.parent is None:
        for path in fate.on_rollback:
            path.unlink(missing_ok=True)
        fate.on_rollback.clear()
    fate.on_commit.clear()
