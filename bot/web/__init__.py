"""The members' web page: static files only, no build step, nothing from elsewhere.

It uses the public API only, as any union app would; ``page.js`` holds the behaviour, split by concern.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from bot.roles import Role, open_to

STATIC = Path(__file__).parent / "static"

router = APIRouter(include_in_schema=False)


@router.get("/")
@open_to(Role.PUBLIC)
async def page() -> FileResponse:
    """The page itself."""
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


def static_files() -> StaticFiles:
    """The page's script, styles and icon, to be mounted at ``/static``."""
    return open_to(Role.PUBLIC)(StaticFiles(directory=STATIC))
