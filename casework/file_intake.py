"""File intake: looking at a file while its bytes arrive, so that a bad one is stopped as early as can be."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from pathlib import Path

from casework import file_types
from casework.crypto import Cipher
from casework.errors import AttachmentRefused
from casework.file_types import FileType
from casework.sealed_files import CHUNK, SealedReader
from casework.settings import MIB

Stream = AsyncIterable[bytes] | Iterable[bytes] | bytes


class Arriving:
    """What is known of a file while it arrives."""

    def __init__(self, declared_type: str | None, max_bytes: int) -> None:
        self._declared = declared_type or ""
        self._max_bytes = max_bytes
        self._head = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._may_be_text = True
        self.size = 0
        self.sha256 = hashlib.sha256()

    def look_at(self, piece: bytes) -> None:
        """Take the next bytes into account; raises AttachmentRefused as soon as there are too many."""
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise AttachmentRefused("too large", reason="too_large", limit=self._max_bytes // MIB)
        self.sha256.update(piece)
        self._head += piece[: file_types.HEAD - len(self._head)]
        if self._may_be_text:
            self._may_be_text = self._reads_as_text(piece, final=False)

    def check_not_empty(self) -> None:
        """Raises AttachmentRefused for a file without a byte."""
        if self.size == 0:
            raise AttachmentRefused("empty", reason="empty")

    @property
    def kind(self) -> FileType | None:
        """What the bytes show; None for an archive, which must be looked into, and for anything unknown."""
        found = file_types.type_by_start(self._head, self._declared)
        if found is None and self._may_be_text and self._reads_as_text(b"", final=True):
            return file_types.TEXT
        return found

    def _reads_as_text(self, piece: bytes, *, final: bool) -> bool:
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            return False
        return all(file_types.is_text_character(character) for character in text)


async def pieces(stream: Stream) -> AsyncIterator[bytes]:
    """A stream in pieces of a bearable size."""
    if isinstance(stream, bytes):
        stream = [stream]
    if isinstance(stream, AsyncIterable):
        async for piece in stream:
            for start in range(0, len(piece), CHUNK):
                yield piece[start : start + CHUNK]
    else:
        for piece in stream:
            for start in range(0, len(piece), CHUNK):
                yield piece[start : start + CHUNK]


def office_type(path: Path, attachment_id: str, size: int, cipher: Cipher) -> FileType | None:
    """Whether a sealed file is a Word or Excel document; None for anything else."""
    with SealedReader(path, attachment_id, cipher, size) as reader:
        if reader.read(len(file_types.ZIP_START)) != file_types.ZIP_START:
            return None
        return file_types.type_of_office_file(io.BufferedReader(reader))
