"""Case pages, for reading: the list, its file, a case, and what of a case is fetched again."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.case_page import CaseNumber, read_case
from bot.desk.case_views import CaseView, choices, tabs
from bot.desk.deadlines import deadline_of
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page, render, topic_labels
from bot.roles import Role, open_to
from casework import case_lists, desk_view
from casework.case_lists import EXPORT_COLUMNS
from casework.clock import shanghai_day
from casework.desk_rules import read_desk_rules
from casework.permissions import Right
from casework.spreadsheet import csv_safe
from casework.tables import Priority

router = APIRouter(prefix="/desk/cases", include_in_schema=False)

Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Exporter = Annotated[Signed, Depends(needs(Right.EXPORT))]
PAGE = 50


@router.get("")
@open_to(Role.STAFF)
async def case_list(request: Request, signed: Looker, house: TheHouse) -> Response:
    """One page of the cases the address asks for; without a wish, one's own open ones."""
    view = CaseView.read(request.query_params, signed.staff)
    now = house.clock.now()
    async with house.database.read() as session:
        rules = await read_desk_rules(session, house.desk_rules)
        query = view.query(signed.staff, now)
        found = await case_lists.list_cases(session, query, signed.staff, now, PAGE)
        counts = await case_lists.counts(session, signed.staff, now)
        teams = await desk_view.teams(session)
    deadlines = {
        row.id: deadline_of(row.due_at, row.priority.value, now, rules, standing=row.waiting_for_member)
        for row in found.rows
        if row.closed_at is None
    }
    return await page(
        request,
        "cases.html",
        signed=signed,
        view=view,
        rows=found.rows,
        deadlines=deadlines,
        tabs=tabs(view, counts, signed.staff),
        choices=choices(house, view, topic_labels(house)) | {"teams": teams},
        case_types=house.knowledge.case_types,
        next_page=None if found.next_cursor is None else view.next_page(found.next_cursor),
        page_before=view.page_before(),
    )


@router.get("/export.csv")
@open_to(Role.STAFF)
async def export(request: Request, signed: Exporter, house: TheHouse) -> Response:
    """Every case the address asks for as a file for a spreadsheet; masked for everybody, and audited."""
    view = CaseView.read(request.query_params, signed.staff)
    now = house.clock.now()
    async with house.database.transaction() as session:
        query = view.query(signed.staff, now)
        rows = [row async for row in case_lists.export_rows(session, query, signed.staff, now)]
    file = io.StringIO()
    writer = csv.writer(file)
    headings = render(request, "case/headings.txt", signed=signed, columns=EXPORT_COLUMNS)
    writer.writerow(headings.split())
    topics, wording = topic_labels(house), house.wording
    types = house.knowledge.case_types
    for row in rows:
        said = {
            "topic": topics.get(row["topic"], row["topic"]),
            "state": wording.say(f"case_state.{row['state']}"),
            "case_type": types[row["case_type"]].label if row["case_type"] in types else row["case_type"],
            "priority": wording.say(f"case_priority.{row['priority']}"),
        }
        writer.writerow([csv_safe(cell) for cell in (row | said).values()])
    return Response(
        file.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="cases-{shanghai_day(now)}.csv"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/{number}")
@open_to(Role.STAFF)
async def case_page(number: CaseNumber, request: Request, signed: Looker, house: TheHouse) -> Response:
    """A case with everything that belongs to it, and what its state allows this member of staff to do."""
    async with house.database.read() as session:
        shown = await read_case(session, house, number, signed.staff, house.clock.now())
    asked = request.query_params.get("do")
    return await page(request, "case.html", signed=signed, **shown, priorities=list(Priority), doing=asked)


@router.get("/{number}/parts")
@open_to(Role.STAFF)
async def case_parts(
    number: CaseNumber,
    request: Request,
    signed: Looker,
    house: TheHouse,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The parts of the page, each in the element whose id it replaces; 304 when none of them changed."""
    async with house.database.read() as session:
        shown = await read_case(session, house, number, signed.staff, house.clock.now())
    text = render(request, "case/parts.html", signed=signed, **shown, priorities=list(Priority), doing=None)
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="text/html", headers=headers)
