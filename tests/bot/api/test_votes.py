"""Whether an answer helped, over the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.house import House
from casework import conversations, handoff
from tests.bot.api.conftest import Phone, new_phone
from tests.bot.fakes import Script, say


async def an_answer(
    phone: Phone, script: Script, topic: str | None = "labour.wage_arrears"
) -> dict[str, Any]:
    script.will_say(say("工资要按月发。", topic=topic))
    (message,) = (await phone.say("没给钱", f"m-{topic}")).json()["messages"]
    shown: dict[str, Any] = message
    return shown


async def put(phone: Phone, message_id: int | str, body: Any) -> httpx.Response:
    return await phone.client.put(f"{phone.url}/messages/{message_id}/vote", json=body, headers=phone.headers)


async def take_back(phone: Phone, message_id: int) -> httpx.Response:
    return await phone.client.delete(f"{phone.url}/messages/{message_id}/vote", headers=phone.headers)


async def shown_vote(phone: Phone, message_id: int) -> str | None:
    read = (await phone.get("/messages")).json()["messages"]
    (vote,) = [message["vote"] for message in read if message["id"] == message_id]
    return None if vote is None else str(vote)


async def test_the_last_word_counts_and_is_read_again(phone: Phone, script: Script) -> None:
    answer = await an_answer(phone, script)
    assert answer["vote"] == "open"
    for helpful, vote in ((True, "helpful"), (False, "unhelpful"), (False, "unhelpful")):
        response = await put(phone, answer["id"], {"helpful": helpful})
        assert (response.status_code, response.json()) == (200, {"message_id": answer["id"], "vote": vote})
        assert await shown_vote(phone, answer["id"]) == vote
    response = await take_back(phone, answer["id"])
    assert (response.status_code, response.json()) == (200, {"message_id": answer["id"], "vote": "open"})
    assert await shown_vote(phone, answer["id"]) == "open"
    assert (await take_back(phone, answer["id"])).status_code == 200


async def test_nobody_is_asked_about_small_talk_or_their_own_words(phone: Phone, script: Script) -> None:
    assert [(await an_answer(phone, script, topic))["vote"] for topic in (None, "talk.greet")] == [None, None]
    read = (await phone.get("/messages")).json()["messages"]
    assert {message["vote"] for message in read if message["author"] == "member"} == {None}


async def test_a_vote_is_taken_while_a_human_speaks(phone: Phone, script: Script, house: House) -> None:
    answer = await an_answer(phone, script)
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", house.clock.now(), actor="member")
    assert (await put(phone, answer["id"], {"helpful": False})).status_code == 200
    # A vote is not a word in the conversation: nobody answers it.
    assert len((await phone.get("/messages")).json()["messages"]) == 2


async def test_what_is_no_answer_in_this_conversation_is_refused_in_chinese(
    client: httpx.AsyncClient, phone: Phone, script: Script, house: House
) -> None:
    answer = await an_answer(phone, script)
    stranger = await new_phone(client)
    own_words = answer["id"] - 1
    for who, message_id in ((stranger, answer["id"]), (phone, own_words), (phone, 2**63 - 1)):
        for response in (await put(who, message_id, {"helpful": True}), await take_back(who, message_id)):
            assert response.status_code == 404
            assert response.json()["error"]["code"] == "not_found"
            assert response.json()["error"]["message"] == house.wording.say("refusal.not_found_answer")
    assert await shown_vote(phone, answer["id"]) == "open"


async def test_without_the_token_nobody_votes(phone: Phone, script: Script) -> None:
    answer = await an_answer(phone, script)
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 404)):
        for method, body in (("PUT", {"helpful": True}), ("DELETE", None)):
            url = f"{phone.url}/messages/{answer['id']}/vote"
            response = await phone.client.request(method, url, json=body, headers=headers)
            assert response.status_code == status
    assert await shown_vote(phone, answer["id"]) == "open"


@pytest.mark.parametrize("body", [{}, {"helpful": None}, {"helpful": "true"}, {"helpful": 1}, {"x": 1}, []])
async def test_anything_but_a_plain_yes_or_no_is_refused(phone: Phone, script: Script, body: Any) -> None:
    answer = await an_answer(phone, script)
    response = await put(phone, answer["id"], body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid")


@pytest.mark.parametrize("message_id", ["0", "-1", str(2**63), "x", "1.5"])
async def test_what_cannot_be_an_id_is_refused(phone: Phone, message_id: str) -> None:
    assert (await put(phone, message_id, {"helpful": True})).status_code == 422
