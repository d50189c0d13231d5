"""The audit page: who did what to which record, day by day; reading it changes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from bot.api.doorkeeper import TheHouse
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.roles import Role, open_to
from casework.audit import AuditQuery, actors_and_deeds, list_entries
from casework.clock import shanghai_day
from casework.errors import BadInput
from casework.periods import MAX_DAYS, Period
from casework.permissions import Right

router = APIRouter(prefix="/desk", include_in_schema=False)

Auditor = Annotated[Signed, Depends(needs(Right.AUDIT))]
SHOWN_DAYS = 7
PAGE = 100
FIELDS = ("actor", "deed", "subject_kind", "subject_id")


@router.get("/audit")
@open_to(Role.STAFF)
async def audit_page(request: Request, signed: Auditor, house: TheHouse) -> HTMLResponse:
    """The trail of the last seven days, or of what is asked for; what cannot be asked is said (422)."""
    today = shanghai_day(house.clock.now())
    usual = Period(today - timedelta(days=SHOWN_DAYS - 1), today)
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    problem = False
    try:
        period, before = _asked(given, usual)
    except (BadInput, ValueError):
        problem, period, before = True, usual, None
    wanted = {name: given[name] for name in FIELDS if name in given and "\x00" not in given[name]}
    async with house.database.read() as session:
        found = await list_entries(session, AuditQuery(period, **wanted), before=before, limit=PAGE)
        actors, deeds = await actors_and_deeds(session, period)
    dates = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    return await page(
        request,
        "audit.html",
        signed=signed,
        status=422 if problem else 200,
        problem=problem,
        most_days=MAX_DAYS,
        period=period,
        wanted=wanted,
        entries=found.entries,
        actors=actors,
        deeds=deeds,
        paged=before is not None,
        first=urlencode(dates | wanted),
        older=None if found.older is None else urlencode(dates | wanted | {"before": found.older}),
    )


def _asked(given: dict[str, str], usual: Period) -> tuple[Period, int | None]:
    """The period and the entry to go on before; raises ValueError or BadInput."""
    start = date.fromisoformat(given["start"]) if "start" in given else usual.start
    end = date.fromisoformat(given["end"]) if "end" in given else max(start, usual.end)
    before = int(given["before"]) if "before" in given else None
    if before is not None and not 0 < before < 2**63:
        raise ValueError("not an id")
    return Period(start, end), before
