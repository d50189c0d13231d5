"""Training sentences: files with changes on top, what is refused, and every way back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import samples
from casework.database import Database
from casework.errors import BadInput, KnowledgeError, NotAllowed, NotFound
from casework.knowledge import Knowledge
from casework.sample_files import TrainingSet, as_yaml, plain, read_blocks
from casework.sample_rules import check_form, known_facts, tidied
from casework.samples import add, current, edit, folded, move, redo, remove, undo
from casework.tables import AuditEntry, ChangeDeed, ChangeOrigin, SampleChange, Staff, StaffRole
from tests.factories import make_staff

ROOT = Path(__file__).parents[2]
DATA_NLU = ROOT / "data" / "nlu"
KNOWLEDGE = Knowledge.load(ROOT / "data" / "knowledge")
NEW = "[示例厂](employer)连着三回没按点发薪了呀"
FILE = """\
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - 你好
      - 在吗
  - intent: goodbye
    examples: |
      - 再见了
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small ``data/nlu`` beside the real facts."""
    made = tmp_path / "data" / "nlu"
    made.mkdir(parents=True)
    (made / "talk.yml").write_text(FILE, encoding="utf-8")
    (tmp_path / "domain.yml").write_text((ROOT / "domain.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return made


async def teacher(session: AsyncSession) -> Staff:
    return await make_staff(session, role=StaffRole.SUPERVISOR)


async def sentences(database: Database, folder: Path) -> dict[str, list[str]]:
    async with database.read() as session:
        return (await current(session, folder)).sentences


def test_the_shipped_files_are_written_as_they_were_read(tmp_path: Path) -> None:
    samples.write(samples.read_files(DATA_NLU), tmp_path)
    shipped = {path.name: path.read_bytes() for path in DATA_NLU.glob("*.yml")}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.yml")} == shipped


def test_files_are_read_anew_only_when_one_changed(folder: Path) -> None:
    first = samples.read_files(folder)
    assert samples.read_files(folder) is first
    (folder / "talk.yml").write_text(FILE.replace("在吗", "在吗在吗"), encoding="utf-8")
    assert samples.read_files(folder).sentences["greet"] == ["你好", "在吗在吗"]


@pytest.mark.parametrize(
    "block",
    [
        "  - synonym: 历下\n    examples: |\n      - 历下区\n",
        "  - lookup: district\n    examples: |\n      - 历下区\n",
        "  - intent: greet\n    examples:\n      - text: 你好\n",
        "  - intent: greet\n    examples: |\n      * 你好\n",
    ],
)
def test_what_would_get_lost_is_refused_with_its_file(folder: Path, block: str) -> None:
    (folder / "more.yml").write_text(f'version: "3.1"\nnlu:\n{block}', encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"^more\.yml"):
        samples.read_files(folder)


async def test_a_new_sentence_stands_at_the_end_of_its_intent(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        change = await add(session, await teacher(session), " 您 好呀 ", "greet", KNOWLEDGE, folder, now)
        assert (change.after_text, change.origin) == ("您 好呀", ChangeOrigin.HAND)
        assert await samples.last_change_id(session) == change.id
    assert await sentences(database, folder) == {"greet": ["你好", "在吗", "您 好呀"], "goodbye": ["再见了"]}


async def test_edit_keeps_the_place_and_move_goes_to_the_end(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await edit(session, None, "你好", "您好", KNOWLEDGE, folder, now)
        await move(session, None, "在吗", "goodbye", KNOWLEDGE, folder, now)
        await remove(session, None, "再见了", folder, now)
    assert await sentences(database, folder) == {"greet": ["您好"], "goodbye": ["在吗"]}


async def test_marking_a_fact_is_an_edit_of_the_same_sentence(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        await add(session, None, "历下区的来问个好", "greet", KNOWLEDGE, folder, now)
        await edit(session, None, "历下区的来问个好", "[历下区](district)的来问个好", KNOWLEDGE, folder, now)
        with pytest.raises(BadInput) as refused:
            await edit(
                session, None, "历下区的来问个好", "[历下区](district)的来问个好", KNOWLEDGE, folder, now
            )
        assert refused.value.values["field"] == "unchanged"
    assert (await sentences(database, folder))["greet"][-1] == "[历下区](district)的来问个好"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "sentence"),
        (" \u3000 ", "sentence"),
        ("长" * 501, "sentence"),
        ("两行\n字", "sentence"),
        ("两行\u2028字", "sentence"),
        ("响铃\x07", "sentence"),
        ("/restart", "command"),
        ('给{"a"}看', "command"),
        ("我在[历下区](place)", "fact_name"),
        ("我在[历下区](District)", "marks"),
        ("我在[历下区](district:历下)", "marks"),
        ("我在[[历下区](district)](employer)", "marks"),
        ("我在[](district)", "marks"),
        ("我电话13800138000", "personal_data"),
        ("我电话[13800138000](phone)", "personal_data"),
        ("我叫张小明，来问个好", "personal_data"),
        ("在 吗", "duplicate"),
        ("[在](district)吗", "duplicate"),
    ],
)
async def test_a_sentence_that_cannot_be_learnt_from_is_refused(
    database: Database, folder: Path, now: datetime, text: str, field: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(BadInput) as refused:
            await add(session, None, text, "goodbye", KNOWLEDGE, folder, now)
        assert refused.value.values["field"] == field
        assert await samples.last_change_id(session) == 0


async def test_a_duplicate_is_refused_with_where_it_stands(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        with pytest.raises(BadInput) as refused:
            await edit(session, None, "再见了", "你好", KNOWLEDGE, folder, now)
    assert refused.value.values["intent"] == "greet"
    assert refused.value.values["label"] == KNOWLEDGE.intents["greet"].label


@pytest.mark.parametrize("intent", ["no_such_intent", "explain_claim"])
async def test_only_a_trained_intent_takes_sentences(
    database: Database, folder: Path, now: datetime, intent: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(BadInput):
            await add(session, None, "一句新的话", intent, KNOWLEDGE, folder, now)
        with pytest.raises(BadInput):
            await move(session, None, "你好", intent, KNOWLEDGE, folder, now)


async def test_who_may_not_teach_changes_nothing(database: Database, folder: Path, now: datetime) -> None:
    async with database.transaction() as session:
        agent = await make_staff(session, role=StaffRole.AGENT)
        change = await add(session, None, "一句新的话", "greet", KNOWLEDGE, folder, now)
        for deed in (
            add(session, agent, "又一句", "greet", KNOWLEDGE, folder, now),
            edit(session, agent, "你好", "您好", KNOWLEDGE, folder, now),
            move(session, agent, "你好", "goodbye", KNOWLEDGE, folder, now),
            remove(session, agent, "你好", folder, now),
            undo(session, agent, change.id, folder, now),
            redo(session, agent, change.id, folder, now),
        ):
            with pytest.raises(NotAllowed):
                await deed
        assert await samples.last_change_id(session) == change.id


async def test_what_is_not_there_is_not_found(database: Database, folder: Path, now: datetime) -> None:
    async with database.transaction() as session:
        for deed in (
            edit(session, None, "没有这句", "您好", KNOWLEDGE, folder, now),
            move(session, None, "没有这句", "goodbye", KNOWLEDGE, folder, now),
            remove(session, None, "没有这句", folder, now),
            undo(session, None, 4711, folder, now),
        ):
            with pytest.raises(NotFound):
                await deed


@pytest.mark.parametrize("deed", list(ChangeDeed))
async def test_every_deed_is_undone_and_done_again(
    database: Database, folder: Path, now: datetime, deed: ChangeDeed
) -> None:
    before = await sentences(database, folder)
    async with database.transaction() as session:
        staff = await teacher(session)
        change = await {
            ChangeDeed.ADD: lambda: add(session, staff, "一句新的话", "greet", KNOWLEDGE, folder, now),
            ChangeDeed.EDIT: lambda: edit(session, staff, "你好", "您好", KNOWLEDGE, folder, now),
            ChangeDeed.MOVE: lambda: move(session, staff, "你好", "goodbye", KNOWLEDGE, folder, now),
            ChangeDeed.REMOVE: lambda: remove(session, staff, "你好", folder, now),
        }[deed]()
    changed = await sentences(database, folder)
    assert changed != before
    async with database.transaction() as session:
        undone = await undo(session, staff, change.id, folder, now)
        assert (undone.id, undone.undone_by_id) == (change.id, staff.id)
    assert await sentences(database, folder) == before
    async with database.transaction() as session:
        with pytest.raises(BadInput):
            await undo(session, staff, change.id, folder, now)
        await redo(session, staff, change.id, folder, now)
        with pytest.raises(BadInput):
            await redo(session, staff, change.id, folder, now)
    assert await sentences(database, folder) == changed


async def test_what_something_was_built_upon_is_not_undone(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await teacher(session)
        first = await edit(session, staff, "你好", "您好", KNOWLEDGE, folder, now)
        second = await move(session, staff, "您好", "goodbye", KNOWLEDGE, folder, now)
        with pytest.raises(BadInput) as refused:
            await undo(session, staff, first.id, folder, now)
        assert refused.value.values["field"] == "built_upon"
        await undo(session, staff, second.id, folder, now)
        await undo(session, staff, first.id, folder, now)
        await add(session, staff, "您好", "goodbye", KNOWLEDGE, folder, now)
        with pytest.raises(BadInput):
            await redo(session, staff, first.id, folder, now)


async def test_what_is_in_the_files_by_now_is_taken_back_by_its_opposite(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await teacher(session)
        change = await add(session, staff, "一句新的话", "greet", KNOWLEDGE, folder, now)
        (folder / "talk.yml").write_text(
            FILE.replace("- 在吗", "- 在吗\n      - 一句新的话"), encoding="utf-8"
        )
        opposite = await undo(session, staff, change.id, folder, now)
        assert (opposite.deed, opposite.before_text) == (ChangeDeed.REMOVE, "一句新的话")
        assert change.undone_at is None
    assert (await sentences(database, folder))["greet"] == ["你好", "在吗"]


async def test_the_command_line_undoes_by_the_opposite(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        change = await move(session, None, "在吗", "goodbye", KNOWLEDGE, folder, now)
        opposite = await undo(session, None, change.id, folder, now)
        assert (opposite.before_intent, opposite.after_intent) == ("goodbye", "greet")
    assert await sentences(database, folder) == {"greet": ["你好", "在吗"], "goodbye": ["再见了"]}


async def test_history_is_paged_newest_first_and_by_intent(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        made = [await add(session, None, f"第{n}句", "greet", KNOWLEDGE, folder, now) for n in "一二三"]
        moved = await move(session, None, "第一句", "goodbye", KNOWLEDGE, folder, now)
    async with database.read() as session:
        assert [one.id for one in await samples.history(session, limit=2)] == [moved.id, made[2].id]
        older = await samples.history(session, before=made[2].id)
        assert [one.id for one in older] == [made[1].id, made[0].id]
        assert [one.id for one in await samples.history(session, "goodbye")] == [moved.id]
        assert len(await samples.history(session, "greet")) == 4


async def test_the_audit_trail_says_what_was_done_without_a_word_of_it(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await teacher(session)
        change = await add(session, staff, NEW, "greet", KNOWLEDGE, folder, now, note="热线说的")
        await undo(session, staff, change.id, folder, now)
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
        assert [entry.deed for entry in entries] == ["sample.add", "sample.undone"]
        assert "薪" not in str([entry.detail for entry in entries])
        assert await session.scalar(select(func.count()).select_from(SampleChange)) == 1


async def test_the_real_set_takes_a_real_sentence(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await add(session, None, NEW, "ask_wage_arrears", KNOWLEDGE, DATA_NLU, now)
        training_set = await current(session, DATA_NLU)
    assert training_set.sentences["ask_wage_arrears"][-1] == NEW
    assert len(training_set) == len(samples.read_files(DATA_NLU)) + 1
    assert training_set.intent_of(plain(NEW)) == "ask_wage_arrears"


def test_a_placeholder_never_reads_as_a_mark() -> None:
    assert tidied("[姓名][电话](我老板)") == "[姓名] [电话] (我老板)"
    assert tidied("[历下区](district)[电话]") == "[历下区](district)[电话]"
    check_form(tidied("找[姓名](是他)"), known_facts(DATA_NLU))


WORDS = st.sampled_from(["甲", "乙", "丙", "丁"])
INTENTS = st.sampled_from(["a", "b"])


@st.composite
def made_changes(draw: st.DrawFn) -> list[SampleChange]:
    """Changes somebody could have made one after another."""
    here = TrainingSet.of({"a": ["甲"], "b": ["乙"]}, {})
    made: list[SampleChange] = []
    for _ in range(draw(st.integers(1, 8))):
        word, other, intent = draw(WORDS), draw(WORDS), draw(INTENTS)
        stands = here.intent_of(word)
        if stands is None:
            change = SampleChange(deed=ChangeDeed.ADD, after_text=word, after_intent=intent)
        else:
            change = SampleChange(deed=ChangeDeed.REMOVE, before_text=word, before_intent=stands)
            if here.intent_of(other) is None:
                change.deed, change.after_text, change.after_intent = ChangeDeed.EDIT, other, stands
            elif stands != intent:
                change.deed, change.after_text, change.after_intent = ChangeDeed.MOVE, word, intent
        here, made = folded(here, [change]), [*made, change]
    return made


@given(made_changes())
def test_changes_that_are_in_the_files_already_change_nothing(made: list[SampleChange]) -> None:
    base = TrainingSet.of({"a": ["甲"], "b": ["乙"]}, {})
    once = folded(base, made)
    again = folded(once, made)
    assert again.intents == once.intents
    assert base.sentences == {"a": ["甲"], "b": ["乙"]}


def test_what_is_written_is_read_back() -> None:
    sentences = {"greet": ["- 你好", "“在吗”#: 'x'", "[历下区](district) \\n"], "goodbye": ["👋🏽 -"]}
    assert read_blocks("x.yml", as_yaml(sentences).encode()) == sentences
