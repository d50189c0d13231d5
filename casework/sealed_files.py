"""Sealed files: encrypted at rest in chunks, so that neither writing nor reading needs the whole in memory.

A file is a row of records of one size (the last may be shorter): a length, then what the field cipher makes
of ``file id + chunk number + is-last + bytes``. A chunk that was moved, dropped, or taken from another file
is therefore noticed, and keys rotate as they do in the database.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from casework.crypto import Cipher, CipherError
from casework.errors import CaseworkError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 256 * 1024
"""Bytes of a file in one chunk."""
_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct(">16sI?")


class FileDamaged(CaseworkError):
    """A sealed file is missing, cut short or altered."""


class SealedWriter:
    """Writes one sealed file (0600); nothing of it is readable until ``close``."""

    def __init__(self, path: Path, file_id: str, cipher: Cipher) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._id = bytes.fromhex(file_id)
        self._cipher = cipher
        self._waiting = bytearray()
        self._number = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._waiting += data
        # The last chunk must be known as such, so one is always kept back.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        """Write what is left and put it on the disk for good."""
        self._seal(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Stop writing; the caller removes the file."""
        self._file.close()

    def _seal(self, data: bytes, *, last: bool) -> None:
        record = self._cipher.encrypt(_HEADER.pack(self._id, self._number, last) + data)
        self._file.write(_LENGTH.pack(len(record)) + record)
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads a sealed file as a plain one, seekable; raises FileDamaged when it is not as it was written."""

    def __init__(self, path: Path, file_id: str, cipher: Cipher, size: int) -> None:
        """``size`` is how many bytes the plain file has."""
        super().__init__()
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise FileDamaged(f"the file of attachment {file_id} is missing") from error
        self._id = bytes.fromhex(file_id)
        self._name = file_id
        self._cipher = cipher
        self._size = size
        self._position = 0
        self._record_size: int | None = None
        self._chunk: tuple[int, bytes] | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position of the plain file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a position before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what one chunk has from here on; 0 at the end."""
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, CHUNK)
        data = self._read_chunk(number)[offset:]
        view = memoryview(buffer).cast("B")
        taken = min(len(view), len(data))
        view[:taken] = data[:taken]
        self._position += taken
        return taken

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def _read_chunk(self, number: int) -> bytes:
        if self._chunk is not None and self._chunk[0] == number:
            return self._chunk[1]
        data = self._open_record(self._record(number), number)
        self._chunk = (number, data)
        return data

    def _record(self, number: int) -> bytes:
        if self._record_size is None:
            self._file.seek(0)
            start = self._file.read(_LENGTH.size)
            if len(start) < _LENGTH.size:
                raise self._damaged()
            self._record_size = _LENGTH.unpack(start)[0] + _LENGTH.size
        self._file.seek(number * self._record_size)
        start = self._file.read(_LENGTH.size)
        if len(start) < _LENGTH.size:
            raise self._damaged()
        (length,) = _LENGTH.unpack(start)
        if length > self._record_size:
            raise self._damaged()
        return self._file.read(length)

    def _open_record(self, record: bytes, number: int) -> bytes:
        try:
            plain = self._cipher.decrypt(record)
        except CipherError as error:
            raise self._damaged() from error
        if len(plain) < _HEADER.size:
            raise self._damaged()
        file_id, found, last = _HEADER.unpack_from(plain)
        data = plain[_HEADER.size :]
        ends_here = number * CHUNK + len(data) == self._size
        if file_id != self._id or found != number or last != ends_here or (not last and len(data) != CHUNK):
            raise self._damaged()
        return data

    def _damaged(self) -> FileDamaged:
        return FileDamaged(f"the file of attachment {self._name} is damaged")


def reseal(path: Path, draft: Path, file_id: str, cipher: Cipher, size: int) -> bool:
    """Write a file again with the newest key, by way of ``draft``; False when it was already, or is missing.

    Raises FileDamaged when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(_LENGTH.size + 64)
    except FileNotFoundError:
        return False
    if beginning[_LENGTH.size :].startswith(cipher.header):
        return False
    writer = SealedWriter(draft, file_id, cipher)
    try:
        with SealedReader(path, file_id, cipher, size) as reader:
            while chunk := reader.read(CHUNK):
                writer.write(chunk)
        writer.close()
        draft.replace(path)
    except BaseException:
        writer.abandon()
        draft.unlink(missing_ok=True)
        raise
    return True
