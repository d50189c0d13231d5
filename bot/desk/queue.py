"""The queue: the desk's first page, its list as a piece, presence, kept filters, alerts and the live feed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from bot.api.doorkeeper import TheHouse
from bot.desk.live import DeskFeed
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import page, render, topic_labels
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_feed, desk_lists, staff_talk
from casework.desk_feed import Stamp
from casework.desk_find import quick_find
from casework.desk_lists import QueueQuery, Tab, in_tab
from casework.errors import BadInput
from casework.model_watch import ALERT_DETAILS
from casework.permissions import Right
from casework.tables import Channel, Presence

router = APIRouter(prefix="/desk", include_in_schema=False)

Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Answerer = Annotated[Signed, Depends(needs(Right.ANSWER))]
LIMIT = 100
KEPT_S = 5
"""A rendered list is given to other workers for so long at most."""
FOUND = 8
MAX_ID = 2**53


@router.get("")
@open_to(Role.STAFF)
async def queue_page(request: Request, signed: Looker, house: TheHouse) -> Response:
    """The queue as a page; without a wish, who waits."""
    query = QueueQuery.read(request.query_params)
    now = house.clock.now()
    async with house.database.read() as session:
        stamps = await desk_feed.stamps(session, now)
        counts = desk_lists.counts_of(stamps, signed.staff, now)
        rows = await desk_lists.queue_rows(session, query, signed.staff, now, LIMIT)
        filters = await desk_lists.list_filters(session, signed.staff)
    return await page(
        request,
        "queue.html",
        signed=signed,
        query=query,
        rows=rows,
        counts=counts,
        etag=_etag(stamps, query, signed, now),
        filters=[{"id": one.id, "name": one.name, "href": _address(one.query)} for one in filters],
        tabs=_tabs(query, signed),
        address=urlencode(query.values()),
        choices=_choices(house),
    )


@router.get("/queue")
@open_to(Role.STAFF)
async def queue_list(
    request: Request,
    signed: Looker,
    house: TheHouse,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The list alone; 304 when nothing in the queue moved since, which one small query finds out."""
    query = QueueQuery.read(request.query_params)
    now, stamps = await _feed(request).stamps_now()
    etag = _etag(stamps, query, signed, now)
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)

    async def make() -> str:
        async with house.database.read() as session:
            rows = await desk_lists.queue_rows(session, query, signed.staff, now, LIMIT)
        # Rendered for nobody in particular: it is shown to every worker who would see the same.
        return render(request, "queue/list.html", query=query, rows=rows)

    return HTMLResponse(await _feed(request).lists.get((etag, _slot(now)), make), headers=headers)


@router.post("/presence")
@open_to(Role.STAFF)
async def presence(
    request: Request, signed: Answerer, house: TheHouse, presence: Annotated[str, Form()]
) -> Response:
    """Say whether one takes conversations now."""
    try:
        wanted = Presence(presence)
    except ValueError as error:
        raise BadInput("no such presence", field="presence") from error
    async with house.database.transaction() as session:
        await desk_feed.set_presence(session, signed.staff.id, wanted, house.clock.now())
    _feed(request).wake_all()
    return _done(request, "/desk", presence=wanted.value)


@router.post("/filters")
@open_to(Role.STAFF)
async def save_filter(
    request: Request, signed: Looker, house: TheHouse, name: Annotated[str, Form()]
) -> Response:
    """Keep the view in the form's fields under a name."""
    form = await request.form()
    query = QueueQuery.read({key: str(value) for key, value in form.items()})
    async with house.database.transaction() as session:
        saved = await desk_lists.save_filter(session, signed.staff, name, query, house.clock.now())
    where = _address(saved.query)
    return _done(request, where, id=saved.id, location=where)


@router.post("/filters/{filter_id}/delete")
@open_to(Role.STAFF)
async def delete_filter(filter_id: int, request: Request, signed: Looker, house: TheHouse) -> Response:
    """Forget a kept view."""
    async with house.database.transaction() as session:
        await desk_lists.delete_filter(session, signed.staff, filter_id)
    return _done(request, "/desk")


@router.get("/alerts")
@open_to(Role.STAFF)
async def alerts(request: Request, signed: Looker, house: TheHouse) -> Response:
    """What one has not read yet."""
    async with house.database.read() as session:
        found = await staff_talk.alerts_for(session, signed.staff)
    return await page(request, "alerts.html", signed=signed, alerts=found)


@router.get("/alerts/{alert_id}")
@open_to(Role.STAFF)
async def follow_alert(alert_id: int, signed: Looker, house: TheHouse) -> Response:
    """Go to what an alert is about; opening it there is reading it."""
    async with house.database.transaction() as session:
        alert = await staff_talk.read_alert(session, signed.staff, alert_id, house.clock.now())
        number = await desk_feed.case_number(session, alert.case_id) if alert.case_id else None
    where = "/desk/alerts"
    if alert.conversation_id:
        where = f"/desk/c/{alert.conversation_id}" + (f"#m{alert.message_id}" if alert.message_id else "")
    elif number is not None:
        where = f"/desk/cases/{number}"
    elif alert.detail in ALERT_DETAILS:
        where = "/workbench/figures"
    return RedirectResponse(where, status_code=303)


@router.post("/alerts/{alert_id}/read")
@open_to(Role.STAFF)
async def read_alert(alert_id: int, request: Request, signed: Looker, house: TheHouse) -> Response:
    """Put an alert away."""
    async with house.database.transaction() as session:
        await staff_talk.read_alert(session, signed.staff, alert_id, house.clock.now())
        unread = len(await staff_talk.alerts_for(session, signed.staff))
    return _done(request, "/desk/alerts", unread=unread)


@router.get("/find")
@open_to(Role.STAFF)
async def find(signed: Looker, house: TheHouse, q: Annotated[str, Query(max_length=60)] = "") -> JSONResponse:
    """Conversations and cases for the command palette; what cannot be looked for finds nothing."""
    async with house.database.read() as session:
        found = await quick_find(session, q, house.clock.now(), FOUND)
    labels = topic_labels(house)
    return JSONResponse(
        {
            "results": [
                {
                    "kind": one.kind,
                    "name": one.number or one.name,
                    "topic": labels.get(one.topic or "", one.topic),
                    "why": one.why,
                    "href": f"/desk/cases/{one.number}" if one.number else f"/desk/c/{one.id}",
                }
                for one in found
            ]
        }
    )


@router.get("/events", response_class=EventSourceResponse)
@open_to(Role.STAFF)
async def events(
    request: Request,
    signed: Looker,
    last: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=MAX_ID)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The live feed: hello, queue, conversation, alert, presence, watchers, beat, and bye at the end."""
    async with aclosing(_feed(request).watch(signed, max(last, last_event_id or 0))) as happenings:
        async for one in happenings:
            yield ServerSentEvent(
                event=one.name, id=one.id, raw_data=json.dumps(one.data, ensure_ascii=False)
            )


def _feed(request: Request) -> DeskFeed:
    feed: DeskFeed = request.app.state.desk_feed
    return feed


def _etag(stamps: Collection[Stamp], query: QueueQuery, signed: Signed, now: datetime) -> str:
    """Names what a list shows: two workers see the same under the same name, for some seconds at least."""
    shown = [one for one in stamps if in_tab(one, query.tab, signed.staff, now)]
    mine = any(signed.staff.id in (one.staff_id, one.reserved_for_id) for one in shown)
    told = repr((query.values(), signed.staff.id if mine else None, [one.told() for one in shown]))
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'


def _slot(now: datetime) -> int:
    """Changes every few seconds: a list is not kept for longer, since some of it ends by itself."""
    return int(now.timestamp() // KEPT_S)


def _address(values: Mapping[str, str]) -> str:
    return f"/desk?{urlencode(values)}"


def _tabs(query: QueueQuery, signed: Signed) -> list[dict[str, Any]]:
    wanted = [tab for tab in Tab if tab is not Tab.TEAM or signed.staff.team_id is not None]
    return [
        {
            "tab": tab.value,
            "href": _address(query.values() | {"tab": tab.value}),
            "here": tab is query.tab,
        }
        for tab in wanted
    ]


def _choices(house: House) -> dict[str, Any]:
    labels = topic_labels(house)
    return {
        "topics": sorted(labels.items()),
        "districts": house.knowledge.districts.names,
        "channels": [channel.value for channel in Channel],
    }


def _done(request: Request, where: str, **told: Any) -> Response:
    if wants_page(request):
        return RedirectResponse(where, status_code=303)
    return JSONResponse({"ok": True, **told})
