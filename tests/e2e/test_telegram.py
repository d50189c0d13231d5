"""Telegram from end to end: the real processes against a server that speaks the Bot API."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bot.telegram import updates as build
from tests.e2e.fake_bot_api import FakeBotApi
from tests.e2e.fake_bot_wire import Call
from tests.e2e.fake_telegram_member import FakeMember
from tests.e2e.house import RunningHouse

NUMBER = re.compile(r"JN-\d{8}-\d{4}-\d")
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 3000
STANDING = re.compile("排上队|下班时间")
QUIET_S = 1.5
"""Longer than the bot's pace in one chat: after it, nothing more is to come."""


@pytest.fixture(scope="module")
def telegram() -> Iterator[FakeBotApi]:
    with FakeBotApi() as api:
        yield api


@pytest.fixture(scope="module")
def house_on_telegram(
    model: Path, telegram: FakeBotApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHouse]:
    """A house whose bot has a token for the fake Telegram."""
    running = RunningHouse.start(
        tmp_path_factory.mktemp("telegram-house"),
        model,
        TELEGRAM_TOKEN=telegram.token,
        TELEGRAM_API_BASE=telegram.base_url,
        NO_PROXY="127.0.0.1",
    )
    yield running
    assert running.stop() == 0, running.logs()
    assert telegram.token.partition(":")[2] not in running.logs()


@dataclass
class Phone:
    """A member's phone: says things and shows what came."""

    api: FakeBotApi
    member: FakeMember
    shown: list[Call] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Write something; all that comes back."""
        self.member.says(text)
        return self.wait()

    def press(self, title: str) -> str:
        """Press the latest button that begins with this title; all that comes back."""
        for call in reversed(self.shown):
            for button in self.api.shown_buttons(call):
                if button["text"].startswith(title):
                    self.member.presses(call, button["text"])
                    return self.wait()
        raise AssertionError(f"no button {title}: {[call.text for call in self.shown]}")

    def buttons(self) -> list[str]:
        """The buttons under the latest message."""
        return [button["text"] for button in self.api.shown_buttons(self.shown[-1])]

    def wait(self) -> str:
        """Wait until the update is settled and the chat is quiet; what came since, as one text."""
        seen, deadline = len(self.shown), time.monotonic() + 30
        while self.api.unconfirmed() and time.monotonic() < deadline:
            time.sleep(0.05)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S and time.monotonic() < deadline:
            made = self.api.made("sendMessage", self.member.chat_id)
            if len(made) > len(self.shown):
                self.shown, quiet_since = made, time.monotonic()
            time.sleep(0.05)
        assert len(self.shown) > seen, "the bot said nothing"
        return "\n".join(call.text for call in self.shown[seen:])


@pytest.fixture
def phone(house_on_telegram: RunningHouse, telegram: FakeBotApi, request: pytest.FixtureRequest) -> Phone:
    """A new member's phone."""
    return Phone(telegram, telegram.member(700_000 + abs(hash(request.node.name)) % 90_000))


def test_unpaid_wages_become_a_case_over_telegram(phone: Phone) -> None:
    heard = phone.say("俺在章丘一个工地干了仨月，工头一分钱没给，这咋办")
    assert "依据" in heard
    assert "/privacy" in heard
    heard = phone.press("开工单")
    for _ in range(12):
        if "提交" in phone.buttons():
            break
        heard = phone.press("跳过")
    assert "章丘区" in heard
    number = NUMBER.search(phone.press("提交"))
    assert number, [call.text for call in phone.shown]
    assert number.group() in phone.say("/cases")


def test_a_photo_a_position_and_a_human_over_telegram(phone: Phone, house_on_telegram: RunningHouse) -> None:
    phone.say("/start")
    phone.member.sends(build.location(phone.member.chat_id))
    assert "示例" in phone.wait()
    phone.member.sends_photo(JPEG, "这是我的工资条")
    assert phone.wait()
    heard = phone.say("/human")
    if not STANDING.search(heard):
        heard = phone.wait()  # within a few seconds they hear where they stand, or when somebody comes
    assert STANDING.search(heard), heard
    phone.member.says("在吗，有人吗")
    time.sleep(2 * QUIET_S)
    assert len(phone.api.made("sendMessage", phone.member.chat_id)) == len(phone.shown), "the bot spoke up"


def wait_until_drained(database: sqlite3.Connection, deadline: float) -> None:
    """Until no message waits for an answer and nothing waits to be sent."""
    waiting = (
        "SELECT (SELECT count(*) FROM outbox WHERE delivery = 'pending')"
        " + (SELECT count(*) FROM messages WHERE handling = 'pending')"
    )
    while database.execute(waiting).fetchone() != (0,) and time.monotonic() < deadline:
        time.sleep(0.2)


def test_the_bot_killed_in_the_middle_loses_no_message_and_answers_none_twice(
    house_on_telegram: RunningHouse, telegram: FakeBotApi
) -> None:
    members = [telegram.member(800_000 + number) for number in range(4)]
    for member in members:
        member.says("加班费怎么算")
    time.sleep(0.15)
    os.kill(house_on_telegram.pid_of("bot"), signal.SIGKILL)
    for member in members:
        member.says("年休假有几天")
    deadline = time.monotonic() + 120
    while telegram.unconfirmed() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert telegram.unconfirmed() == []
    with closing(sqlite3.connect(house_on_telegram.var / "niangjia.db")) as database:
        wait_until_drained(database, deadline)
        asked = database.execute(
            "SELECT m.conversation_id, m.handling,"
            " (SELECT count(*) FROM messages r WHERE r.in_reply_to = m.id) AS replies"
            " FROM messages m WHERE m.author = 'member' ORDER BY m.id DESC LIMIT ?",
            (2 * len(members),),
        ).fetchall()
        left = database.execute("SELECT count(*) FROM outbox WHERE delivery = 'pending'").fetchone()
    assert len({conversation for conversation, _, _ in asked}) == len(members)
    assert all(handling == "done" and replies >= 1 for _, handling, replies in asked), asked
    assert left == (0,)
    for member in members:
        texts = telegram.texts(member.chat_id)
        # The one part whose mark the kill cut off may be sent again; an answer is never made twice.
        assert len(texts) - len(set(texts)) <= 1, texts
