"""The model trained from the repository as it is keeps the figures written beside the gold set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlu.evaluation.aims import below, read_floors
from tests.e2e.house import ROOT

GOLD = ROOT / "tests" / "nlu" / "gold"
FLOORS = GOLD / "floors.yml"


@pytest.fixture(scope="module")
def written(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the real command wrote its report on the gold set."""
    folder = tmp_path_factory.mktemp("eval")
    files = sorted(str(file) for file in GOLD.glob("*.jsonl") if not file.stem.startswith("facts"))
    facts = [word for file in sorted(GOLD.glob("facts*.jsonl")) for word in ("--facts", str(file))]
    under_noise = any(floor.figure.startswith("robustness.") for floor in read_floors(FLOORS))
    done = subprocess.run(
        [sys.executable, "-m", "bot", "evaluate", *files]
        + [*facts, "--as-of", "2026-11-22", "--model", str(model)]
        + ["--html", str(folder / "report.html"), "--save-json", str(folder / "report.json")]
        + (["--robustness"] if under_noise else []),
        cwd=ROOT,
        env={**os.environ, "NIANGJIA_VAR": str(folder / "var"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "aims:" in done.stdout
    return folder


@pytest.fixture(scope="module")
def report(written: Path) -> dict[str, Any]:
    """The report as JSON."""
    figures: dict[str, Any] = json.loads((written / "report.json").read_text("utf-8"))
    return figures


def test_no_figure_falls_below_its_floor(report: dict[str, Any]) -> None:
    assert report["sentences"] > 1000
    fallen = below(report, read_floors(FLOORS))
    assert not fallen, "\n".join(fallen)


def test_the_page_holds_every_picture_and_asks_for_nothing_outside(written: Path) -> None:
    page = (written / "report.html").read_text("utf-8")
    assert page.count("<svg") == 5
    assert "<script" not in page
    assert 'src="' not in page
