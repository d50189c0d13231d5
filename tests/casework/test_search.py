"""Search: what was written is found by any part of it, nothing else is, and it is gone when the words are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from casework import members, search
from casework.attachments import AttachmentStore, Limits
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import BadInput
from casework.key_rotation import reencrypt
from casework.privacy import forget_member
from casework.retention import load_rules, sweep
from casework.search import Results
from casework.search_terms import Kind, Use, fold, mark, pairs, replace, tails, terms
from casework.tables import Audience, Author, Case, CaseEvent, Conversation, Handling, Message, SearchTerm
from tests.conftest import TEST_KEY
from tests.factories import FIRST_MOMENT, make_case, make_conversation, make_member, make_message, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
NEW_KEY = bytes(32)
LONG_AGO = timedelta(days=1096)


async def said(database: Database, text: str, **values: Any) -> str:
    """A conversation in which this was said, indexed; gives its id."""
    async with database.transaction() as session:
        message = await make_message(session, text=text, **values)
        await search.index_message(session, message)
        return message.conversation_id


async def opened(database: Database, **values: Any) -> str:
    """A case with these values, indexed; gives its id."""
    async with database.transaction() as session:
        case = await make_case(session, **values)
        await search.index_case(session, case)
        return case.id


async def looked_for(database: Database, query: str, **options: Any) -> Results:
    async with database.read() as session:
        return await search.find(session, query, FIRST_MOMENT + timedelta(days=1), **options)


async def hits(database: Database, query: str) -> list[tuple[str, str, str]]:
    """Kind, id and why of what is found."""
    return [(hit.kind, hit.id, hit.why) for hit in (await looked_for(database, query)).found]


async def stored_terms(database: Database, ref: str) -> set[int]:
    async with database.read() as session:
        return set(await session.scalars(select(SearchTerm.term).where(SearchTerm.ref == ref)))


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


# ---- words change and end


async def test_what_a_case_no_longer_says_does_not_find_it(database: Database) -> None:
    case_id = await opened(database, summary="拖欠工资", facts={"phone": "13853138001"})
    async with database.transaction() as session:
        case = await session.get_one(Case, case_id)
        case.summary, case.facts = "加班费争议", {"phone": "13853139002"}
        await search.index_case(session, case)
    assert await hits(database, "拖欠") == await hits(database, "8001") == []
    assert await hits(database, "加班") == [("case", case_id, "text")]
    expected = terms(Use.CASE_TEXT, pairs("加班费争议")) | terms(Use.CASE_PHONE, tails("13853139002"))
    assert expected <= await stored_terms(database, case_id)
    assert not terms(Use.CASE_TEXT, pairs("拖欠工资")) & await stored_terms(database, case_id)


async def test_a_member_renamed_is_not_found_by_the_old_name(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="王建国")
        await search.index_member(session, member)
        await make_conversation(session, member)
        await members.set_contact(session, member.id, name="李秀英")
    assert await hits(database, "建国") == []
    assert len(await hits(database, "秀英")) == 1


async def test_a_contact_is_found_from_the_transaction_that_wrote_it(database: Database) -> None:
    async with database.transaction() as session:
        thread = await make_conversation(session)
        await members.set_contact(session, thread.member_id, name="欧阳锋", phone="13853138001")
    assert await hits(database, "欧阳 8001") == [("conversation", thread.id, "name")]


async def test_a_forgotten_member_leaves_no_term_behind(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        thread = await make_conversation(session)
        await members.set_contact(session, thread.member_id, name="欧阳锋", phone="13853138001")
        await search.index_message(session, await make_message(session, thread, text="拖欠工资"))
        await search.index_case(session, await make_case(session, thread, summary="拖欠工资"))
    other = await said(database, "拖欠工资")
    async with database.transaction() as session:
        await forget_member(session, thread.member_id, now, withdraw_open=True)
    async with database.read() as session:
        assert set(await session.scalars(select(SearchTerm.ref))) == {other}


async def test_swept_messages_take_their_terms_along_and_leave_the_others(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        thread = await make_conversation(session)
        for text, moment in (("拖欠工资", now - LONG_AGO), ("工资条", now)):
            message = await make_message(
                session,
                thread,
                text=text,
                created_at=moment,
                handling=Handling.DONE,
                facts={"employer": "示例"},
            )
            await search.index_message(session, message)
    await swept(database, tmp_path, now)
    expected = terms(Use.CONVERSATION_TEXT, pairs("工资条")) | {mark(Kind.CONVERSATION)}
    assert await stored_terms(database, thread.id) == expected
    async with database.read() as session:
        old = (await session.scalars(select(Message).order_by(Message.created_at))).first()
        assert old is not None
        assert (old.text, old.facts) == (None, None)


async def test_swept_cases_and_members_leave_no_term(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    then = now - LONG_AGO
    async with database.transaction() as session:
        member = await make_member(session, name="王建国", created_at=then)
        await search.index_member(session, member)
        thread = await make_conversation(session, member, created_at=then, last_message_at=then)
        case = await make_case(session, thread, summary="拖欠工资", closed_at=then)
        await search.index_case(session, case)
    await swept(database, tmp_path, now)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SearchTerm)) == 0


async def swept(database: Database, folder: Path, now: datetime) -> None:
    rules = load_rules(KNOWLEDGE / "retention.yml")
    total = 1
    while total:
        async with database.transaction() as session:
            total = (await sweep(session, now, rules, AttachmentStore(folder / "files", Limits()))).total


# ---- keys, and installations that are older than the search


async def everything_again(database: Database, deed: Callable[..., Awaitable[int]], limit: int) -> list[int]:
    steps = [1]
    while steps[-1]:
        async with database.transaction() as session:
            steps.append(await deed(session, limit))
    return steps[1:]


async def test_an_older_installation_is_indexed_in_batches(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="王建国")
        thread = await make_conversation(session, member)
        await make_message(session, thread, text="拖欠工资")
        await make_message(session, thread, text="高温津贴", author=Author.BOT)
        case = await make_case(session, thread, summary="拖欠工资")
    assert await hits(database, "拖欠") == []
    assert await everything_again(database, search.reindex, 2) == [2, 1, 0]
    assert set(await hits(database, "拖欠")) == {
        ("conversation", thread.id, "text"),
        ("case", case.id, "text"),
    }
    assert len(await hits(database, "建国")) == 2
    assert await hits(database, "津贴") == []


async def test_words_are_found_before_during_and_after_a_change_of_keys(database: Database) -> None:
    async with database.transaction() as session:
        thread = await make_conversation(session)
        await members.set_contact(session, thread.member_id, name="欧阳锋", phone="13853138001")
        await search.index_message(session, await make_message(session, thread, text="拖欠工资"))
        case = await make_case(session, thread, summary="拖欠工资")
        await search.index_case(session, case)
    install_cipher(Cipher([NEW_KEY, TEST_KEY]))
    async with database.transaction() as session:
        await search.index_message(session, await make_message(session, thread, text="还欠加班费"))
    expected = {("conversation", thread.id), ("case", case.id)}

    async def found(query: str) -> set[tuple[str, str]]:
        return {hit[:2] for hit in await hits(database, query)}

    assert await found("拖欠工资") == await found("欧阳") == await found("8001") == expected
    assert await found("拖欠 加班") == {("conversation", thread.id)}
    assert (await everything_again(database, reencrypt, 2))[-1] == 0
    install_cipher(Cipher([NEW_KEY]))
    assert await found("拖欠工资") == await found("欧阳") == await found("8001") == expected
    assert await found("拖欠 加班") == {("conversation", thread.id)}
    async with database.read() as session:
        left = set(await session.scalars(select(SearchTerm.term)))
    install_cipher(Cipher([TEST_KEY]))
    assert not left & terms(Use.CASE_TEXT, pairs("拖欠工资")), "no term of the old key is left"


# ---- what the index tells


async def test_equal_words_of_two_kinds_do_not_show_as_equal(database: Database) -> None:
    thread = await said(database, "拖欠工资")
    case = await opened(database, summary="拖欠工资")
    assert not await stored_terms(database, thread) & await stored_terms(database, case)


def test_another_key_makes_other_terms() -> None:
    ours = terms(Use.CASE_TEXT, pairs("拖欠工资"))
    install_cipher(Cipher([NEW_KEY]))
    assert not ours & terms(Use.CASE_TEXT, pairs("拖欠工资"))
    assert all(-(2**63) <= term < 2**63 for term in ours)


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
        words = [word.text for word in search.read_query(query)]
        holding = {ref for ref, each in zip(ids, texts, strict=True) if all(w in fold(each) for w in words)}
        assert {hit.id for hit in results.found} == holding
        if query is part:
            assert ids[texts.index(text)] in holding

    asyncio.run(check())


async def test_replacing_terms_touches_no_other_record(database: Database) -> None:
    async with database.transaction() as session:
        await replace(session, Kind.CASE, {"a": {1, 2}, "b": {2, 3}})
        await replace(session, Kind.MEMBER, {"a": {1}})
        await replace(session, Kind.CASE, {"a": {2, 4}})
    async with database.read() as session:
        rows = await session.execute(select(SearchTerm.kind, SearchTerm.ref, SearchTerm.term))
        assert {tuple(row) for row in rows} == {
            ("case", "a", 2), ("case", "a", 4), ("case", "b", 2), ("case", "b", 3), ("member", "a", 1),
        }  # fmt: skip
