"""The search page: conversations and cases by name, phone, case number and words, and articles near to them.

Nothing is remembered.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.errors import refusal_text
from bot.desk.knowledge_found import articles_near
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import page, topic_labels
from bot.roles import Role, open_to
from casework import search
from casework.errors import BadInput
from casework.permissions import Right
from casework.search_query import MAX_QUERY
from casework.search_results import Hit, describe

router = APIRouter(prefix="/desk", include_in_schema=False)

Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
LIMIT = 50


@router.get("/search")
@open_to(Role.STAFF)
async def search_page(request: Request, signed: Looker, house: TheHouse, q: str = "") -> Response:
    """What a query finds, as a page or for a script; a query that is none is said beside its field (422)."""
    problem, hits, complete = None, list[Hit](), True
    if q.strip():
        try:
            async with house.database.read() as session:
                results = await search.find(session, q, house.clock.now(), limit=LIMIT)
                hits = await describe(session, results.found, signed.staff)
            complete = results.complete
        except BadInput as error:
            if not wants_page(request):
                raise
            problem = refusal_text(house.wording, error)
    if not wants_page(request):
        return _for_scripts(hits, complete, topic_labels(house))
    return await page(
        request,
        "search.html",
        signed=signed,
        status=422 if problem else 200,
        q=q[: 2 * MAX_QUERY],
        most=MAX_QUERY,
        asked=bool(q.strip()),
        problem=problem,
        hits=hits,
        complete=complete,
        articles=await articles_near(house, q) if q.strip() and not problem else (),
        case_types=house.knowledge.case_types,
    )


def _for_scripts(hits: list[Hit], complete: bool, topics: dict[str, str]) -> JSONResponse:
    return JSONResponse(
        {
            "results": [
                {
                    "kind": one.kind,
                    "name": one.number or one.name,
                    "topic": topics.get(one.topic or "", one.topic),
                    "why": one.why,
                    "href": f"/desk/cases/{one.number}" if one.number else f"/desk/c/{one.id}",
                }
                for one in hits
            ],
            "complete": complete,
        },
        headers={"Cache-Control": "no-store"},
    )
