"""The ``niangjia`` command line: one file per group of commands."""

from __future__ import annotations

import sys

import typer

from bot.cli import (
    cases,
    database,
    doctor,
    evaluation,
    inbox,
    knowledge,
    lint,
    model,
    models,
    samples,
    staff,
    trainer,
    up,
)
from casework.errors import CaseworkError

app = typer.Typer(
    help="娘家人: the union members' assistant.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.command("up")(up.up)
app.command("serve")(up.serve)
app.command("doctor")(doctor.doctor)
app.command("train")(trainer.train)
app.command("trainer")(trainer.trainer)
app.command("parse")(model.parse)
app.command("evaluate")(evaluation.evaluate)
app.command("lint-samples")(lint.lint_samples)
app.add_typer(staff.app, name="staff")  # cases adds its own commands to it
app.add_typer(cases.app, name="cases")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(models.app, name="model")
app.add_typer(samples.app, name="samples")
app.add_typer(inbox.app, name="inbox")
app.add_typer(database.app, name="db")


def main() -> None:
    """Entry point: expected refusals become one clear line and exit code 2."""
    try:
        app()
    except CaseworkError as error:
        print(f"niangjia: {error}", file=sys.stderr)
        sys.exit(2)
