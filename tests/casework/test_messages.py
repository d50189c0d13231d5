"""Messages: stored once, answered once, never by who no longer owns the conversation."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from casework import conversations, messages
from casework.database import Database
from casework.errors import BadInput, NotFound, StaleEpoch
from casework.messages import Reply
from casework.tables import (
    Attachment,
    Author,
    ButtonToken,
    Channel,
    Delivery,
    Handling,
    Message,
    OutboxEntry,
    Owner,
)
from tests.factories import make_attachment, make_conversation, make_message, make_staff


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


async def test_replies_are_stored_in_order_and_finish_the_message(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        message = await make_message(session, conversation)
        source = {"title": "工资支付暂行规定", "article": "第十八条", "as_of": "2026-07-01"}
        await messages.record_replies(
            session,
            conversation.id,
            [
                Reply("可以投诉", sources=[source], topic="labour.wage_arrears"),
                Reply("要登记工单吗？", buttons=[("登记", "/request_case"), ("不用", "/deny")]),
            ],
            in_reply_to=message.id,
            author=Author.BOT,
            epoch_seen=0,
            now=now,
        )
    async with database.read() as session:
        first, second = await messages.replies_to(session, message.id)
        asked = await messages.get(session, message.id)
        changed = await conversations.get(session, conversation.id)
        assert await messages.pending(session) == []
    assert (first.text, first.topic, first.content) == (
        "可以投诉", "labour.wage_arrears", {"sources": [source]},
    )  # fmt: skip
    assert second.content is not None
    assert [button["title"] for button in second.content["buttons"]] == ["登记", "不用"]
    assert (asked.handling, asked.handled_at) == (Handling.DONE, now)
    assert (changed.last_topic, changed.last_message_at) == ("labour.wage_arrears", now)


async def test_a_reply_begun_before_a_hand_off_is_refused(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        message = await make_message(session, conversation)
        epoch_seen = conversation.epoch
    async with database.transaction() as session:
        await conversations.hand_off(session, conversation, "staff_wants_it", now, actor="staff:xiaoli")

    async def reply_late() -> None:
        async with database.transaction() as session:
            await messages.record_replies(
                session,
                conversation.id,
                [Reply("我是机器人")],
                in_reply_to=message.id,
                author=Author.BOT,
                epoch_seen=epoch_seen,
                now=now,
            )

    with pytest.raises(StaleEpoch):
        await reply_late()
    async with database.read() as session:
        assert await messages.replies_to(session, message.id) == []
        assert (await messages.get(session, message.id)).handling is Handling.PENDING


async def test_the_turn_that_handed_off_may_still_say_so(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        message = await make_message(session, conversation, text="转人工")
        later = await make_message(session, conversation)
    async with database.transaction() as session:
        await conversations.hand_off(session, conversation, "member_asked", now)
    async with database.transaction() as session:
        for in_reply_to, epoch_seen in ((later.id, 0), (None, 0), (message.id, 5)):
            with pytest.raises(StaleEpoch):
                await messages.record_replies(
                    session,
                    conversation.id,
                    [Reply("晚了")],
                    in_reply_to=in_reply_to,
                    author=Author.BOT,
                    epoch_seen=epoch_seen,
                    now=now,
                )
        said = await messages.record_replies(
            session,
            conversation.id,
            [Reply("已为您转人工")],
            in_reply_to=message.id,
            author=Author.BOT,
            epoch_seen=0,
            now=now,
        )
    assert said[0].epoch == 1


async def test_once_somebody_took_over_even_the_turn_that_handed_off_is_too_late(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        conversation = await make_conversation(session)
        message = await make_message(session, conversation)
        await conversations.hand_off(session, conversation, "member_asked", now, message_id=message.id)
        await conversations.take_over(session, conversation, staff, now)
        with pytest.raises(StaleEpoch):
            await messages.record_replies(
                session,
                conversation.id,
                [Reply("已为您转人工")],
                in_reply_to=message.id,
                author=Author.BOT,
                epoch_seen=0,
                now=now,
            )


async def test_a_message_is_answered_once_however_often_the_bot_tries(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=Channel.TELEGRAM)
        message = await make_message(session, conversation)
    another = Database(database.url)

    async def answer(through: Database, text: str) -> list[int]:
        async with through.transaction() as session:
            said = await messages.record_replies(
                session,
                conversation.id,
                [Reply(text)],
                in_reply_to=message.id,
                author=Author.BOT,
                epoch_seen=0,
                now=now,
            )
            return [each.id for each in said]

    answers = await asyncio.gather(answer(database, "一"), answer(another, "二"), answer(database, "三"))
    await another.close()
    assert answers[0] == answers[1] == answers[2]
    async with database.read() as session:
        assert len(await messages.replies_to(session, message.id)) == 1
        assert await session.scalar(select(func.count()).select_from(OutboxEntry)) == 1


async def test_advice_that_does_not_finish_a_message_leaves_room_for_the_answer(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        message = await make_message(session, conversation)
        for text, finishes in (("请先拨打120", False), ("再说工资的事", True)):
            await messages.record_replies(
                session,
                conversation.id,
                [Reply(text)],
                in_reply_to=message.id,
                author=Author.BOT,
                epoch_seen=0,
                now=now,
                finishes=finishes,
            )
        said = await messages.replies_to(session, message.id)
    assert [each.text for each in said] == ["请先拨打120", "再说工资的事"]
    assert message.handling is Handling.DONE


async def test_a_notice_is_said_whoever_owns_the_conversation(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, owner=Owner.QUEUED, epoch=7)
        said = await messages.record_replies(
            session,
            conversation.id,
            [Reply("您的工单已派单")],
            in_reply_to=None,
            author=Author.SYSTEM,
            epoch_seen=None,
            now=now,
        )
    assert [each.epoch for each in said] == [7]


async def test_an_answer_to_another_conversations_message_is_refused(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        foreign = await make_message(session)
        for wrong in (foreign.id, 999_999):
            with pytest.raises(NotFound):
                await messages.record_replies(
                    session,
                    conversation.id,
                    [Reply("您好")],
                    in_reply_to=wrong,
                    author=Author.BOT,
                    epoch_seen=0,
                    now=now,
                )


@pytest.mark.parametrize(
    "reply",
    [
        Reply(" "),
        Reply(""),
        Reply("好", buttons=[(" ", "/deny")]),
        Reply("好", buttons=[("长" * 81, "/deny")]),
    ],
)
async def test_a_reply_that_says_nothing_or_shows_an_unusable_button_is_refused(
    database: Database, now: datetime, reply: Reply
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(BadInput):
            await messages.record_replies(
                session,
                conversation.id,
                [reply],
                in_reply_to=None,
                author=Author.BOT,
                epoch_seen=0,
                now=now,
            )


async def test_only_a_channel_that_pushes_gets_an_outbox_entry(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for channel in Channel:
            conversation = await make_conversation(session, channel=channel)
            await messages.record_replies(
                session,
                conversation.id,
                [Reply("一"), Reply("二")],
                in_reply_to=None,
                author=Author.BOT,
                epoch_seen=0,
                now=now,
            )
    async with database.read() as session:
        entries = list(await session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))
    assert [entry.channel for entry in entries] == [Channel.TELEGRAM] * 2
    assert entries[0].message_id < entries[1].message_id
    assert {(entry.delivery, entry.due_at) for entry in entries} == {(Delivery.PENDING, now)}


async def test_a_button_carries_a_short_token_that_only_its_conversation_can_use(
    database: Database, now: datetime
) -> None:
    payload = '/inform{"district":"历下区","employer":"某某建筑劳务有限公司济南分公司"}'
    async with database.transaction() as session:
        conversation, other = await make_conversation(session), await make_conversation(session)
        (message,) = await messages.record_replies(
            session,
            conversation.id,
            [Reply("是历下区吗？", buttons=[("是", payload), ("不是", "/deny")])],
            in_reply_to=None,
            author=Author.BOT,
            epoch_seen=0,
            now=now,
        )
    assert message.content is not None
    yes, no = (button["payload"] for button in message.content["buttons"])
    assert yes.startswith("b:")
    assert len(yes.encode()) == 18
    assert yes != no
    async with database.read() as session:
        assert await messages.resolve_button(session, conversation.id, yes) == payload
        assert await messages.resolve_button(session, conversation.id, no) == "/deny"
        forged = [
            "",
            "b:",
            yes[:-1],
            yes + "x",
            "b:" + "A" * 16,
            "/deny",
            "b:\x00",
            "是",
            "\ud800",
            "x" * 5000,
        ]
        for token in forged:
            with pytest.raises(NotFound):
                await messages.resolve_button(session, conversation.id, token)
        with pytest.raises(NotFound):
            await messages.resolve_button(session, other.id, yes)


async def test_a_buttons_meaning_is_encrypted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        await messages.record_replies(
            session,
            conversation.id,
            [Reply("是吗？", buttons=[("是", '/inform{"employer":"某某公司"}')])],
            in_reply_to=None,
            author=Author.BOT,
            epoch_seen=0,
            now=now,
        )
        token = (await session.scalars(select(ButtonToken))).one()
        stored = await session.connection()
        raw = await stored.exec_driver_sql("SELECT payload FROM button_tokens")
        assert "某某公司".encode() not in bytes(raw.scalar_one())
    assert token.payload == '/inform{"employer":"某某公司"}'


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
            assert found.id == second.id


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


async def test_a_button_is_found_with_its_title(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        (said,) = await messages.record_replies(
            session,
            conversation.id,
            [Reply(text="要登记吗？", buttons=[("登记", "/request_case")])],
            in_reply_to=None,
            author=Author.BOT,
            epoch_seen=None,
            now=now,
        )
    token = (said.content or {})["buttons"][0]["payload"]
    async with database.read() as session:
        button = await messages.find_button(session, conversation.id, token)
    assert (button.title, button.payload) == ("登记", "/request_case")
