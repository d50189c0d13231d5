"""Versions of articles: two people, one published, a way back, and never silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import article_versions as versions
from casework.article_data import as_data, as_yaml, examine
from casework.articles import read_article
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.knowledge import Knowledge
from casework.knowledge_files import Entry, read_knowledge
from casework.published import current_knowledge
from casework.tables import ArticleVersion, AuditEntry, Staff, StaffRole, VersionState, new_id
from tests.factories import make_staff

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
KNOWLEDGE = Knowledge.load(ROOT)
TOPIC = "heat.allowance"
SHIPPED = KNOWLEDGE.articles[TOPIC]
NEW = "新写的简答，等第二个人看过才算数。"


def changed(short: str = NEW, **values: Any) -> dict[str, Any]:
    return as_data(SHIPPED) | {"short": short} | values


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as opened:
        yield opened


@pytest.fixture
async def author(session: AsyncSession) -> Staff:
    return await make_staff(session, role=StaffRole.SUPERVISOR)


@pytest.fixture
async def second(session: AsyncSession) -> Staff:
    return await make_staff(session, role=StaffRole.ADMIN)


async def propose(
    session: AsyncSession, author: Staff, now: datetime, short: str = NEW, **values: Any
) -> ArticleVersion:
    knowledge = await current_knowledge(session, KNOWLEDGE)
    return await versions.propose(
        session, author, TOPIC, changed(short, **values), knowledge, now, note="换了说法"
    )


async def publish(
    session: AsyncSession, author: Staff, second: Staff, now: datetime, short: str = NEW
) -> ArticleVersion:
    version = await propose(session, author, now, short)
    current = await versions.published(session, TOPIC)
    seen = None if current is None else current.id
    return await versions.approve(session, second, version.id, KNOWLEDGE, now, seen=seen)


async def served(session: AsyncSession) -> str:
    return (await current_knowledge(session, KNOWLEDGE)).articles[TOPIC].short


# ---- an article as data


@pytest.mark.parametrize("topic", sorted(KNOWLEDGE.articles))
def test_an_article_goes_to_data_and_to_a_file_and_back_without_loss(topic: str, tmp_path: Path) -> None:
    article = KNOWLEDGE.articles[topic]
    assert versions.examine_for(KNOWLEDGE, as_data(article)).article == article
    path = tmp_path / "article.yml"
    path.write_text(as_yaml(article), encoding="utf-8")
    entry = Entry(path.name, "article", read_knowledge(path))
    assert read_article(entry, KNOWLEDGE.topics, KNOWLEDGE.case_types.names) == article


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120))
def test_whatever_somebody_writes_comes_back_from_the_file(text: str) -> None:
    import yaml

    article = replace(SHIPPED, sections=(replace(SHIPPED.sections[0], text=text),))
    assert yaml.safe_load(as_yaml(article))["sections"][0]["text"] == text


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"short": "长" * 121}, "short", "too_long"),
        ({"short": " "}, "short", "missing"),
        ({"short": "打 0531-86012345"}, "short", "local_phone"),
        ({"mark": "V0"}, "mark", "not_chosen"),
        ({"sources": []}, "sources", "no_source"),
        ({"sources": [{"title": "通知", "mark": "V+", "as_of": "去年"}]}, "sources.0.as_of", "not_a_day"),
        ({"sections": [{"aspect": "price", "text": "x", "mark": "C"}]}, "sections.0.aspect", "not_chosen"),
        ({"reviewed_on": None}, "reviewed_on", "not_a_day"),
        ({"valid_to": "2020-01-01"}, "valid_to", "dates_reversed"),
        (
            {"season": {"opens": "6-1", "closes": "09-30", "closed_note": "x"}},
            "season.opens",
            "not_month_day",
        ),
        ({"questions": ["只有一个？"]}, "questions", "how_many_questions"),
        ({"questions": []}, "questions", "how_many_questions"),
        ({"related": ["no.such"]}, "related", "unknown_topic"),
        ({"sections": "words"}, "sections", "missing"),
    ],
)
def test_a_fault_is_told_with_its_field_and_rule(change: dict[str, Any], field: str, rule: str) -> None:
    examined = versions.examine_for(KNOWLEDGE, as_data(SHIPPED) | change)
    assert examined.article is None
    assert (field, rule) in {(one.field, one.rule) for one in examined.faults}


ODD = st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=3) | st.none(), max_size=2)


@given(st.dictionaries(st.sampled_from([*as_data(SHIPPED), "season", "questions"]), ODD))
def test_examining_anything_says_what_is_wrong_and_never_fails(data: dict[str, Any]) -> None:
    examined = examine(as_data(SHIPPED) | data, KNOWLEDGE.topics, KNOWLEDGE.case_types.names)
    assert (examined.article is None) == bool(examined.faults)


# ---- a life


async def test_a_proposal_is_served_only_after_a_second_person_agreed(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    version = await propose(session, author, now)
    assert await served(session) == SHIPPED.short
    await versions.approve(session, second, version.id, KNOWLEDGE, now, seen=None)
    assert await served(session) == NEW
    assert (version.state, version.reviewer_id, version.reviewed_at) == ("published", second.id, now)


async def test_nobody_approves_or_refuses_their_own(
    session: AsyncSession, author: Staff, now: datetime
) -> None:
    version = await propose(session, author, now)
    with pytest.raises(NotAllowed) as caught:
        await versions.approve(session, author, version.id, KNOWLEDGE, now, seen=None)
    assert caught.value.values == {"reason": "own_version"}
    with pytest.raises(NotAllowed):
        await versions.refuse(session, author, version.id, "不好", now)
    assert version.state == VersionState.PROPOSED


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_who_lacks_the_right_neither_writes_nor_approves(
    session: AsyncSession, author: Staff, role: StaffRole, now: datetime
) -> None:
    version = await propose(session, author, now)
    other = await make_staff(session, role=role)
    with pytest.raises(NotAllowed):
        await propose(session, other, now)
    with pytest.raises(NotAllowed):
        await versions.save_draft(session, other, TOPIC, changed(), KNOWLEDGE, now)
    with pytest.raises(NotAllowed):
        await versions.approve(session, other, version.id, KNOWLEDGE, now, seen=None)
    with pytest.raises(NotAllowed):
        await versions.refuse(session, other, version.id, "不好", now)


async def test_a_new_version_retires_the_one_before(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    first = await publish(session, author, second, now)
    later = await publish(session, second, author, now, "又改了一次。")
    assert (first.state, later.state, later.number) == ("retired", "published", 2)
    assert later.based_on_id == first.id
    assert await served(session) == "又改了一次。"
    assert [one.id for one in await versions.history(session, TOPIC)] == [later.id, first.id]


async def test_what_was_not_compared_is_not_approved(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    waiting = await propose(session, author, now, "先提的。")
    await publish(session, second, author, now, "抢先发布的。")
    with pytest.raises(TransitionRefused) as caught:
        await versions.approve(session, second, waiting.id, KNOWLEDGE, now, seen=None)
    assert caught.value.values == {"reason": "version_moved"}
    assert await served(session) == "抢先发布的。"


async def test_a_refusal_says_why_and_settles_the_proposal(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    version = await propose(session, author, now)
    with pytest.raises(BadInput):
        await versions.refuse(session, second, version.id, "  ", now)
    await versions.refuse(session, second, version.id, "出处没写清", now)
    assert (version.state, version.verdict) == ("refused", "出处没写清")
    with pytest.raises(TransitionRefused):
        await versions.approve(session, second, version.id, KNOWLEDGE, now, seen=None)
    assert await served(session) == SHIPPED.short


async def test_a_retired_article_gives_way_to_the_one_that_ships_and_comes_back_through_two_people(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    version = await publish(session, author, second, now)
    await versions.retire(session, author, version.id, "标准变了", now)
    assert await served(session) == SHIPPED.short
    again = await versions.restore(session, author, version.id, KNOWLEDGE, now, note="还是这一版对")
    assert await served(session) == SHIPPED.short
    with pytest.raises(NotAllowed):
        await versions.approve(session, author, again.id, KNOWLEDGE, now, seen=None)
    await versions.approve(session, second, again.id, KNOWLEDGE, now, seen=None)
    assert (await served(session), again.based_on_id) == (NEW, version.id)


async def test_a_draft_may_be_broken_but_is_not_proposed(
    session: AsyncSession, author: Staff, now: datetime
) -> None:
    broken = changed("长" * 200)
    draft = await versions.save_draft(session, author, TOPIC, broken, KNOWLEDGE, now)
    again = await versions.save_draft(session, author, TOPIC, broken | {"label": ""}, KNOWLEDGE, now)
    assert again.id == draft.id
    assert await versions.history(session, TOPIC) == []
    with pytest.raises(versions.ArticleFaulty) as caught:
        await versions.propose(session, author, TOPIC, broken, KNOWLEDGE, now, note="试试")
    assert {one.field for one in caught.value.examined.faults} == {"short"}
    await versions.discard(session, author, TOPIC, now)
    assert await versions.own_draft(session, author, TOPIC) is None


async def test_a_proposal_needs_a_change_and_a_word_about_it(
    session: AsyncSession, author: Staff, now: datetime
) -> None:
    with pytest.raises(BadInput, match="what is served already"):
        await versions.propose(session, author, TOPIC, as_data(SHIPPED), KNOWLEDGE, now, note="没改")
    with pytest.raises(BadInput, match="say what changed"):
        await versions.propose(session, author, TOPIC, changed(), KNOWLEDGE, now, note=" ")
    with pytest.raises(NotFound):
        await versions.save_draft(session, author, "no.topic", changed(), KNOWLEDGE, now)


async def test_the_author_takes_a_proposal_back(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    version = await propose(session, author, now)
    with pytest.raises(NotAllowed):
        await versions.withdraw(session, second, version.id, now)
    await versions.withdraw(session, author, version.id, now)
    draft = await versions.own_draft(session, author, TOPIC)
    assert draft is not None
    assert draft.content["short"] == NEW
    assert await versions.waiting(session) == []


async def test_every_step_is_in_the_audit_trail_without_its_words(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    version = await publish(session, author, second, now)
    await versions.retire(session, second, version.id, "标准变了", now)
    entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    assert [entry.deed for entry in entries] == [
        "knowledge.drafted", "knowledge.proposed", "knowledge.approved", "knowledge.retired",
    ]  # fmt: skip
    assert all(entry.detail == {"topic": TOPIC, "number": 1} for entry in entries)


# ---- the database keeps it so, whoever writes


def stored(author: Staff, now: datetime, **values: Any) -> ArticleVersion:
    fixed = {"topic": TOPIC, "content": {}, "author_id": author.id, "created_at": now, "updated_at": now}
    return ArticleVersion(**fixed | values)


async def put(session: AsyncSession, version: ArticleVersion) -> None:
    async with session.begin_nested():
        session.add(version)
        await session.flush()


@pytest.mark.parametrize(
    "values",
    [
        {"state": VersionState.PUBLISHED, "reviewer": "author"},
        {"state": VersionState.PUBLISHED, "reviewer": None},
        {"state": VersionState.REFUSED, "reviewer": None},
        {"number": 0},
    ],
)
async def test_the_database_refuses_what_no_second_person_saw(
    session: AsyncSession, author: Staff, now: datetime, values: dict[str, Any]
) -> None:
    row = {"number": 1, "state": VersionState.DRAFT, "reviewed_at": now} | values
    row["reviewer_id"] = author.id if row.pop("reviewer", None) else None
    with pytest.raises(IntegrityError):
        await put(session, stored(author, now, **row))


async def test_the_database_holds_one_published_version_of_a_topic(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    row = {"state": VersionState.PUBLISHED, "reviewer_id": second.id, "reviewed_at": now}
    await put(session, stored(author, now, number=1, **row))
    with pytest.raises(IntegrityError):
        await put(session, stored(author, now, number=2, **row))


async def test_of_two_who_publish_at_once_one_is_refused(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        people = [await make_staff(session, role=StaffRole.SUPERVISOR) for _ in range(2)]
        ids = [(await propose(session, person, now, f"{person.login}写的。")).id for person in people]

    async def agree(staff: Staff, version_id: str) -> str:
        async with database.transaction() as session:
            await versions.approve(session, staff, version_id, KNOWLEDGE, now, seen=None)
        return version_id

    said = await asyncio.gather(agree(people[1], ids[0]), agree(people[0], ids[1]), return_exceptions=True)
    assert {type(one) for one in said} == {str, TransitionRefused}
    async with database.read() as session:
        current = await versions.published(session, TOPIC)
        assert current is not None
        assert current.id in said


# ---- what is served


async def test_the_same_knowledge_comes_back_until_something_is_published(
    session: AsyncSession, author: Staff, second: Staff, now: datetime
) -> None:
    assert await current_knowledge(session, KNOWLEDGE) is KNOWLEDGE
    await publish(session, author, second, now)
    once = await current_knowledge(session, KNOWLEDGE)
    assert await current_knowledge(session, KNOWLEDGE) is once
    assert once is not KNOWLEDGE
    assert KNOWLEDGE.articles[TOPIC] == SHIPPED
    assert {t: a for t, a in once.articles.items() if t != TOPIC} == {
        t: a for t, a in KNOWLEDGE.articles.items() if t != TOPIC
    }


async def test_a_stored_article_that_breaks_a_rule_is_logged_and_the_one_that_ships_is_served(
    session: AsyncSession, author: Staff, second: Staff, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    version = await publish(session, author, second, now)
    version.content = {"topic": TOPIC, "short": "只剩这一句"}
    version.id = new_id()
    await session.flush()
    with caplog.at_level(logging.ERROR):
        assert await served(session) == SHIPPED.short
    assert "heat.allowance, version 1 is not served" in caplog.text
