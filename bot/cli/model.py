"""train, parse, evaluate: the model, from the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.house import settings
from casework.clock import SystemClock, shanghai_day
from casework.crisis import CrisisRules
from casework.errors import BadInput, ConfigurationError
from casework.settings import Settings

RASA_ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "SQLALCHEMY_WARN_20": "0",
    "PYTHONWARNINGS": "ignore",
}


def newest_model(chosen: Settings) -> Path | None:
    """The model NIANGJIA_MODEL names, else the one that was trained last; None when there is none."""
    named = os.environ.get("NIANGJIA_MODEL")
    if named:
        return Path(named) if Path(named).is_file() else None
    models = sorted((chosen.home / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return models[-1] if models else None


def fits(chosen: Settings, model: Path) -> bool:
    """Whether the model was trained by the pipeline and domain as they are now; an older one may not load."""
    if os.environ.get("NIANGJIA_MODEL"):
        return True
    stamp = model.with_name(f"{model.name}.pipeline")
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _pipeline_digest(chosen)


def _pipeline_digest(chosen: Settings) -> str:
    digest = hashlib.sha256()
    for path in [
        chosen.home / "config.yml",
        chosen.home / "domain.yml",
        *sorted((chosen.home / "nlu").rglob("*.py")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def train_model(chosen: Settings, config: str = "config.yml") -> Path:
    """Train with Rasa, its progress on the screen; the new model. Raises ConfigurationError."""
    command = [
        sys.executable,
        "-m",
        "rasa",
        "train",
        "--domain",
        "domain.yml",
        "--config",
        config,
        "--data",
        "data/nlu",
        "data/stories",
        "--out",
        "models",
    ]
    done = subprocess.run(command, cwd=chosen.home, env={**os.environ, **RASA_ENVIRONMENT}, check=False)
    model = newest_model(chosen)
    if done.returncode != 0 or model is None:
        raise ConfigurationError("training failed; what Rasa said is above")
    model.with_name(f"{model.name}.pipeline").write_text(_pipeline_digest(chosen), encoding="ascii")
    return model


def train(
    config: Annotated[str, typer.Option(help="Pipeline configuration, e.g. configs/diet.yml")] = "config.yml",
) -> None:
    """Train a model from data/ and keep it in models/."""
    typer.echo(f"trained {train_model(settings(), config)}")


def understood(
    texts: list[str], as_of: date, chosen: Settings, model: Path | None = None
) -> Iterator[dict[str, Any]]:
    """What the assistant makes of each text: crisis rules first, then the model (as the switchboard does)."""
    from nlu.understanding import Interpreter  # noqa: PLC0415  (loads Rasa; only these commands need it)

    path = model or newest_model(chosen)
    if path is None:
        raise ConfigurationError("there is no trained model yet: run `niangjia train`")
    os.environ.update(RASA_ENVIRONMENT)
    interpreter = Interpreter.load(path)
    crisis = CrisisRules.load(chosen.home / "data" / "knowledge" / "crisis.yml")
    for text, parsed in zip(texts, interpreter.parse_many(texts, as_of), strict=True):
        finding = crisis.detect(text)
        crisis_first: dict[str, Any] = {}
        if finding is not None:
            topic = f"crisis.{finding.kind}"
            others = [item for item in parsed["topics"] if item["topic"] != topic]
            crisis_first = {
                "topic": topic,
                "intent": f"crisis_{finding.kind}",
                "confidence": 1.0,
                "topics": [{"topic": topic, "confidence": 1.0}, *others],
                "accepted": True,
            }
        yield {**parsed, **crisis_first, "text": text}


def parse(
    as_of: Annotated[
        str | None, typer.Option(help="Day relative dates count from (ISO); today in Shanghai")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model file; the newest by default")] = None,
) -> None:
    """Read one sentence a line on standard input, write one JSON object a line."""
    day = _day(as_of)
    texts = [line.rstrip("\r\n") for line in sys.stdin]
    for parsed in understood(texts, day, settings(), model):
        print(json.dumps(parsed, ensure_ascii=False), flush=True)


def evaluate(
    file: Annotated[Path, typer.Argument(help="Lines of {text, topic, alt?}")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON")] = False,
    model: Annotated[Path | None, typer.Option(help="Model file; the newest by default")] = None,
) -> None:
    """Measure the model against labelled sentences."""
    from nlu.evaluation import evaluate_predictions, format_report  # noqa: PLC0415  (as above)

    rows = list(_rows(file))
    parsed = list(understood([row["text"] for row in rows], _day(None), settings(), model))
    report = evaluate_predictions(rows, parsed)
    typer.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else format_report(report))


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield {**row, "text": str(row["text"]), "topic": str(row["topic"])}
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{file}, line {number}: expected an object with text and topic") from error


def _day(as_of: str | None) -> date:
    if as_of is None:
        return shanghai_day(SystemClock().now())
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise BadInput(f"--as-of must be a date like 2026-11-22, not {as_of!r}") from error
