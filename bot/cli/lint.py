"""lint-samples: what is wrong with the training sentences."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from bot.cli.house import settings, with_database
from bot.cli.model import RASA_ENVIRONMENT
from casework import lint_report, samples
from casework.clock import SystemClock
from casework.database import Database
from casework.errors import ConfigurationError
from casework.sample_lint import Severity, counts


def lint_samples(
    labels: Annotated[
        bool, typer.Option(help="Look for wrong labels too (a minute; needs the packages that train)")
    ] = True,
    most: Annotated[int, typer.Option(help="Findings of each kind to print", min=0)] = 20,
) -> None:
    """Look at all training sentences for wrong labels, repetitions, leaks and personal data.

    What is found also stands on the workbench's page about it. What was dismissed there is not printed.
    Exit code 1 where something is an error.
    """
    from bot.training.lint import lint_now  # noqa: PLC0415  (loads the models)

    chosen, now = settings(), SystemClock().now()
    os.environ.update(RASA_ENVIRONMENT)

    async def sentences(database: Database) -> tuple[samples.TrainingSet, frozenset[str]]:
        async with database.read() as session:
            return (
                await samples.current(session, chosen.home / "data" / "nlu"),
                await lint_report.dismissed(session),
            )

    if not lint_report.begin(chosen.var_dir, now):
        raise ConfigurationError("somebody is looking at the sentences already; try again in some minutes")
    try:
        training_set, dismissed = with_database(sentences)
        report = lint_now(
            chosen,
            training_set,
            now,
            labels=labels,
            dismissed=dismissed,
            say=partial(typer.echo, err=True),
        )
    except ImportError as error:
        raise ConfigurationError(
            f"labels cannot be looked at here ({error}); try --no-labels, or uv sync --group rasa"
        ) from error
    finally:
        lint_report.end(chosen.var_dir)
    standing = report.standing(training_set, dismissed)
    for kind, number in counts(standing).items():
        typer.echo(f"{kind}: {number}")
        for finding in [one for one in standing if one.kind is kind][:most]:
            words = (finding.intent, finding.text, finding.other_intent, finding.other, finding.detail)
            typer.echo("  " + "  ".join(word for word in words if word))
    if any(finding.severity is Severity.ERROR for finding in standing):
        raise typer.Exit(1)
