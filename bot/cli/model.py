"""parse, and what the commands share about the model: finding one, training one, hearing with one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.house import settings
from casework import model_registry
from casework.clock import SystemClock, shanghai_day
from casework.crisis import CrisisFinding, CrisisLevel, CrisisRules
from casework.database import Database
from casework.errors import BadInput, ConfigurationError
from casework.settings import Settings

if TYPE_CHECKING:
    from nlu.understanding import Interpreter  # loads Rasa; only what hears texts needs it

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


def live_model(chosen: Settings) -> Path | None:
    """The file of the version that answers members; None without one, or where NIANGJIA_MODEL names another.

    The newest file may be a candidate that the gate refused.
    """
    if os.environ.get("NIANGJIA_MODEL"):
        return None
    name = asyncio.run(_live_name(chosen))
    file = chosen.models_dir / f"{name}.tar.gz"
    return file if name is not None and file.is_file() else None


async def _live_name(chosen: Settings) -> str | None:
    database = Database(chosen.database_url)
    try:
        if not await database.is_current():
            return None
        async with database.read() as session:
            return await model_registry.live_name(session)
    except (SQLAlchemyError, OSError):
        return None  # no database yet, or none within reach: a model can be heard without one
    finally:
        await database.close()


def fits(chosen: Settings, model: Path) -> bool:
    """Whether the model was trained by the pipeline and domain as they are now; an older one may not load."""
    if os.environ.get("NIANGJIA_MODEL"):
        return True
    stamp = model.with_name(f"{model.name}.pipeline")
    return stamp.is_file() and stamp.read_text(encoding="ascii") == pipeline_digest(chosen)


def pipeline_digest(chosen: Settings) -> str:
    """The SHA-256 of what a model must have been made by to be loaded: configuration, domain, code."""
    digest = hashlib.sha256()
    for path in [
        chosen.home / "config.yml",
        chosen.home / "domain.yml",
        *(path for path in sorted((chosen.home / "nlu").rglob("*.py")) if path.parent.name != "evaluation"),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def train_model(chosen: Settings, config: str = "config.yml") -> Path:
    """Train with Rasa, its progress on the screen; the new model. Raises ConfigurationError."""
    command = [
        sys.executable,
        "-m",
        "nlu.training",
        "--config",
        config,
    ]
    done = subprocess.run(command, cwd=chosen.home, env={**os.environ, **RASA_ENVIRONMENT}, check=False)
    model = newest_model(chosen)
    if done.returncode != 0 or model is None:
        raise ConfigurationError("training failed; what Rasa said is above")
    model.with_name(f"{model.name}.pipeline").write_text(pipeline_digest(chosen), encoding="ascii")
    return model


class Listener:
    """Listener: the crisis rules and then a trained model, as the switchboard hears, but without a server."""

    def __init__(self, interpreter: Interpreter, crisis: CrisisRules) -> None:
        self._interpreter = interpreter
        self._crisis = crisis

    @classmethod
    def load(cls, chosen: Settings, model: Path) -> Listener:
        """Load the rules and a model; raises ConfigurationError where the file is no model."""
        from nlu.understanding import Interpreter, ModelUnreadable  # noqa: PLC0415  (loads Rasa)

        os.environ.update(RASA_ENVIRONMENT)
        try:
            interpreter = Interpreter.load(model)
        except ModelUnreadable as error:
            raise ConfigurationError(str(error)) from error
        return cls(interpreter, CrisisRules.load(chosen.home / "data" / "knowledge" / "crisis.yml"))

    def hear(self, texts: Sequence[str], as_of: date) -> Iterator[dict[str, Any]]:
        """Yield what is understood of each text, in order, as ``niangjia parse`` prints it."""
        for text, parsed in zip(texts, self._interpreter.parse_many(texts, as_of), strict=True):
            yield {**parsed, **_crisis_first(self._crisis.detect(text), parsed), "text": text}

    def hear_in_detail(self, texts: Sequence[str], as_of: date) -> Iterator[dict[str, Any]]:
        """Yield the same with ``outside`` (probability of being out of scope), and what either half heard.

        ``rule`` is the crisis rule's finding (kind, level, name) or None, ``model`` what the model alone
        made of the text.
        """
        parsed_texts = self._interpreter.parse_many(texts, as_of, detail=True)
        for text, parsed in zip(texts, parsed_texts, strict=True):
            finding = self._crisis.detect(text)
            first = _crisis_first(finding, parsed)
            rule = None
            if finding is not None:
                rule = {"kind": finding.kind, "level": str(finding.level), "name": finding.rule}
                if finding.level is CrisisLevel.URGENT:
                    first["outside"] = 0.0
            yield {**parsed, **first, "text": text, "rule": rule, "model": parsed}


def _crisis_first(finding: CrisisFinding | None, parsed: Mapping[str, Any]) -> dict[str, Any]:
    """What a crisis rule changes of the model's reading; nothing where none matched.

    An urgent finding is answered alone, so it becomes the topic; care comes before the answer, so it joins
    the topics.
    """
    if finding is None:
        return {}
    topic = f"crisis.{finding.kind}"
    others = [item for item in parsed["topics"] if item["topic"] != topic]
    if finding.level is CrisisLevel.CARE:
        return {"topics": [*others, {"topic": topic, "confidence": 1.0}]}
    return {
        "topic": topic,
        "intent": f"crisis_{finding.kind}",
        "confidence": 1.0,
        "topics": [{"topic": topic, "confidence": 1.0}, *others],
        "accepted": True,
    }


def chosen_model(chosen: Settings, model: Path | None) -> Path:
    """The model file named, else the one that answers members, else the newest.

    Raises ConfigurationError when there is none.
    """
    path = model or live_model(chosen) or newest_model(chosen)
    if path is None:
        raise ConfigurationError("there is no trained model yet: run `niangjia train`")
    if not path.is_file():
        raise ConfigurationError(f"there is no model {path}")
    return path


def parse(
    as_of: Annotated[
        str | None, typer.Option(help="Day relative dates count from (ISO); today in Shanghai")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model file; the newest by default")] = None,
) -> None:
    """Read one sentence a line on standard input, write one JSON object a line."""
    today = day(as_of)
    listener = Listener.load(settings(), chosen_model(settings(), model))
    texts = [line.rstrip("\r\n") for line in sys.stdin]
    for parsed in listener.hear(texts, today):
        print(json.dumps(parsed, ensure_ascii=False), flush=True)


def day(as_of: str | None) -> date:
    """The day relative dates count from: the ISO date given, else today in Shanghai; raises BadInput."""
    if as_of is None:
        return shanghai_day(SystemClock().now())
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise BadInput(f"--as-of must be a date like 2026-11-22, not {as_of!r}") from error
