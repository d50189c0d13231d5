"""The audit page: for those who may, by day, actor, deed and subject, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.house import House
from casework import audit
from casework.tables import StaffRole
from tests.bot.desk.conftest import SignIn


@pytest.mark.parametrize("role", StaffRole)
async def test_only_admins_and_auditors_read_the_trail(desk_client: SignIn, role: StaffRole) -> None:
    browser = await desk_client(role)
    status = 200 if role in (StaffRole.ADMIN, StaffRole.AUDITOR) else 403
    assert (await browser.page("/desk/audit")).status_code == status


async def test_the_trail_is_shown_by_what_was_asked(desk_client: SignIn, house: House) -> None:
    now = house.clock.now()
    async with house.database.transaction() as session:
        audit.record(session, "staff:li", "case.assign", "case", "c" * 32, now=now, before="accepted")
        audit.record(session, "member", "case.urge", "case", "d" * 32, now=now)
        audit.record(session, "system", "case.archive", "case", "e" * 32, now=now - timedelta(days=30))
    browser = await desk_client(StaffRole.AUDITOR)
    everything = (await browser.page("/desk/audit")).text
    assert "<code>case.assign</code>" in everything
    assert "<code>case.urge</code>" in everything
    assert "<code>case.archive</code>" not in everything
    assert "accepted" in everything
    one = (await browser.page("/desk/audit?actor=staff:li&deed=case.*&subject_kind=case")).text
    assert "<code>case.assign</code>" in one
    assert "<code>case.urge</code>" not in one
    old = (await browser.page("/desk/audit?start=2026-06-01&end=2026-06-30")).text
    assert "<code>case.archive</code>" in old


async def test_older_pages_follow_and_keep_what_was_asked(desk_client: SignIn, house: House) -> None:
    now = house.clock.now()
    async with house.database.transaction() as session:
        for step in range(150):
            audit.record(session, "system", f"step.{step}", "case", step, now=now)
    browser = await desk_client(StaffRole.ADMIN)
    first = (await browser.page("/desk/audit?actor=system")).text
    assert first.count("<code>step.") == 100
    link = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "actor=system" in link
    second = (await browser.page(link)).text
    assert second.count("<code>step.") == 50
    assert 'rel="next"' not in second
    assert "回到最新" in second


async def test_what_is_shown_is_escaped(desk_client: SignIn, house: House) -> None:
    async with house.database.transaction() as session:
        audit.record(session, "staff:<b>", "<i>", "<u>", "<s>", now=house.clock.now(), why="<script>")
    browser = await desk_client(StaffRole.ADMIN)
    text = (await browser.page("/desk/audit")).text.partition("<main")[2]
    assert not any(tag in text for tag in ("<b>", "<i>", "<u>", "<s>", "<script>"))
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "query", ["start=2026-07-21&end=2026-07-20", "start=x", "before=x", "before=0", f"before={2**70}"]
)
async def test_what_cannot_be_asked_of_the_trail_is_said(desk_client: SignIn, query: str) -> None:
    browser = await desk_client(StaffRole.ADMIN)
    response = await browser.page(f"/desk/audit?{query}")
    assert response.status_code == 422
    assert 'role="alert"' in response.text


async def test_odd_values_find_nothing_and_break_nothing(desk_client: SignIn) -> None:
    browser = await desk_client(StaffRole.ADMIN)
    for query in ("actor=%00", "deed=%25*", "subject_id=%F0%9F%98%80", "subject_kind=nothing"):
        assert (await browser.page(f"/desk/audit?{query}")).status_code == 200
