"""Processes are killed in the middle of conversations and come back: no message lost, no reply twice."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bot.api.health import FRESH_S
from tests.e2e.house import Member, RunningHouse

BACK_WITHIN_S = 60


@pytest.fixture(scope="module")
def shaky(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A house of its own, so that what is killed here disturbs nobody else's test."""
    running = RunningHouse.start(tmp_path_factory.mktemp("shaky"), model)
    running.command("staff", "add", "wang", "王坐席")
    yield running
    assert running.stop() == 0, running.logs()


def kill(house: RunningHouse, module: str) -> None:
    os.kill(house.pid_of(module), signal.SIGKILL)


def wait_until_well(house: RunningHouse) -> None:
    time.sleep(2 * FRESH_S)  # what the house last saw of its processes may be older than the kill
    deadline = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < deadline:
        try:
            ready = httpx.get(f"{house.base_url}/api/v1/ready", trust_env=False, timeout=5)
            if ready.status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"not well after {BACK_WITHIN_S} s\n{house.logs()}")


def give_back(house: RunningHouse, member: Member) -> None:
    house.command("staff", "handback", member.conversation_id, "--as", "wang")


def test_rasa_killed_in_the_middle_of_an_intake_and_come_back(shaky: RunningHouse) -> None:
    member = shaky.member()
    member.say("公司拖欠我两个月工资不发")
    member.press("开工单，请工会跟进")
    kill(shaky, "nlu.server")
    heard = member.say("在历下区")
    assert "12351" in heard, "somebody answers even without Rasa"
    assert "编号" in heard
    assert member.say("还有人吗") == "", "a human was promised; the bot does not talk over them"
    assert member.conversation_id in shaky.command("staff", "queue")
    wait_until_well(shaky)
    give_back(shaky, member)
    assert member.say("在历下区"), "the dialogue goes on where it stood"
    said = [message["text"] for message in member.messages() if message["author"] == "member"]
    assert said.count("在历下区") == 2
    assert "还有人吗" in said, "what was said meanwhile is in the transcript"


def test_the_action_server_killed_is_said_and_comes_back(shaky: RunningHouse) -> None:
    member = shaky.member()
    kill(shaky, "actions")
    heard = member.say("加班费怎么算")
    assert "12351" in heard
    wait_until_well(shaky)
    give_back(shaky, member)
    assert "依据" in member.say("加班费怎么算")


def test_the_bot_killed_while_members_write_loses_and_repeats_nothing(shaky: RunningHouse) -> None:
    members = [shaky.member() for _ in range(4)]
    ids = [uuid.uuid4().hex for _ in members]

    def send(member: Member, message_id: str) -> httpx.Response | None:
        try:
            return member.post(text="试用期最长多久", client_message_id=message_id)
        except httpx.HTTPError:
            return None

    with ThreadPoolExecutor(len(members)) as pool:
        sending = [pool.submit(send, member, id_) for member, id_ in zip(members, ids, strict=True)]
        time.sleep(0.05)
        kill(shaky, "bot")
        for one in sending:
            one.result()
    wait_until_well(shaky)
    for member, message_id in zip(members, ids, strict=True):
        again = member.post(text="试用期最长多久", client_message_id=message_id)
        assert again.status_code == 200, again.text
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            transcript = member.messages()
            if any(message["author"] == "bot" for message in transcript):
                break
            time.sleep(0.3)
        own = [message for message in transcript if message["author"] == "member"]
        replies = [message["text"] for message in transcript if message["author"] == "bot"]
        assert len(own) == 1, "the same client_message_id is one message"
        assert len(replies) == len(set(replies)) >= 1, replies


def test_a_second_start_is_ready_in_time_and_keeps_everything(model: Path, tmp_path: Path) -> None:
    first = RunningHouse.start(tmp_path, model)
    member = first.member()
    member.say("我的电话是13800001234，单位不给交社保")
    assert first.stop() == 0, first.logs()
    began = time.monotonic()
    second = RunningHouse.start(tmp_path, model)
    try:
        assert time.monotonic() - began < 45
        member.house = second
        assert [m["text"] for m in member.messages() if m["author"] == "member"] == [
            "我的电话是13800001234，单位不给交社保"
        ]
    finally:
        assert second.stop() == 0
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"13800001234" not in written, "no phone number in databases or logs"
    assert "单位不给交社保".encode() not in written
