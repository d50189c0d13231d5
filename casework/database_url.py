"""Database addresses: what operators write, turned into what SQLAlchemy's async drivers take."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from casework.errors import ConfigurationError

ADVICE = "DATABASE_URL must be sqlite:///path/to/file.db or postgresql://user:password@host:5432/name"


def normalise_database_url(text: str, home: Path) -> str:
    """The address with its async driver named; a relative SQLite path counts from ``home``.

    Raises ConfigurationError, without repeating the address (it may hold a password).
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(ADVICE) from error
    match url.drivername:
        case "sqlite" | "sqlite+aiosqlite":
            url = _sqlite(url, home)
        case "postgres" | "postgresql" | "postgresql+asyncpg":
            url = _postgresql(url)
        case _:
            raise ConfigurationError(ADVICE)
    return url.render_as_string(hide_password=False)


def _sqlite(url: URL, home: Path) -> URL:
    if url.host or not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigurationError(f"{ADVICE}; three processes share the database, so it must be a file")
    return url.set(drivername="sqlite+aiosqlite", database=str(home / Path(url.database).expanduser()))


def _postgresql(url: URL) -> URL:
    if not url.database:
        raise ConfigurationError(f"{ADVICE}; the database's name is missing")
    url = url.set(drivername="postgresql+asyncpg")
    # Hosting providers hand out libpq's name for this option; asyncpg calls it ssl.
    if mode := url.query.get("sslmode"):
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url
