"""Bad input: each gets a clear 4xx in the one shape, quotes nothing of what was sent, and loses nothing."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.api.errors import ApiError
from bot.api.limits import JSON_LIMIT_BYTES
from bot.house import House
from casework import messages
from casework.wording import Wording
from tests.bot.api.conftest import Phone, new_client
from tests.bot.fakes import Script

MESSAGE = {"client_message_id": "m1", "text": "没给钱"}


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The error in a response, which must have the one shape and a Chinese sentence."""
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details"}
    assert any("\u4e00" <= one <= "\u9fff" for one in error["message"])
    assert isinstance(error["details"], list)
    return error


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_message"),
        ("   \n\t ", "empty_message"),
        ("\x00\x01\x1f", "empty_message"),
        ("\u200b\u200d", "empty_message"),
        ("啊" * 4001, "message_too_long"),
        ("a" * 20_000, "message_too_long"),
    ],
)
async def test_text_that_cannot_be_used_is_422_and_the_next_message_is_answered(
    phone: Phone, text: str, code: str
) -> None:
    response = await phone.say(text)
    assert (response.status_code, error_of(response)["code"]) == (422, code)
    assert (await phone.get("/messages")).json() == {"messages": []}
    assert (await phone.say("没给钱")).json()["messages"][0]["text"] == "答：没给钱"


async def test_a_text_that_is_too_long_is_told_the_limit(phone: Phone) -> None:
    error = error_of(await phone.say("a" * 20_000))
    assert error["details"] == [{"limit": 4000, "length": 20000}]
    assert "4000" in error["message"]
    assert "分成几条" in error["message"]


async def test_twenty_thousand_characters_of_chinese_are_4xx_and_nothing_else_breaks(phone: Phone) -> None:
    for body in (
        json.dumps({"client_message_id": "m1", "text": "啊" * 20_000}),
        json.dumps({"client_message_id": "m1", "text": "啊" * 20_000}, ensure_ascii=False),
    ):
        response = await phone.client.post(
            f"{phone.url}/messages",
            content=body.encode(),
            headers={**phone.headers, "Content-Type": "application/json"},
        )
        assert response.status_code in (413, 422)
        error_of(response)
    assert (await phone.say("没给钱", "m2")).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "😀😀😀",
        "'; DROP TABLE messages; --",
        '" OR 1=1 --',
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "{{7*7}} ${7*7} %s %(x)s {0.__class__}",
        "老板\x00拖欠工资",
        "\u202e反过来的字",
        "🏳️‍🌈👨‍👩‍👧‍👦",
        "/restart",
        '/inform{"phone":"13800138000"}',
    ],
)
async def test_strange_text_is_text(phone: Phone, script: Script, text: str) -> None:
    response = await phone.say(text)
    assert response.status_code == 200
    shown = (await phone.get("/messages")).json()["messages"][0]["text"]
    assert shown == text.replace("\x00", "")
    assert not script.heard[0].text.startswith("/")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        7,
        {},
        {"text": "没给钱"},
        {"client_message_id": "m1", "txt": "没给钱"},
        {"client_message_id": None, "text": "没给钱"},
        {"client_message_id": 7, "text": "没给钱"},
        {"client_message_id": "", "text": "没给钱"},
        {"client_message_id": "x" * 81, "text": "没给钱"},
        {"client_message_id": "m\n1", "text": "没给钱"},
        {"client_message_id": "m1", "text": 7},
        {"client_message_id": "m1", "text": ["没给钱"]},
        {"client_message_id": "m1", "text": {"a": "没给钱"}},
        {"client_message_id": "m1"},
        {"client_message_id": "m1", "payload": "b:forged"},
        {"client_message_id": "m1", "payload": "/restart"},
        {"client_message_id": "m1", "payload": 7},
        {"client_message_id": "m1", "payload": "b:" + "x" * 100},
        {"client_message_id": "m1", "location": {"latitude": 91, "longitude": 0}},
        {"client_message_id": "m1", "location": {"latitude": "north", "longitude": 0}},
        {"client_message_id": "m1", "location": {"latitude": 36.6}},
        {"client_message_id": "m1", "location": [36.6, 117.0]},
        {"client_message_id": "m1", "attachment_ids": "abc"},
        {"client_message_id": "m1", "attachment_ids": [7]},
        {"client_message_id": "m1", "attachment_ids": ["a", "a"]},
        {"client_message_id": "m1", "attachment_ids": list("abcdef")},
        {"client_message_id": "m1", "text": "没给钱", "payload": "menu"},
    ],
)
async def test_a_body_that_is_no_message_is_422(phone: Phone, body: Any) -> None:
    response = await phone.post("/messages", body)
    assert response.status_code == 422
    error_of(response)
    assert (await phone.get("/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"{", {422}),
        (b'{"client_message_id": "m1", "text": "\xff\xfe"}', {400}),
        (b'{"client_message_id": "m1", "text": "\\ud800"}', {200, 422}),
        (b'{"client_message_id": "m1", "location": {"latitude": NaN, "longitude": 1}}', {422}),
        (b'{"client_message_id": "m1", "location": {"latitude": 1e999, "longitude": 1}}', {422}),
        (b'{"client_message_id": "m1", "text": ' + b"[" * 5000 + b"]" * 5000 + b"}", {400, 422}),
        (b'{"client_message_id": ' + b"9" * 5000 + b', "text": "a"}', {400, 422}),
        (b"\x00" * 100, {422}),
    ],
)
async def test_bytes_that_are_hardly_json_are_4xx(phone: Phone, content: bytes, statuses: set[int]) -> None:
    response = await phone.client.post(
        f"{phone.url}/messages",
        content=content,
        headers={**phone.headers, "Content-Type": "application/json"},
    )
    assert response.status_code in statuses
    if response.status_code != 200:
        error_of(response)


@pytest.mark.parametrize(
    "params",
    [{"after": "x"}, {"after": -1}, {"after": 2**63}, {"limit": 0}, {"limit": 201}, {"limit": "all"}],
)
async def test_a_query_out_of_range_is_422(phone: Phone, params: dict[str, Any]) -> None:
    response = await phone.get("/messages", **params)
    assert response.status_code == 422
    assert error_of(response)["details"][0]["field"].startswith("query.")


async def test_a_last_event_id_that_is_no_number_is_422(phone: Phone) -> None:
    headers = {**phone.headers, "Last-Event-ID": "yesterday"}
    response = await phone.client.get(f"{phone.url}/events", headers=headers)
    assert response.status_code == 422


async def test_nothing_that_was_sent_is_quoted_in_an_error(phone: Phone) -> None:
    for body in (
        {"client_message_id": "m1", "text": {"电话": "13800138000"}},
        {"client_message_id": "m1", "text": "13800138000" * 1000},
        {"client_message_id": "13800138000" * 10, "text": "张三"},
        {"client_message_id": "m1", "payload": "b:13800138000"},
    ):
        response = await phone.post("/messages", body)
        assert response.status_code == 422
        assert "13800138000" not in response.text
        assert "张三" not in response.text


# --- too large


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_above_the_limit_is_413_before_it_is_parsed(phone: Phone, declared: bool) -> None:
    content = json.dumps({**MESSAGE, "text": "a" * JSON_LIMIT_BYTES}).encode()

    async def dribble() -> Any:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    response = await phone.client.post(
        f"{phone.url}/messages",
        content=content if declared else dribble(),
        headers={**phone.headers, "Content-Type": "application/json"},
    )
    assert ("content-length" in response.request.headers) is declared
    assert (response.status_code, error_of(response)["code"]) == (413, "too_large")
    assert "64" in error_of(response)["message"]


async def test_a_body_at_the_limit_is_read(phone: Phone) -> None:
    content = json.dumps(MESSAGE, ensure_ascii=False).encode()
    content += b" " * (JSON_LIMIT_BYTES - len(content))
    headers = {**phone.headers, "Content-Type": "application/json"}
    assert (
        await phone.client.post(f"{phone.url}/messages", content=content, headers=headers)
    ).status_code == 200


async def test_a_length_that_is_a_lie_does_not_help(phone: Phone) -> None:
    content = json.dumps({**MESSAGE, "text": "a" * JSON_LIMIT_BYTES}).encode()
    headers = {**phone.headers, "Content-Type": "application/json", "Content-Length": "10"}
    response = await phone.client.post(f"{phone.url}/messages", content=content, headers=headers)
    assert response.status_code == 413


# --- everything else


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_such_page"),
        ("GET", "/api/v1/nowhere", 404, "no_such_page"),
        ("GET", "/api/v1/conversations", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/health", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there_has_the_same_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path)
    assert (response.status_code, error_of(response)["code"]) == (status, code)


async def test_the_unexpected_is_500_with_a_reference_that_is_in_the_log_and_nothing_else_is(
    app: FastAPI,
    phone: Phone,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def stumble(*args: object, **values: object) -> None:
        raise ValueError("张三 13800138000")

    monkeypatch.setattr(messages, "record_incoming", stumble)
    response = await phone.say("我是张三 13800138000")
    assert response.status_code == 500
    error = error_of(response)
    reference = error["details"][0]["reference"]
    assert reference in error["message"]
    assert "12351" in error["message"]
    assert reference in caplog.text
    assert "POST /api/v1/conversations/{conversation_id}/messages" in caplog.text
    assert "ValueError" in caplog.text
    for secret in ("13800138000", "张三", phone.token, phone.conversation_id):
        assert secret not in caplog.text + response.text


async def test_a_conversation_full_of_phone_numbers_leaves_none_in_the_log(
    app: FastAPI, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for ours in ("bot", "casework", "fastapi", "starlette", "uvicorn"):
        caplog.set_level(logging.DEBUG, logger=ours)
    number = "13912345678"
    async with new_client(app) as client:
        begun = (await client.post("/api/v1/conversations", json={"channel": number})).status_code
        assert begun == 422
        made = (await client.post("/api/v1/conversations")).json()
        phone = Phone(client, made["conversation_id"], made["token"])
        for index, text in enumerate(
            [f"我电话{number}", number * 2000, f"/inform{{{number}}}", f"打{number}"]
        ):
            await phone.say(text, f"m{index}")
        await phone.post("/messages", {"client_message_id": number, "text": number})
        await phone.post("/messages", {"client_message_id": number * 10, "payload": number, "extra": number})
        await phone.get(f"/attachments/{number}")
        await client.get(f"/api/v1/conversations/{number}/messages?phone={number}")
        files = {"file": (f"{number}.exe", number.encode() * 10, "application/x-msdownload")}
        await client.post(f"{phone.url}/attachments", files=files, headers=phone.headers)
    assert script.heard
    # httpx is the test's own client; in the bot's process its INFO lines are off (bot.logs).
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert lines
    assert number not in "\n".join(lines)


def test_every_error_of_the_api_has_its_sentence(wording: Wording) -> None:
    def family(kind: type[ApiError]) -> set[type[ApiError]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    codes = {kind.code for kind in family(ApiError)} | {
        "invalid",
        "fault",
        "no_such_page",
        "method_not_allowed",
    }
    assert {code for code in codes if not wording.has(f"api.{code}")} == set()
