"""Search: what was written is found by any part of it, nothing else is, and it is gone when the words are."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from casework import members, search
from casework.database import Database
from casework.errors import BadInput
from casework.search_query import read_query
from casework.search_terms import fold
from casework.tables import Audience, Author, CaseEvent, Conversation
from tests.casework.desk_search import hits, looked_for, opened, said
from tests.factories import FIRST_MOMENT, make_case, make_conversation, make_member, make_message, make_staff

# ---- what is found


async def test_two_characters_find_the_conversation_they_were_written_in(database: Database) -> None:
    thread = await said(database, "老板拖欠我三个月工资")
    await said(database, "高温费怎么算")
    assert await hits(database, "拖欠") == [("conversation", thread, "text")]
    assert await hits(database, "月工资") == [("conversation", thread, "text")]
    assert await hits(database, "赔偿") == []


async def test_the_same_pairs_in_another_order_are_not_the_same_words(database: Database) -> None:
    await said(database, "工资条，资条工，条工资")
    thread = await said(database, "看工资条工地")
    assert await hits(database, "资条工地") == [("conversation", thread, "text")]


async def test_two_messages_are_not_read_as_one(database: Database) -> None:
    async with database.transaction() as session:
        thread = await make_conversation(session)
        for text in ("我要投诉老", "板材厂"):
            await search.index_message(session, await make_message(session, thread, text=text))
    assert await hits(database, "老板") == []
    assert [hit[1] for hit in await hits(database, "投诉 板材")] == [thread.id]


async def test_several_words_must_all_be_there(database: Database) -> None:
    await said(database, "拖欠工资")
    both = await said(database, "历下区的工地拖欠工资")
    assert [hit[1] for hit in await hits(database, "工资　历下")] == [both]
    assert [hit[1] for hit in await hits(database, "工资 区")] == [both], "one character narrows"


async def test_a_name_leads_to_the_members_conversations_and_cases(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        await members.set_contact(session, member.id, name="欧阳建国")
        await search.index_member(session, member)
        thread = await make_conversation(session, member)
        case = await make_case(session, thread, summary="拖欠工资")
        await search.index_case(session, case)
        await make_case(session)
    expected = {("conversation", thread.id, "name"), ("case", case.id, "name")}
    assert set(await hits(database, "建国")) == expected
    assert set(await hits(database, "欧 阳")) == expected, "a name written apart"
    assert await hits(database, "建国 工资") == [("case", case.id, "name")]
    assert await hits(database, "建国 高温") == []


async def test_the_name_in_a_case_finds_it_as_well(database: Database) -> None:
    case = await opened(database, facts={"person_name": "李秀英", "employer": "济南示例建筑有限公司"})
    assert await hits(database, "秀英") == [("case", case, "name")]
    assert await hits(database, "示例建筑") == [("case", case, "text")]


@pytest.mark.parametrize("query", ["8001", "38001", "13853138001", "138 5313 8001", "+86 138-5313-8001"])
async def test_the_tail_of_a_phone_finds_whose_it_is(database: Database, query: str) -> None:
    async with database.transaction() as session:
        member = await make_member(session, phone="13853138001")
        await search.index_member(session, member)
        thread = await make_conversation(session, member)
    case = await opened(database, facts={"phone": "13853138001"})
    assert set(await hits(database, query)) == {
        ("conversation", thread.id, "phone"),
        ("case", case, "phone"),
    }


async def test_the_middle_of_a_phone_finds_nobody(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session, phone="13853138001")
        await search.index_member(session, member)
        await make_conversation(session, member)
    assert await hits(database, "5313") == []


@pytest.mark.parametrize(
    "query",
    ["JN-20260720-0031-9", "jn 20260720 0031 9", "2026072000319", "20260720-0031", "0031-9", "2000319"],
)
async def test_a_case_number_is_found_whole_from_its_day_and_by_its_end(
    database: Database, query: str
) -> None:
    case = await opened(database, number="JN-20260720-0031-9")
    await opened(database, number="JN-20260719-0032-5")
    assert await hits(database, query) == [("case", case, "number")]


async def test_what_was_said_in_a_cases_thread_finds_it(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        case = await make_case(session)
        session.add(
            CaseEvent(case_id=case.id, deed="note", audience=Audience.INTERNAL, author=Author.SYSTEM,
                      text="单位答应周五补发", created_at=now)
        )  # fmt: skip
        await search.index_case(session, case)
    assert await hits(database, "周五补发") == [("case", case.id, "text")]


async def test_notes_of_staff_are_found_and_the_bots_words_are_not(database: Database) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        thread = await make_conversation(session)
        note = {"author": Author.STAFF, "staff_id": worker.id, "audience": Audience.INTERNAL}
        for values in ({"text": "情绪激动"} | note, {"text": "高温津贴标准", "author": Author.BOT}):
            await search.index_message(session, await make_message(session, thread, **values))
    assert await hits(database, "激动") == [("conversation", thread.id, "text")]
    assert await hits(database, "津贴") == []


@pytest.mark.parametrize("query", ["ＡＢ公司", "ab公司", "AB 公司", "a.b-公司"])
async def test_width_case_blanks_and_punctuation_do_not_matter(database: Database, query: str) -> None:
    thread = await said(database, "在“AB”公司上班")
    assert [hit[1] for hit in await hits(database, query)] == [thread]


# ---- what is asked


@pytest.mark.parametrize(
    ("query", "reason"), [("", "short"), ("资", "short"), ("！，", "short"), ("资" * 61, "long")]
)
async def test_an_unusable_query_is_refused_with_what_is_wrong(
    database: Database, query: str, reason: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await looked_for(database, query)
    assert refused.value.values["field"] == "query"
    assert refused.value.values["reason"] == reason


# ---- how much is looked at


async def test_the_newest_come_first_and_it_is_said_that_there_are_older_ones(database: Database) -> None:
    async with database.transaction() as session:
        made = []
        for hour in range(5):
            case = await make_case(
                session, summary="拖欠工资", opened_at=FIRST_MOMENT + timedelta(hours=hour)
            )
            await search.index_case(session, case)
            made.append(case.id)
    few = await looked_for(database, "工资", limit=3)
    assert [hit.id for hit in few.found] == made[:1:-1]
    assert not few.complete
    assert (await looked_for(database, "工资", limit=5)).complete


@pytest.mark.parametrize("rare", [0, 2000])
async def test_common_and_rare_words_find_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    monkeypatch.setattr(search, "_VERY_RARE", rare // 1000)
    monkeypatch.setattr(search, "_RARE", rare)
    monkeypatch.setattr(search, "_WINDOWS", (2, 3, 50))
    async with database.transaction() as session:
        made = {}
        for n in range(12):
            case = await make_case(
                session,
                summary="拖欠工资" if n % 3 else "高温费",
                facts={"employer": f"示例{n % 2}公司"},
                opened_at=FIRST_MOMENT + timedelta(minutes=n // 2),
            )
            await search.index_case(session, case)
            made[n] = case.id
    found = await looked_for(database, "工资 示例1")
    assert {hit.id for hit in found.found} == {made[n] for n in (1, 5, 7, 11)}
    assert [hit.at for hit in found.found] == sorted((hit.at for hit in found.found), reverse=True)
    assert found.complete


async def test_an_old_phone_is_found_although_many_newer_texts_hold_the_same_digits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_VERY_RARE", 1)
    monkeypatch.setattr(search, "_RARE", 2)
    monkeypatch.setattr(search, "_WINDOWS", (2,))
    old = await opened(database, facts={"phone": "13853138001"}, opened_at=FIRST_MOMENT - timedelta(days=90))
    newer = [
        await opened(database, summary="欠8001元", opened_at=FIRST_MOMENT + timedelta(hours=hour))
        for hour in range(6)
    ]
    results = await looked_for(database, "8001")
    assert [(hit.id, hit.why) for hit in results.found] == [
        (newer[5], "text"),
        (newer[4], "text"),
        (old, "phone"),
    ]
    assert not results.complete, "texts older than those gone through may hold it as well"


async def test_no_more_than_the_bound_is_decrypted_and_the_result_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_LOOKED_AT", 4)
    monkeypatch.setattr(search, "_CHUNK", 2)
    older = await opened(database, summary="高温津贴没有发", opened_at=FIRST_MOMENT)
    async with database.transaction() as session:
        for n in range(6):
            # All its pairs, but not the word.
            case = await make_case(
                session, summary="津贴没，高温津", opened_at=FIRST_MOMENT + timedelta(hours=n + 1)
            )
            await search.index_case(session, case)
    results = await looked_for(database, "高温津贴没")
    assert list(results.found) == []
    assert not results.complete
    monkeypatch.setattr(search, "MAX_LOOKED_AT", 10)
    results = await looked_for(database, "高温津贴没")
    assert [hit.id for hit in results.found] == [older]
    assert results.complete


# ---- any text at all

ALPHABET = st.sampled_from("工资老板拖欠高温的一０1２3aAé，。 　-①㎡½ß")
TEXTS = st.text(ALPHABET | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(TEXTS, TEXTS)
def test_folding_goes_character_by_character(left: str, right: str) -> None:
    assert fold(left + right) == fold(left) + fold(right)
    assert fold(fold(left)) == fold(left)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), texts=st.lists(TEXTS, min_size=1, max_size=5), foreign=TEXTS)
def test_every_part_of_a_text_finds_it_and_finds_nothing_that_lacks_it(
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    texts: list[str],
    foreign: str,
) -> None:
    text = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(text)))
    part = text[start : data.draw(st.integers(start, len(text)))]
    query = data.draw(st.sampled_from([part, foreign]))
    assume(len(fold(query)) >= 2)
    path = tmp_path_factory.mktemp("search") / "one.db"
    path.write_bytes(migrated_sqlite.read_bytes())

    async def check() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        ids = [await said(database, each) for each in texts]
        async with database.read() as session:
            results = await search.find(session, query, FIRST_MOMENT + timedelta(days=1))
            assert await session.scalar(select(func.count()).select_from(Conversation)) == len(texts)
        await database.close()
        words = [word.text for word in read_query(query)]
        holding = {ref for ref, each in zip(ids, texts, strict=True) if all(w in fold(each) for w in words)}
        assert {hit.id for hit in results.found} == holding
        if query is part:
            assert ids[texts.index(text)] in holding

    asyncio.run(check())
