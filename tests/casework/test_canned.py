"""Canned replies: what ships, who may change it, how one is found, and that no gap goes unnoticed."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from casework import canned
from casework.canned import UNFILLED, VARIABLES, Draft, fill
from casework.database import Database
from casework.errors import BadInput, KnowledgeError, NotAllowed, NotFound
from casework.knowledge import Knowledge
from casework.tables import AuditEntry, CannedReply, StaffRole
from tests.factories import make_staff

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
KNOWLEDGE = Knowledge.load(ROOT)
ALL = dict.fromkeys(VARIABLES, "某")
DRAFT = Draft("gz", "拖欠工资", "{称呼}好，先把聊天留好。", "labour.wage_arrears")


def test_a_good_set_ships_and_every_reply_has_a_topic_that_exists() -> None:
    shipped = canned.read_shipped(ROOT)
    assert len(shipped) >= 40
    assert {draft.topic for draft in shipped} - {None} <= set(KNOWLEDGE.topics)
    assert len({draft.title for draft in shipped}) == len(shipped)
    assert {"labour.wage_arrears", "labour.work_injury", "heat.stop_work", "tuition.aid"} <= {
        draft.topic for draft in shipped
    }


def test_what_ships_names_no_number_but_the_hotlines_and_promises_no_days() -> None:
    for draft in canned.read_shipped(ROOT):
        numbers = set(re.findall(r"\d{3,}", draft.text))
        assert numbers <= KNOWLEDGE.hotlines.keys(), draft.keyword
        assert not re.search(r"\d+\s?(?:个)?(?:天|小时|工作日)内(?:给您|答复|回复|办结|解决)", draft.text)
        assert not re.search(r"(?:路|街|大厦|楼)\d|[省市区].{0,6}[路街]", draft.text), draft.keyword


def test_what_ships_can_be_filled_in_completely() -> None:
    for draft in canned.read_shipped(ROOT):
        filled = fill(draft.text, ALL)
        assert filled.missing == ()
        assert "{" not in filled.text


def test_a_missing_value_is_visible_and_reported_once() -> None:
    filled = fill("{称呼}好，{坐席}为您办。工单 {工单号}，记下 {工单号}。", {"称呼": "张师傅", "坐席": " "})
    assert filled.text == f"张师傅好，{UNFILLED}为您办。工单 {UNFILLED}，记下 {UNFILLED}。"
    assert filled.missing == ("坐席", "工单号")


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=6)))
def test_a_text_is_unfilled_exactly_when_something_is_missing(text: str, values: dict[str, str]) -> None:
    filled = fill(text, values)
    assert filled.missing or UNFILLED not in filled.text or UNFILLED in text + "".join(values.values())
    assert not filled.missing or UNFILLED in filled.text


def test_a_value_with_braces_is_not_filled_in_again() -> None:
    assert fill("{称呼}", {"称呼": "{工号}", "工号": "07"}).text == "{工号}"


async def test_what_ships_is_installed_once_and_never_over_what_is_there(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        installed = await canned.install_shipped(session, ROOT, now)
    async with database.transaction() as session:
        (first, *_) = await canned.list_canned(session)
        first.text = "改过的"
    async with database.transaction() as session:
        assert await canned.install_shipped(session, ROOT, now) == 0
        kept = await canned.list_canned(session)
    assert installed == len(kept) == len(canned.read_shipped(ROOT))
    assert kept[0].text == "改过的"


async def test_what_a_supervisor_took_out_of_use_does_not_come_back_at_the_next_start(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        chief = await make_staff(session, role=StaffRole.SUPERVISOR)
        reply = await canned.save_canned(session, chief, DRAFT, KNOWLEDGE, now)
        await canned.remove(session, chief, reply.id, now)
        assert await canned.install_shipped(session, ROOT, now) == 0
        assert await canned.list_canned(session) == []
        assert await canned.list_canned(session, removed=True) == [reply]
        deeds = list(await session.scalars(select(AuditEntry.deed).order_by(AuditEntry.id)))
    assert deeds == ["canned.written", "canned.removed"]


async def test_a_supervisor_writes_and_changes_a_reply_and_it_is_audited(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        chief = await make_staff(session, role=StaffRole.SUPERVISOR)
        written = await canned.save_canned(
            session, chief, Draft(" GZ ", " 拖欠  工资 ", " 好。 ", ""), KNOWLEDGE, now
        )
        assert (written.keyword, written.title, written.text, written.topic) == (
            "gz",
            "拖欠 工资",
            "好。",
            None,
        )
        changed = await canned.save_canned(session, chief, DRAFT, KNOWLEDGE, now, canned_id=written.id)
        assert (changed.id, changed.topic, changed.updated_by_id) == (written.id, DRAFT.topic, chief.id)
        deeds = list(await session.scalars(select(AuditEntry.deed).order_by(AuditEntry.id)))
    assert deeds == ["canned.written", "canned.changed"]


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_only_supervisors_change_what_everybody_says(
    database: Database, now: datetime, role: StaffRole
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, role=role)
        with pytest.raises(NotAllowed):
            await canned.save_canned(session, worker, DRAFT, KNOWLEDGE, now)
        with pytest.raises(NotAllowed):
            await canned.remove(session, worker, 1, now)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft("工资", "题", "文"), "canned_keyword"),
        (Draft("", "题", "文"), "canned_keyword"),
        (Draft("a" * 31, "题", "文"), "canned_keyword"),
        (Draft("x", " ", "文"), "canned_title"),
        (Draft("x", "题" * 61, "文"), "canned_title"),
        (Draft("x", "题", " "), "canned_text"),
        (Draft("x", "题", "文" * 1001), "canned_text"),
        (Draft("x", "题", "{姓名}好"), "canned_variable"),
        (Draft("x", "题", "{ 称呼 }好"), "canned_variable"),
        (Draft("x", "题", "{称呼好"), "canned_variable"),
        (Draft("x", "题", "称呼}好"), "canned_variable"),
        (Draft("x", "题", "文", "labour.nothing"), "canned_topic"),
        (Draft("gz", "题", "文"), "canned_keyword_taken"),
    ],
)
async def test_a_reply_that_would_not_work_is_refused_in_a_friendly_sentence(
    database: Database, now: datetime, draft: Draft, field: str
) -> None:
    async with database.transaction() as session:
        chief = await make_staff(session, role=StaffRole.SUPERVISOR)
        await canned.save_canned(session, chief, DRAFT, KNOWLEDGE, now)
        with pytest.raises(BadInput) as refused:
            await canned.save_canned(session, chief, draft, KNOWLEDGE, now)
        assert len(await canned.list_canned(session)) == 1
    assert refused.value.values["field"] == field
    assert KNOWLEDGE.wording.refuse(refused.value) != KNOWLEDGE.wording.say("refusal.refused")
    assert KNOWLEDGE.wording.has(f"refusal.bad_input_{field}")


async def test_a_reply_that_is_not_there_cannot_be_changed(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        chief = await make_staff(session, role=StaffRole.SUPERVISOR)
        with pytest.raises(NotFound):
            await canned.save_canned(session, chief, DRAFT, KNOWLEDGE, now, canned_id=99)
        with pytest.raises(NotFound):
            await canned.remove(session, chief, 99, now)


async def test_a_keyword_is_found_before_a_title_and_a_title_before_a_text(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for keyword, title, text in [
            ("a1", "别的", "说到 gz 的"),
            ("b1", "GZ 怎么要", "文"),
            ("gzt", "欠条", "文"),
            ("gz", "拖欠", "文"),
            ("zc", "仲裁", "文"),
        ]:
            session.add(CannedReply(keyword=keyword, title=title, text=text, updated_at=now))
        session.add(CannedReply(keyword="gzx", title="停用", text="文", active=False, updated_at=now))
        await session.flush()
        assert [one.keyword for one in await canned.pick(session, " gZ ")] == ["gz", "gzt", "b1", "a1"]
        assert [one.keyword for one in await canned.pick(session, "仲裁")] == ["zc"]
        assert await canned.pick(session, "没有的") == []
        assert len(await canned.pick(session, "")) == 5
        assert len(await canned.pick(session, "", limit=2)) == 2


async def test_a_topics_own_replies_are_suggested_before_those_for_every_topic(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for keyword, topic in [("a", None), ("b", "labour.leave"), ("c", "labour.overtime"), ("d", None)]:
            session.add(CannedReply(keyword=keyword, title="题", text="文", topic=topic, updated_at=now))
        await session.flush()
        assert [one.keyword for one in await canned.suggest(session, "labour.leave")] == ["b", "a", "d"]
        assert [one.keyword for one in await canned.suggest(session, "labour.leave", 2)] == ["b", "a"]
        assert [one.keyword for one in await canned.suggest(session, None)] == ["a", "d"]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("工资: {title: 题, text: 文}", "keyword"),
        ("gz: {title: 题, text: '{姓名}'}", "姓名"),
        ("gz: {title: 题}", "text"),
        ("gz: {title: 题, text: 文, tpoic: x}", "tpoic"),
    ],
)
def test_a_shipped_reply_that_breaks_a_rule_is_found_at_start(
    tmp_path: Path, entry: str, complaint: str
) -> None:
    (tmp_path / "canned.yml").write_text(f"canned:\n  {entry}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        canned.read_shipped(tmp_path)
