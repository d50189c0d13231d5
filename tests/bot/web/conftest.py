"""The application as tests/bot/api starts it."""

from __future__ import annotations

from tests.bot.api.conftest import app, client, house, knowledge_is_read_once, templates_are_compiled_once

__all__ = ["app", "client", "house", "knowledge_is_read_once", "templates_are_compiled_once"]
