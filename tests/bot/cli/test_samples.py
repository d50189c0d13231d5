"""niangjia samples: training sentences leave as a file, come back, and are written into data/nlu."""

from __future__ import annotations

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.house import with_database
from bot.cli.samples import app
from casework import confirmed_labels, lint_report
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.lint_report import LintReport
from casework.sample_files import as_yaml
from casework.sample_lint import Finding, LintKind
from casework.tables import StaffRole
from tests.conftest import TEST_KEY
from tests.e2e.house import ROOT
from tests.factories import make_staff

ARREARS = "ask_wage_arrears"
SENTENCE = "[示例厂](employer)连着三回没按点发薪了呀"


@pytest.fixture
def home(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with sentences of its own to write into."""
    (tmp_path / "data").mkdir()
    shutil.copytree(ROOT / "data" / "nlu", tmp_path / "data" / "nlu")
    (tmp_path / "data" / "knowledge").symlink_to(ROOT / "data" / "knowledge")
    (tmp_path / "domain.yml").symlink_to(ROOT / "domain.yml")
    (tmp_path / "installed.db").write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.setenv("NIANGJIA_HOME", str(tmp_path))
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/installed.db")
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())
    return tmp_path


def run(*words: str, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, list(words))
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def test_sentences_leave_come_back_and_are_committed(home: Path, tmp_path: Path) -> None:
    file, incoming = tmp_path / "out.yml", tmp_path / "in.yml"
    assert "sentences in" in run("export", str(file))
    assert "added 0, moved 0, marked anew 0" in run("import", str(file))
    incoming.write_text(as_yaml({ARREARS: [SENTENCE]}), encoding="utf-8")
    assert "would be added 1" in run("import", str(incoming), "--preview")
    assert run("history") == "nothing was changed\n"
    assert "added 1" in run("import", str(incoming), "--note", "示例")
    run("export", str(file), "--intent", ARREARS)
    assert file.read_text(encoding="utf-8").endswith(f"      - {SENTENCE}\n")
    assert "(not committed)" in run("history", "--intent", ARREARS)
    assert "1 changes not committed" in run("counts")
    shipped = (ROOT / "data" / "nlu" / "labour_wage_arrears.yml").read_text(encoding="utf-8")
    assert run("commit") == "1 changes written: labour_wage_arrears.yml\n"
    written = (home / "data" / "nlu" / "labour_wage_arrears.yml").read_text(encoding="utf-8")
    assert written == f"{shipped}      - {SENTENCE}\n"
    number = run("history").split()[0]
    assert "undone by change" in run("undo", number)
    assert run("commit") == "1 changes written: labour_wage_arrears.yml\n"
    assert (home / "data" / "nlu" / "labour_wage_arrears.yml").read_text(encoding="utf-8") == shipped


def test_a_commit_that_does_not_fit_says_which_file(home: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "in.yml"
    incoming.write_text(as_yaml({ARREARS: ["转人工"]}), encoding="utf-8")
    assert "moved 1" in run("import", str(incoming))
    file = home / "data" / "nlu" / "case_handoff.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("- 转人工\n", "- 转给人工啊\n"), encoding="utf-8"
    )
    assert "does not fit change" in run("commit", code=1)
    assert "转给人工啊" in file.read_text(encoding="utf-8")


def test_refused_lines_are_said_and_the_others_taken(home: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "in.yml"
    incoming.write_text(as_yaml({ARREARS: ["我电话13800138000欠薪了", SENTENCE]}), encoding="utf-8")
    said = run("import", str(incoming), code=1)
    assert "第 5 行" in said
    assert "added 1" in said
    assert "refused 1" in said


def test_what_is_no_file_of_sentences_is_refused(home: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "in.yml"
    incoming.write_text("nlu:\n- lookup: district\n  examples: |\n    - 历下区\n", encoding="utf-8")
    with pytest.raises(BadInput, match="lookup"):
        run("import", str(incoming))
    with pytest.raises(BadInput, match="cannot read"):
        run("import", str(tmp_path / "nothing.yml"))
    with pytest.raises(NotFound):
        run("export", str(tmp_path / "x.yml"), "--intent", "no_such_intent")


def test_the_main_command_knows_the_group() -> None:
    from bot.cli import app as main

    assert CliRunner().invoke(main, ["samples", "--help"]).exit_code == 0


def test_a_commit_keeps_what_the_lint_doubted_and_somebody_said_is_right(home: Path) -> None:
    doubted = Finding(LintKind.LABEL, "ask_leave", "想歇年假怎么请", other_intent="greet")
    now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    (home / "data" / "nlu" / "more.yml").write_text(
        as_yaml({"ask_leave": ["想歇年假怎么请"]}), encoding="utf-8"
    )
    lint_report.write(home / "var", LintReport(now, "", 1, 1.0, True, (doubted,)))
    assert run("commit") == "0 changes written\n"

    async def dismiss(database: Database) -> None:
        async with database.transaction() as session:
            teacher = await make_staff(session, role=StaffRole.SUPERVISOR)
            await lint_report.dismiss(session, teacher, [doubted.key], now)

    with_database(dismiss)
    assert run("commit") == "0 changes written\n1 labels confirmed: confirmed_labels.yml\n"
    assert confirmed_labels.read(home / "data") == {("ask_leave", "想歇年假怎么请")}
    assert run("commit") == "0 changes written\n"
