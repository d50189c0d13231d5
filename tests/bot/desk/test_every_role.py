"""Every route of the desk with every role: who may not use it is refused, whatever else is wrong."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.desk.sessions import ANYBODY, right_of
from bot.roles import Role, role_of
from casework.permissions import RIGHTS, Right
from casework.tables import StaffRole
from tests.bot.desk.conftest import SignIn
from tests.bot.desk.test_routes import desk_routes, filled

FOR_WHOM = {
    "/desk/c/{id}/reply": {StaffRole.AGENT, StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/desk/c/{id}/unmask": {StaffRole.AGENT, StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/desk/c/{id}/export.txt": {StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/desk/wall/reassign": {StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/desk/wall": {StaffRole.SUPERVISOR, StaffRole.ADMIN, StaffRole.AUDITOR},
    "/desk/reports.csv": {StaffRole.SUPERVISOR, StaffRole.ADMIN, StaffRole.AUDITOR},
    "/desk/audit": {StaffRole.ADMIN, StaffRole.AUDITOR},
    "/workbench/models/{name}/promote": {StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/workbench/models/{name}/override": {StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/workbench/models/rollback": {StaffRole.SUPERVISOR, StaffRole.ADMIN},
    "/desk": set(StaffRole),
}
"""Written by hand, so that a changed right or a changed role is noticed here."""
UNDER_WAY = ("/desk/events",)
"""A stream does not end by itself; tests/bot/desk/test_live.py asks who may open it."""


async def test_every_route_refuses_the_roles_that_lack_its_right(app: FastAPI, desk_client: SignIn) -> None:
    wrong: list[str] = []
    asked = 0
    for role in StaffRole:
        browser = await desk_client(role)
        for route in desk_routes(app):
            right = right_of(route.dependant)
            if role_of(route.endpoint) is Role.PUBLIC or right == ANYBODY or route.path in UNDER_WAY:
                continue
            allowed = right in RIGHTS[role]
            for method in route.methods - {"HEAD"}:
                answer = await browser.request(method, filled(route.path))
                asked += 1
                # What is refused for the role is 403; whoever has it is told what else is wrong, if anything.
                if allowed == (answer.status_code == 403) or answer.status_code >= 500:
                    wrong.append(f"{role} {method} {route.path}: {answer.status_code}")
    assert wrong == []
    assert asked > 200


def test_the_gravest_routes_are_for_whom_we_say(app: FastAPI) -> None:
    routes: dict[str, APIRoute] = {route.path: route for route in desk_routes(app)}
    for path, roles in FOR_WHOM.items():
        right = right_of(routes[path].dependant)
        assert {role for role in StaffRole if right in RIGHTS[role]} == roles, path


def test_every_right_opens_something(app: FastAPI) -> None:
    asked_for = {right_of(route.dependant) for route in desk_routes(app)}
    assert set(Right) <= asked_for
