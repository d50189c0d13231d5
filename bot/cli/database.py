"""db: the schema of the case database."""

from __future__ import annotations

import asyncio

import typer

from bot.cli.house import opened, settings

app = typer.Typer(help="The case database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the database to the current schema."""

    async def run() -> None:
        async with opened(settings()) as database:
            await database.upgrade()

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
