"""``python -m actions``: the action server on the loopback interface."""

from __future__ import annotations

import logging
import os

from actions.server import create_server
from casework.redaction import RedactingFilter
from casework.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    settings = Settings.from_env(os.environ)
    handler = logging.StreamHandler()
    handler.addFilter(RedactingFilter())
    logging.basicConfig(
        level=settings.log_level,
        handlers=[handler],
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
    app = create_server(settings)
    app.run(
        host="127.0.0.1",
        port=settings.actions_port,
        access_log=False,
        motd=False,
    )


if __name__ == "__main__":
    main()
