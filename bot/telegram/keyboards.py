"""Keyboards: the buttons under a message, and what becomes of them once one was pressed."""

from __future__ import annotations

import logging
import re
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
_VOTE = re.compile(r"v:([1-9][0-9]{0,17}):([01])")
"""Behind the two buttons that ask whether an answer helped: which message of ours, and 1 where it did."""
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


def keyboard(
    buttons: Sequence[Button], vote: Sequence[InlineKeyboardButton] = ()
) -> InlineKeyboardMarkup | None:
    """The buttons as Telegram shows them, those of the vote below the others, or None without any.

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
    if vote:
        rows.append(list(vote))
    return InlineKeyboardMarkup(rows) if rows else None


def vote_row(message_id: int, helpful: str, unhelpful: str) -> list[InlineKeyboardButton]:
    """The two quiet buttons under an answer, with these titles.

    Buttons and not reactions: a reaction names Telegram's number of the message, which is not kept, and the
    Bot API promises reactions only to a bot that is the chat's administrator.
    """
    return [
        InlineKeyboardButton(title, callback_data=f"v:{message_id}:{int(helped)}")
        for title, helped in ((helpful, True), (unhelpful, False))
    ]


def read_vote(data: str) -> tuple[int, bool] | None:
    """Which message of ours was voted on, and whether it helped; None for any other button."""
    found = _VOTE.fullmatch(data)
    return None if found is None else (int(found[1]), found[2] == "1")


def without_vote(markup: InlineKeyboardMarkup | None) -> InlineKeyboardMarkup | None:
    """The keyboard without the buttons of the vote; None where nothing is left."""
    rows = [row for row in markup.inline_keyboard if not _is_vote(row)] if markup else []
    return InlineKeyboardMarkup(rows) if rows else None


def pressed(markup: InlineKeyboardMarkup | None, data: str) -> InlineKeyboardMarkup | None:
    """The keyboard after a press: the chosen button alone, ticked and inert; None if it is not there.

    The vote may still be given.
    """
    rows = markup.inline_keyboard if markup else ()
    for row in rows:
        for button in row:
            if button.callback_data == data:
                ticked = [InlineKeyboardButton(_MARK + button.text, callback_data=USED)]
                return InlineKeyboardMarkup([ticked, *(row for row in rows if _is_vote(row))])
    return None


def _is_vote(row: Sequence[InlineKeyboardButton]) -> bool:
    return any(read_vote(str(button.callback_data)) for button in row)


def _is_short(button: InlineKeyboardButton) -> bool:
    return utf16_length(button.text) <= _WIDE_UNITS
