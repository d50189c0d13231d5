"""Administration: its first page, and what its parts have in common."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.errors import refusal_text
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import accounts, canned, model_registry, suggestions, teams
from casework.clock import shanghai_day
from casework.desk_rules import read_desk_rules
from casework.errors import Refusal
from casework.permissions import Right

router = APIRouter(prefix="/desk/admin", include_in_schema=False)

HOME = "/desk/admin"
CALENDAR_AHEAD_DAYS = 60
Editor = Annotated[Signed, Depends(needs(Right.EDIT_CANNED))]
"""Who may edit anything at all may edit canned replies."""
RowId = Annotated[int, Path(ge=1, le=2**53)]


@router.get("")
@open_to(Role.STAFF)
async def overview(request: Request, signed: Editor, house: TheHouse) -> Response:
    """What may be edited, how much there is of it, and whether the installation is in order."""
    now = house.clock.now()
    today = shanghai_day(now)
    async with house.database.read() as session:
        staff = await accounts.list_staff(session)
        listed = await teams.list_teams(session)
        replies = await canned.list_canned(session)
        rules = await read_desk_rules(session, house.desk_rules)
        waiting = await suggestions.counts(session)
        model = await model_registry.live_name(session)
    return await page(
        request,
        "admin/overview.html",
        signed=signed,
        staff=staff,
        locked=[one for one in staff if one.locked_until is not None and one.locked_until > now],
        teams=listed,
        replies=replies,
        rules=rules,
        marked={state.value: number for state, number in waiting.items()},
        working=rules.hours.is_working(now),
        closes_at=rules.hours.closes_at(now),
        opens_at=rules.answers_at(now),
        ahead=CALENDAR_AHEAD_DAYS,
        unknown_year=rules.hours.calendar.unknown_year(today, CALENDAR_AHEAD_DAYS),
        model=model,
        schema_current=await house.database.is_current(),
    )


def answered(request: Request, where: str, done: str) -> Response:
    """After a deed: back to a page that says it is done, or the address of that page for a script."""
    address = f"{where}{'&' if '?' in where else '?'}{urlencode({'done': done})}"
    if wants_page(request):
        return RedirectResponse(address, status_code=303)
    return JSONResponse({"ok": True, "location": address})


def problem(house: House, refusal: Refusal) -> dict[str, Any]:
    """What a form that is shown again says: the sentence, and the name of the field at fault."""
    named = refusal.values.get("reason") or refusal.values.get("field")
    return {"message": refusal_text(house.wording, refusal), "field": str(named or "")}
