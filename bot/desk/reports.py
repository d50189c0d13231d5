"""The reports page and its CSV file: what happened in a period, in tables, charts and numbers alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from bot.api.doorkeeper import TheHouse
from bot.desk import charts
from bot.desk.report_columns import COLUMNS, csv_line
from bot.desk.sessions import Signed, needs
from bot.desk.shell import fragment, page
from bot.house import House
from bot.roles import Role, open_to
from casework.clock import shanghai_day
from casework.errors import BadInput
from casework.periods import MAX_DAYS, Period, Preset, preset_period
from casework.permissions import Right
from casework.report_figures import histogram
from casework.reports import Filters, Grouping, Report, report, worker_labels
from casework.tables import Channel

router = APIRouter(prefix="/desk", include_in_schema=False)

Reader = Annotated[Signed, Depends(needs(Right.REPORT))]
WAITS = (1, 3, 5, 10, 15, 30, 60)
"""Upper bounds of the histogram of waiting times, in minutes."""
MOST_BARS = 12
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for, as the address says it."""

    preset: str
    period: Period
    grouping: Grouping
    filters: Filters

    def query(self, **changes: str) -> str:
        """The address's query for this report with some of it changed."""
        values = {"preset": self.preset, "by": self.grouping.value}
        if self.preset == CUSTOM:
            values |= {"start": self.period.start.isoformat(), "end": self.period.end.isoformat()}
        for name in ("channel", "district", "topic"):
            if (value := getattr(self.filters, name)) is not None:
                values[name] = str(value)
        return urlencode(values | changes)


@router.get("/reports")
@open_to(Role.STAFF)
async def reports_page(request: Request, signed: Reader, house: TheHouse) -> HTMLResponse:
    """The report that is asked for; this week's by day when nothing is. What cannot be asked is a 422."""
    today = shanghai_day(house.clock.now())
    problem = False
    try:
        asked = _asked(request, house, today)
    except BadInput:
        problem = True
        asked = Asked(Preset.THIS_WEEK.value, preset_period(Preset.THIS_WEEK, today), Grouping.DAY, Filters())
    found, workers = await _read(house, asked)
    return await page(
        request,
        "reports.html",
        signed=signed,
        status=422 if problem else 200,
        problem=problem,
        most_days=MAX_DAYS,
        tried={name: request.query_params.get(name, "") for name in ("start", "end")} if problem else {},
        custom=CUSTOM,
        today=today,
        channels=list(Channel),
        districts=house.knowledge.districts.names,
        topics=house.knowledge.topics,
        presets=list(Preset),
        groupings=list(Grouping),
        charts=charts,
        waits=WAITS,
        waited=histogram(found.totals.first_replies, WAITS),
        reasons=found.totals.reasons.most_common(),
        most_bars=MOST_BARS,
        **_shown(asked, found, workers),
    )


@router.get("/reports.csv")
@open_to(Role.STAFF)
async def reports_csv(request: Request, signed: Reader, house: TheHouse) -> Response:
    """The same report as a file for a spreadsheet (UTF-8 with a mark, so that Excel reads the Chinese)."""
    asked = _asked(request, house, shanghai_day(house.clock.now()))
    found, workers = await _read(house, asked)
    reasons = [reason for reason, _ in found.totals.reasons.most_common()]
    content = await fragment(
        request,
        "reports.csv.txt",
        signed=signed,
        reasons=reasons,
        line=_line,
        **_shown(asked, found, workers),
    )
    name = f"report-{asked.grouping}-{asked.period.start}-{asked.period.end}.csv"
    return Response(
        b"\xef\xbb\xbf" + bytes(content.body),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _asked(request: Request, house: House, today: date) -> Asked:
    """Read the address; raises BadInput for a period, grouping or filter that there is none of."""
    query = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    preset = query.get("preset", Preset.THIS_WEEK.value)
    district, topic = query.get("district"), query.get("topic")
    if (district and district not in house.knowledge.districts) or (
        topic and topic not in house.knowledge.topics
    ):
        raise BadInput("no such district or topic", field="filter")
    try:
        grouping = Grouping(query.get("by", Grouping.DAY.value))
        channel = Channel(query["channel"]) if "channel" in query else None
        if preset == CUSTOM:
            start = date.fromisoformat(query.get("start", ""))
            period = Period(start, date.fromisoformat(query.get("end", "")))
        else:
            period = preset_period(Preset(preset), today)
    except ValueError as error:
        raise BadInput("no such period, grouping or filter", field="period") from error
    return Asked(preset, period, grouping, Filters(channel, district, topic))


async def _read(house: House, asked: Asked) -> tuple[Report, dict[str, tuple[str, str]]]:
    async with house.database.read() as session:
        found = await report(session, asked.period, asked.grouping, asked.filters)
        if asked.grouping is not Grouping.WORKER:
            return found, {}
        return found, await worker_labels(session, [row.key for row in found.rows])


def _shown(asked: Asked, found: Report, workers: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """What the page and the file share."""
    return {
        "asked": asked,
        "report": found,
        "workers": workers,
        "columns": COLUMNS,
        "day": date.fromisoformat,
        "six_days": timedelta(days=6),
    }


def _line(*cells: object) -> Markup:
    """A line of the file, of cells that a template may have escaped for HTML."""
    plain = [cell.unescape() if isinstance(cell, Markup) else cell for cell in cells]
    return Markup(csv_line(*plain))  # noqa: S704  # the file is no HTML
