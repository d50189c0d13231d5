"""The claim sheet's page and its drafts: everything of one story, for its member, who holds the link.

Unlike a case's page it shows what it is about, so it says not to forward it, is neither kept nor indexed, and
ends by itself after thirty days. The drafts leave name and phone blank: the sheet says what happened, and a
link that went astray shall not say to whom.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from bot.api.doorkeeper import TheHouse, TheLimits
from bot.api.limits import address_of
from bot.house import House
from bot.roles import Role, open_to
from bot.web.documents import document_page
from bot.web.pages import HEADERS, page
from casework import documents
from casework.claims.links import GOOD_FOR, LinkOver, sheet_of_token
from casework.claims.shown import show
from casework.clock import shanghai_day
from casework.errors import NotFound
from casework.tables import ClaimSheet

router = APIRouter(prefix="/claims", include_in_schema=False)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@router.get("/{token}")
@open_to(Role.CLAIM_LINK)
async def claim_page(token: str, house: TheHouse) -> Response:
    """The page; 404 for a link that is none of ours and for a member who was erased, 410 after 30 days."""
    claim_sheet = await _opened(house, token)
    if isinstance(claim_sheet, Response):
        return claim_sheet
    today = shanghai_day(house.clock.now())
    given = claim_sheet.given_at
    return page(
        house,
        "claims.html",
        view=show(claim_sheet, today),
        token=token,
        until=today if given is None else shanghai_day(given + GOOD_FOR),
        documents=_offered(claim_sheet),
    )


@router.get("/{token}/documents/{name}.docx")
@open_to(Role.CLAIM_LINK)
async def draft_as_docx(
    token: str, name: str, request: Request, house: TheHouse, limits: TheLimits
) -> Response:
    """A draft as a file for Word; 404 for one this sheet gives no reason for."""
    claim_sheet = await _opened(house, token)
    if isinstance(claim_sheet, Response):
        return claim_sheet
    kind = next((one for one in _offered(claim_sheet) if one.name == name), None)
    if kind is None:
        return page(house, "claims_gone.html", status=404, said="claim_page.no_document")
    if seconds := limits.calculations.spend(address_of(request)):
        return _wait(house, seconds)
    content = await asyncio.to_thread(documents.to_docx, name, _context(house, claim_sheet, name))
    disposition = f"attachment; filename=\"{name}.docx\"; filename*=UTF-8''{quote(kind.label)}.docx"
    return Response(content, media_type=DOCX, headers=HEADERS | {"Content-Disposition": disposition})


@router.get("/{token}/documents/{name}")
@open_to(Role.CLAIM_LINK)
async def draft_as_page(token: str, name: str, house: TheHouse) -> Response:
    """A draft as a page to be printed; 404 for one this sheet gives no reason for."""
    claim_sheet = await _opened(house, token)
    if isinstance(claim_sheet, Response):
        return claim_sheet
    if all(one.name != name for one in _offered(claim_sheet)):
        return page(house, "claims_gone.html", status=404, said="claim_page.no_document")
    return HTMLResponse(document_page(_context(house, claim_sheet, name)), headers=HEADERS)


async def _opened(house: House, token: str) -> ClaimSheet | HTMLResponse:
    """The sheet a link opens, or the page that says why it does not."""
    try:
        async with house.database.read() as session:
            return await sheet_of_token(session, token, house.clock.now())
    except LinkOver:
        return page(house, "claims_gone.html", status=HTTPStatus.GONE, said="claim_page.expired")
    except NotFound:
        return page(house, "claims_gone.html", status=HTTPStatus.NOT_FOUND, said="claim_page.gone")


def _offered(claim_sheet: ClaimSheet) -> list[documents.DocumentKind]:
    """The documents this sheet gives reason for."""
    fitting = documents.suitable(claim_sheet.sheet or {})
    return [kind for kind in documents.names() if kind.name in fitting]


def _context(house: House, claim_sheet: ClaimSheet, name: str) -> documents.Context:
    return documents.draft_context(name, claim_sheet.sheet or {}, None, shanghai_day(house.clock.now()))


def _wait(house: House, seconds: int) -> HTMLResponse:
    headers = HEADERS | {"Retry-After": str(seconds)}
    return page(house, "claims_gone.html", status=429, headers=headers, said="claim_page.too_often")
