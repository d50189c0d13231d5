"""The hotline's desk: server-rendered pages under ``/desk``, live by server-sent events, no build step.

``docs/desk.md`` says how it is built. Every part is a router; ``routers()`` is where they come together.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.roles import Role, open_to

STATIC = Path(__file__).parent / "static"


def routers() -> list[APIRouter]:
    """The routers of the desk's parts."""
    # The parts import this package.
    from bot.desk import (  # noqa: PLC0415
        admin,
        admin_canned,
        admin_desk,
        admin_staff,
        admin_teams,
        audit,
        case_deeds,
        cases,
        conversation,
        conversation_deeds,
        conversation_files,
        conversation_pickers,
        knowledge,
        knowledge_edit,
        knowledge_found,
        profile,
        queue,
        reports,
        searching,
        signing_in,
        suggested,
        wall,
    )

    return [
        signing_in.router,
        profile.router,
        queue.router,
        wall.router,
        reports.router,
        audit.router,
        conversation.router,
        conversation_deeds.router,
        conversation_files.router,
        conversation_pickers.router,
        cases.router,
        case_deeds.router,
        searching.router,
        knowledge_found.router,  # before the article of any topic
        knowledge.router,
        knowledge_edit.router,
        admin.router,
        admin_staff.router,
        admin_teams.router,
        admin_canned.router,
        admin_desk.router,
        suggested.router,
    ]


class RevalidatedFiles(StaticFiles):
    """Files that browsers keep but ask about each time: a module and who imports it are never of two ages."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or the 404 that stands for it."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def static_files() -> StaticFiles:
    """The desk's scripts, styles and icons, to be mounted at ``/desk/static``; they hold nothing secret."""
    return open_to(Role.PUBLIC)(RevalidatedFiles(directory=STATIC))
