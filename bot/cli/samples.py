"""samples: the training sentences out, in, and into data/nlu, and what was changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.house import settings, with_database
from casework import accounts, confirmed_labels, lint_report, samples
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.knowledge import Knowledge
from casework.sample_commit import CommitRefused, commit, uncommitted
from casework.sample_import import Fate, Looked, counted, exported, look, read_upload, take_in
from casework.sample_rules import known_facts
from casework.samples import TrainingSet
from casework.tables import ChangeDeed, SampleChange
from casework.wording import Wording

app = typer.Typer(help="Training sentences: what the assistant learns from.", no_args_is_help=True)

_SIGNS = {ChangeDeed.ADD: "+", ChangeDeed.REMOVE: "-", ChangeDeed.EDIT: "~", ChangeDeed.MOVE: ">"}
_SHOWN = 40
"""Refused lines that are printed."""


def _folder() -> Path:
    return settings().home / "data" / "nlu"


def _known() -> Knowledge:
    return Knowledge.load(settings().home / "data" / "knowledge")


async def _current(database: Database) -> TrainingSet:
    async with database.read() as session:
        return await samples.current(session, _folder())


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="the Rasa YAML file to write")],
    intent: Annotated[str | None, typer.Option(help="only this intent")] = None,
) -> None:
    """Write the sentences, with what was changed and not committed yet, into one Rasa YAML file."""
    training_set = with_database(_current)
    if intent is not None and not training_set.sentences.get(intent):
        raise NotFound(f"no sentences for {intent}")
    try:
        file.write_text(exported(training_set, intent), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}") from error
    count = len(training_set) if intent is None else len(training_set.sentences[intent])
    typer.echo(f"{count} sentences in {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="a Rasa YAML file with intents")],
    preview: Annotated[bool, typer.Option("--preview", help="only say what would happen")] = False,
    note: Annotated[str | None, typer.Option(help="where they come from")] = None,
) -> None:
    """Take sentences in: new ones are added, those that stand elsewhere are moved, others are refused."""
    known, folder = _known(), _folder()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from error

    async def deed(database: Database) -> Sequence[Looked]:
        if preview:
            training_set = await _current(database)
            return look(read_upload(content), training_set, known, known_facts(folder))
        async with database.transaction() as session:
            return await take_in(session, None, content, known, folder, SystemClock().now(), note=note)

    try:
        found = with_database(deed)
    except BadInput as refusal:
        raise BadInput(_said(known.wording, refusal), **refusal.values) from refusal
    counts = counted(found)
    refused = [one for one in found if one.refusal is not None]
    for one in refused[:_SHOWN]:
        reason = _said(known.wording, one.refusal) if one.refusal else ""
        typer.echo(f"第 {one.wanted.line} 行：{reason}", err=True)
    if len(refused) > _SHOWN:
        typer.echo(f"… and {len(refused) - _SHOWN} more", err=True)
    typer.echo(
        f"{'would be ' if preview else ''}added {counts[Fate.NEW]}, moved {counts[Fate.MOVED]}, "
        f"marked anew {counts[Fate.REMARKED]}, there already {counts[Fate.THERE]}, "
        f"refused {counts[Fate.REFUSED]}"
    )
    if refused:
        raise typer.Exit(1)


@app.command("commit")
def commit_() -> None:
    """Write what was changed into data/nlu, line by line; look at it with `git diff` and commit that.

    What the lint took for a wrong label and somebody said is right goes into data/confirmed_labels.yml.
    """
    known, folder = _known(), _folder()
    report = lint_report.read(settings().var_dir)

    async def deed(database: Database) -> tuple[int, list[str], list[tuple[str, str]]]:
        async with database.transaction() as session:
            count, files = await commit(session, folder, known, SystemClock().now())
            if report is None:
                return count, files, []
            dismissed = await lint_report.dismissed(session)
            return count, files, lint_report.confirmed(report, samples.read_files(folder), dismissed)

    try:
        count, files, right = with_database(deed)
    except CommitRefused as refusal:
        for one in refusal.conflicts:
            typer.echo(f"{one.file}: {one.intent}: does not fit change {one.change_id}", err=True)
        typer.echo("nothing was written: undo these changes, or put the files back", err=True)
        raise typer.Exit(1) from refusal
    typer.echo(f"{count} changes written{': ' if files else ''}{', '.join(files)}")
    if new := confirmed_labels.add(folder.parent, right):
        typer.echo(f"{new} labels confirmed: {confirmed_labels.FILE}")


@app.command("history")
def history(
    intent: Annotated[str | None, typer.Option(help="only this intent")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="how many, the newest first")] = 30,
) -> None:
    """Print what was changed, when and by whom: + added, - removed, ~ edited, > moved."""

    async def deed(database: Database) -> tuple[Sequence[SampleChange], dict[int, str]]:
        async with database.read() as session:
            found = await samples.history(session, intent, limit=most)
            return found, {one.id: one.login for one in await accounts.list_staff(session)}

    found, logins = with_database(deed)
    for one in found:
        moved = one.deed is ChangeDeed.MOVE
        where = (
            f"{one.before_intent} → {one.after_intent}" if moved else one.after_intent or one.before_intent
        )
        text = f"{one.before_text} → {one.after_text}" if one.deed is ChangeDeed.EDIT else None
        state = " (undone)" if one.undone_at else "" if one.committed_at else " (not committed)"
        typer.echo(
            f"{one.id:>6}  {one.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}  "
            f"{logins.get(one.staff_id or 0, '—'):<12} {_SIGNS[one.deed]} {where}: "
            f"{text or one.after_text or one.before_text}{state}"
        )
    if not found:
        typer.echo("nothing was changed")


@app.command("undo")
def undo(change_id: Annotated[int, typer.Argument(help="its number in the history")]) -> None:
    """Take a change back by its opposite."""
    folder = _folder()

    async def deed(database: Database) -> int:
        async with database.transaction() as session:
            return (await samples.undo(session, None, change_id, folder, SystemClock().now())).id

    typer.echo(f"undone by change {with_database(deed)}")


@app.command("counts")
def counts() -> None:
    """Print how many sentences every intent has, and how many changes are not committed yet."""
    known = _known()

    async def deed(database: Database) -> tuple[TrainingSet, int]:
        async with database.read() as session:
            return await samples.current(session, _folder()), len(await uncommitted(session))

    training_set, waiting = with_database(deed)
    for name, intent in known.intents.items():
        if intent.trained:
            typer.echo(f"{len(training_set.sentences.get(name, [])):>6}  {name}")
    typer.echo(f"{len(training_set):>6}  altogether; {waiting} changes not committed")


def _said(wording: Wording, refusal: BadInput) -> str:
    key = f"desk.refusal.{refusal.code}_{refusal.values.get('field')}"
    return wording.say(key, **refusal.values) if wording.has(key) else str(refusal)
