"""The wall: the whole hotline on one screen, kept fresh, and from it conversations are given to others."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.report_columns import COLUMNS
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import fragment, page
from bot.house import House
from bot.roles import Role, open_to
from casework import conversations, handoff
from casework.desk_rules import read_desk_rules
from casework.errors import BadInput
from casework.permissions import Right
from casework.tables import Priority, Staff, Team
from casework.wall import reassignable, wall

router = APIRouter(prefix="/desk/wall", include_in_schema=False)

Watcher = Annotated[Signed, Depends(needs(Right.WATCH))]
Director = Annotated[Signed, Depends(needs(Right.DIRECT))]
MOST_ROWS = 30
"""Rows of the waiting list; who watches needs the first ones, and the numbers count all."""


@router.get("")
@open_to(Role.STAFF)
async def wall_page(request: Request, signed: Watcher, house: TheHouse) -> HTMLResponse:
    """The wall as a page; its script fetches the board again when something happens."""
    return await page(request, "wall.html", signed=signed, **await _seen(house))


@router.get("/board")
@open_to(Role.STAFF)
async def wall_board(request: Request, signed: Watcher, house: TheHouse) -> HTMLResponse:
    """What changes on the wall, as HTML to be put in its place."""
    return await fragment(request, "wall_board.html", signed=signed, **await _seen(house))


@router.post("/reassign")
@open_to(Role.STAFF)
async def reassign(
    request: Request,
    signed: Director,
    house: TheHouse,
    conversation: Annotated[str, Form(max_length=64)],
    to: Annotated[str, Form(max_length=24)],
) -> Response:
    """Give a conversation to a colleague (``staff:7``) or a team (``team:3``), who find it in the queue.

    Refused (NotFound, NotAllowed, BadInput) for one the bot has, and for who takes no conversations.
    """
    kind, _, number = to.partition(":")
    if not number.isascii() or not number.isdecimal() or len(number) > 15:
        raise BadInput("to a colleague or to a team", field="to")
    now = house.clock.now()
    async with house.database.transaction() as session:
        talk = await conversations.get(session, conversation)
        colleague = await session.get(Staff, int(number)) if kind == "staff" else None
        team = await session.get(Team, int(number)) if kind == "team" else None
        await handoff.transfer(
            session,
            talk,
            signed.staff,
            now,
            to=colleague,
            team=team if team is not None and team.active else None,
            wording=house.wording,
        )
    house.switchboard.feed.wake(conversation)
    if wants_page(request):
        return RedirectResponse("/desk/wall", status_code=303)
    return JSONResponse({"conversation_id": conversation, "owner": talk.owner.value})


async def _seen(house: House) -> dict[str, Any]:
    """What the wall's templates need; one consistent look."""
    async with house.database.read() as session:
        rules = await read_desk_rules(session, house.desk_rules)
        found = await wall(session, rules, house.clock.now())
        staff, teams = await reassignable(session)
    return {
        "wall": found,
        "rows": found.queue[:MOST_ROWS],
        "priorities": list(Priority),
        "colleagues": staff,
        "teams": teams,
        "columns": {column.name: column for part in COLUMNS.values() for column in part},
        "answers_at": rules.answers_at(found.at),
    }
