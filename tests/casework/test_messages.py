"""Messages: a member's message is stored once, kept as it was said, and handled."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from casework import conversations, messages
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.tables import (
    Attachment,
    Author,
    Handling,
    Message,
    Owner,
)
from tests.factories import make_attachment, make_conversation, make_message


async def test_an_incoming_message_is_kept_as_it_was_said_and_waits(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, epoch=3)
        recorded = await messages.record_incoming(
            session,
            conversation,
            "m-1",
            text="俺干了仨月没给钱\u0000😀",
            content={"location": {"latitude": 36.65, "longitude": 117.12}},
            now=now + timedelta(minutes=1),
        )
    assert not recorded.duplicate
    async with database.read() as session:
        found = await messages.get(session, recorded.message.id)
        waiting = await messages.pending(session)
        again = await conversations.get(session, conversation.id)
    assert found.text == "俺干了仨月没给钱\u0000😀"
    assert found.content == {"location": {"latitude": 36.65, "longitude": 117.12}}
    assert (found.author, found.handling, found.epoch) == (Author.MEMBER, Handling.PENDING, 3)
    assert [message.id for message in waiting] == [found.id]
    assert again.last_message_at == now + timedelta(minutes=1)


async def test_the_same_client_message_id_twice_is_one_message(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        first = await messages.record_incoming(session, conversation, "m-1", text="一", now=now)
        second = await messages.record_incoming(session, conversation, "m-1", text="二", now=now)
    assert second.duplicate
    assert second.message.id == first.message.id
    assert second.message.text == "一"


async def test_the_same_client_message_id_at_once_is_one_message(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
    another = Database(database.url)

    async def receive(through: Database) -> messages.Recorded:
        async with through.transaction() as session:
            return await messages.record_incoming(session, conversation, "m-1", text="在吗", now=now)

    recorded = await asyncio.gather(*(receive(through) for through in [database, another] * 5))
    await another.close()
    assert [each.duplicate for each in recorded].count(False) == 1
    assert len({each.message.id for each in recorded}) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 1


async def test_two_conversations_may_use_the_same_client_message_id(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for conversation in (await make_conversation(session), await make_conversation(session)):
            recorded = await messages.record_incoming(session, conversation, "1", text="在吗", now=now)
            assert not recorded.duplicate


@pytest.mark.parametrize("wrong", ["", "x" * 81, "a\nb", "a\x00b", "\ud800"])
async def test_an_unusable_client_message_id_is_refused(
    database: Database, now: datetime, wrong: str
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(BadInput):
            await messages.record_incoming(session, conversation, wrong, text="在吗", now=now)


async def test_a_cut_emoji_does_not_lose_the_message(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        recorded = await messages.record_incoming(
            session, conversation, "1", text="你好\ud83d", content={"payload": "\udc00"}, now=now
        )
    async with database.read() as session:
        found = await messages.get(session, recorded.message.id)
    assert found.text == "你好?"
    assert found.content == {"payload": "?"}


async def test_files_become_part_of_the_message_they_came_with(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        photo = await make_attachment(session, conversation)
        recorded = await messages.record_incoming(
            session, conversation, "1", text=None, attachment_ids=[photo.id], now=now
        )
    async with database.read() as session:
        found = await session.get(Attachment, photo.id)
    assert found is not None
    assert found.message_id == recorded.message.id
    assert recorded.message.content == {"attachments": [photo.id]}


async def test_somebody_elses_file_or_one_already_sent_is_not_found(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        foreign = await make_attachment(session)
        sent = await make_attachment(session, conversation)
        await messages.record_incoming(
            session, conversation, "1", text=None, attachment_ids=[sent.id], now=now
        )
    for index, wrong in enumerate((foreign.id, sent.id, "nothing")):
        async with database.transaction() as session:
            with pytest.raises(NotFound):
                await messages.record_incoming(
                    session, conversation, f"w{index}", text=None, attachment_ids=[wrong], now=now
                )


async def test_a_transcript_is_read_in_pages_oldest_first(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        said = [await make_message(session, conversation, text=str(number)) for number in range(5)]
        await make_message(session)
    async with database.read() as session:
        page = await messages.transcript(session, conversation.id, limit=2)
        rest = await messages.transcript(session, conversation.id, after=page[-1].id)
    assert [message.text for message in page] == ["0", "1"]
    assert [message.id for message in rest] == [message.id for message in said[2:]]


async def test_the_bots_own_latest_texts_come_latest_first(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        for author, text in (
            (Author.BOT, "一"),
            (Author.MEMBER, "二"),
            (Author.BOT, "三"),
            (Author.BOT, "四"),
        ):
            await make_message(session, conversation, author=author, text=text)
    async with database.read() as session:
        assert await messages.recent_bot_texts(session, conversation.id, 2) == ["四", "三"]


async def test_a_message_for_a_human_is_finished_without_an_answer(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await make_message(session)
        messages.finish(message, now)
        messages.finish(message, now + timedelta(days=1))
    async with database.read() as session:
        found = await messages.get(session, message.id)
    assert (found.handling, found.handled_at) == (Handling.DONE, now)


async def test_attempts_and_what_was_understood_are_kept(database: Database) -> None:
    async with database.transaction() as session:
        message = await make_message(session)
        assert [await messages.begin_attempt(session, message.id) for _ in range(2)] == [1, 2]
        understood = messages.Understanding("ask_wage_arrears", "labour.wage_arrears", 0.93)
        await messages.note_understanding(session, message.id, understood)
    async with database.read() as session:
        found = await messages.get(session, message.id)
    assert (found.intent, found.topic, found.confidence) == ("ask_wage_arrears", "labour.wage_arrears", 0.93)


async def test_the_database_refuses_a_members_message_without_an_id_and_staff_without_a_name(
    database: Database,
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)

    async def store(author: Author) -> None:
        async with database.transaction() as session:
            session.add(
                Message(conversation_id=conversation.id, author=author, created_at=conversation.created_at)
            )

    for author in (Author.MEMBER, Author.STAFF):
        with pytest.raises(IntegrityError):
            await store(author)
    await store(Author.SYSTEM)


async def test_the_oldest_pending_message_of_a_conversation_is_found_up_to_a_given_one(
    database: Database,
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        first = await make_message(session, conversation, handling=Handling.DONE)
        second = await make_message(session, conversation)
        await make_message(session)
        third = await make_message(session, conversation)
    async with database.read() as session:
        assert await messages.oldest_pending(session, conversation.id, up_to=first.id) is None
        for up_to in (second.id, third.id):
            found = await messages.oldest_pending(session, conversation.id, up_to=up_to)
            assert found is not None
            assert (found[0].id, found[1].id) == (second.id, conversation.id)


async def test_how_far_conversations_have_come_is_asked_for_all_at_once(database: Database) -> None:
    async with database.transaction() as session:
        quiet = await make_conversation(session)
        queued = await make_conversation(session, owner=Owner.QUEUED)
        await make_message(session, queued)
        last = await make_message(session, queued)
        await make_message(session)
    async with database.read() as session:
        newest = await messages.newest(session, [quiet.id, queued.id, "no-such"])
    assert newest == {
        quiet.id: messages.Newest(0, Owner.BOT),
        queued.id: messages.Newest(last.id, Owner.QUEUED),
    }


async def test_a_message_may_be_recorded_as_begun(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        waiting = await messages.record_incoming(session, conversation, "m-1", text="一", now=now)
        begun = await messages.record_incoming(session, conversation, "m-2", text="二", now=now, begun=True)
        again = await messages.record_incoming(session, conversation, "m-2", text="二", now=now, begun=True)
    assert (waiting.message.attempts, begun.message.attempts, again.message.attempts) == (0, 1, 1)
