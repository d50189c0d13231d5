"""Logs: one line for each thing that happened, without what identifies a member."""

from __future__ import annotations

from typing import Any

QUIET = {
    # Its DEBUG lines hold every statement's parameters, its INFO lines nothing.
    "aiosqlite": "INFO",
    # Their INFO lines hold addresses, and Telegram's address holds the bot's token.
    "httpx": "WARNING",
    "httpcore": "WARNING",
    # It reports each look at the schema, and health looks often.
    "alembic": "WARNING",
    # At DEBUG it logs forms as they arrive.
    "python_multipart": "INFO",
    "multipart": "INFO",
}


def log_config(level: str) -> dict[str, Any]:
    """The logging of the bot's process, for ``dictConfig``; every line passes the redaction."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"redact": {"()": "casework.redaction.RedactingFilter"}},
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
                "filters": ["redact"],
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {name: {"level": quiet} for name, quiet in QUIET.items()},
    }
