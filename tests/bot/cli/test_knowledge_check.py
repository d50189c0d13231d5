"""``niangjia knowledge check``: what CI asks of every knowledge file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from casework.errors import KnowledgeError

ROOT = Path(__file__).parents[3] / "data" / "knowledge"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the knowledge folder that the commands read."""
    monkeypatch.setenv("NIANGJIA_HOME", str(tmp_path))
    return shutil.copytree(ROOT, tmp_path / "data" / "knowledge")


@pytest.mark.usefixtures("copied")
def test_the_knowledge_that_ships_is_well() -> None:
    result = CliRunner().invoke(app, ["knowledge", "check"])
    assert result.exit_code == 0, result.output
    assert re.search(r"\d+ rates: all well", result.output)


@pytest.mark.parametrize("file", ["gate.yml", "inbox.yml", "model_watch.yml"])
def test_the_rules_of_the_workbench_are_knowledge_too(copied: Path, file: str) -> None:
    path = copied / file
    path.write_text(path.read_text(encoding="utf-8") + "\nno_such_rule: 1\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["knowledge", "check"])
    assert isinstance(result.exception, KnowledgeError)
    assert file in str(result.exception)
    assert "no_such_rule" in str(result.exception)


def test_a_rate_without_its_source_is_named_with_its_file(copied: Path) -> None:
    path = copied / "rates" / "minimum_wage.yml"
    text = re.sub(r" +source: .*\n", "", path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["knowledge", "check"])
    assert result.exit_code != 0
    assert isinstance(result.exception, KnowledgeError)
    assert "rates/minimum_wage.yml" in str(result.exception)
    assert "source" in str(result.exception)
