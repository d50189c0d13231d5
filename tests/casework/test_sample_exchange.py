"""Training sentences as files: taken out, taken in, and written into ``data/nlu``."""

from __future__ import annotations

import difflib
from datetime import datetime
from pathlib import Path

import pytest

from casework import samples
from casework.database import Database
from casework.errors import BadInput, KnowledgeError, NotAllowed
from casework.knowledge import Knowledge
from casework.sample_commit import CommitRefused, commit, uncommitted
from casework.sample_files import as_yaml, read_blocks
from casework.sample_import import Fate, counted, exported, look, read_upload, take_in, to_take
from casework.sample_rules import known_facts
from casework.samples import add, current, edit, move, remove, undo
from casework.tables import ChangeOrigin, StaffRole
from tests.factories import make_staff

ROOT = Path(__file__).parents[2]
DATA_NLU = ROOT / "data" / "nlu"
KNOWLEDGE = Knowledge.load(ROOT / "data" / "knowledge")
FACTS = known_facts(DATA_NLU)
FILE = """\
# 问好和告别
version: "3.1"
nlu:
  - intent: greet
    # 两句就够
    examples: |
      - 你好
      - 在吗

  - intent: goodbye
    examples: |
      - 再见了
      - [历下区](district)的再见了
"""
INCOMING = """\
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 你好
    - 再见了
    - [示例厂](employer)的来问好
- intent: goodbye
  examples: |
    - 历下区的再见了
    - 我电话13800138000
    - [示例厂](employer)的来问好
- intent: no_such_intent
  examples: |
    - 一句话
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "nlu"
    made.mkdir(parents=True)
    (made / "talk.yml").write_text(FILE, encoding="utf-8")
    (tmp_path / "domain.yml").write_text((ROOT / "domain.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return made


def diff(folder: Path, name: str = "talk.yml") -> list[str]:
    after = (folder / name).read_text(encoding="utf-8")
    lines = difflib.unified_diff(FILE.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:3] not in ("---", "+++") and line[:2] != "@@"]


def test_what_is_taken_out_and_in_again_changes_nothing() -> None:
    whole = samples.read_files(DATA_NLU)
    text = exported(whole).encode()
    found = look(read_upload(text), whole, KNOWLEDGE, FACTS)
    assert {one.fate for one in found} == {Fate.THERE}
    assert len(found) == len(whole)
    assert read_blocks("all.yml", text) == whole.sentences


def test_one_intent_is_taken_out_alone() -> None:
    whole = samples.read_files(DATA_NLU)
    assert read_blocks("x", exported(whole, "greet").encode()) == {"greet": whole.sentences["greet"]}


def test_a_file_is_looked_at_line_by_line(folder: Path) -> None:
    found = look(read_upload(INCOMING.encode()), samples.read_files(folder), KNOWLEDGE, FACTS)
    assert [(one.wanted.line, one.fate) for one in found] == [
        (5, Fate.THERE),
        (6, Fate.MOVED),
        (7, Fate.NEW),
        (10, Fate.REMARKED),
        (11, Fate.REFUSED),
        (12, Fate.REFUSED),
        (15, Fate.REFUSED),
    ]
    assert [one.refusal.values["field"] for one in found if one.refusal] == [
        "personal_data",
        "duplicate",
        "intent",
    ]
    assert read_blocks("x", to_take(found).encode()) == {
        "greet": ["再见了", "[示例厂](employer)的来问好"],
        "goodbye": ["历下区的再见了"],
    }


async def test_what_may_be_taken_in_is_and_comes_out_with_its_marks(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, role=StaffRole.SUPERVISOR)
        found = await take_in(session, staff, INCOMING.encode(), KNOWLEDGE, folder, now)
    assert counted(found) == {
        Fate.NEW: 1,
        Fate.MOVED: 1,
        Fate.REMARKED: 1,
        Fate.THERE: 1,
        Fate.REFUSED: 3,
    }
    async with database.transaction() as session:
        now_there = await current(session, folder)
        assert {one.origin for one in await samples.history(session)} == {ChangeOrigin.IMPORT}
        assert read_blocks("x", exported(now_there).encode()) == {
            "greet": ["你好", "在吗", "再见了", "[示例厂](employer)的来问好"],
            "goodbye": ["历下区的再见了"],
        }
        again = await take_in(session, staff, exported(now_there).encode(), KNOWLEDGE, folder, now)
        assert counted(again)[Fate.THERE] == 5
        assert len(await samples.history(session)) == 3


async def test_only_who_teaches_takes_in(database: Database, folder: Path, now: datetime) -> None:
    async with database.transaction() as session:
        agent = await make_staff(session, role=StaffRole.AGENT)
        with pytest.raises(NotAllowed):
            await take_in(session, agent, INCOMING.encode(), KNOWLEDGE, folder, now)


@pytest.mark.parametrize(
    ("content", "field", "line"),
    [
        ("nlu:\n\t- x\n", "import_yaml", 2),
        ("- a\n- b\n", "import_yaml", 1),
        ("", "import_yaml", 1),
        ("version: '3.1'\nnlu:\n- synonym: 历下\n  examples: |\n    - 历下区\n", "import_block", 3),
        ("version: '3.1'\nnlu:\n- regex: phone\n  examples: |\n    - 1\\d+\n", "import_block", 3),
        (
            "nlu:\n- intent: greet\n  examples: |\n    - 好\n- lookup: x\n  examples: |\n    - a\n",
            "import_block",
            5,
        ),
        ("stories:\n- story: x\n", "import_block", 2),
        ("nlu:\n- intent: greet\n  examples:\n  - text: 好\n", "import_examples", 2),
        ("nlu:\n- intent: greet\n  examples: |\n    - 好\n    * 坏\n", "import_examples", 5),
    ],
)
def test_what_is_not_taken_is_said_with_its_line(content: str, field: str, line: int) -> None:
    with pytest.raises(BadInput) as refused:
        read_upload(content.encode())
    assert (refused.value.values["field"], refused.value.values["line"]) == (field, line)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadInput):
        read_upload(b"\xff\xfe\x00")


async def test_too_many_at_once_are_refused_and_none_taken(
    database: Database, folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.sample_import.MOST_TAKEN", 2)
    async with database.transaction() as session:
        with pytest.raises(BadInput) as refused:
            await take_in(session, None, INCOMING.encode(), KNOWLEDGE, folder, now)
        assert refused.value.values["limit"] == 2
        assert await samples.last_change_id(session) == 0


async def test_a_commit_touches_only_the_lines_that_changed(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await add(session, None, "早上好呀", "greet", KNOWLEDGE, folder, now)
        await edit(session, None, "你好", "你们好", KNOWLEDGE, folder, now)
        await move(session, None, "再见了", "greet", KNOWLEDGE, folder, now)
        wanted = await current(session, folder)
        assert await commit(session, folder, KNOWLEDGE, now) == (3, ["talk.yml"])
    assert diff(folder) == [
        "-      - 你好",
        "+      - 你们好",
        "+      - 早上好呀",
        "+      - 再见了",
        "-      - 再见了",
    ]
    assert samples.read_files(folder).sentences == wanted.sentences
    async with database.transaction() as session:
        assert await uncommitted(session) == []
        assert (await current(session, folder)).sentences == wanted.sentences
        assert await commit(session, folder, KNOWLEDGE, now) == (0, [])


async def test_what_was_undone_is_not_committed(database: Database, folder: Path, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, role=StaffRole.ADMIN)
        change = await remove(session, staff, "你好", folder, now)
        await undo(session, staff, change.id, folder, now)
        assert await commit(session, folder, KNOWLEDGE, now) == (0, [])
    assert diff(folder) == []


async def test_a_committed_change_is_undone_by_a_change_that_is_committed_too(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, role=StaffRole.ADMIN)
        change = await add(session, staff, "早上好呀", "greet", KNOWLEDGE, folder, now)
        await commit(session, folder, KNOWLEDGE, now)
        await undo(session, staff, change.id, folder, now)
        assert (await current(session, folder)).intent_of("早上好呀") is None
        assert await commit(session, folder, KNOWLEDGE, now) == (1, ["talk.yml"])
    assert diff(folder) == []


async def test_an_intent_without_lines_gets_them_in_the_file_of_its_topic(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await add(session, None, "高温天几点停工呀", "ask_heat_stop_work", KNOWLEDGE, folder, now)
        await remove(session, None, "你好", folder, now)
        await remove(session, None, "在吗", folder, now)
        await add(session, None, "早上好呀", "greet", KNOWLEDGE, folder, now)
        assert (await commit(session, folder, KNOWLEDGE, now))[1] == ["heat_stop_work.yml", "talk.yml"]
    written = (folder / "heat_stop_work.yml").read_text(encoding="utf-8")
    assert written == as_yaml({"ask_heat_stop_work": ["高温天几点停工呀"]})
    assert samples.read_files(folder).sentences["greet"] == ["早上好呀"]


async def test_files_that_changed_underneath_are_left_alone_and_named(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await add(session, None, "早上好呀", "greet", KNOWLEDGE, folder, now)
        change = await edit(session, None, "再见了", "回头见了", KNOWLEDGE, folder, now)
        changed = FILE.replace("- 再见了", "- 明天见了")
        (folder / "talk.yml").write_text(changed, encoding="utf-8")
        with pytest.raises(CommitRefused) as refused:
            await commit(session, folder, KNOWLEDGE, now)
        conflicts = refused.value.conflicts
        assert [(one.change_id, one.file) for one in conflicts] == [(change.id, "talk.yml")]
        assert (folder / "talk.yml").read_text(encoding="utf-8") == changed
        assert len(await uncommitted(session)) == 2


async def test_what_somebody_wrote_into_the_files_by_hand_already_is_no_conflict(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await edit(session, None, "再见了", "回头见了", KNOWLEDGE, folder, now)
        await remove(session, None, "在吗", folder, now)
        by_hand = FILE.replace("- 再见了", "- 回头见了").replace("      - 在吗\n", "")
        (folder / "talk.yml").write_text(by_hand, encoding="utf-8")
        assert await commit(session, folder, KNOWLEDGE, now) == (2, [])


async def test_a_file_whose_lines_cannot_be_followed_is_not_written(
    database: Database, folder: Path, now: datetime
) -> None:
    folded = 'version: "3.1"\nnlu:\n  - intent: thank\n    examples: "- 谢谢了\\n- 多谢了"\n'
    (folder / "odd.yml").write_text(folded, encoding="utf-8")
    async with database.transaction() as session:
        await remove(session, None, "谢谢了", folder, now)
        with pytest.raises(KnowledgeError, match=r"odd\.yml"):
            await commit(session, folder, KNOWLEDGE, now)
