"""The bot keeps to Telegram's flood limits by waiting, and obeys when told to be quiet."""

from __future__ import annotations

import asyncio

import pytest
from telegram.error import RetryAfter

from bot.telegram.pacing import CHAT_BURST, MESSAGES_PER_SECOND, Pacing


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        assert seconds > 0
        await asyncio.sleep(0)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def pacing(time):
    return Pacing(now=time, sleep=time.sleep)


async def call(pacing, endpoint="sendMessage", chat_id=1, error=None):
    moments = []

    async def post(*args, **kwargs):
        moments.append(pacing._now())
        if error is not None:
            raise error
        return True

    await pacing.process_request(post, (), {}, endpoint, {"chat_id": chat_id} if chat_id else {}, None)
    return moments[0]


async def test_a_burst_in_one_chat_goes_out_at_once_and_then_one_a_second(pacing, time):
    start = time.now
    moments = [await call(pacing) - start for _ in range(CHAT_BURST + 3)]
    assert moments == pytest.approx([0.0] * CHAT_BURST + [1.0, 2.0, 3.0])


async def test_a_chat_that_was_silent_may_burst_again(pacing, time):
    for _ in range(CHAT_BURST):
        await call(pacing)
    time.now += 60
    again = time.now
    assert [await call(pacing) for _ in range(CHAT_BURST)] == [again] * CHAT_BURST


async def test_all_chats_together_get_no_more_than_thirty_messages_a_second(pacing, time):
    start = time.now
    moments = [await call(pacing, chat_id=chat) - start for chat in range(1, 2 * MESSAGES_PER_SECOND + 2)]
    for moment in moments:
        within = [other for other in moments if moment <= other < moment + 1.0]
        assert len(within) <= MESSAGES_PER_SECOND
    assert moments[MESSAGES_PER_SECOND - 1] == 0.0
    assert moments[-1] == pytest.approx(2.0)


async def test_answers_to_buttons_and_typing_do_not_wait_for_the_message_pace(pacing, time):
    start = time.now
    for _ in range(CHAT_BURST):
        await call(pacing)
    assert await call(pacing, "sendChatAction") == start
    assert await call(pacing, "answerCallbackQuery", chat_id=None) == start


async def test_a_refused_chat_stays_quiet_as_long_as_it_was_told_and_others_do_not(pacing, time):
    start = time.now
    with pytest.raises(RetryAfter):
        await call(pacing, error=RetryAfter(7))
    assert pacing.quiet_for("1") == pytest.approx(7.5)
    assert await call(pacing, chat_id=2) == start
    assert await call(pacing, chat_id=1) == pytest.approx(start + 7.5)
    assert pacing.quiet_for("1") == 0


async def test_the_refusal_is_raised_and_not_swallowed(pacing):
    with pytest.raises(RetryAfter):
        await call(pacing, error=RetryAfter(1))


async def test_messages_that_wait_together_still_keep_the_pace(pacing, time):
    start = time.now
    moments = await asyncio.gather(*(call(pacing) for _ in range(CHAT_BURST + 2)))
    assert sorted(moment - start for moment in moments)[-1] >= 2.0 - 1e-6
