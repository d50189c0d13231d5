"""The waiting side of the API: a member sees their place, who came and who types, and never a write-up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.house import House
from casework import conversations, handoff, staff_talk
from casework.clock import FixedClock
from casework.tables import Conversation, Presence, Staff
from tests.bot.api.conftest import Phone, Stream, new_phone
from tests.bot.fakes import Script
from tests.factories import make_staff


def events(text: str, kind: str) -> list[Any]:
    """The data of the events of one kind, in order."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if lines.get("event") == kind:
            found.append(json.loads(lines["data"]))
    return found


def so_many(kind: str, number: int) -> Callable[[str], bool]:
    return lambda text: len(events(text, kind)) >= number


async def watched(app: FastAPI, phone: Phone) -> Stream:
    stream = Stream(app, f"{phone.url}/events", phone.headers)
    await stream.until(so_many("owner", 1))
    return stream


async def calls_a_human(house: House, phone: Phone) -> None:
    assert isinstance(house.clock, FixedClock)
    house.clock.advance(timedelta(seconds=1))
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", house.clock.now())


async def comes(house: House, phone: Phone, badge: str | None) -> Staff:
    async with house.database.transaction() as session:
        worker = await make_staff(
            session, badge=badge, presence=Presence.ONLINE, seen_at=house.clock.now(), display_name="李秘密"
        )
        conversation = await conversations.get(session, phone.conversation_id)
        await handoff.take_over(session, conversation, worker, house.clock.now(), wording=house.wording)
        return worker


async def test_a_receipt_says_who_speaks_and_where_the_member_stands(
    client: httpx.AsyncClient, phone: Phone, house: House, script: Script
) -> None:
    first = await new_phone(client)
    talk = (await phone.say("你好", "m1")).json()
    assert (talk["owner"], talk["badge"], talk["ahead"], talk["minutes"]) == ("bot", None, None, None)
    await calls_a_human(house, first)
    await calls_a_human(house, phone)
    queued = (await phone.say("还在吗", "m2")).json()
    assert (queued["owner"], queued["badge"], queued["ahead"], queued["minutes"]) == ("queued", None, 1, None)
    worker = await comes(house, phone, "07")
    human = (await phone.say("您好", "m3")).json()
    assert (human["owner"], human["badge"], human["ahead"]) == ("human", "07", None)
    async with house.database.transaction() as session:
        conversation = await session.get_one(Conversation, phone.conversation_id)
        await staff_talk.reply(session, conversation.id, worker, "好的", house.clock.now())
        await handoff.finish(session, conversation, worker, house.clock.now())
    assert (await phone.say("谢谢", "m4")).json()["owner"] == "human"


async def test_a_waiting_member_sees_the_queue_move_without_a_message(
    app: FastAPI, client: httpx.AsyncClient, phone: Phone, house: House
) -> None:
    first = await new_phone(client)
    await calls_a_human(house, first)
    await calls_a_human(house, phone)
    stream = await watched(app, phone)
    assert events(stream.text, "owner") == [{"owner": "queued", "ahead": 1, "minutes": None}]
    await comes(house, first, "03")
    await stream.until(so_many("owner", 2))
    assert events(stream.text, "owner")[1] == {"owner": "queued", "ahead": 0, "minutes": None}
    assert events(stream.text, "message") == []
    await stream.hang_up()


@pytest.mark.parametrize("badge", ["07", None])
async def test_who_comes_is_told_by_badge_and_is_still_there_while_they_write_up(
    app: FastAPI, phone: Phone, house: House, badge: str | None
) -> None:
    await calls_a_human(house, phone)
    stream = await watched(app, phone)
    worker = await comes(house, phone, badge)
    await stream.until(so_many("owner", 2))
    assert events(stream.text, "owner")[1] == {"owner": "human", "badge": badge}
    async with house.database.transaction() as session:
        conversation = await session.get_one(Conversation, phone.conversation_id)
        said = await staff_talk.reply(session, conversation.id, worker, "先这样", house.clock.now())
        await handoff.finish(session, conversation, worker, house.clock.now())
    await stream.until(lambda text: "先这样" in text)
    async with house.database.transaction() as session:
        conversation = await session.get_one(Conversation, phone.conversation_id)
        await handoff.hand_back(session, conversation, worker, house.clock.now(), wording=house.wording)
    await stream.until(so_many("owner", 3))
    owners = [one["owner"] for one in events(stream.text, "owner")]
    assert owners == ["queued", "human", "bot"], "the write-up is nothing members hear of"
    assert "李秘密" not in stream.text
    assert said.id in [one["id"] for one in events(stream.text, "message")]
    await stream.hang_up()


async def test_a_member_sees_that_the_worker_types_and_not_that_others_look(
    app: FastAPI, phone: Phone, house: House
) -> None:
    await calls_a_human(house, phone)
    worker = await comes(house, phone, "07")
    stream = await watched(app, phone)
    async with house.database.transaction() as session:
        onlooker = await make_staff(session)
        await staff_talk.watch(session, onlooker, phone.conversation_id, house.clock.now(), typing=True)
        await staff_talk.watch(session, worker, phone.conversation_id, house.clock.now())
    async with house.database.transaction() as session:
        await staff_talk.watch(session, worker, phone.conversation_id, house.clock.now(), typing=True)
    await stream.until(so_many("typing", 1))
    async with house.database.transaction() as session:
        await staff_talk.watch(session, worker, phone.conversation_id, house.clock.now())
    await stream.until(so_many("typing", 2))
    assert events(stream.text, "typing") == [{"typing": True}, {"typing": False}]
    await stream.hang_up()


async def test_the_documentation_names_what_a_waiting_member_is_told(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    receipt = described["components"]["schemas"]["ReceiptOut"]["properties"]
    assert {"badge", "ahead", "minutes"} <= receipt.keys()
    assert receipt["owner"]["enum"] == ["bot", "queued", "human"]
    watch = described["paths"]["/api/v1/conversations/{conversation_id}/events"]["get"]["description"]
    for word in ("`badge`", "`ahead`", "`minutes`", "`typing`"):
        assert word in watch
