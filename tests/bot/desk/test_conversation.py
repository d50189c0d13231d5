"""The conversation page and its deeds, with the member on the other side of the real application."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.house import House
from casework import canned, conversations, messages
from casework.clock import FixedClock
from casework.messages import Reply
from casework.tables import (
    Alert,
    Attachment,
    AuditEntry,
    Author,
    Case,
    Channel,
    Delivery,
    Handling,
    Message,
    OutboxEntry,
    Owner,
    StaffRole,
    Team,
    TrainingSuggestion,
)
from tests.bot.api.conftest import Phone, Stream
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.bot.fakes import Script, say
from tests.factories import make_conversation, make_member, make_message, make_staff

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
async def worker(desk_client: SignIn) -> DeskClient:
    return await desk_client(StaffRole.AGENT, badge="07", display_name="李坐席")


@pytest.fixture
async def colleague(desk_client: SignIn) -> DeskClient:
    return await desk_client(StaffRole.AGENT, badge="08", display_name="王坐席")


def at(phone: Phone, rest: str = "") -> str:
    """An address of the phone's conversation at the desk."""
    return f"/desk/c/{phone.conversation_id}{rest}"


async def texts(phone: Phone) -> list[str]:
    """What the member can read."""
    return [message["text"] for message in (await phone.get("/messages")).json()["messages"]]


async def do(browser: httpx.AsyncClient, where: str, status: int = 200, **fields: Any) -> Any:
    """Post a form as a script does."""
    response = await browser.post(where, data=fields, headers={"Accept": "application/json"})
    assert response.status_code == status, response.text
    return response.json()


async def owner_of(house: House, phone: Phone) -> Owner:
    """Who speaks in the phone's conversation."""
    async with house.database.read() as session:
        return (await conversations.get(session, phone.conversation_id)).owner


async def count(house: House, what: Any) -> int:
    """How many records of a kind there are."""
    async with house.database.read() as session:
        return len((await session.scalars(select(what))).all())


async def test_a_worker_takes_over_replies_and_the_member_reads_it(worker: DeskClient, phone: Phone) -> None:
    await phone.say("老板欠我三个月工资")
    assert (await do(worker, at(phone, "/takeover")))["owner"] == "human"
    done = await do(worker, at(phone, "/reply"), text="您好，哪个单位？", client_message_id="x1")
    said = await texts(phone)
    assert said[-1] == "您好，哪个单位？"
    assert "07" in said[-2]
    page = (await worker.page(at(phone))).text
    assert f'id="m{done["message_id"]}"' in page
    assert "老板欠我三个月工资" in page
    assert "我在接待" in page


async def test_the_same_reply_sent_again_is_said_once(worker: DeskClient, phone: Phone) -> None:
    await do(worker, at(phone, "/takeover"))
    first = await do(worker, at(phone, "/reply"), text="您好", client_message_id="x1")
    again = await do(worker, at(phone, "/reply"), text="您好", client_message_id="x1")
    assert first["message_id"] == again["message_id"]
    assert (await texts(phone)).count("您好") == 1
    news = await worker.get(at(phone, "/news"))
    assert 'data-client="x1"' in news.text


async def test_a_second_workers_reply_is_refused_and_nothing_is_stored(
    worker: DeskClient, colleague: DeskClient, phone: Phone, house: House
) -> None:
    await do(worker, at(phone, "/takeover"))
    before = await count(house, Message)
    refused = await colleague.post(at(phone, "/reply"), data={"text": "我来说两句"})
    assert refused.status_code in (403, 409)
    assert refused.json()["error"]["code"] == "not_allowed"
    assert await count(house, Message) == before
    page = (await colleague.page(at(phone))).text
    assert "李坐席正在接待" in page
    assert 'data-may-reply="0"' in page


async def test_nobody_replies_while_the_bot_answers(worker: DeskClient, phone: Phone) -> None:
    assert (await worker.post(at(phone, "/reply"), data={"text": "您好"})).status_code in (403, 409)
    assert "机器人在回答" in (await worker.page(at(phone))).text


async def test_a_bot_reply_that_was_being_computed_at_takeover_is_dropped(
    worker: DeskClient, phone: Phone, script: Script
) -> None:
    release = script.hold()
    script.will_say(say("机器人的老答案"))
    asking = asyncio.create_task(phone.say("没给钱"))
    await script.hears()
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/reply"), text="我是人工")
    release.set()
    await asking
    said = await texts(phone)
    assert "机器人的老答案" not in said
    assert said[-1] == "我是人工"


async def test_a_note_is_seen_by_colleagues_and_never_by_the_member(
    worker: DeskClient, colleague: DeskClient, phone: Phone, app: FastAPI, house: House
) -> None:
    await phone.say("你好")
    stream = Stream(app, f"{phone.url}/events", phone.headers)
    await do(worker, at(phone, "/note"), text=f"他情绪激动 @{colleague.staff.login}")
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/reply"), text="听得见吗")
    seen = await stream.until(lambda text: "听得见吗" in text)
    await stream.hang_up()
    assert "情绪激动" not in seen
    assert not any("情绪激动" in text for text in await texts(phone))
    page = (await colleague.page(at(phone))).text
    assert "情绪激动" in page
    assert "仅内部可见" in page
    async with house.database.read() as session:
        (alert,) = (await session.scalars(select(Alert).where(Alert.staff_id == colleague.staff.id))).all()
    assert alert.conversation_id == phone.conversation_id


async def test_handing_back_says_so_and_the_bot_answers_again(
    worker: DeskClient, phone: Phone, script: Script, house: House
) -> None:
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/reply"), text="办好了")
    assert (await do(worker, at(phone, "/finish")))["owner"] == "wrap_up"
    assert "我在收尾" in (await worker.page(at(phone))).text
    await do(worker, at(phone, "/handback"), outcome="answered", note="已答复", said="祝您顺利")
    said = await texts(phone)
    assert any("祝您顺利" in text for text in said)
    assert house.wording.say("handoff.handed_back") in said[-1]
    assert await owner_of(house, phone) is Owner.BOT
    script.will_say(say("机器人又在了"))
    await phone.say("再问一句", "m9")
    assert (await texts(phone))[-1] == "机器人又在了"
    page = (await worker.page(at(phone))).text
    assert house.desk_rules.handoff.outcomes["answered"] in page


async def test_an_unknown_outcome_is_refused(worker: DeskClient, phone: Phone, house: House) -> None:
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/handback"), 422, outcome="no_such")
    assert await owner_of(house, phone) is Owner.HUMAN


async def test_wrapping_up_can_be_taken_back(worker: DeskClient, phone: Phone) -> None:
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/finish"))
    assert (await do(worker, at(phone, "/resume")))["owner"] == "human"


async def test_it_is_passed_on_to_a_colleague_with_a_note(
    worker: DeskClient, colleague: DeskClient, phone: Phone, house: House
) -> None:
    await do(worker, at(phone, "/takeover"))
    page = (await worker.page(at(phone))).text
    assert f'value="staff:{colleague.staff.id}"' in page
    assert f'value="staff:{worker.staff.id}"' not in page
    to = f"staff:{colleague.staff.id}"
    assert (await do(worker, at(phone, "/transfer"), to=to, note="懂工伤"))["owner"] == "queued"
    page = (await colleague.page(at(phone))).text
    assert "留给 王坐席" in page
    assert "懂工伤" in page
    assert (await do(colleague, at(phone, "/reply"), text="我接着来"))["owner"] == "human"


async def test_it_is_passed_on_to_a_team(worker: DeskClient, phone: Phone, house: House) -> None:
    async with house.database.transaction() as session:
        team = Team(name="法律组", topics=[], created_at=house.clock.now())
        session.add(team)
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/transfer"), to=f"team:{team.id}")
    async with house.database.read() as session:
        assert (await conversations.get(session, phone.conversation_id)).team_id == team.id


@pytest.mark.parametrize("to", ["", "staff:", "staff:x", "staff:99999", "boss:1", "team:99999"])
async def test_it_is_passed_on_to_nobody_else(
    worker: DeskClient, phone: Phone, house: House, to: str
) -> None:
    await do(worker, at(phone, "/takeover"))
    response = await worker.post(at(phone, "/transfer"), data={"to": to})
    assert response.status_code in (404, 422)
    assert await owner_of(house, phone) is Owner.HUMAN


async def test_it_is_released_held_snoozed_and_blocked(
    worker: DeskClient, phone: Phone, house: House, clock: FixedClock
) -> None:
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/reply"), text="您好")
    await do(worker, at(phone, "/snooze"), minutes=30)
    await do(worker, at(phone, "/snooze"), minutes=0)
    await do(worker, at(phone, "/snooze"), until="2026-07-20T15:00")
    async with house.database.read() as session:
        stored = await conversations.get(session, phone.conversation_id)
    assert stored.snoozed_until is not None
    assert stored.snoozed_until - clock.now() == timedelta(hours=5, minutes=30)
    await do(worker, at(phone, "/snooze"), 422, until="昨天")
    await do(worker, at(phone, "/hold"), minutes=5)
    assert "5 分钟" in (await texts(phone))[-1]
    await do(worker, at(phone, "/hold"), minutes=0)
    await do(worker, at(phone, "/hold"), 422, minutes=10_000)
    assert (await do(worker, at(phone, "/release")))["owner"] == "queued"
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/block"), 422, hours=2, reason=" ")
    assert (await do(worker, at(phone, "/block"), hours=2, reason="辱骂"))["owner"] == "bot"
    assert "暂不转人工" in (await worker.page(at(phone))).text
    await do(worker, at(phone, "/block"), hours=0)
    async with house.database.read() as session:
        assert (await conversations.get(session, phone.conversation_id)).blocked_until is None


async def test_a_priority_is_set(worker: DeskClient, phone: Phone) -> None:
    await do(worker, at(phone, "/takeover"))
    await do(worker, at(phone, "/priority"), priority=1)
    assert "◆ 紧急" in (await worker.page(at(phone))).text
    assert (await worker.post(at(phone, "/priority"), data={"priority": 7})).status_code == 422


async def named_conversation(house: House, worker: DeskClient) -> str:
    """A conversation the worker owns, of a member who told a name and a phone."""
    async with house.database.transaction() as session:
        member = await make_member(session, name="赵铁柱", phone="13905310531")
        conversation = await make_conversation(
            session, member, owner=Owner.HUMAN, staff_id=worker.staff.id, last_topic="labour.wage_arrears"
        )
        await make_message(
            session, conversation, text="我的电话是13905310531", handling=Handling.DONE,
            facts={"months_owed": "3", "employer": "示例建筑公司"},
        )  # fmt: skip
        return conversation.id


async def test_names_and_phones_are_masked_until_a_reason_is_given_and_again_afterwards(
    worker: DeskClient, house: House, clock: FixedClock
) -> None:
    conversation_id = await named_conversation(house, worker)
    where = f"/desk/c/{conversation_id}"
    page = (await worker.page(where)).text
    assert "赵铁柱" not in page
    assert "13905310531" not in page
    assert "赵**" in page
    await do(worker, f"{where}/unmask", 422, reason="")
    await do(worker, f"{where}/unmask", 422, reason="打13905310531")
    await do(worker, f"{where}/unmask", reason="回电核实")
    for address in (where, f"{where}/parts"):
        assert "赵铁柱" in (await worker.page(address)).text
    assert "13905310531" in (await worker.get(f"{where}/news")).text
    async with house.database.read() as session:
        (entry,) = (await session.scalars(select(AuditEntry).where(AuditEntry.deed == "unmasked"))).all()
    assert (entry.subject_id, entry.detail["reason"]) == (conversation_id, "回电核实")
    clock.advance(timedelta(minutes=16))
    page = (await worker.page(where)).text
    assert "赵铁柱" not in page
    assert "13905310531" not in page


async def test_a_colleague_does_not_see_what_was_unmasked_for_another(
    worker: DeskClient, colleague: DeskClient, house: House
) -> None:
    conversation_id = await named_conversation(house, worker)
    await do(worker, f"/desk/c/{conversation_id}/unmask", reason="回电")
    assert "赵铁柱" not in (await colleague.page(f"/desk/c/{conversation_id}")).text
    await do(colleague, f"/desk/c/{conversation_id}/unmask", 403, reason="好奇")


async def test_a_case_is_opened_from_what_was_told(worker: DeskClient, house: House) -> None:
    conversation_id = await named_conversation(house, worker)
    done = await do(worker, f"/desk/c/{conversation_id}/cases", case_type="labour_dispute")
    assert f"/desk/cases/{done['number']}" in (await worker.page(f"/desk/c/{conversation_id}")).text
    async with house.database.read() as session:
        (case,) = (await session.scalars(select(Case))).all()
    assert case.facts["months_owed"] == "3"
    await do(worker, f"/desk/c/{conversation_id}/cases", 422, case_type="nonsense")


DEEDS = (
    "takeover", "reply", "note", "handback", "finish", "resume", "release", "transfer", "hold", "snooze",
    "block", "priority", "should-be", "unmask", "cases", "watch", "files",
)  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
async def test_no_deed_is_done_without_the_forms_token(
    worker: DeskClient, phone: Phone, house: House, deed: str
) -> None:
    del worker.headers["X-CSRF-Token"]
    fields = {
        "text": "您好", "to": "staff:1", "minutes": "5", "hours": "1", "reason": "理由", "priority": "1",
        "message_id": "1", "intent": "ask_wage_arrears", "case_type": "general",
    }  # fmt: skip
    response = await worker.post(at(phone, f"/{deed}"), data=fields)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "csrf"
    assert await owner_of(house, phone) is Owner.BOT
    assert await count(house, Message) == 0


@pytest.mark.parametrize("deed", [deed for deed in DEEDS if deed != "watch"])
async def test_an_auditor_does_nothing(desk_client: SignIn, phone: Phone, deed: str) -> None:
    auditor = await desk_client(StaffRole.AUDITOR)
    fields = {
        "text": "您好", "to": "staff:1", "minutes": "5", "hours": "1", "reason": "理由", "priority": "1",
        "message_id": "1", "intent": "ask_wage_arrears", "case_type": "general",
    }  # fmt: skip
    assert (await auditor.post(at(phone, f"/{deed}"), data=fields)).status_code == 403


async def test_an_auditor_sees_everything_masked_and_has_nothing_to_press(
    desk_client: SignIn, worker: DeskClient, house: House
) -> None:
    auditor = await desk_client(StaffRole.AUDITOR)
    conversation_id = await named_conversation(house, worker)
    page = (await auditor.page(f"/desk/c/{conversation_id}")).text
    assert "赵铁柱" not in page
    assert "13905310531" not in page
    assert "您只能查看" in page
    assert "data-deed=" not in page
    assert '<dialog class="dialog" id="dialog-' not in page


async def test_what_a_member_writes_is_never_markup(worker: DeskClient, phone: Phone) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    await phone.say(evil)
    for address in (at(phone), at(phone, "/news")):
        html = (await worker.page(address)).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;alert(1)" in html


async def test_what_the_bot_should_have_understood_is_kept_without_the_phone_number(
    worker: DeskClient, phone: Phone, script: Script, house: House
) -> None:
    script.will_say(say("您是想问工资吗？", topic="labour.wage_arrears"))
    answer = (await phone.say("我电话13905310531，被公司开除了")).json()["messages"][0]
    done = await do(worker, at(phone, "/should-be"), message_id=answer["id"], intent="ask_dismissal")
    label = house.knowledge.intents["ask_dismissal"].label
    assert done["label"] == label
    async with house.database.read() as session:
        (kept,) = (await session.scalars(select(TrainingSuggestion))).all()
    assert kept.should_intent == "ask_dismissal"
    assert "13905310531" not in (kept.text or "")
    assert "开除" in (kept.text or "")
    assert f"应为：{label}" in (await worker.page(at(phone))).text
    await do(worker, at(phone, "/should-be"), message_id=answer["id"], intent="ask_overtime")
    assert await count(house, TrainingSuggestion) == 1
    await do(worker, at(phone, "/should-be"), 422, message_id=answer["id"], intent="ask_nonsense")


async def test_a_turn_of_another_conversation_is_not_corrected_from_here(
    worker: DeskClient, phone: Phone, house: House
) -> None:
    async with house.database.transaction() as session:
        elsewhere = await make_message(session)
    await do(worker, at(phone, "/should-be"), 404, message_id=elsewhere.id, intent="ask_dismissal")


async def test_a_file_goes_to_the_member_with_the_reply_that_names_it(
    worker: DeskClient, phone: Phone, house: House
) -> None:
    await phone.say("在吗")
    await do(worker, at(phone, "/takeover"))
    sent = await worker.post(at(phone, "/files"), files={"file": ("表格.png", PNG, "image/png")})
    assert sent.status_code == 201, sent.text
    kept = sent.json()
    await do(worker, at(phone, "/reply"), text="请填这张表", attachment=kept["id"])
    last = (await phone.get("/messages")).json()["messages"][-1]
    assert [file["filename"] for file in last["attachments"]] == ["表格.png"]
    shown = await worker.get(at(phone, f"/files/{kept['id']}/shown"))
    assert (shown.status_code, shown.content) == (200, PNG)
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    saved = await worker.get(at(phone, f"/files/{kept['id']}"))
    assert saved.headers["Content-Disposition"].startswith("attachment")


async def test_only_images_are_shown_in_the_page(worker: DeskClient, phone: Phone) -> None:
    await do(worker, at(phone, "/takeover"))
    sent = await worker.post(at(phone, "/files"), files={"file": ("说明.txt", b"hello", "text/plain")})
    kept = sent.json()
    assert (await worker.get(at(phone, f"/files/{kept['id']}/shown"))).status_code == 404
    assert (await worker.get(at(phone, f"/files/{kept['id']}"))).status_code == 200


async def test_files_are_not_taken_from_whom_does_not_speak_nor_shown_to_auditors(
    worker: DeskClient, colleague: DeskClient, desk_client: SignIn, phone: Phone, house: House
) -> None:
    await do(worker, at(phone, "/takeover"))
    refused = await colleague.post(at(phone, "/files"), files={"file": ("a.png", PNG, "image/png")})
    assert refused.status_code in (403, 409)
    assert await count(house, Attachment) == 0
    kept = (await worker.post(at(phone, "/files"), files={"file": ("a.png", PNG, "image/png")})).json()
    auditor = await desk_client(StaffRole.AUDITOR)
    assert (await auditor.get(at(phone, f"/files/{kept['id']}"))).status_code == 403


async def test_a_file_of_another_conversation_is_not_found_here(
    worker: DeskClient, phone: Phone, house: House
) -> None:
    await do(worker, at(phone, "/takeover"))
    kept = (await worker.post(at(phone, "/files"), files={"file": ("a.png", PNG, "image/png")})).json()
    async with house.database.transaction() as session:
        elsewhere = await make_conversation(session)
    assert (await worker.get(f"/desk/c/{elsewhere.id}/files/{kept['id']}")).status_code == 404


async def test_older_turns_are_read_backwards(worker: DeskClient, house: House) -> None:
    async with house.database.transaction() as session:
        conversation = await make_conversation(session)
        said = [
            await make_message(session, conversation, text=f"第{n}句", handling=Handling.DONE)
            for n in range(130)
        ]
    where = f"/desk/c/{conversation.id}"
    page = (await worker.page(where)).text
    assert f'id="m{said[70].id}"' in page
    assert f'id="m{said[69].id}"' not in page
    older = await worker.get(f"{where}/older", params={"before": said[70].id})
    assert older.headers["X-More"] == "1"
    assert f'id="m{said[69].id}"' in older.text
    oldest = await worker.get(f"{where}/older", params={"before": said[10].id})
    assert oldest.headers["X-More"] == "0"
    assert f'id="m{said[0].id}"' in oldest.text


async def test_a_day_is_named_once(worker: DeskClient, phone: Phone) -> None:
    await phone.say("第一句", "m1")
    news = (await worker.get(at(phone, "/news"))).text
    assert news.count('class="day"') == 1
    assert "2026年7月20日 星期一" in news
    again = await worker.get(at(phone, "/news"), params={"last_day": "2026年7月20日 星期一"})
    assert 'class="day"' not in again.text


async def test_what_became_of_a_message_is_shown_on_channels_that_push(
    worker: DeskClient, house: House, clock: FixedClock
) -> None:
    async with house.database.transaction() as session:
        conversation = await make_conversation(
            session, channel=Channel.TELEGRAM, owner=Owner.HUMAN, staff_id=worker.staff.id
        )
        (message,) = await messages.record_replies(
            session, conversation.id, [Reply("您好")], in_reply_to=None, author=Author.STAFF,
            staff_id=worker.staff.id, epoch_seen=None, now=clock.now(),
        )  # fmt: skip
        entry = (await session.scalars(select(OutboxEntry))).one()
    where = f"/desk/c/{conversation.id}"
    assert "发送中" in (await worker.page(where)).text
    async with house.database.transaction() as session:
        entry = await session.get_one(OutboxEntry, entry.id)
        entry.delivery = Delivery.BLOCKED
    found = (await worker.get(f"{where}/deliveries", params={"message": [message.id, 999]})).json()
    assert found == {str(message.id): {"state": "blocked", "error": None}}
    assert "对方已屏蔽" in (await worker.page(where)).text


async def test_who_else_is_looking_and_typing_is_known(
    worker: DeskClient, colleague: DeskClient, phone: Phone
) -> None:
    assert (await do(worker, at(phone, "/watch")))["watching"] == []
    seen = await do(colleague, at(phone, "/watch"), typing="true")
    assert seen["watching"] == [{"name": "李坐席", "typing": False}]
    assert (await worker.get(at(phone, "/watching"))).json()["watching"] == [
        {"name": "王坐席", "typing": True}
    ]
    assert "王坐席 也在看" in (await worker.page(at(phone))).text
    await do(colleague, at(phone, "/watch"), leaving="true")
    assert (await worker.get(at(phone, "/watching"))).json()["watching"] == []


async def test_an_article_is_inserted_and_its_sources_go_with_the_reply(
    worker: DeskClient, phone: Phone
) -> None:
    await do(worker, at(phone, "/takeover"))
    listed = (await worker.get("/desk/articles")).json()["articles"]
    topic = next(one["topic"] for one in listed if one["topic"] == "labour.wage_arrears")
    article = (await worker.get(f"/desk/articles/{topic}")).json()
    await do(worker, at(phone, "/reply"), text=article["text"], article=topic)
    last = (await phone.get("/messages")).json()["messages"][-1]
    assert last["sources"]
    assert last["sources"][0]["title"] in article["text"]
    await do(worker, at(phone, "/reply"), 422, text="编的", article="no.such")
    assert (await worker.get("/desk/articles/no.such")).status_code == 404


async def test_intents_and_colleagues_are_found_by_their_initials(
    worker: DeskClient, colleague: DeskClient
) -> None:
    intents = (await worker.get("/desk/intents")).json()["intents"]
    assert next(one for one in intents if one["intent"] == "ask_wage_arrears")["letters"].startswith("tqkkgz")
    assert all(one["intent"] != "share_location" for one in intents)
    found = (await worker.get("/desk/colleagues")).json()["colleagues"]
    assert [one["login"] for one in found] == [colleague.staff.login]


async def test_a_canned_reply_comes_filled_in_and_what_is_open_is_never_sent(
    worker: DeskClient, phone: Phone, house: House
) -> None:
    async with house.database.transaction() as session:
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        draft = canned.Draft("zdyy", "自我介绍", "{坐席}为您服务，工号{工号}，工单{工单号}。")
        await canned.save_canned(session, supervisor, draft, house.knowledge, house.clock.now())
    await do(worker, at(phone, "/takeover"))
    (found,) = (await worker.get(at(phone, "/canned"), params={"q": "zdyy"})).json()["canned"]
    assert "李坐席为您服务，工号07" in found["text"]
    assert found["missing"] == ["工单号"]
    before = await count(house, Message)
    await do(worker, at(phone, "/reply"), 422, text=found["text"])
    assert await count(house, Message) == before


async def test_the_transcript_is_taken_out_masked_and_audited(
    desk_client: SignIn, worker: DeskClient, house: House
) -> None:
    conversation_id = await named_conversation(house, worker)
    supervisor = await desk_client(StaffRole.SUPERVISOR)
    await do(supervisor, f"/desk/c/{conversation_id}/unmask", reason="投诉核查")
    assert (await worker.get(f"/desk/c/{conversation_id}/export.txt")).status_code == 403
    response = await supervisor.get(f"/desk/c/{conversation_id}/export.txt")
    assert response.status_code == 200
    assert "我的电话是" in response.text
    assert "13905310531" not in response.text
    async with house.database.read() as session:
        entry = (
            await session.scalars(select(AuditEntry).where(AuditEntry.deed == "conversation.exported"))
        ).one()
    assert entry.detail["messages"] == 1


async def test_no_such_conversation_is_a_friendly_page(worker: DeskClient) -> None:
    response = await worker.page("/desk/c/0123")
    assert response.status_code == 404
    assert "<html" in response.text


async def test_a_deed_works_as_a_plain_form_too(worker: DeskClient, phone: Phone) -> None:
    response = await worker.post(
        at(phone, "/takeover"), data={"csrf": worker.csrf}, headers={"Accept": "text/html"}
    )
    assert (response.status_code, response.headers["location"]) == (303, at(phone))
