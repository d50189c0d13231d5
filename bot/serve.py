"""Serve: the bot's own process, from its settings to a clean end."""

from __future__ import annotations

import contextlib
import logging.config
import socket
import sys
from collections.abc import Callable

import uvicorn

from bot.app import create_app, end_streams
from bot.logs import log_config
from casework.settings import Settings

SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep a database thread from running (Python's default is ten times that): each
statement on SQLite changes threads twice, and a busy loop made every change wait its full turn."""
PATIENCE_S = 10
"""How long requests under way may take to finish once the process is told to stop."""
STARTUP_FAILED = 3


class DoorServer(uvicorn.Server):
    """uvicorn, with a word to the application before it waits for open connections.

    It waits first and tells the application afterwards, so a page that listens for events would hold up
    every stop until the patience runs out.
    """

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give the word, then stop as usual."""
        self._before_shutdown()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Run the web page, the API and Telegram in this process until SIGINT or SIGTERM.

    Raises SystemExit(3) when the application does not start; the log says why.
    """
    logging.config.dictConfig(log_config(settings.log_level))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = create_app(settings)
    server = DoorServer(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=PATIENCE_S,
        ),
        before_shutdown=lambda: end_streams(app),
    )
    # uvicorn raises the signal that stopped it once more when it is done.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILED)
