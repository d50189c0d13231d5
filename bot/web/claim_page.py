"""The claim sheet's page: everything of one story, for its member, who holds the link for thirty days.

Unlike a case's page it shows what it is about, so it says not to forward it, is neither kept nor indexed, and
ends by itself.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.house import House
from bot.roles import Role, open_to
from bot.web.pages import page
from casework.claims.links import GOOD_FOR, LinkOver, sheet_of_token
from casework.claims.shown import ShownSheet, show
from casework.clock import shanghai_day
from casework.errors import NotFound

router = APIRouter(prefix="/claims", include_in_schema=False)


@router.get("/{token}")
@open_to(Role.CLAIM_LINK)
async def claim_page(token: str, request: Request) -> HTMLResponse:
    """The page; 404 for a link that is none of ours and for a member who was erased, 410 after 30 days."""
    house: House = request.app.state.house
    now = house.clock.now()
    view: ShownSheet | None = None
    gone = HTTPStatus.NOT_FOUND
    until = None
    try:
        async with house.database.read() as session:
            claim_sheet = await sheet_of_token(session, token, now)
        view = show(claim_sheet, shanghai_day(now))
        if claim_sheet.given_at is not None:
            until = shanghai_day(claim_sheet.given_at + GOOD_FOR)
    except LinkOver:
        gone = HTTPStatus.GONE
    except NotFound:
        pass
    if view is None:
        return page(house, "claims_gone.html", status=gone, over=gone is HTTPStatus.GONE)
    return page(house, "claims.html", view=view, token=token, until=until, documents=())
