"""The API's conversations: begun, spoken in, read, watched; opened by their own token only."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import fastapi.routing
import httpx
import pytest
from fastapi import FastAPI

from bot.app import end_streams
from bot.house import House
from bot.views import PRIVACY_VERSION
from casework import conversations, handoff, members, messages
from casework.messages import Reply
from casework.tables import Author, Channel
from tests.bot.api.conftest import Phone, Stream, new_client, new_phone
from tests.bot.fakes import Script, Trouble, say
from tests.factories import make_staff


async def test_a_conversation_is_begun_spoken_in_and_read(phone: Phone, script: Script) -> None:
    script.will_say(
        say("先说结论。", "要开工单吗？", topic="labour.wage_arrears", buttons=(("开工单", "/request_case"),))
    )
    response = await phone.say("俺干了仨月没给钱")
    assert response.status_code == 200
    receipt = response.json()
    assert (receipt["duplicate"], receipt["owner"]) == (False, "bot")
    first, last = receipt["messages"]
    assert (first["author"], first["text"], first["buttons"]) == ("bot", "先说结论。", [])
    assert last["topic"] == "labour.wage_arrears"
    assert last["sources"] == [
        {"title": "中华人民共和国劳动法", "article": "第五十条", "as_of": "2025-04-30"}
    ]
    assert [button["title"] for button in last["buttons"]] == ["开工单"]
    assert set(last) == {
        "id", "author", "text", "buttons", "attachments", "topic", "sources", "vote", "created_at",
    }  # fmt: skip
    assert datetime.fromisoformat(last["created_at"]).utcoffset() is not None
    read = (await phone.get("/messages")).json()["messages"]
    assert [message["id"] for message in read] == [receipt["message_id"], first["id"], last["id"]]
    assert read[0]["text"] == "俺干了仨月没给钱"
    assert read[1:] == [first, last]


async def test_a_button_is_pressed_by_sending_its_payload_back(phone: Phone, script: Script) -> None:
    script.will_say(say("要开工单吗？", buttons=(("开工单", "/request_case"),)))
    (message,) = (await phone.say("没给钱")).json()["messages"]
    payload = message["buttons"][0]["payload"]
    response = await phone.post("/messages", {"client_message_id": "m2", "payload": payload})
    assert response.status_code == 200
    assert script.heard[-1].text == "/request_case"


async def test_a_position_is_shared(phone: Phone, script: Script) -> None:
    body = {"client_message_id": "m1", "location": {"latitude": 36.65, "longitude": 117.12}}
    assert (await phone.post("/messages", body)).status_code == 200
    assert script.heard[-1].text.startswith("/share_location{")


async def test_the_same_client_message_id_twice_is_one_message(phone: Phone, script: Script) -> None:
    one, two = await asyncio.gather(phone.say("没给钱", "m1"), phone.say("没给钱", "m1"))
    assert {one.json()["duplicate"], two.json()["duplicate"]} == {False, True}
    assert one.json()["messages"] == two.json()["messages"]
    assert len(script.heard) == 1


async def test_only_what_came_after_a_message_is_read(phone: Phone) -> None:
    for number in range(3):
        await phone.say(f"第{number}句", f"m{number}")
    everything = (await phone.get("/messages")).json()["messages"]
    page = (await phone.get("/messages", after=everything[1]["id"], limit=2)).json()["messages"]
    assert page == everything[2:4]


@pytest.mark.parametrize(
    "wanted", [None, {}, {"channel": "api"}, {"channel": "web"}, {"channel": "web", "consent": True}]
)
async def test_a_conversation_may_begin_with_nothing_said_about_it(
    client: httpx.AsyncClient, house: House, wanted: dict[str, Any] | None
) -> None:
    response = await client.post("/api/v1/conversations", json=wanted)
    assert response.status_code == 201
    begun = response.json()
    async with house.database.read() as session:
        conversation = await conversations.get(session, begun["conversation_id"])
        member = await members.get(session, conversation.member_id)
    assert conversation.channel is Channel((wanted or {}).get("channel", "api"))
    consented = (wanted or {}).get("consent", False)
    assert (begun["consent"], member.consent_version) == (
        consented,
        PRIVACY_VERSION if consented else None,
    )


async def test_a_conversation_may_begin_with_no_body_at_all(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/conversations")).status_code == 201


async def test_consent_may_be_given_later(phone: Phone, house: House) -> None:
    response = await phone.post("/consent", {"consent": True})
    assert response.json() == {"consent": True, "version": PRIVACY_VERSION}
    async with house.database.read() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        assert (await members.get(session, conversation.member_id)).consent_version == PRIVACY_VERSION
    assert (await phone.post("/consent", {"consent": False})).status_code == 422


async def test_while_a_human_owns_it_replies_come_later(phone: Phone, script: Script, house: House) -> None:
    script.will_say(Trouble.DOWN)
    failed = (await phone.say("没给钱", "m1")).json()
    assert failed["owner"] == "queued"
    assert "12351" in failed["messages"][0]["text"]
    quiet = (await phone.say("在吗", "m2")).json()
    assert (quiet["owner"], quiet["messages"]) == ("queued", [])
    await answer_as_staff(house, phone, "我是坐席小李")
    read = (await phone.get("/messages", after=quiet["message_id"])).json()["messages"]
    assert [(message["author"], message["text"]) for message in read] == [("staff", "我是坐席小李")]


# --- who may enter


ROUTES = [
    ("POST", "/messages", {"client_message_id": "m1", "text": "没给钱"}),
    ("GET", "/messages", None),
    ("GET", "/events", None),
    ("POST", "/consent", {"consent": True}),
    ("POST", "/attachments", None),
    ("GET", "/attachments/0123456789abcdef0123456789abcdef", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_without_a_token_nothing_of_a_conversation_is_open(
    phone: Phone, method: str, path: str, body: Any
) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
        response = await phone.client.request(method, phone.url + path, json=body, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json()["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_a_wrong_token_and_a_wrong_conversation_are_not_told_apart(
    phone: Phone, method: str, path: str, body: Any
) -> None:
    other = await new_phone(phone.client)
    answers = []
    for url, token in [
        (phone.url, "wrong"),
        (phone.url, other.token),
        (phone.url, "令牌".encode().decode("latin-1")),
        ("/api/v1/conversations/no-such", phone.token),
        ("/api/v1/conversations/对话%00", phone.token),
        (f"/api/v1/conversations/{'x' * 3000}", phone.token),
    ]:
        headers = {b"Authorization": f"Bearer {token}".encode("latin-1")}
        response = await phone.client.request(method, url + path, json=body, headers=headers)
        answers.append((response.status_code, response.text))
    assert {status for status, _ in answers} == {404}
    assert len({text for _, text in answers}) == 1


async def test_somebody_elses_button_is_refused(phone: Phone, script: Script) -> None:
    other = await new_phone(phone.client)
    script.will_say(say("要开工单吗？", buttons=(("开工单", "/request_case"),)))
    payload = (await phone.say("没给钱")).json()["messages"][0]["buttons"][0]["payload"]
    response = await other.post("/messages", {"client_message_id": "m1", "payload": payload})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "unknown_button")


# --- events


def events(text: str) -> list[tuple[str, str | None, Any]]:
    """The events of a stream: kind, id, data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


async def test_events_hold_what_is_said_by_whom_and_who_speaks(
    app: FastAPI, phone: Phone, script: Script, house: House
) -> None:
    stream = Stream(app, f"{phone.url}/events", phone.headers)
    await stream.until(lambda text: "owner" in text)
    receipt = (await phone.say("找人工")).json()
    await stream.until(lambda text: f"id: {receipt['messages'][0]['id']}\n" in text)
    await answer_as_staff(house, phone, "我是坐席小李")
    text = await stream.until(lambda text: "我是坐席小李" in text)
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["x-accel-buffering"] == "no"
    happened = events(text)
    assert [(kind, data.get("owner") or data["text"]) for kind, _, data in happened] == [
        ("owner", "bot"),
        ("message", "找人工"),
        ("message", "答：找人工"),
        ("owner", "human"),
        ("message", "我是坐席小李"),
    ]
    read = (await phone.get("/messages")).json()["messages"]
    assert [data for kind, _, data in happened if kind == "message"] == read
    assert [name for kind, name, _ in happened if kind == "message"] == [str(one["id"]) for one in read]
    await stream.hang_up()
    assert house.switchboard.feed.subscribers == 0


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_broken_stream_goes_on_where_it_stopped(app: FastAPI, phone: Phone, how: str) -> None:
    first = (await phone.say("一", "m1")).json()
    last_seen = str(first["messages"][0]["id"])
    second = (await phone.say("二", "m2")).json()
    path, headers = f"{phone.url}/events", dict(phone.headers)
    if how == "header":
        headers["Last-Event-ID"] = last_seen
    else:
        path += f"?after={last_seen}"
    stream = Stream(app, path, headers)
    text = await stream.until(lambda text: "答：二" in text)
    await stream.hang_up()
    ids = [int(name) for kind, name, _ in events(text) if name]
    assert ids == [second["message_id"], second["messages"][0]["id"]]


async def test_a_quiet_stream_is_kept_alive_by_comments(
    app: FastAPI, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    interval = "_PING_INTERVAL"  # FastAPI's own, not exported
    assert vars(fastapi.routing)[interval] == 15.0
    monkeypatch.setitem(vars(fastapi.routing), interval, 0.02)
    stream = Stream(app, f"{phone.url}/events", phone.headers)
    await stream.until(lambda text: text.count(": ping\n\n") >= 2)
    await stream.hang_up()


async def test_streams_end_when_the_process_is_to_stop(app: FastAPI, phone: Phone, house: House) -> None:
    stream = Stream(app, f"{phone.url}/events", phone.headers)
    await stream.until(lambda text: "owner" in text)
    end_streams(app)
    await stream.end()
    assert stream.ended


# --- limits


async def test_a_conversation_may_send_so_many_messages_a_minute(phone: Phone, house: House) -> None:
    allowed = house.settings.rate_messages_per_minute
    statuses = [(await phone.say(f"第{n}句", f"m{n}")).status_code for n in range(allowed + 1)]
    assert statuses == [200] * allowed + [429]
    refused = await phone.say("再来一句", "again")
    assert refused.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] in refused.json()["error"]["message"]
    other = await new_phone(phone.client)
    assert (await other.say("你好呀")).status_code == 200


async def test_a_wrong_token_spends_nothing_of_a_conversations_allowance(phone: Phone, house: House) -> None:
    for _ in range(house.settings.rate_messages_per_minute + 5):
        stranger = Phone(phone.client, phone.conversation_id, "wrong")
        assert (await stranger.say("没给钱")).status_code == 404
    assert (await phone.say("没给钱")).status_code == 200


async def test_an_address_may_begin_so_many_conversations(app: FastAPI, house: House) -> None:
    allowed = house.settings.rate_conversations_per_hour
    async with new_client(app, "198.51.100.1") as one, new_client(app, "198.51.100.2") as other:
        statuses = [(await one.post("/api/v1/conversations")).status_code for _ in range(allowed + 1)]
        assert statuses == [201] * allowed + [429]
        assert (await other.post("/api/v1/conversations")).status_code == 201


async def answer_as_staff(house: House, phone: Phone, text: str) -> None:
    """A hotline worker takes the conversation and says something, from another process."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", now, actor="member")
        staff = await make_staff(session)
        await handoff.take_over(session, conversation, staff, now)
        await messages.record_replies(
            session,
            phone.conversation_id,
            [Reply(text=text)],
            in_reply_to=None,
            author=Author.STAFF,
            staff_id=staff.id,
            epoch_seen=None,
            now=now,
        )
