"""The door opens and closes with the bot, keeps its secret, and loses nothing that breaks on the way."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from telegram.error import NetworkError

from bot.roles import Role, role_of
from bot.telegram.intake import MAX_ATTEMPTS, NotRecorded
from bot.telegram.setup import TelegramDoor
from bot.telegram.webhook import MAX_BODY, SECRET_HEADER, receive_update, router
from casework.errors import BadInput, ConfigurationError
from tests.bot.telegram import updates as build
from tests.bot.telegram.conftest import SECRET, TOKEN

ME = 700


def no_database():
    return OperationalError("INSERT", {}, Exception("disk full"))


async def until(condition, within_s=5.0):
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the condition is somebody else's state
            await asyncio.sleep(0.005)


class TestFailures:
    async def test_an_update_that_cannot_be_recorded_must_come_again_and_its_member_is_told_once(
        self, fake_line, fake_switchboard, api, wording
    ):
        update = build.numbered(build.text(ME, "老板拖欠工资"))
        fake_switchboard.troubles += [no_database(), no_database()]
        for _ in range(2):
            with pytest.raises(NotRecorded):
                await fake_line.door.take(update)
        (told,) = api.texts()
        assert told.startswith(wording.say("telegram.fault", reference="E-").partition("E-")[0])
        await fake_line.door.take(update)
        assert (await fake_line.heard())[-1] == "答：老板拖欠工资"
        assert len(fake_switchboard.received) == 1

    async def test_an_update_that_breaks_on_its_own_is_given_up_and_the_member_asked_to_write_anew(
        self, fake_line, fake_switchboard, api, wording
    ):
        update = build.numbered(build.text(ME, "毒"))
        fake_switchboard.troubles.append(RuntimeError("a bug"))
        with pytest.raises(NotRecorded):
            await fake_line.door.take(update)
        await fake_line.bring(build.text(701, "别人"))
        fake_switchboard.troubles += [RuntimeError("a bug")] * (MAX_ATTEMPTS - 1)
        for _ in range(MAX_ATTEMPTS - 2):
            with pytest.raises(NotRecorded):
                await fake_line.door.take(update)
        await fake_line.door.take(update)
        assert api.texts()[-1].startswith(wording.say("telegram.given_up", reference="E-").partition("E-")[0])

    async def test_a_refusal_of_the_switchboard_settles_the_update(
        self, fake_line, fake_switchboard, wording
    ):
        fake_switchboard.troubles.append(BadInput())
        await fake_line.bring(build.text(ME, "x"))
        assert (await fake_line.heard())[-1] == wording.say("refusal.bad_input")

    async def test_what_broke_is_logged_by_its_number_and_without_members_words(
        self, fake_line, fake_switchboard, api, caplog
    ):
        fake_switchboard.troubles.append(ValueError("我的电话是13800138000"))
        with pytest.raises(NotRecorded):
            await fake_line.door.take(build.numbered(build.text(ME, "我的电话是13800138000")))
        reference = api.texts()[-1].partition("E-")[2][:9]
        assert f"E-{reference}" in caplog.text
        assert "13800138000" not in caplog.text

    async def test_a_member_who_cannot_even_be_told_does_no_harm(self, fake_line, fake_switchboard, api):
        fake_switchboard.troubles.append(no_database())
        api.answer("sendMessage", NetworkError("down"))
        with pytest.raises(NotRecorded):
            await fake_line.door.take(build.numbered(build.text(ME, "您好")))

    async def test_what_is_no_update_at_all_is_a_value_error(self, line):
        with pytest.raises(ValueError, match="cannot be read"):
            await line.door.take({"hello": "world"})

    async def test_an_update_the_library_cannot_read_is_settled_and_its_member_told(self, line, api):
        update = build.numbered(build.text(ME, "您好"))
        del update["message"]["date"]
        await line.door.take(update)
        assert len(api.texts()) == 1
        assert await line.transcript() == []


class TestOrder:
    async def test_chats_run_side_by_side_and_each_keeps_its_order(self, fake_line, fake_switchboard):
        gate = asyncio.Event()

        async def slow(incoming):
            if incoming.text == "慢":
                await gate.wait()

        fake_switchboard.before_recording = slow
        door = fake_line.door
        first = asyncio.create_task(door.take(build.numbered(build.text(1, "慢"))))
        await asyncio.sleep(0)
        second = asyncio.create_task(door.take(build.numbered(build.text(1, "后"))))
        await door.take(build.numbered(build.text(2, "别人")))
        assert [incoming.text for incoming in fake_switchboard.received] == ["别人"]
        assert not second.done()
        gate.set()
        await asyncio.gather(first, second)
        assert [incoming.text for incoming in fake_switchboard.received] == ["别人", "慢", "后"]


class TestWebhook:
    @pytest.fixture
    def client(self, line):
        app = FastAPI()
        app.include_router(router)
        app.state.telegram = line.door
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers={SECRET_HEADER: SECRET})

    async def post(self, client, update, **more):
        return await client.post("/telegram/webhook", json=update, **more)

    async def test_an_update_is_recorded_before_it_is_answered_200(self, client, line):
        answer = await self.post(client, build.numbered(build.text(ME, "您好")))
        assert answer.status_code == 200
        assert "您好" in [message.text for message in await line.transcript()]

    @pytest.mark.parametrize("shown", ["", "wrong", SECRET + "x", SECRET[:-1], "密"])
    async def test_without_the_secret_nothing_is_taken(self, client, line, shown):
        headers = {SECRET_HEADER: shown.encode()}
        answer = await self.post(client, build.numbered(build.text(ME, "您好")), headers=headers)
        assert answer.status_code == 403
        assert await line.transcript() == []

    async def test_without_the_header_nothing_is_taken(self, client, line):
        del client.headers[SECRET_HEADER]
        assert (await self.post(client, build.numbered(build.text(ME, "您好")))).status_code == 403
        assert await line.transcript() == []

    @pytest.mark.parametrize("secret", [None, ""])
    async def test_without_a_configured_secret_the_route_is_closed(self, client, line, secret):
        line.door._settings = replace(line.door._settings, telegram_webhook_secret=secret)
        client.headers[SECRET_HEADER] = secret or "anything"
        assert (await self.post(client, build.numbered(build.text(ME, "您好")))).status_code == 404

    async def test_a_polling_door_takes_nothing_by_webhook(self, client, line):
        line.door._is_webhook = False
        assert (await self.post(client, build.numbered(build.text(ME, "您好")))).status_code == 404

    async def test_without_a_door_the_route_is_closed(self):
        app = FastAPI()
        app.include_router(router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            assert (await client.post("/telegram/webhook", json={})).status_code == 404

    async def test_what_could_not_be_recorded_is_asked_for_again(
        self, client, line, open_door, house_parts, fake_switchboard
    ):
        broken = await open_door(replace(house_parts, switchboard=fake_switchboard))
        fake_switchboard.troubles.append(no_database())
        app = FastAPI()
        app.include_router(router)
        app.state.telegram = broken.door
        client._transport = httpx.ASGITransport(app)
        answer = await self.post(client, build.numbered(build.text(ME, "您好")))
        assert answer.status_code == 503
        assert answer.headers["retry-after"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"update_id": "x"}', b"\xff\xfe"])
    async def test_what_is_no_update_is_a_400(self, client, body):
        assert (await client.post("/telegram/webhook", content=body)).status_code == 400

    async def test_a_body_beyond_all_measure_is_refused(self, client):
        assert (await client.post("/telegram/webhook", content=b"x" * (MAX_BODY + 1))).status_code == 413

    async def test_a_door_that_is_not_open_yet_asks_for_patience(self, client, line):
        line.door._ready = False
        assert (await self.post(client, build.numbered(build.text(ME, "您好")))).status_code == 503

    async def test_an_albums_photos_may_come_one_after_the_other(self, client, line, api):
        """Telegram brings a chat's next update only after the last was answered."""
        api.files["a"] = api.files["b"] = b"\xff\xd8\xff\xe0" + b"\x00" * 100
        for name in "ab":
            answer = await self.post(client, build.numbered(build.photo(ME, name, media_group_id="g")))
            assert answer.status_code == 200
        await asyncio.gather(*line.door._spooled)
        assert len({attachment.message_id for attachment in await line.attachments()}) == 1
        assert len(await line.attachments()) == 2

    async def test_an_album_photo_taken_just_before_a_crash_is_found_in_the_spool(
        self, line, open_door, house_parts, api, client
    ):
        api.files["a"] = b"\xff\xd8\xff\xe0" + b"\x00" * 100
        assert (
            await self.post(client, build.numbered(build.photo(ME, "a", media_group_id="g")))
        ).status_code == 200
        for task in line.door._spooled:
            task.cancel()
        await line.door._intake.close(0)
        assert len(await line.door._spool.waiting()) == 1
        assert await line.attachments() == []
        after = TelegramDoor(house_parts, request=api.request)
        await after.start()
        async with asyncio.timeout(5):
            while await after._spool.waiting():  # noqa: ASYNC110 - the disk says when
                await asyncio.sleep(0.005)
        await after.stop()
        assert len(await line.attachments()) == 1
        assert await after._spool.waiting() == []

    def test_the_route_says_who_it_is_for(self):
        assert role_of(receive_update) is Role.TELEGRAM


class TestOpening:
    @pytest.fixture
    def parts(self, house_parts):
        return replace(house_parts, settings=replace(house_parts.settings, telegram_mode="polling"))

    async def test_polling_ends_any_webhook_and_announces_the_commands_in_chinese(self, parts, api, wording):
        door = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await door.start()
        await until(lambda: api.made("setMyCommands"))
        await door.stop()
        assert api.made("deleteWebhook")[0].get("drop_pending_updates") is None
        (params,) = api.made("setMyCommands")
        commands = {one["command"]: one["description"] for one in params["commands"]}
        assert list(commands) == ["start", "menu", "cases", "human", "privacy", "forget"]
        assert commands["human"] == wording.say("telegram.command.human") == "转人工"

    async def test_a_webhook_is_set_with_its_secret_and_what_is_pending_is_kept(self, house_parts, api):
        door = TelegramDoor(house_parts, request=api.request)
        await door.start()
        await until(lambda: api.made("setWebhook") and api.made("setMyCommands"))
        await door.stop()
        (params,) = api.made("setWebhook")
        assert params["url"] == "https://example.org/telegram/webhook"
        assert params["secret_token"] == SECRET
        assert "drop_pending_updates" not in params
        assert params["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
        assert api.made("getUpdates") == []

    async def test_starting_does_not_wait_for_telegram_and_keeps_trying(self, parts, api, monkeypatch):
        monkeypatch.setattr("bot.telegram.setup.LONGEST_PAUSE_S", 0.01)
        api.answer("getMe", NetworkError("down"), NetworkError("down"))
        door = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await door.start()
        assert not door.ready
        await until(lambda: door.ready)
        await door.stop()

    async def test_a_refused_token_does_not_end_the_bot(self, parts, api, monkeypatch, caplog):
        monkeypatch.setattr("bot.telegram.setup.LONGEST_PAUSE_S", 0.01)
        refused = (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        api.answer("getMe", refused, refused)
        door = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await door.start()
        await until(lambda: door.ready)
        await door.stop()
        assert "TELEGRAM_TOKEN" in caplog.text

    async def test_a_server_without_the_calls_the_door_can_do_without_is_good_enough(self, parts, api):
        missing = (404, {"ok": False, "error_code": 404, "description": "Not Found"})
        api.answer("deleteWebhook", missing)
        api.answer("setMyCommands", missing)
        door = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await door.start()
        await until(lambda: api.made("getUpdates"))
        await door.stop()

    async def test_the_token_is_in_no_log_whatever_goes_wrong(self, parts, api, monkeypatch, caplog):
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr("bot.telegram.setup.LONGEST_PAUSE_S", 0.01)
        refused = (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        leaky = NetworkError(f"httpx.ConnectError: https://api.telegram.org/bot{TOKEN}/getMe")
        api.answer("getMe", refused, leaky, RuntimeError(f"bot{TOKEN}"))
        api.answer("setMyCommands", leaky)
        api.answer("getUpdates", leaky, RuntimeError(f"bot{TOKEN}"))
        door = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await door.start()
        await until(lambda: len(api.made("getUpdates")) > 1)
        await door.stop()
        assert caplog.text
        assert TOKEN.partition(":")[2] not in caplog.text

    async def test_what_was_left_in_the_outbox_is_sent_after_a_restart(self, parts, api, database, clock):
        before = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await before.application.initialize()
        before._ready = True
        guest = await before._reception.greet(ME, None)
        await before._reception.say(guest.conversation_id, "重启之前说的话")
        await before.stop()
        assert "重启之前说的话" not in api.texts()
        after = TelegramDoor(parts, request=api.request, long_poll_s=0)
        await after.start()
        await until(lambda: "重启之前说的话" in api.texts())
        await after.stop()

    async def test_a_door_without_a_token_cannot_be_made(self, parts, api):
        settings = replace(parts.settings, telegram_token=None)
        with pytest.raises(ConfigurationError, match="TELEGRAM_TOKEN"):
            TelegramDoor(replace(parts, settings=settings), request=api.request)

    async def test_a_webhook_without_a_secret_cannot_be_opened(self, house_parts, api):
        settings = replace(house_parts.settings, telegram_webhook_secret=None)
        with pytest.raises(ConfigurationError, match="TELEGRAM_WEBHOOK_SECRET"):
            TelegramDoor(replace(house_parts, settings=settings), request=api.request)

    async def test_a_door_that_never_opened_closes(self, parts, api):
        api.answer("getMe", NetworkError("down"))
        door = TelegramDoor(parts, request=api.request)
        await door.start()
        async with asyncio.timeout(3):
            await door.stop()

    async def test_the_api_base_decides_where_calls_and_files_go(self, parts, api):
        settings = replace(parts.settings, telegram_api_base="http://127.0.0.1:8081")
        door = TelegramDoor(replace(parts, settings=settings), request=api.request)
        assert door.bot.base_url == f"http://127.0.0.1:8081/bot{TOKEN}"
        assert door.bot.base_file_url == f"http://127.0.0.1:8081/file/bot{TOKEN}"
        await door.stop()


async def test_a_reply_reaches_the_member_without_waiting_for_the_next_look_at_the_outbox(
    house_parts, api, monkeypatch
):
    monkeypatch.setattr("bot.telegram.deliverer.GLANCE_S", 30.0)
    door = TelegramDoor(house_parts, request=api.request)
    await door.start()
    await until(lambda: door.ready and api.made("setMyCommands"))
    await door.take(build.numbered(build.text(ME, "您好")))
    await until(lambda: "答：您好" in api.texts(), within_s=2.0)
    await door.stop()


async def test_the_clock_of_the_house_decides_when_a_retry_is_due(line, api, clock):
    api.answer("sendMessage", NetworkError("down"))
    await line.bring(build.text(ME, "您好"))
    first = await line.heard()
    assert "答：您好" not in first
    clock.advance(timedelta(seconds=5))
    assert (await line.heard())[-1] == "答：您好"
