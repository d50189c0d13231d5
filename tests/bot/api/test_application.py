"""The application as a whole: who may use which route, what browsers are told, how it starts and stops."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import Mount

from bot import app as application
from bot.api.doorkeeper import conversation_of
from bot.app import create_app, take_up
from bot.house import House
from bot.roles import Role, open_to, role_of
from casework import conversations, messages
from casework.clock import FixedClock
from casework.database import Database
from casework.errors import ConfigurationError
from casework.settings import Settings
from tests.bot.api.conftest import Phone, new_client
from tests.bot.fakes import FakeDialogue, Script
from tests.factories import make_conversation, make_message

# --- every route says who it is for


@pytest.fixture
def with_telegram(settings: Settings) -> Settings:
    return dataclasses.replace(
        settings,
        telegram_token="123456789:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
        telegram_mode="webhook",
        telegram_webhook_url="https://bot.example.org/telegram/webhook",
        telegram_webhook_secret="secret",
    )


def undeclared(app: FastAPI) -> list[str]:
    """Routes that do not say who they are for."""
    return [path for path, role, _ in roles(app) if role is None]


def roles(app: FastAPI) -> Iterator[tuple[str, Role | None, RouteContext]]:
    """Every route with its role."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        endpoint = route.app if isinstance(route, Mount) else getattr(route, "endpoint", None)
        yield f"{getattr(route, 'methods', None)} {context.path}", role_of(endpoint), context


def asks_for_the_token(dependant: Dependant) -> bool:
    """Whether a route depends on the doorkeeper."""
    return dependant.call is conversation_of or any(map(asks_for_the_token, dependant.dependencies))


def test_every_route_declares_its_role(with_telegram: Settings) -> None:
    app = create_app(with_telegram)
    assert undeclared(app) == []
    declared = {role for _, role, _ in roles(app)}
    assert {Role.PUBLIC, Role.CONVERSATION, Role.TELEGRAM} <= declared
    assert len(list(roles(app))) >= 12


def test_the_guard_notices_a_route_without_a_role(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/forgotten")
    async def forgotten() -> None: ...

    app.mount("/forgotten-too", FastAPI(docs_url=None, redoc_url=None, openapi_url=None))
    assert len(undeclared(app)) == 2


def test_every_route_in_a_conversation_asks_for_its_token_and_no_public_one_holds_it(
    settings: Settings,
) -> None:
    for path, role, context in roles(create_app(settings)):
        if isinstance(context.original_route, APIRoute):
            guarded = asks_for_the_token(context.original_route.dependant)
            assert guarded == (role is Role.CONVERSATION), path
            assert guarded == ("{conversation_id}" in path), path


def test_a_role_is_kept_on_the_endpoint() -> None:
    @open_to(Role.STAFF)
    def endpoint() -> None: ...

    assert role_of(endpoint) is Role.STAFF
    assert role_of(lambda: None) is None


# --- what browsers are told


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/docs/style.css", "/openapi.json", "/api/v1/health", "/nowhere", "/static/page.js"],
)
async def test_every_answer_tells_browsers_what_they_may_not_do(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers.get("cache-control") == (
        "no-store" if path.startswith("/api/") else headers.get("cache-control")
    )


async def test_refusals_before_the_routes_carry_the_headers_too(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/conversations", content=b"x" * 100_000)
    assert response.status_code == 413
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_other_websites_may_not_use_the_api_unless_named(
    client: httpx.AsyncClient, settings: Settings, script: Script, clock: FixedClock
) -> None:
    asking = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    asked = await client.options("/api/v1/conversations", headers=asking)
    assert "access-control-allow-origin" not in asked.headers
    named = dataclasses.replace(settings, cors_origins=("https://app.example.org",))
    app = create_app(named, dialogue=FakeDialogue(script), clock=clock)
    async with app.router.lifespan_context(app), new_client(app) as other:
        answer = await other.options("/api/v1/conversations", headers=asking)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
        assert "access-control-allow-credentials" not in answer.headers
        allowed = answer.headers["access-control-allow-methods"].split(", ")
        assert set(allowed) >= {"GET", "POST", "PUT", "DELETE"}
        foreign = await other.options(
            "/api/v1/conversations", headers=asking | {"Origin": "https://evil.example"}
        )
        assert "access-control-allow-origin" not in foreign.headers
        too_large = await other.post(
            "/api/v1/conversations", content=b"x" * 100_000, headers={"Origin": "https://app.example.org"}
        )
        assert too_large.headers["access-control-allow-origin"] == "https://app.example.org"


# --- the documentation


class Links(HTMLParser):
    """What a page loads and links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note every address and anchor."""
        self.tags.add(tag)
        values = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := values.get(name))]
        if name := values.get("id"):
            self.anchors.add(name)


async def test_the_documentation_page_shows_every_operation_and_loads_nothing_from_elsewhere(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    links = Links()
    links.feed(page.text)
    assert "script" not in links.tags
    for link in links.found:
        if link.startswith("#"):
            assert link[1:] in links.anchors
        else:
            assert link.startswith("/")
            assert (await client.get(link)).status_code == 200
    schema = (await client.get("/openapi.json")).json()
    shown = re.findall(r"<h2><b class=\"(\w+)\">\w+</b> <code>([^<]+)</code>", page.text)
    assert shown == [
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    ]
    assert "client_message_id" in page.text
    assert "location.latitude" in page.text
    assert "&lt;token&gt;" in page.text


async def test_every_operation_documents_its_errors_in_the_one_shape(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert schema["info"]["title"]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            answers = operation["responses"]
            expected = {"500"}
            if "{conversation_id}" in path:
                expected |= {"401", "404"}
                assert operation["security"] == [{"conversation": []}], where
            if operation.get("requestBody"):
                expected |= {"413"}
            assert expected <= set(answers), where
            for status, answer in answers.items():
                if status[0] in "45":
                    shape = answer["content"]["application/json"]["schema"]
                    assert shape == {"$ref": "#/components/schemas/ErrorOut"}, f"{where} {status}"
            for body in (operation.get("requestBody") or {}).get("content", {}).values():
                assert body["schema"], where


async def test_the_web_page_is_there(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


# --- health


async def test_health_names_every_process(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/health")
    assert response.json() == {
        "status": "ok",
        "processes": {"bot": True, "database": True, "rasa": True, "actions": True},
    }
    assert (await client.get("/api/v1/ready")).status_code == 200


async def test_without_rasa_the_bot_is_alive_but_not_ready(client: httpx.AsyncClient, script: Script) -> None:
    script.well = False
    alive = await client.get("/api/v1/health")
    assert (alive.status_code, alive.json()["status"]) == (200, "degraded")
    assert alive.json()["processes"]["rasa"] is False
    ready = await client.get("/api/v1/ready")
    assert (ready.status_code, ready.json()["error"]["code"]) == (503, "not_ready")


async def test_a_database_that_is_away_is_said_and_quotes_no_address(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away() -> bool:
        raise OSError("cannot connect to postgresql://user:secret@db")

    monkeypatch.setattr(house.database, "is_current", away)
    response = await client.get("/api/v1/health")
    assert (response.status_code, response.json()["processes"]["database"]) == (200, False)
    assert "secret" not in response.text + caplog.text


async def test_asking_often_looks_rarely(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def look() -> bool:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return True

    monkeypatch.setattr(house.database, "is_current", look)
    await asyncio.gather(*(client.get("/api/v1/health") for _ in range(20)))
    assert looks == 1


# --- start and stop


async def test_an_old_schema_stops_the_start_and_says_what_to_do(settings: Settings, script: Script) -> None:
    app = create_app(settings, dialogue=FakeDialogue(script))
    with pytest.raises(ConfigurationError, match="db upgrade"):
        async with app.router.lifespan_context(app):
            pass


async def test_what_a_crash_left_pending_is_answered_after_the_start(
    settings: Settings, database: Database, script: Script, clock: FixedClock
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        left = await make_message(session, conversation, text="没给钱", attempts=1)
    app = create_app(settings, dialogue=FakeDialogue(script), clock=clock)
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(script.hears(), 5)
    assert [utterance.message_id for utterance in script.heard] == [left.id]
    async with database.read() as session:
        (reply,) = await messages.replies_to(session, left.id)
    assert reply.text == "答：没给钱"


@pytest.fixture
def dialogue_away(script: Script) -> None:
    """The dialogue is not there yet when the application starts, so that its own recovery waits too."""
    script.well = False


async def test_recovery_waits_for_the_dialogue_to_be_there(
    dialogue_away: None, house: House, script: Script, phone: Phone
) -> None:
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await make_message(session, conversation, text="没给钱")
    stopping = asyncio.Event()
    recovery = asyncio.create_task(take_up(house, stopping, look_s=0.01))
    await asyncio.sleep(0.05)
    assert script.heard == []
    script.well = True
    await asyncio.wait_for(script.hears(), 5)
    stopping.set()
    await asyncio.wait_for(recovery, 5)


async def test_recovery_goes_on_without_the_dialogue_after_a_while(
    dialogue_away: None, house: House, script: Script, phone: Phone
) -> None:
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await make_message(session, conversation, text="没给钱")
    stopping = asyncio.Event()
    recovery = asyncio.create_task(take_up(house, stopping, patience_s=0.02, look_s=0.01))
    await asyncio.wait_for(script.hears(), 5)
    stopping.set()
    await asyncio.wait_for(recovery, 5)


async def test_later_sweeps_leave_young_messages_to_whoever_has_them(
    house: House, script: Script, phone: Phone, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "SWEEP_EVERY_S", 0.01)
    stopping = asyncio.Event()
    recovery = asyncio.create_task(take_up(house, stopping))
    await asyncio.sleep(0.05)
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, phone.conversation_id)
        await make_message(session, conversation, text="没给钱", created_at=clock.now())
    await asyncio.sleep(0.05)
    assert script.heard == []
    clock.advance(timedelta(seconds=61))
    await asyncio.wait_for(script.hears(), 5)
    stopping.set()
    await asyncio.wait_for(recovery, 5)


async def test_a_start_without_a_telegram_token_does_not_load_the_library(app: FastAPI) -> None:
    assert app.state.telegram is None
    assert not any(context.path == "/telegram/webhook" for context in iter_route_contexts(app.routes))
