"""The two sides: how each is trained and measured, in processes of their own, and what is kept of it.

A side's folder is named after a digest of what it was trained with (sentences, configuration, code), so that
a run which was interrupted finds the models and the measurements it had finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.bench.nlu.sentences import Sentence, as_rasa_data

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
STOCK_CONFIG = HERE / "stock.yml"
_STDERR = 2
_PACKAGES = ("rasa", "tensorflow", "tensorflow-cpu", "scikit-learn", "scipy", "numpy", "jieba")
_ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
}
Kind = Literal["ours", "stock"]


class RunFailed(RuntimeError):
    """A side could not be trained or measured; what it said is on standard error."""


@dataclass(frozen=True)
class Side:
    """A side of the comparison: its kind, the name of its column, its configuration and its sentences."""

    kind: Kind
    name: str
    config: str
    sentences: Sequence[Sentence]

    def digest(self) -> str:
        """Return what the trained model depends on, as 16 hex digits."""
        digest = hashlib.sha256()
        for part in (self.kind, self.config, as_rasa_data(self.sentences), json.dumps(versions())):
            digest.update(part.encode())
        for file in [Path(__file__), *(_our_files() if self.kind == "ours" else [])]:
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
        return digest.hexdigest()[:16]

    def command(self, folder: Path) -> tuple[list[str], Path]:
        """Return the command that trains from ``folder`` to the model.tar.gz in it, and where to run it."""
        common = ["--config", str(folder / "config.yml"), "--out", str(folder)]
        data = str(folder / "sentences.json")
        if self.kind == "ours":
            ours = ["-m", "nlu.training", "--nlu-only", "--anew", "--data", data, "--name", "model.tar.gz"]
            return [sys.executable, *ours, *common], ROOT
        stock = ["-m", "rasa", "train", "nlu", "--nlu", data, "--fixed-model-name", "model.tar.gz"]
        return [sys.executable, *stock, *common], folder


def our_config() -> str:
    """Return ``config.yml`` as it is."""
    return (ROOT / "config.yml").read_text("utf-8")


def stock_config(seed: int, epochs: int | None = None) -> str:
    """Return stock.yml with DIET's seed, and for a trial with other ``epochs``."""
    config = yaml.safe_load(STOCK_CONFIG.read_text("utf-8"))
    (diet,) = [component for component in config["pipeline"] if component["name"] == "DIETClassifier"]
    diet["random_seed"] = seed
    if epochs is not None:
        diet["epochs"] = epochs
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False)


def versions() -> dict[str, str]:
    """Return the versions of what does the work."""
    found = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _our_files() -> list[Path]:
    """What our model is made from beside its sentences (``nlu/evaluation`` measures, and teaches nothing)."""
    files = [*(ROOT / "nlu").rglob("*.py"), *(ROOT / "data" / "knowledge").rglob("*.*")]
    return sorted(file for file in files if file.is_file() and file.parent.name != "evaluation")


def say(text: str) -> None:
    """Report progress on standard error."""
    print(f"{datetime.now(UTC).astimezone():%H:%M:%S}  {text}", file=sys.stderr, flush=True)


def trained(side: Side, kept: Path, *, anew: bool = False) -> Path:
    """Return a trained side's folder (model.tar.gz, training.json); trains it unless that is kept."""
    digest = side.digest()
    folder = kept / f"{side.kind}-{digest}"
    done = folder / "training.json"
    if done.is_file() and not anew:
        say(f"{side.name}: trained before, kept in {folder.name}")
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in [done, *folder.glob("measured-*.json")]:
        old.unlink(missing_ok=True)
    (folder / "config.yml").write_text(side.config, "utf-8")
    (folder / "sentences.json").write_text(as_rasa_data(side.sentences), "utf-8")
    say(f"{side.name}: training on {len(side.sentences)} sentences")
    load = os.getloadavg()[0]
    command, where = side.command(folder)
    with tempfile.TemporaryDirectory(prefix="niangjia-bench-") as cache:
        began = time.perf_counter()
        # Rasa's cache would hand over what an earlier run had trained.
        _run(command, where, {"RASA_CACHE_DIRECTORY": cache})
        seconds = time.perf_counter() - began
    say(f"{side.name}: trained in {seconds:.0f} s")
    model = folder / "model.tar.gz"
    if not model.is_file():
        raise RunFailed(f"{side.name}: no model was written; what the training said is above")
    size = model.stat().st_size / 1e6
    _write(
        done,
        {"digest": digest, "training_s": seconds, "load": load, "when": _now(), "model_mb": size},
    )
    return folder


def measured(side: Side, folder: Path, texts: Sequence[str], *, anew: bool = False) -> dict[str, Any]:
    """Return training.json and what measuring found for ``texts``; measures unless that is kept."""
    code = (HERE / "measuring.py").read_bytes()
    digest = hashlib.sha256(json.dumps(list(texts)).encode() + code).hexdigest()[:16]
    done = folder / f"measured-{digest}.json"
    training = json.loads((folder / "training.json").read_text("utf-8"))
    if not done.is_file() or anew:
        say(f"{side.name}: measuring {len(texts)} sentences")
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix="niangjia-bench-") as name:
            job, out = Path(name) / "job.json", Path(name) / "out.json"
            job.write_text(json.dumps({"model": str(folder / "model.tar.gz"), "texts": list(texts)}), "utf-8")
            command = [sys.executable, "-m", "tests.bench.nlu.measuring", str(job), str(out)]
            _run(command, ROOT, {})
            found = json.loads(out.read_text("utf-8"))
        _write(done, {**found, "measuring_load": load})
    return {**training, **json.loads(done.read_text("utf-8"))}


def _run(command: list[str], where: Path, more: Mapping[str, str]) -> None:
    environment = {**os.environ, **_ENVIRONMENT, **more}
    done = subprocess.run(command, cwd=where, env=environment, stdout=_STDERR, check=False)
    if done.returncode != 0:
        raise RunFailed(f"{' '.join(command[1:4])} ended with {done.returncode}; what it said is above")


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a whole file or none: what is kept was finished."""
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(content), "utf-8")
    unfinished.replace(file)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
