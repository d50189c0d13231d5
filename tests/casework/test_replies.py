"""Replies: said once, with buttons nobody can forge, never by who no longer owns the conversation."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import func, select

from casework import buttons, conversations, handoff, messages
from casework.database import Database
from casework.errors import BadInput, NotFound, StaleEpoch
from casework.messages import Reply
from casework.tables import (
    Author,
    ButtonToken,
    Channel,
    Delivery,
    Handling,
    OutboxEntry,
    Owner,
)
from tests.factories import make_conversation, make_message, make_staff


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
        await handoff.hand_off(session, conversation, "staff_wants_it", now, actor="staff:xiaoli")

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
        await handoff.hand_off(session, conversation, "member_asked", now)
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
        await handoff.hand_off(session, conversation, "member_asked", now, message_id=message.id)
        await handoff.take_over(session, conversation, staff, now)
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
        assert await buttons.resolve_button(session, conversation.id, yes) == payload
        assert await buttons.resolve_button(session, conversation.id, no) == "/deny"
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
                await buttons.resolve_button(session, conversation.id, token)
        with pytest.raises(NotFound):
            await buttons.resolve_button(session, other.id, yes)


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
        button = await buttons.find_button(session, conversation.id, token)
    assert (button.title, button.payload) == ("登记", "/request_case")
