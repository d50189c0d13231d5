"""Faults: the unexpected, logged under a reference number the member can read out over the phone."""

from __future__ import annotations

import logging
import secrets
import traceback

from bot.dialogue import DialogueError
from casework.errors import CaseworkError

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0/O and no 1/I: the reference is read aloud."""


def new_reference() -> str:
    """A reference number such as ``E-7K3F-Q2MW``."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"E-{drawn[:4]}-{drawn[4:]}"


def log_fault(log: logging.Logger, reference: str, what: str, error: BaseException | None) -> None:
    """Log a fault where an operator finds it by its reference: where it happened, never what a member said.

    Only our own errors are quoted; the text of any other may hold a message, a name or a number.
    """
    lines = [f"fault {reference}: {what}"]
    while error is not None:
        text = f": {error}" if isinstance(error, (CaseworkError, DialogueError)) else ""
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}{text}")
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    log.error("%s", "\n".join(lines))
