"""Secret files: small secrets this installation makes for itself once (mode 0600)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from casework.errors import ConfigurationError


def read_or_create(path: Path, make: Callable[[], str]) -> tuple[str, bool]:
    """The secret kept in a file, and whether this call made it.

    Safe when several processes start at once: the first wins, the others read what it wrote.
    Raises ConfigurationError when the file can be neither read nor made.
    """
    try:
        if (kept := _read(path)) is not None:
            return kept, False
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked into place, so that nobody ever reads a half-written secret.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(make() + "\n")
            os.link(draft, path)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip(), False
        finally:
            draft.unlink()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read or make the secret file {path}: {error}") from error
    return path.read_text(encoding="ascii").strip(), True


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
