"""What a model is made of, as digests: the same digests give the same model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from casework.settings import Settings

DICTIONARY = "data/knowledge/dictionary"
CLASSIFIER = "nlu.pipeline.LinearIntentClassifier"
DEFAULT_SEED = 20


def ingredients(settings: Settings, sentences: Path) -> dict[str, Any]:
    """SHA-256 digests of the frozen ``sentences`` folder, of all else a model is made of, and the seed."""
    home = settings.home
    config = home / "config.yml"
    return {
        "data": digest(sorted(sentences.glob("*.yml"))),
        "stories": digest(sorted((home / "data" / "stories").glob("*.yml"))),
        "domain": digest([home / "domain.yml"]),
        "config": digest([config]),
        "dictionary": digest(sorted(file for file in (home / DICTIONARY).rglob("*") if file.is_file())),
        "code": digest(
            file for file in sorted((home / "nlu").rglob("*.py")) if file.parent.name != "evaluation"
        ),
        "seed": _seed(config),
    }


def digest(files: Iterable[Path]) -> str:
    """The SHA-256 of the files' names and contents, in the order given."""
    together = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        together.update(f"{file.name}\0{len(content)}\0".encode())
        together.update(content)
    return together.hexdigest()


def file_digest(file: Path) -> str:
    """The SHA-256 of one file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _seed(config: Path) -> int:
    pipeline: list[dict[str, Any]] = yaml.safe_load(config.read_text("utf-8"))["pipeline"]
    for component in pipeline:
        if component["name"] == CLASSIFIER:
            return int(component.get("seed", DEFAULT_SEED))
    return DEFAULT_SEED
