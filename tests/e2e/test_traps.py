"""The traps of Rasa 3.6 that were seen (design §4), each in the running house."""

from __future__ import annotations

import contextlib
import uuid

import httpx
import pytest

from tests.e2e.house import Member, RunningHouse

TRACKER = {
    "next_action": "action_answer",
    "tracker": {"sender_id": "nobody", "slots": {"phone": "13800001234"}, "latest_message": {}, "events": []},
    "domain": {},
}


def internal(house: RunningHouse, port: str, path: str) -> str:
    return f"http://127.0.0.1:{house.ports[port]}{path}"


def token(house: RunningHouse) -> dict[str, str]:
    return {"Authorization": f"Bearer {(house.var / 'internal.token').read_text().strip()}"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": ""}])
def test_rasa_and_the_action_server_let_nobody_in_without_the_token(
    house: RunningHouse, headers: dict[str, str]
) -> None:
    body = {"sender": "x", "message": "你好"}
    for port, path in (
        ("RASA_PORT", "/webhooks/switchboard/webhook"),
        ("RASA_PORT", "/webhooks/switchboard/parse"),
        ("ACTIONS_PORT", "/webhook"),
    ):
        answer = httpx.post(internal(house, port, path), json=body, headers=headers, trust_env=False)
        assert answer.status_code == 401, path


def test_rasas_own_doors_are_shut(house: RunningHouse) -> None:
    for path in ("/webhooks/rest/webhook", "/conversations/x/messages", "/model/parse"):
        answer = httpx.post(
            internal(house, "RASA_PORT", path), json={"sender": "x", "message": "你好"}, trust_env=False
        )
        assert answer.status_code in (401, 404), path


def test_a_failing_action_call_answers_with_a_reference_and_no_tracker(house: RunningHouse) -> None:
    answer = httpx.post(
        internal(house, "ACTIONS_PORT", "/webhook"),
        json=TRACKER | {"tracker": {"slots": "13800001234"}},
        headers=token(house),
        trust_env=False,
    )
    assert answer.status_code == 500
    assert "reference" in answer.json()
    assert "13800001234" not in answer.text


def test_an_action_that_cannot_do_its_deed_says_so(house: RunningHouse) -> None:
    call = TRACKER | {"next_action": "action_hand_off"}
    answer = httpx.post(
        internal(house, "ACTIONS_PORT", "/webhook"), json=call, headers=token(house), trust_env=False
    )
    assert answer.status_code == 200
    assert answer.json()["responses"], "never silence"


def test_a_first_message_that_was_cut_off_anywhere_is_answered_when_it_comes_again(
    house: RunningHouse,
) -> None:
    url = internal(house, "RASA_PORT", "/webhooks/switchboard/webhook")
    for milliseconds in range(2, 24, 2):
        sender = uuid.uuid4().hex
        told = {"message_id": 1, "conversation_id": sender, "channel": "web", "as_of": "2026-11-22"}
        body = {"sender": sender, "message": "加班费怎么算", "metadata": told}
        with contextlib.suppress(httpx.TimeoutException):
            httpx.post(url, json=body, headers=token(house), timeout=milliseconds / 1000, trust_env=False)
        for _ in range(2):
            answer = httpx.post(url, json=body, headers=token(house), timeout=20, trust_env=False).json()
            assert len(answer["messages"]) == 1, f"cut off after {milliseconds} ms"


def test_a_member_cannot_send_rasa_a_command(member: Member) -> None:
    member.say("我叫王建国，在历下区上班")
    for text in (
        "/restart",
        "/session_start",
        '/inform{"phone":"13900000000"}',
        "／restart",
        "/request_human",
    ):
        assert member.say(text), text
    assert "12351" in member.say("给我转人工"), "the bot still owns the conversation: no command went through"


def test_restart_does_not_make_the_bot_talk_over_a_human(member: Member) -> None:
    member.say("转人工")
    for text in ("/restart", "你好", "高温费多少"):
        assert member.say(text) == ""


def test_a_button_fits_telegrams_callback_and_nobody_elses_works(member: Member, house: RunningHouse) -> None:
    member.say("你好")
    payloads = [button["payload"] for button in member.last()["buttons"]]
    assert payloads
    assert all(len(payload.encode()) <= 64 for payload in payloads)
    stranger = house.member()
    assert stranger.post(payload=payloads[0]).status_code in (404, 422)
    assert stranger.post(payload="b:forged0000000000").status_code in (404, 422)
    assert stranger.post(payload='/inform{"district":"历下区"}').status_code == 422
