"""What the commands share: settings, keys and the database, opened the same way everywhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import typer
from dotenv import dotenv_values

from casework.crypto import install_cipher, load_keys
from casework.database import Database
from casework.settings import Settings

Result = TypeVar("Result")


def settings() -> Settings:
    """Settings from the environment, with ``.env`` of the working folder underneath it."""
    from_file = {key: value for key, value in dotenv_values(Path(".env")).items() if value}
    return Settings.from_env({**from_file, **os.environ})


@asynccontextmanager
async def opened(chosen: Settings) -> AsyncIterator[Database]:
    """The database with the keys installed; says aloud when a development key was just made."""
    keys = load_keys(chosen)
    if keys.created is not None:
        typer.echo(
            f"A development key was made in {keys.created}. Members' data is encrypted with it: keep it; "
            "for real use set NIANGJIA_DATA_KEY and NIANGJIA_ENV=production.",
            err=True,
        )
    install_cipher(keys.cipher)
    database = Database(chosen.database_url)
    try:
        yield database
    finally:
        await database.close()


def with_database(deed: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run one async deed against the migrated database."""

    async def run() -> Result:
        async with opened(settings()) as database:
            await database.upgrade()
            return await deed(database)

    return asyncio.run(run())
