"""The case's page behind its link: progress for whoever holds it, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from bot.house import House
from casework import case_work
from casework.case_links import case_token
from casework.tables import Case, CaseState
from tests.factories import make_case, make_staff

SECRETS = [
    "王建国",
    "13800001234",
    "138****1234",
    "大发公司",
    "没发工资",
    "请发工资条",
    "内部的话",
    "劳动争议",
]


async def opened(house: House, now: datetime, **values: Any) -> Case:
    facts = {"person_name": "王建国", "phone": "13800001234", "employer": "大发公司", "story": "没发工资"}
    async with house.database.transaction() as session:
        case = await make_case(session, facts=facts, summary="没发工资", **values)
        staff = await make_staff(session)
        common: dict[str, Any] = {"now": now, "wording": house.wording}
        await case_work.note(session, case, staff, text="内部的话", **common)
        await case_work.ask_member(session, case, staff, text="请发工资条", **common)
    return case


async def test_the_page_shows_how_far_the_case_is_and_not_what_it_is_about(
    client: httpx.AsyncClient, house: House, now: datetime
) -> None:
    case = await opened(house, now, state=CaseState.IN_PROGRESS)
    response = await client.get(f"/case/{case_token(case.id)}")
    assert response.status_code == 200
    page = response.text
    for shown in (case.number, "办理中", "请本人补充内容", 'aria-current="step"', "正在等工单本人补充内容"):
        assert shown in page
    assert [secret for secret in SECRETS if secret in page] == []
    assert case.id not in page
    assert "<script" not in page
    assert "style=" not in page


async def test_the_page_is_neither_kept_nor_indexed(
    client: httpx.AsyncClient, house: House, now: datetime
) -> None:
    case = await opened(house, now)
    for token in (case_token(case.id), "nothing"):
        headers = (await client.get(f"/case/{token}")).headers
        assert headers["cache-control"] == "no-store"
        assert "noindex" in headers["x-robots-tag"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize("token", ["x", "A" * 43, "é", "%00", "<b>"])
async def test_any_other_link_finds_nothing(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get(f"/case/{token}")
    assert response.status_code == 404
    assert "没有这个页面" in response.text
    assert "<b>" not in response.text


async def test_the_page_has_its_own_style(client: httpx.AsyncClient) -> None:
    assert (await client.get("/static/case.css")).status_code == 200
