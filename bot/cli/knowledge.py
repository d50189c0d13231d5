"""knowledge: stations in, articles out, in and searched, and a check of everything in data/knowledge/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.house import settings, with_database
from casework import accounts, article_files, canned, confirmed_labels, station_import, stations
from casework.clock import SystemClock, shanghai_day
from casework.database import Database
from casework.errors import BadInput
from casework.gate_rules import GateRules
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.knowledge_search import KnowledgeSearch
from casework.model_bands import Bands
from casework.published import current_knowledge
from casework.rates import Rates
from casework.settings import Settings

app = typer.Typer(help="What the union knows.", no_args_is_help=True)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from error


@app.command("import-stations")
def import_stations(file: Annotated[Path, typer.Argument(help="CSV; see data/knowledge/README.md")]) -> None:
    """Import station records: all lines or none, with a report line by line."""
    content = _read(file)

    known = Knowledge.load(settings().home / "data" / "knowledge")

    async def deed(database: Database) -> station_import.ImportReport:
        async with database.transaction() as session:
            today = shanghai_day(SystemClock().now())
            return await station_import.import_stations(session, content, today, known)

    report = with_database(deed)
    for problem in report.problems:
        typer.echo(f"第 {problem.line} 行：{problem.reason}", err=True)
    if report.problems:
        typer.echo(f"nothing was imported: {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    typer.echo(f"added {report.added}, changed {report.changed}, unchanged {report.unchanged}")


@app.command("export-articles")
def export_articles(folder: Annotated[Path, typer.Argument(help="where the files go")]) -> None:
    """Write every article as it is served now into a folder, one file a topic."""
    known = Knowledge.load(settings().home / "data" / "knowledge")

    async def deed(database: Database) -> Knowledge:
        async with database.read() as session:
            return await current_knowledge(session, known)

    try:
        count = article_files.export_articles(with_database(deed), folder)
    except OSError as error:
        raise BadInput(f"cannot write {folder}: {error.strerror}") from error
    typer.echo(f"{count} articles in {folder}")


@app.command("import-articles")
def import_articles(
    folder: Annotated[Path, typer.Argument(help="files as data/knowledge/articles/ has them")],
    author: Annotated[str, typer.Option(help="login of who proposes them")],
    note: Annotated[str, typer.Option(help="what changed and why, for the second person")] = "从文件导入",
) -> None:
    """Propose every article of a folder that differs from what is served; a second person publishes it."""
    known = Knowledge.load(settings().home / "data" / "knowledge")

    async def deed(database: Database) -> article_files.Imported:
        async with database.transaction() as session:
            staff = await accounts.find_staff(session, author)
            served = await current_knowledge(session, known)
            return await article_files.import_articles(
                session, staff, folder, served, SystemClock().now(), note=note
            )

    done = with_database(deed)
    typer.echo(
        f"proposed {len(done.proposed)}, unchanged {len(done.unchanged)}, waiting already {len(done.waiting)}"
    )
    for topic in done.proposed:
        typer.echo(f"  {topic}")


@app.command("search")
def search(
    text: Annotated[str, typer.Argument(help="what a member or a colleague would say")],
    most: Annotated[int, typer.Option(help="how many articles at most")] = 3,
) -> None:
    """Print the articles served now that are nearest to a text, with their scores and passages."""
    root = settings().home / "data" / "knowledge"
    known = Knowledge.load(root)

    async def deed(database: Database) -> Knowledge:
        async with database.read() as session:
            return await current_knowledge(session, known)

    served = KnowledgeSearch(with_database(deed), root)
    found = served.find(text, shanghai_day(SystemClock().now()), most)
    for one in found:
        typer.echo(
            f"{one.score:6.2f}  {one.topic}  {one.article.label}  [{one.aspect or 'short'}] {one.snippet}"
        )
    if not found:
        typer.echo("nothing near enough")


@app.command("check")
def check() -> None:
    """Check every file in data/knowledge/; the first broken rule is said with file and entry."""
    root = settings().home / "data" / "knowledge"
    knowledge, rates = Knowledge.load(root), Rates.load(root)
    KnowledgeSearch(knowledge, root)
    InboxRules.load(root, knowledge)
    GateRules.load(root)
    Bands.load(root)
    confirmed_labels.read(root.parent)
    rows = sum(len(table.rows) for table in rates.tables.values())
    typer.echo(
        f"{len(knowledge.articles)} articles, {len(knowledge.intents)} intents, {rows} rates: all well"
    )


async def import_sample_stations(database: Database, chosen: Settings) -> int:
    """Put the sample stations in when the table is empty; returns how many were added."""
    async with database.transaction() as session:
        if await stations.count(session):
            return 0
        known = Knowledge.load(chosen.home / "data" / "knowledge")
        content = (chosen.home / "data" / "knowledge" / "stations.sample.csv").read_bytes()
        today = shanghai_day(SystemClock().now())
        report = await station_import.import_stations(session, content, today, known)
    if report.problems:
        raise BadInput(f"stations.sample.csv, line {report.problems[0].line}: {report.problems[0].reason}")
    return report.added


async def install_canned_replies(database: Database, chosen: Settings) -> int:
    """Put the shipped canned replies in when there are none yet; returns how many were added."""
    async with database.transaction() as session:
        root = chosen.home / "data" / "knowledge"
        return await canned.install_shipped(session, root, SystemClock().now())
