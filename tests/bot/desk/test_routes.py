"""Every route of the desk asks for a right, and everything that changes something for a CSRF token."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from bot.app import create_app
from bot.desk.sessions import ANYBODY, SAFE_METHODS, right_of
from bot.headers import is_for_staff
from bot.roles import Role, open_to, role_of
from casework.settings import Settings
from tests.bot.desk.conftest import SignIn

ABOUT_ONESELF = ("/desk/logout", "/desk/totp", "/desk/profile", "/desk/presence", "/desk/alerts")
"""What asks for no right by its name: one's own account, presence and alerts."""


def desk_routes(app: FastAPI) -> Iterator[APIRoute]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and is_for_staff(route.path):
            yield route


def unguarded(app: FastAPI) -> list[str]:
    """Routes of the desk and the workbench that are neither public nor ask who comes."""
    wrong = []
    for route in desk_routes(app):
        right = right_of(route.dependant)
        if (right is None) != (role_of(route.endpoint) is Role.PUBLIC):
            wrong.append(f"{route.methods} {route.path}")
        if role_of(route.endpoint) not in (Role.PUBLIC, Role.STAFF):
            wrong.append(f"{route.methods} {route.path}")
    return wrong


def test_every_route_of_the_desk_asks_who_comes_or_says_it_is_public(settings: Settings) -> None:
    app = create_app(settings)
    assert unguarded(app) == []
    assert {route.path for route in desk_routes(app)} >= {"/desk/login", "/desk/profile"}


def test_only_the_sign_in_page_is_public(settings: Settings) -> None:
    public = {
        route.path for route in desk_routes(create_app(settings)) if role_of(route.endpoint) is Role.PUBLIC
    }
    assert public == {"/desk/login"}


def test_only_pages_about_oneself_ask_for_no_right_by_name(settings: Settings) -> None:
    anybody = [r.path for r in desk_routes(create_app(settings)) if right_of(r.dependant) == ANYBODY]
    assert [path for path in anybody if not path.startswith(ABOUT_ONESELF)] == []
    assert "/desk/profile" in anybody


def test_the_guard_notices_a_route_without_a_dependency(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/desk/forgotten")
    @open_to(Role.STAFF)
    async def forgotten() -> None: ...

    @app.get("/desk/forgotten-too")
    async def forgotten_too() -> None: ...

    assert len(unguarded(app)) == 3


async def test_nothing_of_the_desk_opens_without_a_session(app: FastAPI, client: httpx.AsyncClient) -> None:
    for route in desk_routes(app):
        if role_of(route.endpoint) is Role.PUBLIC:
            continue
        for method in route.methods:
            answer = await client.request(method, filled(route.path))
            assert answer.status_code == 401, f"{method} {route.path}"


async def test_nothing_of_the_desk_changes_without_the_csrf_token(app: FastAPI, desk_client: SignIn) -> None:
    agent = await desk_client()
    del agent.headers["X-CSRF-Token"]
    for route in desk_routes(app):
        if role_of(route.endpoint) is Role.PUBLIC:
            continue
        for method in route.methods - SAFE_METHODS:
            answer = await agent.request(method, filled(route.path))
            # A route that declares its form refuses an empty one before it asks who comes.
            assert answer.status_code in (403, 422), f"{method} {route.path}"


def filled(path: str) -> str:
    """An address with something in the place of its parameters."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))
