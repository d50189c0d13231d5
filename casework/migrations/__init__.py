"""Migrations: the database's schema, one revision after another."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from casework.errors import ConfigurationError


def upgrade_to_head(connection: Connection) -> None:
    """Apply every missing revision on this connection, in its transaction.

    Raises ConfigurationError when the database is at a revision this version does not know.
    """
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"the database cannot be brought to this version's schema: {error}"
        ) from error


def is_at_head(connection: Connection) -> bool:
    """Whether the database is at the newest revision."""
    context = MigrationContext.configure(connection)
    return set(context.get_current_heads()) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
