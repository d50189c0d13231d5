"""Spool: updates kept on disk between Telegram's hands and the database.

With a webhook Telegram sends a chat's next update only after the last was answered, so an album's first
photo cannot wait for the second. It is written down here, encrypted, before Telegram is told 200.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

from casework.crypto import CipherError, current_cipher

log = logging.getLogger(__name__)

_SUFFIX = ".update"


class Spool:
    """A folder of encrypted updates, each in a file named by its id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, update_id: int, update: dict[str, Any]) -> None:
        """Write an update down for good; raises OSError when the disk will not have it."""
        sealed = current_cipher().encrypt(json.dumps(update, ensure_ascii=False).encode())
        await asyncio.to_thread(self._write, self._path(update_id), sealed)

    async def drop(self, update_id: int) -> None:
        """Forget an update that is settled; one that is not there is no matter."""
        await asyncio.to_thread(self._path(update_id).unlink, missing_ok=True)

    async def waiting(self) -> list[dict[str, Any]]:
        """The updates a crash left behind, oldest first; a file no key opens is left alone and logged."""
        return await asyncio.to_thread(self._read_all)

    def _path(self, update_id: int) -> Path:
        return self._folder / f"{update_id:020d}{_SUFFIX}"

    def _write(self, path: Path, sealed: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            # Without this the new name itself may not survive a power cut.
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read_all(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                found.append(json.loads(current_cipher().decrypt(path.read_bytes())))
            except (OSError, ValueError, CipherError) as error:
                log.error("spooled update %s cannot be read: %s", path.stem, type(error).__name__)
        return found
