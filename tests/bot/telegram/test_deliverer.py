"""What the outbox promised reaches the chat: in order, at least once, no part twice that was marked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from telegram.error import NetworkError, TimedOut
from telegram.ext import ExtBot

from bot.telegram.deliverer import GIVE_UP_AFTER, Deliverer
from bot.telegram.pacing import Pacing
from bot.telegram.parts import TextPart, text_parts
from bot.views import Button, MessageView
from casework import messages
from casework.messages import Reply
from casework.tables import Author, Channel, ChannelIdentity, Delivery, OutboxEntry
from tests.bot.telegram.offline import OfflineBotApi
from tests.factories import make_conversation, make_identity, make_member

REFUSED = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
FLOOD = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 5}}
TOO_BAD = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}


@pytest.fixture
def api():
    return OfflineBotApi()


@pytest.fixture
def pacing():
    return Pacing()


@pytest.fixture
async def bot(api, pacing):
    bot = ExtBot("1:a", request=api.request(), get_updates_request=api.request(), rate_limiter=pacing)
    await bot.initialize()
    yield bot
    await bot.shutdown()


@pytest.fixture
def deliverer(bot, database, clock, pacing, wording):
    async def compose(message):
        content = message.content or {}
        buttons = [Button(one["title"], one["payload"]) for one in content.get("buttons", ())]
        view = MessageView(
            id=message.id, author="bot", text=message.text, created_at=message.created_at, buttons=buttons
        )
        return text_parts(view, wording)

    return Deliverer(bot, database, clock, compose, pacing, jitter=lambda: 1.0)


@pytest.fixture
def chat(database):
    """Makes a member's Telegram conversation and says things in it."""

    class Chat:
        async def open(self, chat_id):
            async with database.transaction() as session:
                member = await make_member(session)
                await make_identity(session, member, Channel.TELEGRAM, str(chat_id))
                conversation = await make_conversation(session, member)
                conversation.channel = Channel.TELEGRAM
            return conversation.id

        async def say(self, conversation_id, now, *replies):
            stored = [reply if isinstance(reply, Reply) else Reply(text=reply) for reply in replies]
            async with database.transaction() as session:
                await messages.record_replies(
                    session,
                    conversation_id,
                    stored,
                    in_reply_to=None,
                    author=Author.BOT,
                    epoch_seen=None,
                    now=now,
                )

        async def entries(self):
            async with database.read() as session:
                return list(await session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))

    return Chat()


async def drain(deliverer):
    while await deliverer.deliver_due():
        pass


async def test_replies_reach_the_chat_in_the_order_they_were_given(deliverer, chat, api, now):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "第一句", "第二句", "第三句")
    await drain(deliverer)
    assert api.texts() == ["第一句", "第二句", "第三句"]
    assert {entry.delivery for entry in await chat.entries()} == {Delivery.SENT}


async def test_text_is_sent_plain_and_links_are_not_previewed(deliverer, chat, api, now):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "<b>不是粗体</b> *也不是* https://example.org")
    await drain(deliverer)
    (params,) = api.made("sendMessage")
    assert params["text"] == "<b>不是粗体</b> *也不是* https://example.org"
    assert "parse_mode" not in params
    assert params["link_preview_options"] == {"is_disabled": True}


async def test_a_long_reply_goes_out_in_parts_with_the_buttons_under_the_last(deliverer, chat, api, now):
    conversation = await chat.open(700)
    long = "\n".join(f"第{number}条：用人单位应当按时足额支付劳动报酬。" for number in range(400))
    await chat.say(conversation, now, Reply(text=long, buttons=[("开工单", "/request_case")]))
    await drain(deliverer)
    sent = api.made("sendMessage")
    assert len(sent) == 3
    assert all(len(params["text"].encode("utf-16-le")) // 2 <= 4096 for params in sent)
    assert ["reply_markup" in params for params in sent] == [False, False, True]
    assert "\n".join(params["text"] for params in sent) == long


async def test_a_part_that_was_marked_as_sent_is_not_sent_again_after_a_crash(
    deliverer, chat, api, now, bot, database, clock, pacing, monkeypatch
):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "甲" * 5000)

    class Killed(BaseException):
        pass

    api.answer("sendMessage", {"message_id": 1, "date": 1, "chat": {"id": 700, "type": "private"}}, Killed())
    with pytest.raises(Killed):
        await deliverer.deliver_due()
    assert [len(text) for text in api.texts()] == [4096, 904]
    clock.advance(timedelta(seconds=61))
    await drain(Deliverer(bot, database, clock, deliverer._compose, pacing))
    assert [len(text) for text in api.texts()] == [4096, 904, 904]
    (entry,) = await chat.entries()
    assert entry.delivery is Delivery.SENT


@pytest.mark.parametrize("trouble", [NetworkError("connection dropped"), TimedOut(), (500, {"ok": False})])
async def test_a_network_failure_is_tried_again_later_and_later(deliverer, chat, api, now, clock, trouble):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")
    api.answer("sendMessage", trouble, trouble)
    assert await deliverer.deliver_due() == 1
    assert await deliverer.deliver_due() == 0
    clock.advance(timedelta(seconds=1.1))
    assert await deliverer.deliver_due() == 1
    clock.advance(timedelta(seconds=1.1))
    assert await deliverer.deliver_due() == 0
    clock.advance(timedelta(seconds=1.1))
    assert await deliverer.deliver_due() == 1
    (entry,) = await chat.entries()
    assert (entry.delivery, entry.attempts) == (Delivery.SENT, 3)


async def test_a_later_message_does_not_overtake_one_that_must_wait(deliverer, chat, api, now, clock):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "先说", "后说")
    api.answer("sendMessage", NetworkError("down"))
    await drain(deliverer)
    assert api.texts() == ["先说"]
    clock.advance(timedelta(seconds=2))
    await drain(deliverer)
    assert api.texts() == ["先说", "先说", "后说"]


async def test_flood_control_is_obeyed_to_the_second(deliverer, chat, api, now, clock):
    conversation, other = await chat.open(700), await chat.open(701)
    await chat.say(conversation, now, "您好")
    api.answer("sendMessage", (429, FLOOD))
    await deliverer.deliver_due()
    await chat.say(other, now, "别的会话")
    await drain(deliverer)
    clock.advance(timedelta(seconds=5))
    assert await deliverer.deliver_due() == 0
    assert api.texts() == ["您好", "别的会话"]
    (first, _) = await chat.entries()
    assert (first.delivery, first.error) == (Delivery.PENDING, "flood limit")


async def test_a_chat_that_was_told_to_be_quiet_is_not_tried_before_that(
    deliverer, chat, api, now, pacing, clock
):
    conversation = await chat.open(700)
    pacing._quiet_until["700"] = pacing._now() + 30
    await chat.say(conversation, now, "您好")
    await drain(deliverer)
    assert api.texts() == []
    pacing._quiet_until.clear()
    clock.advance(timedelta(seconds=31))
    await drain(deliverer)
    assert api.texts() == ["您好"]


async def test_a_member_who_blocked_us_is_remembered_and_nothing_more_is_tried(
    deliverer, chat, api, now, database
):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好", "还在吗")
    api.answer("sendMessage", (403, REFUSED))
    await drain(deliverer)
    assert api.texts() == ["您好"]
    assert [entry.delivery for entry in await chat.entries()] == [Delivery.BLOCKED, Delivery.BLOCKED]
    async with database.read() as session:
        (identity,) = await session.scalars(select(ChannelIdentity))
    assert identity.blocked_at is not None


async def test_a_message_telegram_refuses_for_good_fails_and_the_next_one_goes_out(deliverer, chat, api, now):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "坏的", "好的")
    api.answer("sendMessage", (400, TOO_BAD))
    await drain(deliverer)
    assert api.texts() == ["坏的", "好的"]
    failed, sent = await chat.entries()
    assert (failed.delivery, sent.delivery) == (Delivery.FAILED, Delivery.SENT)
    assert failed.error == "BadRequest: Chat not found"


async def test_the_reason_kept_for_a_failure_holds_no_phone_number(deliverer, chat, api, now):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "坏的")
    api.answer("sendMessage", (400, TOO_BAD | {"description": "Bad Request: 13800138000 is not a button"}))
    await drain(deliverer)
    (entry,) = await chat.entries()
    assert "13800138000" not in entry.error


async def test_an_entry_is_given_up_after_a_day(deliverer, chat, api, now, clock):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")
    api.answer("sendMessage", NetworkError("down"), NetworkError("down"))
    await deliverer.deliver_due()
    clock.advance(GIVE_UP_AFTER)
    await deliverer.deliver_due()
    (entry,) = await chat.entries()
    assert entry.delivery is Delivery.FAILED


async def test_a_member_who_was_erased_gets_nothing(deliverer, chat, api, now, database):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")
    async with database.transaction() as session:
        (identity,) = await session.scalars(select(ChannelIdentity))
        await session.delete(identity)
    await drain(deliverer)
    assert api.texts() == []
    (entry,) = await chat.entries()
    assert entry.delivery is Delivery.FAILED


async def test_a_member_who_is_forgotten_while_a_message_is_on_its_way_does_no_harm(
    deliverer, chat, api, now, database, caplog
):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")

    async def forget(params):
        async with database.transaction() as session:
            (entry,) = await session.scalars(select(OutboxEntry))
            await session.delete(entry)
        return {"message_id": 1, "date": 1, "chat": {"id": 700, "type": "private"}}

    api.answer("sendMessage", forget)
    await drain(deliverer)
    assert await chat.entries() == []
    assert "fault" not in caplog.text


async def test_a_refused_token_keeps_messages_waiting(deliverer, chat, api, now, clock):
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")
    api.answer("sendMessage", (401, {"ok": False, "description": "Unauthorized"}))
    await deliverer.deliver_due()
    clock.advance(timedelta(seconds=2))
    await drain(deliverer)
    assert [entry.delivery for entry in await chat.entries()] == [Delivery.SENT]


async def test_a_running_deliverer_sends_at_once_when_it_is_woken(deliverer, chat, api, now, monkeypatch):
    monkeypatch.setattr("bot.telegram.deliverer.GLANCE_S", 30)
    conversation = await chat.open(700)
    running = asyncio.create_task(deliverer.run())
    await asyncio.sleep(0.05)
    await chat.say(conversation, now, "第一句", "第二句")
    deliverer.wake()
    async with asyncio.timeout(2):
        while len(api.texts()) < 2:  # noqa: ASYNC110 - the Bot API's list is what is waited for
            await asyncio.sleep(0.01)
    deliverer.stop()
    await running
    assert [entry.delivery for entry in await chat.entries()] == [Delivery.SENT] * 2


async def test_a_running_deliverer_finds_what_another_process_wrote(deliverer, chat, api, now, monkeypatch):
    monkeypatch.setattr("bot.telegram.deliverer.GLANCE_S", 0.05)
    conversation = await chat.open(700)
    running = asyncio.create_task(deliverer.run())
    await asyncio.sleep(0.02)
    await chat.say(conversation, now, "工作人员的话")
    async with asyncio.timeout(2):
        while not api.texts():  # noqa: ASYNC110 - the Bot API's list is what is waited for
            await asyncio.sleep(0.01)
    deliverer.stop()
    await running
    assert api.texts() == ["工作人员的话"]


async def test_a_failure_of_the_database_does_not_end_the_deliverer(
    deliverer, chat, api, now, database, monkeypatch
):
    monkeypatch.setattr("bot.telegram.deliverer.GLANCE_S", 0.02)
    conversation = await chat.open(700)
    await chat.say(conversation, now, "您好")
    real, failures = deliverer._claim, [OSError("disk"), OSError("disk")]

    async def claim():
        if failures:
            raise failures.pop()
        return await real()

    monkeypatch.setattr(deliverer, "_claim", claim)
    running = asyncio.create_task(deliverer.run())
    async with asyncio.timeout(2):
        while not api.texts():  # noqa: ASYNC110 - the Bot API's list is what is waited for
            await asyncio.sleep(0.01)
    assert not running.done()
    deliverer.stop()
    await running
    assert not failures


def test_text_parts_are_the_same_every_time(wording, now):
    view = MessageView(id=1, author="bot", text="甲。" * 3000, created_at=now, buttons=[Button("好", "b:1")])
    first, again = text_parts(view, wording), text_parts(view, wording)
    assert first == again
    assert all(isinstance(part, TextPart) for part in first)
