"""Our components in Rasa's own graph: trained by Rasa, in order, and served as trained."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from nlu.understanding import Interpreter
from tests.nlu.pipeline import ROOT, SENTENCES

ENVIRONMENT = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def test_the_shipped_configuration_names_our_components_and_says_who_the_assistant_is() -> None:
    config = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    assert config["language"] == "zh"
    assert config["assistant_id"] == "niangjia"
    names = [component["name"] for component in config["pipeline"]]
    assert names == [
        f"nlu.pipeline.{name}"
        for name in (
            "TextNormaliser",
            "UnionJiebaTokenizer",
            "NgramFeaturizer",
            "LinearIntentClassifier",
            "AcceptanceGate",
            "FactExtractor",
        )
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained by ``rasa train nlu`` with the shipped pipeline on a few sentences."""
    folder = tmp_path_factory.mktemp("rasa")
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in SENTENCES.items()
    ]
    (folder / "nlu.yml").write_text(
        yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True), "utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "rasa",
        "train",
        "nlu",
        "--config",
        "config.yml",
        "--nlu",
        str(folder / "nlu.yml"),
    ]
    command += ["--domain", "domain.yml", "--out", str(folder / "models")]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next((folder / "models").glob("*.tar.gz"))


def test_a_model_trained_by_rasa_is_read_without_rasas_loader(model: Path) -> None:
    interpreter = Interpreter.load(model)
    found = interpreter.parse("老板拖欠工资,仨月没给钱", date(2026, 11, 22))
    assert found["topic"] == "labour.wage_arrears"
    assert found["facts"] == {"months_owed": "3"}
    assert interpreter.parse("防暑降温费發多少", date(2026, 11, 22))["topic"] == "heat.allowance"


def test_every_other_configuration_keeps_our_spelling_our_gate_and_our_facts() -> None:
    files = sorted((ROOT / "configs").glob("*.yml"))
    assert files
    for file in files:
        config = yaml.safe_load(file.read_text("utf-8"))
        names = [component["name"] for component in config["pipeline"]]
        assert names[0] == "nlu.pipeline.TextNormaliser", file
        assert names[-2:] == ["nlu.pipeline.AcceptanceGate", "nlu.pipeline.FactExtractor"], file
        assert config["policies"] == yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["policies"], (
            file
        )
