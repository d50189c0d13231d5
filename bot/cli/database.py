"""db: the schema of the case database, and what is kept in it to search by."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.house import opened, settings, with_database
from bot.cli.knowledge import install_canned_replies
from casework import search
from casework.database import Database

app = typer.Typer(help="The case database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the database to the current schema; a new one gets the canned replies that ship."""
    chosen = settings()

    async def run() -> None:
        async with opened(chosen) as database:
            await database.upgrade()
            await install_canned_replies(database, chosen)

    asyncio.run(run())
    typer.echo("the database is up to date")


@app.command()
def check() -> None:
    """Say whether the database has the current schema; exit code 1 when not."""

    async def run() -> bool:
        async with opened(settings()) as database:
            return await database.is_current()

    if not asyncio.run(run()):
        typer.echo("the database is not up to date: run `niangjia db upgrade`", err=True)
        raise typer.Exit(1)
    typer.echo("the database is up to date")


@app.command()
def reindex(
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Records in one transaction.")] = 500,
) -> None:
    """Make findable what the search does not know yet; for an installation that is older than it, or has a
    new data key. It may be stopped at any time and goes on where it stopped, while everything else runs.
    """

    async def run(database: Database) -> int:
        total = 0
        while True:
            async with database.transaction() as session:
                done = await search.reindex(session, batch)
            if not done:
                return total
            total += done
            typer.echo(f"indexed {total} records", err=True)

    typer.echo(f"the search knows everything ({with_database(run)} records were new to it)")
