"""Telegram forgets an update only when it is settled here; what failed comes again, in order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.telegram.door_bot import DoorBot
from bot.telegram.intake import MAX_ATTEMPTS, Intake, NotRecorded
from bot.telegram.polling import Poller
from tests.bot.telegram import updates as build
from tests.bot.telegram.offline import OfflineBotApi


class Telegram(OfflineBotApi):
    """The updates side of Telegram: what has a smaller id than the offset is forgotten."""

    def __init__(self):
        super().__init__()
        self.kept = []
        self.offsets = []
        self.timeouts = []
        self.news = asyncio.Event()
        self.troubles = []

    def brings(self, *raw):
        self.kept += raw
        self.news.set()

    async def reply(self, method, params):
        if method == "getUpdates":
            if self.troubles:
                raise self.troubles.pop(0)
            offset = int(params.get("offset", 0))
            self.offsets.append(offset)
            timeout = params.get("timeout", 0)
            self.timeouts.append(timeout)
            self.kept = [update for update in self.kept if update["update_id"] >= offset]
            if not self.kept and timeout:
                self.news.clear()
                await self.news.wait()
            await asyncio.sleep(0)
            self.answer(method, list(self.kept))
        return await super().reply(method, params)


class Desk:
    def __init__(self):
        self.taken = []
        self.gates = {}
        self.breaks = set()
        self.sorry = []

    async def handle(self, item):
        words = item.message.text
        if words in self.gates:
            await self.gates[words].wait()
        if words in self.breaks:
            raise RuntimeError("no database")
        self.taken.append(words)

    async def apologise(self, update_id, chat_id, error, *, final):
        self.sorry.append((update_id, chat_id, final))


@pytest.fixture
def telegram():
    return Telegram()


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("bot.telegram.polling.GLANCE_S", 0.01)
    monkeypatch.setattr("bot.telegram.polling.MAX_PAUSE_S", 0.02)
    monkeypatch.setattr("bot.telegram.polling._CONFLICT_PAUSE_S", 0.01)


@asynccontextmanager
async def polling(telegram, desk):
    request = telegram.request()
    bot = DoorBot("1:a", request=telegram.request(), get_updates_request=request)
    await bot.initialize()
    intake = Intake(desk.handle, desk.apologise)
    poller = Poller(bot, intake)
    task = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await intake.close(0.05)
        await poller.finish()
        await bot.shutdown()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition is somebody else's state
            await asyncio.sleep(0.005)


def text(update_id, chat, words):
    return build.numbered(build.text(chat, words), update_id)


async def test_what_is_settled_is_confirmed_with_the_next_poll(telegram, desk):
    telegram.brings(text(11, 1, "一"), text(12, 2, "二"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
    assert sorted(desk.taken) == ["一", "二"]
    assert telegram.offsets[-1] == 13


async def test_what_is_not_recorded_yet_is_not_confirmed_and_not_taken_twice(telegram, desk):
    desk.gates["慢"] = asyncio.Event()
    telegram.brings(text(11, 1, "慢"), text(12, 2, "快"))
    async with polling(telegram, desk):
        await until(lambda: desk.taken == ["快"])
        await asyncio.sleep(0.1)
        assert [update["update_id"] for update in telegram.kept] == [11, 12]
        assert max(telegram.offsets) <= 11
        desk.gates["慢"].set()
        await until(lambda: not telegram.kept)
    assert desk.taken == ["快", "慢"]


async def test_new_updates_are_taken_while_a_slow_one_is_under_way(telegram, desk):
    desk.gates["慢"] = asyncio.Event()
    telegram.brings(text(11, 1, "慢"))
    async with polling(telegram, desk):
        await until(lambda: telegram.offsets)
        telegram.brings(text(12, 2, "后来"))
        await until(lambda: desk.taken == ["后来"])
        desk.gates["慢"].set()
        await until(lambda: not telegram.kept)


async def test_an_idle_poller_asks_with_a_long_poll(telegram, desk):
    telegram.brings(text(11, 1, "一"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
        await until(lambda: len(telegram.timeouts) >= 2)
        assert telegram.timeouts[-1] == 25
        count = len(telegram.timeouts)
        await asyncio.sleep(0.05)
        assert len(telegram.timeouts) == count


async def test_a_failed_update_is_taken_again_in_order_and_the_member_is_told_once(telegram, desk):
    desk.breaks.add("一")
    telegram.brings(text(11, 1, "一"), text(12, 1, "二"))
    async with polling(telegram, desk):
        await until(lambda: len(telegram.offsets) > 6)
        assert desk.taken == []
        desk.breaks.clear()
        await until(lambda: not telegram.kept)
    assert desk.taken == ["一", "二"]
    assert desk.sorry.count((11, 1, False)) == 1


async def test_while_nothing_can_be_recorded_nothing_is_given_up(telegram, desk):
    desk.breaks.update({"一", "二"})
    telegram.brings(text(11, 1, "一"), text(12, 2, "二"))
    async with polling(telegram, desk):
        await until(lambda: len(telegram.offsets) > 4 * MAX_ATTEMPTS)
        assert len(telegram.kept) == 2
        desk.breaks.clear()
        await until(lambda: not telegram.kept)
    assert sorted(desk.taken) == ["一", "二"]


async def test_an_update_that_breaks_by_itself_does_not_hold_up_the_rest_for_ever(telegram, desk):
    desk.breaks.add("毒")
    telegram.brings(text(11, 1, "毒"), text(12, 2, "好"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
    assert desk.taken == ["好"]
    assert desk.sorry == [(11, 1, False), (11, 1, True)]


async def test_what_the_library_cannot_read_is_passed_over_and_its_member_told(telegram, desk, caplog):
    broken = text(11, 1, "我的电话13800138000")
    del broken["message"]["date"]
    telegram.brings(broken, text(12, 2, "好"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
    assert desk.taken == ["好"]
    assert desk.sorry == [(11, 1, True)]
    assert "13800138000" not in caplog.text


async def test_an_update_telegram_no_longer_has_does_not_hold_up_the_rest(telegram, desk):
    desk.breaks.add("一")
    telegram.brings(text(11, 1, "一"))
    async with polling(telegram, desk):
        await until(lambda: desk.sorry)
        telegram.kept.clear()
        await until(lambda: telegram.timeouts[-1] == 25)
        telegram.brings(text(30, 2, "新"))
        await until(lambda: desk.taken == ["新"] and not telegram.kept)


@pytest.mark.parametrize(
    "trouble", [TimedOut(), NetworkError("down"), Conflict("two pollers"), RuntimeError("nonsense")]
)
async def test_polling_goes_on_after_trouble(telegram, desk, trouble):
    telegram.troubles += [trouble, trouble]
    telegram.brings(text(11, 1, "一"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
    assert desk.taken == ["一"]


async def test_polling_waits_as_long_as_telegram_says(telegram, desk, monkeypatch):
    waits = []
    real_sleep = asyncio.sleep

    async def sleep(seconds):
        waits.append(seconds)
        await real_sleep(0)

    telegram.troubles.append(RetryAfter(7))
    monkeypatch.setattr("bot.telegram.polling.asyncio.sleep", sleep)
    telegram.brings(text(11, 1, "一"))
    async with polling(telegram, desk):
        while telegram.kept:
            await real_sleep(0.005)
    assert 7.5 in waits


async def test_a_conflict_ends_a_forgotten_webhook(telegram, desk):
    telegram.troubles.append(Conflict("webhook is active"))
    telegram.brings(text(11, 1, "一"))
    async with polling(telegram, desk):
        await until(lambda: not telegram.kept)
    assert telegram.made("deleteWebhook")


async def test_a_refused_token_ends_polling_with_that_error(telegram, desk):
    telegram.troubles.append(InvalidToken("Unauthorized"))
    bot = DoorBot("1:a", request=telegram.request(), get_updates_request=telegram.request())
    async with asyncio.timeout(2):
        with pytest.raises(InvalidToken):
            await Poller(bot, Intake(desk.handle, desk.apologise)).run()


async def test_stopping_tells_telegram_what_was_settled_last(telegram, desk):
    telegram.brings(text(11, 1, "一"))
    desk.gates["一"] = asyncio.Event()
    async with polling(telegram, desk):
        await until(lambda: telegram.offsets)
        desk.gates["一"].set()
        await until(lambda: desk.taken)
    assert telegram.offsets[-1] == 12


async def test_stopping_in_the_middle_leaves_the_unsettled_with_telegram(telegram, desk):
    telegram.brings(text(11, 1, "好"), text(12, 2, "慢"))
    desk.gates["慢"] = asyncio.Event()
    async with polling(telegram, desk):
        await until(lambda: desk.taken)
    assert [update["update_id"] for update in telegram.kept] == [12]


async def test_the_intake_says_that_an_update_must_come_again_when_the_door_closes(desk):
    from telegram import Update

    desk.gates["慢"] = asyncio.Event()
    intake = Intake(desk.handle, desk.apologise)
    taking = asyncio.create_task(intake.take(Update.de_json(text(11, 1, "慢"), None)))
    await asyncio.sleep(0.01)
    await intake.close(0.01)
    with pytest.raises(NotRecorded):
        await taking
