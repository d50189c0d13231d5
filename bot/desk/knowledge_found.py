"""Knowledge found by words: what articles are near to what a worker looks for; nothing is remembered."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import fragment
from bot.house import House
from bot.roles import Role, open_to
from casework.clock import shanghai_day
from casework.knowledge_search import Found, search_of
from casework.permissions import Right
from casework.published import current_knowledge

router = APIRouter(prefix="/desk/knowledge", include_in_schema=False)

Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Looked = Annotated[str, Query(max_length=200)]


@router.get("/search")
@open_to(Role.STAFF)
async def search_articles(request: Request, signed: Looker, house: TheHouse, q: Looked = "") -> Response:
    """The articles nearest to a query, the best first: a list to put into a page, or JSON for a script."""
    found = await articles_near(house, q)
    if wants_page(request):
        return await fragment(request, "knowledge/found.html", signed=signed, articles=found)
    return JSONResponse(
        {
            "articles": [
                {
                    "topic": one.topic,
                    "title": one.article.title,
                    "label": one.article.label,
                    "aspect": one.aspect,
                    "snippet": one.snippet,
                    "score": one.score,
                    "href": f"/desk/knowledge/{one.topic}",
                }
                for one in found
            ]
        },
        headers={"Cache-Control": "no-store"},
    )


async def articles_near(house: House, query: str) -> tuple[Found, ...]:
    """What is served today and near to a query; a crisis does not keep staff from an article."""
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
    # The first time, and after a publication, the index is built: not on everybody's time.
    search = await asyncio.to_thread(search_of, knowledge, house.settings.home / "data" / "knowledge")
    return search.find(query, shanghai_day(house.clock.now()))
