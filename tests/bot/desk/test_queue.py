from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from bot.desk.errors import refusal_text
from bot.desk.shell import span_text, when_text
from bot.house import House
from casework.errors import BadInput, NotAllowed
from casework.tables import (
    Alert,
    AlertKind,
    Conversation,
    Owner,
    Presence,
    Priority,
    Staff,
    StaffRole,
)
from casework.wording import Wording
from tests.bot.desk.conftest import SignIn
from tests.conftest import MONDAY_MORNING
from tests.factories import make_case, make_conversation, make_member, make_message

MINUTE = timedelta(minutes=1)


async def queue_up(house: House, **values: object) -> Conversation:
    """A member named 张大山 in the queue, who said one thing."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        member = await make_member(session, name="张大山")
        defaults = {
            "owner": Owner.QUEUED,
            "queued_at": now,
            "waiting_since": now - MINUTE,
            "told_waiting_at": now,
        }
        talk = await make_conversation(session, member, **defaults | values)
        await make_message(session, talk, text="工头欠我工资，电话13812345678")
        return talk


async def test_the_queue_shows_who_waits_masked_and_why_it_presses(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house, priority=Priority.CRITICAL.value, risks=["crisis.self_harm"])
    worker = await desk_client()
    shown = (await worker.page("/desk")).text
    assert f'href="/desk/c/{talk.id}"' in shown
    assert "张**" in shown
    assert "张大山" not in shown
    assert "13812345678" not in shown
    assert "▲ 特急" in shown
    assert "可能想不开" in shown
    assert 'data-since="2026-07-20T01:29:00+00:00"' in shown


async def test_what_a_member_wrote_is_text_and_not_markup(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house)
    async with house.database.transaction() as session:
        await make_message(session, talk, text="<script>alert(1)</script>")
    shown = (await (await desk_client()).page("/desk")).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


async def test_the_list_is_fetched_again_only_when_something_moved(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house)
    worker = await desk_client()
    first = await worker.get("/desk/queue?tab=waiting")
    etag = {"If-None-Match": first.headers["etag"]}
    same = await worker.get("/desk/queue?tab=waiting", headers=etag)
    assert (same.status_code, same.text) == (304, "")
    assert (await worker.get("/desk/queue?tab=all", headers=etag)).status_code == 200
    async with house.database.transaction() as session:
        await make_message(session, talk, text="还在吗")
    moved = await worker.get("/desk/queue?tab=waiting", headers=etag)
    assert moved.status_code == 200
    assert "还在吗" in moved.text
    assert "<html" not in moved.text


async def test_the_page_carries_the_lists_own_etag(house: House, desk_client: SignIn) -> None:
    await queue_up(house)
    worker = await desk_client()
    etag = (await worker.get("/desk/queue?tab=waiting")).headers["etag"]
    assert f'data-etag="{etag.replace(chr(34), "&#34;")}"' in (await worker.page("/desk")).text


@pytest.mark.parametrize("query", ["tab=nobody", "priority=9", "channel=fax"])
async def test_a_view_that_is_none_is_refused_kindly(desk_client: SignIn, query: str) -> None:
    worker = await desk_client()
    response = await worker.page(f"/desk?{query}")
    assert response.status_code == 422
    assert "这一步没办成" in response.text
    answer = await worker.get(f"/desk/queue?{query}")
    assert answer.json()["error"]["details"] == [{"field": "filter"}]


async def test_filters_in_the_address_narrow_the_page(house: House, desk_client: SignIn) -> None:
    here = await queue_up(house, district="章丘区")
    there = await queue_up(house, district="历下区")
    shown = (await (await desk_client()).page("/desk?tab=waiting&district=章丘区")).text
    assert here.id in shown
    assert there.id not in shown
    assert "已筛选" in shown


async def test_presence_is_changed_by_script_and_by_a_plain_form(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    answer = await worker.post("/desk/presence", data={"presence": "online"})
    assert answer.json() == {"ok": True, "presence": "online"}
    plain = await worker.post("/desk/presence", data={"presence": "away"}, headers={"Accept": "text/html"})
    assert (plain.status_code, plain.headers["location"]) == (303, "/desk")
    async with house.database.read() as session:
        staff = await session.get_one(Staff, worker.staff.id)
    assert (staff.presence, staff.seen_at) == (Presence.AWAY, house.clock.now())
    assert (await worker.post("/desk/presence", data={"presence": "asleep"})).status_code == 422


async def test_an_auditor_looks_and_takes_no_conversations(house: House, desk_client: SignIn) -> None:
    auditor = await desk_client(StaffRole.AUDITOR)
    shown = await auditor.page("/desk")
    assert shown.status_code == 200
    assert 'id="presence"' not in shown.text
    assert (await auditor.post("/desk/presence", data={"presence": "online"})).status_code == 403


async def test_nothing_is_changed_without_the_token_of_the_session(desk_client: SignIn) -> None:
    worker = await desk_client()
    for path in ("/desk/presence", "/desk/filters", "/desk/filters/1/delete", "/desk/alerts/1/read"):
        answer = await worker.post(path, data={"presence": "online"}, headers={"X-CSRF-Token": "made up"})
        assert answer.status_code == 403, path


async def test_a_filter_is_kept_shown_and_forgotten(house: House, desk_client: SignIn) -> None:
    worker, other = await desk_client(), await desk_client()
    kept = await worker.post(
        "/desk/filters", data={"name": "章丘特急", "tab": "all", "district": "章丘区", "priority": "0"}
    )
    where = "/desk?tab=all&district=%E7%AB%A0%E4%B8%98%E5%8C%BA&priority=0"
    assert kept.json()["location"] == where
    assert "章丘特急" in (await worker.page("/desk")).text
    assert "章丘特急" not in (await other.page("/desk")).text
    number = kept.json()["id"]
    assert (await other.post(f"/desk/filters/{number}/delete")).status_code == 404
    assert (await worker.post(f"/desk/filters/{number}/delete")).status_code == 200
    assert "章丘特急" not in (await worker.page("/desk")).text
    assert (await worker.post("/desk/filters", data={"name": " "})).status_code == 422


async def test_alerts_are_listed_followed_and_put_away(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house)
    worker, supervisor = await desk_client(), await desk_client(StaffRole.SUPERVISOR)
    now = house.clock.now()
    async with house.database.transaction() as session:
        case = await make_case(session, talk)
        mine = Alert(
            kind=AlertKind.MENTION, staff_id=worker.staff.id, conversation_id=talk.id, created_at=now
        )
        shared = Alert(kind=AlertKind.BREACH, case_id=case.id, created_at=now)
        session.add_all([mine, shared])
        await session.flush()
    shown = (await worker.page("/desk/alerts")).text
    assert "在备注里提到您" in shown
    assert "过了承诺的时间" not in shown
    assert 'aria-label="提醒，1 条未读"' in shown
    followed = await worker.page(f"/desk/alerts/{mine.id}")
    assert (followed.status_code, followed.headers["location"]) == (303, f"/desk/c/{talk.id}")
    assert "没有未读的提醒" in (await worker.page("/desk/alerts")).text
    assert (await worker.post(f"/desk/alerts/{shared.id}/read")).status_code == 404
    followed = await supervisor.page(f"/desk/alerts/{shared.id}")
    assert followed.headers["location"] == f"/desk/cases/{case.number}"
    assert (await supervisor.post(f"/desk/alerts/{shared.id}/read")).json() == {"ok": True, "unread": 0}


async def test_the_palette_names_a_conversation_masked(house: House, desk_client: SignIn) -> None:
    talk = await queue_up(house, last_topic="labour.wage_arrears")
    worker = await desk_client()
    (one,) = (await worker.get("/desk/find", params={"q": talk.id[:10]})).json()["results"]
    assert one["href"] == f"/desk/c/{talk.id}"
    assert one["name"] == "张**"
    assert one["topic"] != "labour.wage_arrears"
    assert (await worker.get("/desk/find", params={"q": "一"})).json() == {"results": []}


async def test_everybody_sees_only_the_doors_they_may_open(desk_client: SignIn) -> None:
    doors = {}
    for role in StaffRole:
        shown = (await (await desk_client(role)).page("/desk")).text
        doors[role] = {label for label in ("大屏", "报表", "管理", "审计") if f'">{label}</a>' in shown}
    assert doors == {
        StaffRole.AGENT: set(),
        StaffRole.SUPERVISOR: {"大屏", "报表", "管理"},
        StaffRole.ADMIN: {"大屏", "报表", "管理", "审计"},
        StaffRole.AUDITOR: {"大屏", "报表", "审计"},
    }


async def test_no_page_holds_a_script_or_a_style_of_its_own(desk_client: SignIn) -> None:
    worker = await desk_client(StaffRole.ADMIN)
    for path in ("/desk", "/desk/alerts", "/desk/nowhere"):
        shown = (await worker.page(path)).text
        assert "<style" not in shown
        assert " style=" not in shown
        assert not re.search(r"<[^>]*\son[a-z]+=", shown), path
        assert all("src=" in tag.partition(">")[0] for tag in shown.split("<script")[1:]), path


async def test_a_page_that_is_not_there_is_said_on_one_and_to_a_script_as_json(
    desk_client: SignIn,
) -> None:
    worker = await desk_client()
    shown = await worker.page("/desk/nowhere")
    assert shown.status_code == 404
    assert "没有这一页" in shown.text
    answer = await worker.get("/desk/nowhere")
    assert answer.json()["error"]["code"] == "no_such_page"


async def test_what_nobody_expected_gets_a_reference_number(
    house: House, desk_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("张大山 13812345678")

    monkeypatch.setattr("casework.desk_lists.queue_rows", breaks)
    worker = await desk_client()
    shown = await worker.page("/desk")
    assert shown.status_code == 500
    assert "E-" in shown.text
    assert "13812345678" not in shown.text
    answer = await worker.get("/desk/queue")
    assert answer.json()["error"]["code"] == "fault"


async def test_scripts_and_styles_are_public_and_asked_for_each_time(client: httpx.AsyncClient) -> None:
    for name in ("desk.css", "desk.js", "desk/live.js", "theme.js", "queue.js", "desk.svg"):
        found = await client.get(f"/desk/static/{name}")
        assert found.status_code == 200, name
        assert found.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(0), "09:30"),
        (timedelta(hours=9, minutes=30), "00:00"),
        (timedelta(hours=9, minutes=31), "昨天 23:59"),
        (timedelta(days=1), "昨天 09:30"),
        (timedelta(days=2), "07-18 09:30"),
        (timedelta(days=-1), "明天 09:30"),
        (timedelta(days=400), "2025-06-15 09:30"),
    ],
)
def test_moments_are_said_as_in_jinan(back: timedelta, said: str) -> None:
    assert when_text(MONDAY_MORNING - back, MONDAY_MORNING) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "不到 1 分钟"),
        (59, "不到 1 分钟"),
        (60, "1 分钟"),
        (3599, "59 分钟"),
        (3600, "1 小时"),
        (3660, "1 小时 1 分"),
        (86400, "1 天"),
        (90000, "1 天 1 小时"),
    ],
)
def test_waits_are_said_in_words(seconds: int, said: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == said


def test_staff_are_refused_in_their_own_words_and_told_which_input_was_wrong(wording: Wording) -> None:
    assert refusal_text(wording, NotAllowed("")) == wording.say("desk.refusal.not_allowed")
    minutes = BadInput("", field="minutes", limit=30)
    assert refusal_text(wording, minutes) == wording.say("refusal.bad_input_minutes", limit=30)
    assert refusal_text(wording, BadInput("", field="x")) == wording.say("desk.refusal.bad_input")
    assert "12351" not in refusal_text(wording, NotAllowed(""))
