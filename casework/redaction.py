"""Redaction: taking what identifies a person, or opens a door, out of text that is kept for operators."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping

# Ids of our own (32 to 64 hex digits, or a dashed UUID) may by chance hold eleven digits in a row.
_OWN_ID = (
    r"(?<![0-9A-Za-z])(?:(?=[0-9]*[a-f])[0-9a-f]{32,64}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9A-Za-z])"
)
_CASE_NUMBER = r"(?<![0-9A-Za-z])[Jj][Nn][\s-]?\d{8}[\s-]?\d{4}[\s-]?\d(?!\d)"
_GAP = r"[\s.\-‐-―()]{0,3}"
_MAIL = r"[A-Za-z0-9._%+-]"
_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

_PATTERNS = (
    ("keep", _OWN_ID),
    ("keep", _CASE_NUMBER),
    ("token", r"bot\d{6,12}:[\w-]{30,}|(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"),
    ("token", r"(?<=[Bb]earer )[\w.~+/=-]{12,}"),
    ("email", rf"(?<!{_MAIL}){_MAIL}{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,4}}"),
    ("id-card", rf"(?<!\d)\d{{6}}{_GAP}(?:1[89]|20)\d{{2}}{_GAP}{_MONTH_DAY}{_GAP}\d{{3}}[\dXx](?!\d)"),
    ("id-card", rf"(?<!\d)\d{{8}}{_MONTH_DAY}\d{{3}}(?!\d)"),
    ("bank-card", r"(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)"),
    ("phone", rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9]\d(?:{_GAP}\d){{8}}(?!\d)"),
    ("phone", rf"(?<!\d)\(?0\d{{2,3}}\)?{_GAP}[2-8]\d{{2,3}}{_GAP}\d{{4}}(?!\d)"),
    ("location", r"(?<=latitude)\W{1,4}-?\d+(?:\.\d+)?|(?<=longitude)\W{1,4}-?\d+(?:\.\d+)?"),
)
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_KINDS = tuple(kind for kind, _ in _PATTERNS)
_ANY = re.compile("|".join(f"(?P<p{index}>{pattern})" for index, (_, pattern) in enumerate(_PATTERNS)))


def redact(text: str) -> str:
    """The text with phones, ID and bank cards, e-mails, positions and tokens replaced by their kind.

    Case numbers and our own record ids stay: they are what an operator searches for.
    """
    # Chinese keyboards produce full-width digits; the narrow copy has the same length, so spans carry over.
    narrow = text.translate(_NARROW)
    parts: list[str] = []
    done = 0
    for match in _ANY.finditer(narrow):
        kind = _KINDS[int((match.lastgroup or "p0")[1:])]
        if kind != "keep":
            parts += (text[done : match.start()], "=[location]" if kind == "location" else f"[{kind}]")
            done = match.end()
    parts.append(text[done:])
    return "".join(parts)


def mask_phone(phone: str) -> str:
    """A phone number as a person may recognise their own: ``138****8000``; shorter numbers keep less."""
    digits = [character for character in phone if character.isdigit()]
    if len(digits) < 7:
        return "*" * len(digits)
    head = 3 if len(digits) >= 10 else 0
    tail = 4 if len(digits) >= 10 else 2
    return "".join(digits[:head]) + "*" * (len(digits) - head - tail) + "".join(digits[-tail:])


def mask_name(name: str) -> str:
    """A name with all but its first character hidden: ``张**``."""
    stripped = name.strip()
    return stripped[:1] + "*" * (len(stripped) - 1)


class RedactingFilter(logging.Filter):
    """Redacts every record's message, traceback and stack.

    Add it to handlers, not to loggers: a logger's filter does not see its children's records.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it through."""
        _redact_message(record)
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            # A handler that formats exc_info by itself would print what was just taken out.
            record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _redact_message(record: logging.LogRecord) -> None:
    try:
        rendered = record.getMessage()
    except Exception as error:
        # Left alone, logging would print the raw arguments while reporting its own failure.
        record.msg = f"{redact(str(record.msg))} [arguments do not fit: {type(error).__name__}]"
        record.args = None
        return
    clean = redact(rendered)
    if clean == rendered:
        return
    if _keep_arguments(record) and record.getMessage() == clean:
        return
    record.msg, record.args = clean, None


def _keep_arguments(record: logging.LogRecord) -> bool:
    """Redact the arguments one by one: uvicorn's access formatter needs them to stay a tuple of five."""
    if not isinstance(record.args, tuple):
        return False
    record.args = tuple(_redact_argument(argument) for argument in record.args)
    return True


def _redact_argument(argument: object) -> object:
    if isinstance(argument, (int, float)) or argument is None:
        return argument
    if isinstance(argument, Mapping):
        return redact(str(dict(argument)))
    return redact(str(argument))
