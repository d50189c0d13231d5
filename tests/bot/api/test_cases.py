"""The member's own cases over the API."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from typing import Any

import httpx
import pytest

from bot.house import House
from casework import case_work
from casework.case_numbers import format_number
from casework.tables import Case, CaseState, Conversation
from tests.bot.api.conftest import Phone, new_phone
from tests.factories import make_case, make_staff

NUMBER = "JN-20260720-0031-1"


async def a_case(house: House, phone: Phone, **values: Any) -> Case:
    async with house.database.transaction() as session:
        conversation = await session.get_one(Conversation, phone.conversation_id)
        return await make_case(session, conversation, **values)


def numbered(serial: int) -> str:
    return format_number(date(2026, 7, 20), serial)


async def test_a_member_follows_their_own_cases(house: House, phone: Phone, now: datetime) -> None:
    case = await a_case(house, phone, number=numbered(1), state=CaseState.IN_PROGRESS, due_at=now)
    async with house.database.transaction() as session:
        case = await session.get_one(Case, case.id)
        staff = await make_staff(session)
        common: dict[str, Any] = {"now": now, "wording": house.wording}
        await case_work.note(session, case, staff, text="内部的话", **common)
        await case_work.ask_member(session, case, staff, text="请发工资条", **common)
    listed = (await phone.get("/cases")).json()["cases"]
    assert [shown["number"] for shown in listed] == [case.number]
    response = await phone.get(f"/cases/{case.number.lower().replace('-', '')}")
    assert response.status_code == 200
    shown = response.json()
    assert shown == listed[0]
    assert (shown["label"], shown["state_label"], shown["awaited"]) == ("劳动争议", "办理中", "请发工资条")
    assert shown["due_on"] == "2026-07-20"
    assert [event["text"] for event in shown["events"]] == ["请您补充：请发工资条"]
    assert shown["page"] is None
    assert "内部的话" not in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_nobody_reads_another_members_case(
    client: httpx.AsyncClient, house: House, phone: Phone
) -> None:
    case = await a_case(house, phone, number=numbered(2))
    stranger = await new_phone(client)
    assert (await stranger.get("/cases")).json() == {"cases": []}
    theirs = await stranger.get(f"/cases/{case.number}")
    nobodys = await stranger.get(f"/cases/{numbered(3)}")
    no_number = await stranger.get("/cases/JN-1")
    assert [answer.status_code for answer in (theirs, nobodys, no_number)] == [404] * 3
    assert theirs.json() == nobodys.json() == no_number.json()


@pytest.mark.parametrize("path", ["/cases", f"/cases/{NUMBER}"])
async def test_without_the_token_there_is_nothing(phone: Phone, path: str) -> None:
    assert (await phone.client.get(phone.url + path)).status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert (await phone.client.get(phone.url + path, headers=wrong)).status_code == 404


async def test_the_page_is_named_where_there_is_a_public_address(house: House, phone: Phone) -> None:
    await a_case(house, phone, number=numbered(4))
    settings = dataclasses.replace(house.settings, public_url="https://niangjia.example")
    object.__setattr__(house, "settings", settings)
    (shown,) = (await phone.get("/cases")).json()["cases"]
    assert shown["page"].startswith("https://niangjia.example/case/")
    page = await phone.client.get(shown["page"].removeprefix("https://niangjia.example"))
    assert page.status_code == 200
    assert shown["number"] in page.text
