"""Keyboards: the buttons under a message, and what becomes of them once one was pressed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.telegram.splitting import utf16_length
from bot.views import Button

log = logging.getLogger(__name__)

MAX_CALLBACK_BYTES = 64
"""What Telegram keeps behind a button."""
USED = "used"
"""Behind the button that shows a choice already made; our own tokens begin with ``b:``."""
_MARK = "✓ "
_WIDE_UNITS = 6
"""A title longer than this gets a row of its own; shorter ones stand in pairs."""


class ButtonTooLong(ValueError):
    """A button's payload is more than 64 bytes: it should have been a token."""


def callback_data(payload: str) -> str:
    """The payload, if Telegram can keep it; raises ButtonTooLong otherwise."""
    if not 1 <= len(payload.encode()) <= MAX_CALLBACK_BYTES:
        raise ButtonTooLong(
            f"a button's payload is 1 to {MAX_CALLBACK_BYTES} bytes, not {len(payload.encode())}"
        )
    return payload


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """The buttons as Telegram shows them, or None without any.

    One that Telegram could not keep is left out and logged: better a button less than no answer.
    """
    rows: list[list[InlineKeyboardButton]] = []
    for button in buttons:
        try:
            key = InlineKeyboardButton(button.title, callback_data=callback_data(button.payload))
        except ButtonTooLong as error:
            log.error("a button was left out: %s", error)
            continue
        fits = rows and len(rows[-1]) == 1 and _is_short(rows[-1][0]) and _is_short(key)
        if fits:
            rows[-1].append(key)
        else:
            rows.append([key])
    return InlineKeyboardMarkup(rows) if rows else None


def pressed(markup: InlineKeyboardMarkup | None, data: str) -> InlineKeyboardMarkup | None:
    """The keyboard after a press: the chosen button alone, ticked and inert; None if it is not there."""
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == data:
                return InlineKeyboardMarkup([[InlineKeyboardButton(_MARK + button.text, callback_data=USED)]])
    return None


def _is_short(button: InlineKeyboardButton) -> bool:
    return utf16_length(button.text) <= _WIDE_UNITS
