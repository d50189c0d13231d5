"""The training inbox: what staff say the bot should have understood, as they left it for the workbench."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import RowId, answered
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_view, suggestions
from casework.permissions import Right
from casework.tables import SuggestionState

router = APIRouter(prefix="/desk/suggestions", include_in_schema=False)

INBOX = "/desk/suggestions"
MOST = 200
Suggester = Annotated[Signed, Depends(needs(Right.SUGGEST))]


@router.get("")
@open_to(Role.STAFF)
async def inbox(
    request: Request,
    signed: Suggester,
    house: TheHouse,
    state: Annotated[str, Query(max_length=20)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The suggestions in one state, the oldest first, and how many there are in each."""
    wanted = SuggestionState(state) if state in set(SuggestionState) else SuggestionState.NEW
    async with house.database.read() as session:
        found = await suggestions.inbox(session, wanted, MOST)
        counts = await suggestions.counts(session)
        people = await desk_view.staff_named(session, {one.staff_id for one in found})
    return await page(
        request,
        "admin/suggestions.html",
        signed=signed,
        found=found,
        counts=counts,
        state=wanted,
        people=people,
        labels=_labels(house),
        most=MOST,
        done=done,
    )


@router.post("/{suggestion_id}/withdraw")
@open_to(Role.STAFF)
async def withdraw(request: Request, suggestion_id: RowId, signed: Suggester, house: TheHouse) -> Response:
    """Take one's own back, as long as nobody settled it."""
    async with house.database.transaction() as session:
        await suggestions.withdraw(session, signed.staff, suggestion_id, house.clock.now())
    return answered(request, INBOX, "withdrawn")


def _labels(house: House) -> dict[str, Any]:
    return {name: intent.label for name, intent in house.knowledge.intents.items()}
