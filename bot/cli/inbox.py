"""inbox: gather what was misunderstood now, and what waits for a decision."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.house import settings, with_database
from bot.dialogue import open_dialogue
from bot.inbox_keeping import InboxKeeper
from casework import inbox
from casework.clock import SystemClock
from casework.database import Database
from casework.inbox_gathering import Gathered
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.tables import InboxGroup

app = typer.Typer(help="The inbox: what was misunderstood.", no_args_is_help=True)


@app.command("gather")
def gather() -> None:
    """Look now at what was misunderstood (the bot does so every half minute)."""
    chosen = settings()
    root = chosen.home / "data" / "knowledge"
    rules = InboxRules.load(root, Knowledge.load(root))

    async def deed(database: Database) -> Gathered:
        async with open_dialogue(chosen) as dialogue:
            return await InboxKeeper(database, dialogue, rules, SystemClock()).gather_once()

    done = with_database(deed)
    typer.echo(f"{done.messages} new messages, {done.updated} known better, {done.groups} new groups")


@app.command("list")
def list_groups(
    shelf: Annotated[inbox.Shelf, typer.Option("--list", help="which list")] = inbox.Shelf.OPEN,
    most: Annotated[int, typer.Option(help="how many groups at most", min=1)] = 50,
) -> None:
    """Print the groups of a list: score, number of messages, best guess, words (without personal data)."""
    knowledge = Knowledge.load(settings().home / "data" / "knowledge")

    async def deed(database: Database) -> tuple[dict[inbox.Shelf, int], list[InboxGroup]]:
        async with database.read() as session:
            groups = await inbox.listed(session, None, shelf, knowledge=knowledge, limit=most)
            return await inbox.counts(session, None), list(groups)

    counted, groups = with_database(deed)
    typer.echo("  ".join(f"{one}: {number}" for one, number in counted.items()))
    for group in groups:
        guess = group.guesses[0][0] if group.guesses else "-"
        typer.echo(f"{group.score:8.2f}  {group.size:4d}  {group.intent or guess}  {group.text}")
