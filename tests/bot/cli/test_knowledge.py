"""niangjia knowledge: articles leave as files and come back as proposals, without loss."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.knowledge import app
from casework import article_versions
from casework.accounts import find_staff
from casework.articles import load_articles
from casework.database import Database
from casework.errors import KnowledgeError, NotAllowed, NotFound, TransitionRefused
from casework.knowledge import Knowledge
from casework.published import current_knowledge
from casework.tables import ArticleVersion, StaffRole
from tests.conftest import TEST_KEY
from tests.e2e.house import ROOT
from tests.factories import FIRST_MOMENT, make_staff

KNOWLEDGE = Knowledge.load(ROOT / "data" / "knowledge")
FILE = "heat_allowance.yml"
OLD, NEW = "300 元", "310 元"


@pytest.fixture
def installation(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation with a supervisor, an admin and an agent."""
    path = tmp_path / "installed.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite+aiosqlite:///{path}")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())

    async def begin() -> None:
        async with database.transaction() as session:
            await make_staff(session, login="writer", role=StaffRole.SUPERVISOR)
            await make_staff(session, login="second", role=StaffRole.ADMIN)
            await make_staff(session, login="agent", role=StaffRole.AGENT)
        await database.close()

    asyncio.run(begin())
    return database


def run(*words: str) -> str:
    outcome = CliRunner().invoke(app, list(words))
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def exported(folder: Path) -> Path:
    run("export-articles", str(folder))
    return folder


def edited(folder: Path) -> None:
    path = exported(folder) / FILE
    path.write_text(path.read_text(encoding="utf-8").replace(OLD, NEW), encoding="utf-8")


def waiting(database: Database) -> list[ArticleVersion]:
    async def look() -> list[ArticleVersion]:
        async with database.read() as session:
            found = await article_versions.waiting(session)
        await database.close()
        return found

    return asyncio.run(look())


def test_articles_leave_and_come_back_without_loss(installation: Database, tmp_path: Path) -> None:
    folder = exported(tmp_path / "out")
    read = load_articles(folder, KNOWLEDGE.topics, KNOWLEDGE.case_types.names)
    assert read == KNOWLEDGE.articles
    said = run("import-articles", str(folder), "--author", "writer")
    assert said.startswith(f"proposed 0, unchanged {len(KNOWLEDGE.articles)}")


def test_an_import_proposes_and_never_publishes(installation: Database, tmp_path: Path) -> None:
    edited(tmp_path / "out")
    said = run("import-articles", str(tmp_path / "out"), "--author", "writer", "--note", "新标准")
    assert "proposed 1," in said
    (version,) = waiting(installation)
    assert (version.topic, version.note) == ("heat.allowance", "新标准")
    assert NEW in version.content["short"]
    again = run("import-articles", str(tmp_path / "out"), "--author", "second")
    assert "proposed 0, " in again
    assert "waiting already 1" in again


def test_what_two_people_published_is_what_leaves(installation: Database, tmp_path: Path) -> None:
    edited(tmp_path / "out")
    run("import-articles", str(tmp_path / "out"), "--author", "writer")
    (version,) = waiting(installation)

    async def agree() -> None:
        async with installation.transaction() as session:
            second = await find_staff(session, "second")
            await article_versions.approve(session, second, version.id, KNOWLEDGE, FIRST_MOMENT, seen=None)
            assert NEW in (await current_knowledge(session, KNOWLEDGE)).articles["heat.allowance"].short
        await installation.close()

    asyncio.run(agree())
    assert NEW in (exported(tmp_path / "later") / FILE).read_text(encoding="utf-8")


def test_a_file_that_breaks_a_rule_stops_the_whole_import(installation: Database, tmp_path: Path) -> None:
    edited(tmp_path / "out")
    bad = tmp_path / "out" / "tuition_aid.yml"
    bad.write_text(bad.read_text(encoding="utf-8").replace("issuer:", "isuer:"), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"tuition_aid\.yml"):
        run("import-articles", str(tmp_path / "out"), "--author", "writer")
    assert waiting(installation) == []


def test_who_may_not_write_knowledge_imports_none(installation: Database, tmp_path: Path) -> None:
    edited(tmp_path / "out")
    with pytest.raises(NotAllowed):
        run("import-articles", str(tmp_path / "out"), "--author", "agent")
    with pytest.raises(NotFound):
        run("import-articles", str(tmp_path / "out"), "--author", "nobody")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="no article"):
        run("import-articles", str(tmp_path / "empty"), "--author", "writer")


def test_an_import_does_not_write_over_somebodys_draft(installation: Database, tmp_path: Path) -> None:
    edited(tmp_path / "out")

    async def draft() -> None:
        async with installation.transaction() as session:
            writer = await find_staff(session, "writer")
            await article_versions.save_draft(
                session, writer, "heat.allowance", {"short": "写到一半"}, KNOWLEDGE, FIRST_MOMENT
            )
        await installation.close()

    asyncio.run(draft())
    with pytest.raises(TransitionRefused, match=r"a draft of heat\.allowance"):
        run("import-articles", str(tmp_path / "out"), "--author", "writer")
