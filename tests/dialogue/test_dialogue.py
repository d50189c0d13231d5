"""Rasa's own story test over ``tests/dialogue``: one wrong prediction fails it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import model
from tests.e2e.house import ROOT

__all__ = ["model"]
STORIES = Path(__file__).parent / "test_stories.yml"


def run_stories(model: Path, stories: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "nlu.server", "test", "core", "--model", str(model),
            "--stories", str(stories),
            "--out", str(out), "--fail-on-prediction-errors",
        ],
        cwd=ROOT, env={**os.environ, "PYTHONWARNINGS": "ignore"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_every_prediction_of_every_story_is_right(model: Path, tmp_path: Path) -> None:
    done = run_stories(model, STORIES, tmp_path)
    failed = tmp_path / "failed_test_stories.yml"
    assert done.returncode == 0, failed.read_text() if failed.exists() else done.stderr[-3000:]


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_a_wrong_story_fails_the_run(model: Path, tmp_path: Path) -> None:
    story = {"story": "wrong on purpose", "steps": [{"intent": "greet"}, {"action": "utter_goodbye"}]}
    wrong = tmp_path / "test_wrong.yml"
    wrong.write_text(yaml.safe_dump({"version": "3.1", "stories": [story]}), encoding="utf-8")
    assert run_stories(model, wrong, tmp_path).returncode != 0


def test_every_rule_is_walked_by_a_story() -> None:
    stories = yaml.safe_load(STORIES.read_text(encoding="utf-8"))["stories"]
    walked = {step["action"] for story in stories for step in story["steps"] if "action" in step}
    ruled = set()
    for file in (ROOT / "data" / "stories").glob("*.yml"):
        for rule in yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]:
            ruled |= {step["action"] for step in rule["steps"] if "action" in step}
    assert ruled - walked == set()
