"""The desk's door: sessions by cookie, rights, and proof that a request is ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI

from bot.desk.sessions import (
    CSRF_HEADER,
    HOME,
    HalfSignedIn,
    Signed,
    SignedIn,
    needs,
    right_of,
    safe_next,
)
from bot.house import House
from bot.roles import Role, open_to
from casework import staff_sessions
from casework.clock import FixedClock
from casework.permissions import Right
from casework.tables import Staff, StaffRole, StaffSession
from tests.bot.desk.conftest import SignIn

ROOM = "/desk/room-for-tests"
PAGE = {"Accept": "text/html,*/*"}


@pytest.fixture(autouse=True)
def room(app: FastAPI) -> None:
    """A page of the desk to knock at, for those who may read the audit trail, and one for anybody."""
    router = APIRouter()

    @router.api_route(ROOM, methods=["GET", "POST"])
    @open_to(Role.STAFF)
    async def enter(signed: Annotated[Signed, Depends(needs(Right.LOOK))]) -> dict[str, str]:
        return {"login": signed.staff.login}

    @router.get("/desk/archive-for-tests")
    @open_to(Role.STAFF)
    async def archive(signed: Annotated[Signed, Depends(needs(Right.AUDIT))]) -> dict[str, str]:
        return {"login": signed.staff.login}

    @router.get("/desk/hall-for-tests")
    @open_to(Role.STAFF)
    async def hall(signed: SignedIn) -> dict[str, str]:
        return {"login": signed.staff.login}

    @router.get("/desk/porch-for-tests")
    @open_to(Role.STAFF)
    async def porch(signed: HalfSignedIn) -> dict[str, str]:
        return {"login": signed.staff.login}

    app.include_router(router)


async def test_a_page_without_a_session_leads_to_the_sign_in_page_and_back(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{ROOM}?tab=mine&q=%E9%92%B1", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/desk/login?next={ROOM}%3Ftab%3Dmine%26q%3D%25E9%2592%25B1"


async def test_a_script_without_a_session_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.get(ROOM)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")


async def test_somebody_signed_in_enters_with_the_right_only(desk_client: SignIn) -> None:
    agent, auditor = await desk_client(StaffRole.AGENT), await desk_client(StaffRole.AUDITOR)
    assert (await agent.get(ROOM)).json() == {"login": agent.staff.login}
    assert (await agent.get("/desk/hall-for-tests")).status_code == 200
    assert (await agent.get("/desk/archive-for-tests")).status_code == 403
    assert (await auditor.get("/desk/archive-for-tests")).status_code == 200


async def test_a_made_up_token_opens_nothing(desk_client: SignIn) -> None:
    agent = await desk_client()
    agent.cookies.clear()
    agent.cookies.set("niangjia_staff", agent.session.token_hash, domain="niangjia.test")
    assert (await agent.get(ROOM)).status_code == 401


@pytest.mark.parametrize("header", [None, b"", b"wrong", "中".encode()])
async def test_nothing_changes_without_the_sessions_own_csrf_token(
    desk_client: SignIn, header: bytes | None
) -> None:
    agent = await desk_client()
    assert (await agent.post(ROOM)).status_code == 200
    del agent.headers[CSRF_HEADER]
    headers = [] if header is None else [(CSRF_HEADER.encode(), header)]
    answer = await agent.post(ROOM, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")


async def test_another_sessions_csrf_token_is_refused_even_of_the_same_person(desk_client: SignIn) -> None:
    here = await desk_client()
    elsewhere = await desk_client(staff=here.staff)
    assert (await here.post(ROOM, headers={CSRF_HEADER: elsewhere.csrf})).status_code == 403


async def test_a_form_may_carry_the_token_in_a_field(desk_client: SignIn) -> None:
    agent = await desk_client()
    del agent.headers[CSRF_HEADER]
    assert (await agent.post(ROOM, data={"csrf": agent.csrf})).status_code == 200
    assert (await agent.post(ROOM, data={"csrf": "wrong"})).status_code == 403
    sent_as_file = await agent.post(ROOM, files={"csrf": ("csrf", agent.csrf.encode())})
    assert sent_as_file.status_code == 403
    assert (await agent.post(ROOM, json={"csrf": agent.csrf})).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://niangjia.test"}, 200),
        ({"Origin": "https://niangjia.test"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://niangjia.test.evil.test"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://niangjia.test"}, 403),
    ],
)
async def test_even_with_the_token_another_site_sends_nothing(
    desk_client: SignIn, headers: dict[str, str], status: int
) -> None:
    agent = await desk_client()
    assert (await agent.post(ROOM, headers=headers)).status_code == status


async def test_a_session_ends_after_an_hour_of_silence_and_at_the_latest_after_twelve(
    desk_client: SignIn, clock: FixedClock
) -> None:
    agent = await desk_client()
    for _ in range(14):
        clock.advance(timedelta(minutes=50))
        assert (await agent.get(ROOM)).status_code == 200
    clock.advance(timedelta(minutes=21))
    assert (await agent.get(ROOM)).status_code == 401
    silent = await desk_client()
    clock.advance(timedelta(minutes=60))
    assert (await silent.get(ROOM)).status_code == 401


async def test_that_a_session_was_seen_is_written_once_a_minute(
    desk_client: SignIn, clock: FixedClock, house: House
) -> None:
    agent = await desk_client()
    began = clock.now()

    async def seen_at() -> object:
        async with house.database.read() as session:
            return (await session.get_one(StaffSession, agent.session.id)).seen_at

    clock.advance(timedelta(seconds=59))
    await agent.get(ROOM)
    assert await seen_at() == began
    clock.advance(timedelta(seconds=1))
    await agent.get(ROOM)
    assert await seen_at() == began + timedelta(seconds=60)


async def test_a_session_that_was_ended_or_whose_account_was_closed_opens_nothing(
    desk_client: SignIn, house: House
) -> None:
    ended, closed = await desk_client(), await desk_client()
    async with house.database.transaction() as session:
        await staff_sessions.end_session(session, ended.staff, ended.session.id, house.clock.now())
        (await session.get_one(Staff, closed.staff.id)).active = False
    assert (await ended.get(ROOM)).status_code == 401
    assert (await closed.get(ROOM)).status_code == 401


async def test_a_session_that_owes_the_second_factor_opens_nothing_else(
    desk_client: SignIn, house: House
) -> None:
    agent = await desk_client()
    async with house.database.transaction() as session:
        (await session.get_one(StaffSession, agent.session.id)).confirmed = False
    assert (await agent.get(ROOM)).status_code == 401
    page = await agent.get(ROOM, headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (303, "/desk/totp")
    assert (await agent.get("/desk/porch-for-tests")).status_code == 200


async def test_a_one_time_password_opens_nothing_but_its_change(desk_client: SignIn) -> None:
    agent = await desk_client(must_change_password=True)
    refused = await agent.post(ROOM)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "password_due")
    page = await agent.get(ROOM, headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (303, "/desk/profile/password")


def test_the_right_a_route_asks_for_can_be_read_off_it() -> None:
    app = FastAPI()

    @app.get("/asks")
    async def asks(signed: Annotated[Signed, Depends(needs(Right.WATCH))]) -> None: ...

    @app.get("/anybody")
    async def anybody(signed: SignedIn) -> None: ...

    @app.get("/nobody")
    async def nobody() -> None: ...

    rights = {route.path: right_of(route.dependant) for route in app.routes if hasattr(route, "dependant")}
    assert rights == {"/asks": Right.WATCH, "/anybody": "anybody", "/nobody": None}


@pytest.mark.parametrize(
    "wanted", ["/desk", "/desk/cases", "/desk/cases?tab=mine&q=%E9%92%B1", "/desk/c/1#m2"]
)
def test_a_page_of_the_desk_may_be_next(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "/",
        "//evil.test",
        "//evil.test/desk",
        "/\\evil.test",
        "\\\\evil.test",
        "https://evil.test/desk",
        "https:/desk",
        "javascript:alert(1)",
        "/desk.evil.test",
        "/deskevil",
        "/desk/../api/v1/conversations",
        "/desk//evil.test",
        "/desk\\..\\evil",
        "/desk\r\nSet-Cookie: a=b",
        "\t//evil.test",
        " /desk",
        "/desk/login",
        "/desk/totp",
        "/desk/" + "a" * 500,
        "http://[",
    ],
)
def test_nothing_else_may_be_next(wanted: str | None) -> None:
    assert safe_next(wanted) == HOME
