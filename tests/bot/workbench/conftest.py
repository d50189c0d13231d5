"""The workbench is part of the desk: the same application, the same signed-in browsers."""

from __future__ import annotations

from tests.bot.desk.conftest import (
    app,
    cheap_passwords,
    client,
    desk_client,
    house,
    knowledge_is_read_once,
    templates_are_compiled_once,
)

__all__ = [
    "app",
    "cheap_passwords",
    "client",
    "desk_client",
    "house",
    "knowledge_is_read_once",
    "templates_are_compiled_once",
]
