"""Discretion: the bot's token is part of every address it calls, and must not reach a log."""

from __future__ import annotations

import logging
import traceback

_CHATTY = ("httpx", "httpcore")
"""Libraries that log every address they call, at INFO or DEBUG."""


class TokenFilter(logging.Filter):
    """Takes one token out of a record's message, traceback and stack."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token
        self._secret = token.partition(":")[2] or token

    def hide(self, text: str) -> str:
        """The text without the token, whole or only its secret half."""
        return text.replace(self._token, "[token]").replace(self._secret, "[token]")

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place and let it through."""
        try:
            rendered = record.getMessage()
        except Exception:
            rendered = str(record.msg)
        if (clean := self.hide(rendered)) != rendered:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[0] is not None:
            text = record.exc_text or "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (clean := self.hide(text)) != text:
                # A handler that formats exc_info by itself would print what was just taken out.
                record.exc_text, record.exc_info = clean, None
        if record.stack_info:
            record.stack_info = self.hide(record.stack_info)
        return True


class Discretion:
    """Keeps one token out of every log while the door is open, whatever handlers are installed.

    A filter on a logger does not see its children's records, so each logger that can know the token gets it.
    """

    def __init__(self, token: str) -> None:
        self.filter = TokenFilter(token)
        self._levels: dict[logging.Logger, int] = {}
        self._filtered: list[logging.Logger] = []

    def install(self) -> None:
        """Quieten the chatty libraries and filter every logger on the way of a call to Telegram."""
        for name in _CHATTY:
            logger = logging.getLogger(name)
            self._levels[logger] = logger.level
            logger.setLevel(max(logger.level, logging.WARNING))
        for logger in _loggers("telegram", "bot.telegram", "asyncio", *_CHATTY):
            logger.addFilter(self.filter)
            self._filtered.append(logger)
        # At DEBUG it logs the parameters of every call: members' words.
        library = logging.getLogger("telegram")
        self._levels[library] = library.level
        library.setLevel(max(library.level, logging.INFO))

    def uninstall(self) -> None:
        """Put everything back as it was."""
        for logger in self._filtered:
            logger.removeFilter(self.filter)
        for logger, level in self._levels.items():
            logger.setLevel(level)
        self._filtered.clear()
        self._levels.clear()


def _loggers(*names: str) -> list[logging.Logger]:
    """The named loggers and all their descendants that exist."""
    known = logging.root.manager.loggerDict
    found = {name for name in known if name.partition(".")[0] in names or name.startswith("bot.telegram.")}
    return [logging.getLogger(name) for name in sorted(found | set(names))]
