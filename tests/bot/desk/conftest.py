"""Staff at the desk: the whole application in this process, and browsers that are signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from bot.desk.sessions import COOKIE, CSRF_HEADER
from bot.house import House
from casework import staff_sessions
from casework.tables import Staff, StaffRole, StaffSession

# The fixtures of the application, which pytest finds here by their names.
from tests.bot.api.conftest import (
    Stream,
    app,
    client,
    house,
    knowledge_is_read_once,
    phone,
    templates_are_compiled_once,
)
from tests.factories import make_staff

__all__ = ["app", "client", "house", "knowledge_is_read_once", "phone", "templates_are_compiled_once"]


class DeskClient(httpx.AsyncClient):
    """A browser in which a member of staff is signed in; its CSRF header is set."""

    staff: Staff
    session: StaffSession
    token: str
    application: FastAPI

    @property
    def csrf(self) -> str:
        """What a form carries in its field ``csrf``."""
        return self.session.csrf_token

    async def page(self, path: str, **values: Any) -> httpx.Response:
        """Get something as a browser that shows it would."""
        return await self.get(path, headers={"Accept": "text/html"}, **values)

    def stream(self, path: str, **headers: str) -> Stream:  # type: ignore[override]  # httpx cannot read one
        """Open an event stream."""
        own = {"Cookie": f"{COOKIE}={self.token}", "Accept": "text/event-stream"}
        return Stream(self.application, path, own | headers)


SignIn = Callable[..., Awaitable[DeskClient]]


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that costs nothing: what is tested is not argon2."""
    monkeypatch.setattr("casework.passwords.HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
async def desk_client(app: FastAPI, house: House) -> AsyncIterator[SignIn]:
    """Signs in a new member of staff: ``worker = await desk_client(StaffRole.AGENT, team_id=…)``.

    With ``staff=`` somebody who is there already, in a browser of their own.
    """
    async with AsyncExitStack() as stack:

        async def sign_in(
            role: StaffRole = StaffRole.AGENT, *, staff: Staff | None = None, **values: Any
        ) -> DeskClient:
            async with house.database.transaction() as session:
                person = staff or await make_staff(session, role=role, **values)
                opened, token = await staff_sessions.open_session(
                    session, person, "Chromium", house.clock.now(), confirmed=True
                )
            transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 40000))
            browser = DeskClient(transport=transport, base_url="http://niangjia.test")
            browser.staff, browser.session, browser.token = person, opened, token
            browser.application = app
            browser.cookies.set(COOKIE, token, domain="niangjia.test")
            browser.headers[CSRF_HEADER] = opened.csrf_token
            return await stack.enter_async_context(browser)

        yield sign_in
