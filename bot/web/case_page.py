"""The case's page: how far a case is, for whoever holds its link; rendered here, without a line of script.

Links are forwarded, so nothing on it says what the case is about (``casework.case_progress.public_view``).
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.house import House
from bot.roles import Role, open_to
from casework.case_links import case_of_token
from casework.case_progress import PublicView, public_view
from casework.errors import NotFound

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}

router = APIRouter(include_in_schema=False)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/case/{token}")
@open_to(Role.CASE_LINK)
async def case_page(token: str, request: Request) -> HTMLResponse:
    """The page; 404 for any link that is not one of ours, and for a member who was erased."""
    house: House = request.app.state.house
    view: PublicView | None = None
    try:
        async with house.database.read() as session:
            view = await public_view(session, await case_of_token(session, token), house.wording)
    except NotFound:
        view = None
    html = _templates.get_template("case.html").render(view=view, say=house.wording.say)
    return HTMLResponse(html, status_code=200 if view else 404, headers=HEADERS)
