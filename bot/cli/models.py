"""model: the versions of the model, which one answers, and going back."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cli.house import with_database
from casework import model_registry
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.errors import NotFound
from casework.model_registry import SHARES, NothingToGoBackTo, NotReleasable
from casework.tables import ModelVersion

app = typer.Typer(help="Model versions: which one answers members, and going back.", no_args_is_help=True)
console = Console(highlight=False)

Name = Annotated[str, typer.Argument(help="Version, e.g. 2026-11-23-1")]
WHY_NOT = {
    "gate": "the gate refused it (see `niangjia model show {name}`); to answer for it: --override 'reason'",
    "floors": "it falls through a safety floor, which nobody may override: see `niangjia model show {name}`",
    "unjudged": "the gate has not compared it with the live version",
}


@app.command("list")
def list_versions() -> None:
    """Print every version, the newest first; ● answers members."""

    async def read(database: Database) -> list[ModelVersion]:
        async with database.read() as session:
            return list(await model_registry.versions(session))

    table = Table("", "version", "gate", "accuracy", "crises noticed", "trained", "why")
    for version in with_database(read):
        table.add_row(
            {"live": "●", "canary": f"◐ {version.canary_share} %"}.get(version.state.value, ""),
            version.name,
            _verdict(version),
            _percent(version.scores.get("accuracy")),
            _percent(version.scores.get("crisis_recall")),
            f"{version.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            escape(version.why or ""),
        )
    console.print(table)


@app.command()
def show(name: Name) -> None:
    """Print what the gate said of a version, and every sentence that went from right to wrong."""

    async def read(database: Database) -> ModelVersion:
        async with database.read() as session:
            return await _named(session, name)

    version = with_database(read)
    console.print(f"[bold]{version.name}[/bold]  {version.state.value}  gate: {_verdict(version)}")
    print_verdict(version)


@app.command()
def promote(
    name: Name,
    override: Annotated[
        str | None, typer.Option(help="Why it shall answer although the gate refused it")
    ] = None,
) -> None:
    """Let a version answer all members; every replica takes it over within seconds."""

    async def do(database: Database) -> ModelVersion:
        async with database.transaction() as session:
            version = await _named(session, name)
            try:
                return await model_registry.promote(
                    session, version.id, None, SystemClock().now(), override=override
                )
            except NotReleasable as refusal:
                _refuse(refusal, name)

    console.print(f"● {with_database(do).name} answers members")


@app.command()
def canary(
    name: Annotated[str | None, typer.Argument(help="Version; none to end the canary")] = None,
    share: Annotated[int, typer.Option(help=f"Percent of the conversations, one of {SHARES}")] = 10,
    override: Annotated[
        str | None, typer.Option(help="Why it shall answer although the gate refused it")
    ] = None,
) -> None:
    """Let a version answer a share of the conversations first, or end that."""

    async def do(database: Database) -> ModelVersion | None:
        now = SystemClock().now()
        async with database.transaction() as session:
            if name is None:
                await model_registry.end_canary(session, None, now)
                return None
            version = await _named(session, name)
            try:
                return await model_registry.begin_canary(
                    session, version.id, None, share, now, override=override
                )
            except NotReleasable as refusal:
                _refuse(refusal, name)

    begun = with_database(do)
    console.print("there is no canary" if begun is None else f"◐ {begun.name} answers {begun.canary_share} %")


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept with the version")] = "命令行",
) -> None:
    """Let the version that answered before answer again."""

    async def do(database: Database) -> ModelVersion:
        async with database.transaction() as session:
            try:
                return await model_registry.roll_back(session, None, SystemClock().now(), reason=reason)
            except NothingToGoBackTo:
                console.print("there is no version to go back to", style="red")
                raise typer.Exit(1) from None

    console.print(f"● {with_database(do).name} answers members again")


def print_verdict(version: ModelVersion) -> None:
    """Print the gate's findings and what the version lost, where it was compared."""
    if version.gate is None:
        console.print("it was not compared with another version")
        return
    signs = {"floor": "[red]✖[/red]", "refused": "[red]✖[/red]", "notice": "○", "good": "[green]✔[/green]"}
    for finding in version.gate["findings"]:
        console.print(f"  {signs[finding['weight']]} {escape(finding['words'])}")
    for one in version.gate["gold"]["to_wrong"]:
        console.print(f"    - {escape(one['text'])}  {one['topic']} → {one['after']}")
    for one in version.gate["gold"]["to_right"]:
        console.print(f"    + {escape(one['text'])}  {one['before']} → {one['topic']}")


async def _named(session: AsyncSession, name: str) -> ModelVersion:
    try:
        return await model_registry.named(session, name)
    except NotFound:
        console.print(f"there is no version {name}: see `niangjia model list`", style="red")
        raise typer.Exit(1) from None


def _refuse(refusal: NotReleasable, name: str) -> NoReturn:
    console.print(WHY_NOT[str(refusal.values["reason"])].format(name=name), style="red")
    raise typer.Exit(1) from None


def _verdict(version: ModelVersion) -> str:
    if version.passed is None:
        return "—"
    return "passed" if version.passed else "refused" if version.safe else "refused (floor)"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"
