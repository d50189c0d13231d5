"""The search index: it follows words that change, end or get a new key, and tells as little as it can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from casework import members, search
from casework.attachments import AttachmentStore, Limits
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.key_rotation import reencrypt
from casework.privacy import forget_member
from casework.retention import load_rules, sweep
from casework.search_terms import Kind, Use, mark, pairs, replace, tails, terms
from casework.tables import Author, Case, Conversation, Handling, Member, Message, SearchTerm
from tests.bench.desk_data import fill
from tests.casework.desk_search import hits, opened, said, stored_terms
from tests.conftest import TEST_KEY
from tests.factories import make_case, make_conversation, make_member, make_message

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
NEW_KEY = bytes(32)
LONG_AGO = timedelta(days=1096)


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


async def test_the_benchmarks_hotline_is_indexed_as_the_rules_would(database: Database) -> None:
    await fill(database, cases=30, conversations=8, staff=3, seed=1)

    async def all_terms() -> set[tuple[int, str, str]]:
        async with database.read() as session:
            rows = await session.execute(select(SearchTerm.term, SearchTerm.kind, SearchTerm.ref))
            return {(term, kind, ref) for term, kind, ref in rows}

    filled = await all_terms()
    async with database.transaction() as session:
        for case in await session.scalars(select(Case)):
            await search.index_case(session, case)
        for member in await session.scalars(select(Member)):
            await search.index_member(session, member)
        await search.index_again(session, (await session.scalars(select(Conversation.id))).all())
    assert await all_terms() == filled
    assert {kind for _, kind, _ in filled} == {kind.value for kind in Kind}
