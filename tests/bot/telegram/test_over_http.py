"""The Telegram door against a server that speaks the Bot API, over real HTTP on the loopback."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select

from bot.telegram.request import TelegramRequest
from bot.telegram.setup import TelegramDoor
from bot.telegram.webhook import router
from casework import messages
from casework.clock import SystemClock
from casework.messages import Reply
from casework.tables import Attachment, Author, ChannelIdentity, Conversation, Delivery, Message, OutboxEntry
from tests.bot.fakes import say
from tests.bot.telegram import updates as build
from tests.bot.telegram.conftest import SECRET
from tests.bot.telegram.fakes import FakeSwitchboard
from tests.e2e.fake_bot_api import FakeBotApi

pytestmark = pytest.mark.e2e

JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 5000
OGG = b"OggS" + b"\x00" * 500


def direct_request():
    """The door's requests, past any proxy of this machine."""
    return TelegramRequest(connect_timeout=3, read_timeout=3, httpx_kwargs={"trust_env": False})


@pytest.fixture
def server():
    with FakeBotApi() as api:
        yield api


@pytest.fixture
def clock():
    """The machine's own: retries have to come due."""
    return SystemClock()


@pytest.fixture
def parts(house_parts, server):
    """The house over the real switchboard."""
    settings = replace(
        house_parts.settings,
        telegram_token=server.token,
        telegram_api_base=server.base_url,
        telegram_mode="polling",
    )
    return replace(house_parts, settings=settings)


@asynccontextmanager
async def open_door(parts):
    door = TelegramDoor(parts, request=direct_request, long_poll_s=5)
    await door.start()
    try:
        yield door
    finally:
        await door.stop()


@pytest.fixture
async def door(parts):
    async with open_door(parts) as opened:
        yield opened


async def all_of(database, table):
    async with database.read() as session:
        return list(await session.scalars(select(table).order_by(table.id)))


async def until(condition, within_s=10.0):
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - the condition is the database's
            await asyncio.sleep(0.02)


async def test_a_member_writes_and_is_answered(server, door, wording):
    zhang = server.member()
    zhang.says("老板拖欠三个月工资")
    await server.until("sendMessage", zhang.chat_id, containing="答：老板拖欠三个月工资")
    assert server.texts(zhang.chat_id) == [wording.say("telegram.first_contact"), "答：老板拖欠三个月工资"]
    assert server.commands[0]["command"] == "start"


async def test_what_was_taken_is_confirmed(server, door):
    server.member().says("您好")
    await server.until("sendMessage", containing="答：")

    async def confirmed():
        return not server.unconfirmed()

    await until(confirmed)


async def test_a_button_is_pressed_and_shows_the_choice(server, door, script):
    zhang = server.member()
    script.will_say(
        say("在哪个区？", buttons=(("历下区", '/inform{"district": "历下区"}'), ("市中区", "/deny")))
    )
    zhang.says("找站点")
    question = await server.until("sendMessage", zhang.chat_id, containing="哪个区")
    zhang.presses(question, "历下区")
    await server.until("sendMessage", zhang.chat_id, containing='答：/inform{"district": "历下区"}')
    await server.until("answerCallbackQuery")
    await server.until("editMessageReplyMarkup")
    assert [button["text"] for button in server.shown_buttons(question)] == ["✓ 历下区"]


async def test_a_forged_callback_token_is_refused(server, door, wording, script):
    zhang, forger = server.member(700_001), server.member(700_002)
    script.will_say(say("在哪个区？", buttons=(("历下区", "/affirm"),)))
    zhang.says("找站点")
    question = await server.until("sendMessage", zhang.chat_id, containing="哪个区")
    token = question.buttons[0]["callback_data"]
    forger.says("您好")
    mine = await server.until("sendMessage", forger.chat_id, containing="答：您好")
    heard = len(script.heard)
    forger.presses_data(mine, token)
    forger.presses_data(mine, "b:AAAAAAAAAAAAAAAA")
    refusal = wording.say("refusal.unknown_button")
    await server.until("sendMessage", forger.chat_id, containing=refusal)
    assert len(script.heard) == heard


async def test_a_photo_comes_over_the_wire_and_is_kept(server, door, house_parts, database):
    zhang = server.member()
    zhang.sends_photo(JPEG, "工资条")
    await server.until("sendMessage", zhang.chat_id, containing="答：工资条")
    (attachment,) = await all_of(database, Attachment)
    assert await house_parts.attachments.read(attachment) == JPEG


async def test_an_album_is_answered_once(server, door, database):
    zhang = server.member()
    zhang.sends_album([JPEG, JPEG + b"2", JPEG + b"3"], "三个月的工资条")
    await server.until("sendMessage", zhang.chat_id, containing="答：三个月的工资条")
    kept = await all_of(database, Attachment)
    assert len(kept) == 3
    assert len({attachment.message_id for attachment in kept}) == 1


async def test_a_voice_message_is_kept_and_said_so(server, door, database, wording):
    zhang = server.member()
    zhang.sends(build.voice(zhang.chat_id, server.add_file(OGG)))
    await server.until(
        "sendMessage", zhang.chat_id, containing=wording.say("telegram.recording_kept", kind="语音")
    )
    (attachment,) = await all_of(database, Attachment)
    assert attachment.media_type == "audio/ogg"


async def test_a_download_that_breaks_is_tried_again(server, door, database):
    server.drop_connection("download")
    zhang = server.member()
    zhang.sends_photo(JPEG, "工资条")
    await server.until("sendMessage", zhang.chat_id, containing="答：工资条")
    assert len(await all_of(database, Attachment)) == 1


async def test_a_server_in_local_mode_gives_files_by_their_path(house_parts, tmp_path, database):
    with FakeBotApi(local_dir=tmp_path) as server:
        settings = replace(
            house_parts.settings,
            telegram_token=server.token,
            telegram_api_base=server.base_url,
            telegram_mode="polling",
        )
        async with open_door(replace(house_parts, settings=settings)):
            zhang = server.member()
            zhang.sends_photo(JPEG, "工资条")
            await server.until("sendMessage", zhang.chat_id, containing="答：工资条")
    (attachment,) = await all_of(database, Attachment)
    assert attachment.size == len(JPEG)


async def test_a_long_reply_arrives_whole_in_parts_that_telegram_takes(server, door, script):
    long = "\n".join(f"👷第{number}条：应当按时足额支付劳动报酬。" for number in range(300))
    script.will_say(say(long, buttons=(("好", "/affirm"),)))
    zhang = server.member()
    zhang.says("讲讲")
    last = await server.until("sendMessage", zhang.chat_id, containing="第299条")
    parts = server.made("sendMessage", zhang.chat_id)[1:]
    assert len(parts) == 2
    assert "\n".join(call.text for call in parts) == long
    assert [bool(call.buttons) for call in parts] == [False, True]
    assert last.buttons[0]["text"] == "好"


async def test_the_flood_limit_is_obeyed_and_nothing_is_lost(server, door):
    zhang, li = server.member(700_001), server.member(700_002)
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    server.too_many_requests("sendMessage", 2, chat_id=zhang.chat_id)
    zhang.says("还在吗")
    refused = await server.until("sendMessage", zhang.chat_id, count=3, any_outcome=True)
    li.says("别的会话")
    other = await server.until("sendMessage", li.chat_id, containing="答：别的会话")
    answer = await server.until("sendMessage", zhang.chat_id, containing="答：还在吗")
    assert refused.outcome == "429"
    assert answer.at - refused.at >= 2.0
    assert other.at < answer.at


async def test_a_member_who_blocked_the_bot_is_left_alone_and_answered_again_later(
    server, door, database, clock
):
    zhang = server.member()
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    zhang.blocks_silently()
    (conversation,) = await all_of(database, Conversation)
    async with database.transaction() as session:
        await messages.record_replies(
            session,
            conversation.id,
            [Reply(text="工作人员的话"), Reply(text="第二句")],
            in_reply_to=None,
            author=Author.BOT,
            epoch_seen=None,
            now=clock.now(),
        )

    async def blocked():
        entries = await all_of(database, OutboxEntry)
        return [entry.delivery for entry in entries[-2:]] == [Delivery.BLOCKED] * 2

    await until(blocked)
    refused = [call for call in server.made("sendMessage", any_outcome=True) if call.outcome == "403"]
    assert len(refused) == 1
    zhang.unblocks()
    zhang.says("我回来了")
    await server.until("sendMessage", zhang.chat_id, containing="答：我回来了")
    (identity,) = await all_of(database, ChannelIdentity)
    assert identity.blocked_at is None


async def test_a_server_error_is_tried_again(server, door):
    server.fail("sendMessage", 500)
    zhang = server.member()
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    assert [call.outcome for call in server.made("sendMessage", any_outcome=True)].count("500") == 1


async def test_where_the_answer_to_a_send_is_lost_that_one_part_is_sent_again(server, door):
    """At least once: Telegram has no way to ask whether a message was taken."""
    zhang = server.member()
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    server.drop_connection("sendMessage")
    zhang.says("在吗")
    await server.until("sendMessage", zhang.chat_id, containing="答：在吗", count=2)
    zhang.says("好的")
    await server.until("sendMessage", zhang.chat_id, containing="答：好的")
    assert server.texts(zhang.chat_id)[-3:] == ["答：在吗", "答：在吗", "答：好的"]


async def test_polling_survives_errors_of_the_server(server, door):
    server.fail("getUpdates", 502, "Bad Gateway", times=2)
    server.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    zhang = server.member()
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好", timeout_s=25)


async def test_typing_is_shown_while_the_dialogue_thinks(server, door, script):
    zhang = server.member()
    zhang.says("您好")
    await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    release = script.hold()
    zhang.says("想一想")
    await server.until("sendChatAction", zhang.chat_id, timeout_s=2)
    release.set()


async def test_chats_are_served_side_by_side(server, parts, database, clock):
    fake = FakeSwitchboard(database, clock)
    gate = asyncio.Event()

    async def slow(incoming):
        if incoming.text == "慢":
            await gate.wait()

    fake.before_answering = slow
    async with open_door(replace(parts, switchboard=fake)):
        zhang, li = server.member(700_001), server.member(700_002)
        zhang.says("慢")
        zhang.says("后")
        li.says("快")
        await server.until("sendMessage", li.chat_id, containing="答：快")
        assert "答：后" not in server.texts(zhang.chat_id)
        gate.set()
        await server.until("sendMessage", zhang.chat_id, containing="答：后")
    texts = server.texts(zhang.chat_id)
    assert texts.index("答：慢") < texts.index("答：后")


async def test_a_group_is_refused_once_and_left(server, door, wording, database):
    group = build.group_chat()
    server.push(build.membership(group, "member"))
    server.push(build.text(700, "@niangjia_test_bot 在吗", chat=group))
    server.push(build.text(701, "有人吗", chat=group))
    await server.until("leaveChat", group["id"])
    li = server.member()
    li.says("您好")
    await server.until("sendMessage", li.chat_id, containing="答：您好")
    assert server.texts(group["id"]) == [wording.say("telegram.group")]
    assert len(await all_of(database, Conversation)) == 1


async def test_the_token_is_in_no_log_line(server, parts, caplog):
    caplog.set_level(logging.DEBUG)
    async with open_door(parts):
        server.fail("sendMessage", 500)
        zhang = server.member()
        zhang.says("您好")
        await server.until("sendMessage", zhang.chat_id, containing="答：您好")
    assert server.token.partition(":")[2] not in caplog.text


class TestRestarts:
    async def test_an_update_that_was_recorded_but_not_confirmed_is_answered_once(
        self, server, parts, script
    ):
        """The bot is killed after recording, before Telegram learns of it: the update comes again."""
        zhang = server.member()
        async with open_door(parts) as door:
            zhang.says("您好")
            await server.until("sendMessage", zhang.chat_id, containing="答：您好")
            release = script.hold()
            update_id = zhang.says("老板拖欠工资")
            await script.hears(2)
            door._running.cancel()
            release.set()
            await server.until("sendMessage", zhang.chat_id, containing="答：老板拖欠工资")
            door._poller._offset = None
            assert server.unconfirmed() == [update_id]
        async with open_door(parts):
            zhang.says("还有一件事")
            await server.until("sendMessage", zhang.chat_id, containing="答：还有一件事")
        assert server.texts(zhang.chat_id).count("答：老板拖欠工资") == 1
        assert [utterance.text for utterance in script.heard].count("老板拖欠工资") == 1

    async def test_an_update_that_was_not_recorded_is_answered_after_the_restart(
        self, server, parts, database
    ):
        zhang = server.member()
        dying = FakeSwitchboard(database, clock)

        async def never(incoming):
            await asyncio.Event().wait()

        dying.before_recording = never
        async with open_door(replace(parts, switchboard=dying)) as door:
            update_id = zhang.says("老板拖欠工资")
            await server.until("sendMessage", zhang.chat_id)
            await door._intake.close(0)
            assert update_id in server.unconfirmed()
        async with open_door(parts):
            await server.until("sendMessage", zhang.chat_id, containing="答：老板拖欠工资")
        stored = [one for one in await all_of(database, Message) if one.author is Author.MEMBER]
        assert [one.text for one in stored] == ["老板拖欠工资"]

    async def test_a_long_reply_goes_on_where_it_was_cut_off(self, server, parts, script, database):
        zhang = server.member()
        script.will_say(say("甲" * 4000 + "\n" + "乙" * 4000))
        server.fail("sendMessage", 500, chat_id=zhang.chat_id, times=1)
        async with open_door(parts):
            zhang.says("讲讲")
            await server.until("sendMessage", zhang.chat_id, containing="甲")
            server.fail("sendMessage", 500, chat_id=zhang.chat_id, times=1)
        async with open_door(parts):
            await server.until("sendMessage", zhang.chat_id, containing="乙")
        texts = [text[0] for text in server.texts(zhang.chat_id)[1:]]
        assert texts == ["甲", "乙"]


class TestWebhookOverHttp:
    @asynccontextmanager
    async def bot(self, parts, server):
        """A bot process in miniature: the route and the door."""
        settings = replace(
            parts.settings,
            telegram_mode="webhook",
            telegram_webhook_url="https://bot.example.org/telegram/webhook",
            telegram_webhook_secret=SECRET,
        )
        app = FastAPI()
        app.include_router(router)
        config = uvicorn.Config(app, port=0, lifespan="off", ws="none", log_config=None)
        web = uvicorn.Server(config)
        web.install_signal_handlers = lambda: None
        serving = asyncio.create_task(web._serve())
        deadline = time.monotonic() + 5
        while not web.started:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        port = web.servers[0].sockets[0].getsockname()[1]
        server.webhook_target = f"http://127.0.0.1:{port}/telegram/webhook"
        async with open_door(replace(parts, settings=settings)) as door:
            app.state.telegram = door
            yield door
        web.should_exit = True
        await serving

    async def test_updates_come_by_webhook_and_are_answered(self, server, parts):
        async with self.bot(parts, server):
            zhang = server.member()
            await server.until("setWebhook")
            zhang.says("您好")
            await server.until("sendMessage", zhang.chat_id, containing="答：您好")
            assert server.webhook_statuses[-1:] == [200]
            assert server.unconfirmed() == []
            assert server.made("getUpdates") == []

    async def test_an_album_by_webhook_is_one_message(self, server, parts, database):
        async with self.bot(parts, server):
            await server.until("setWebhook")
            zhang = server.member()
            zhang.sends_album([JPEG, JPEG + b"2"], "两张")
            await server.until("sendMessage", zhang.chat_id, containing="答：两张")
        kept = await all_of(database, Attachment)
        assert len(kept) == 2
        assert len({attachment.message_id for attachment in kept}) == 1

    async def test_a_wrong_secret_is_turned_away(self, server, parts, database):
        async with self.bot(parts, server):
            await server.until("setWebhook")
            server.webhook["secret_token"] = "forged"
            server.member().says("您好")

            async def refused():
                return 403 in server.webhook_statuses

            await until(refused)
        assert await all_of(database, Message) == []
