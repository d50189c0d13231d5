"""The configuration with Rasa's neural classifier trains, and its model serves behind our gate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.nlu.pipeline import ROOT, SENTENCES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONWARNINGS": "ignore",
}
SERVE = """
import asyncio, json, sys
from rasa.core.agent import Agent

agent = Agent.load(sys.argv[1])
print(json.dumps(asyncio.run(agent.parse_message(sys.argv[2])), ensure_ascii=False))
"""


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_diet_trains_and_serves_with_our_gate_and_our_facts(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "diet.yml").read_text("utf-8"))
    (diet,) = [component for component in config["pipeline"] if component["name"] == "DIETClassifier"]
    diet["epochs"] = 10  # of 100: enough to tell a hundred sentences apart
    (tmp_path / "config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in SENTENCES.items()
    ]
    content = yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True)
    (tmp_path / "nlu.yml").write_text(content, "utf-8")
    model = run(
        *("-m", "nlu.training", "--config", str(tmp_path / "config.yml")),
        *("--data", str(tmp_path / "nlu.yml"), "--out", str(tmp_path / "models"), "--nlu-only"),
    )
    found = json.loads(run("-c", SERVE, model, "老板拖欠工资三个月不给"))
    guesses = [guess["name"] for guess in found["intent_ranking"] if guess["name"] != "nlu_fallback"]
    assert guesses[0] == "ask_wage_arrears"
    assert found["topic"] == "labour.wage_arrears"
    assert isinstance(found["accepted"], bool)
    assert {entity["entity"]: entity["value"] for entity in found["entities"]}["months_owed"] == "3"
