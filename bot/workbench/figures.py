"""Figures: how the versions do with members over time, in pictures with their tables, and what changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk import charts
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import model_registry, model_watch
from casework.canary_share import on_canary
from casework.clock import shanghai_day
from casework.errors import BadInput
from casework.live_comparison import Compared, compare
from casework.live_figures import LiveFigures, read_figures
from casework.live_series import Change, Day, read_changes, read_corrections, read_days
from casework.model_bands import Bands
from casework.periods import MAX_DAYS, Period
from casework.permissions import Right
from casework.tables import ModelVersion, SampleChange

router = APIRouter(prefix="/workbench/figures", include_in_schema=False)

RANGES = (7, 30, 90)
USUAL = 30
"""Days shown when none are asked for."""
LARGEST = 3
"""So many topics have a colour of their own; the rest share one."""
MOST_BARS = 12
MOST_VERSIONS = 12
SIGNS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_MARK = re.compile(r"\[([^\]]+)\]\(([a-z_]+)\)")
load_bands = lru_cache(maxsize=4)(Bands.load)

Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Side by side: a version beside another one, and whether the watch may still take it back."""

    version: ModelVersion
    beside: ModelVersion
    figures: LiveFigures
    baseline: LiveFigures
    compared: list[Compared]
    watched: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """Correction: a changed sentence, and whether the version reads it right (None: nobody measured that)."""

    change: SampleChange
    text: str
    before: str | None
    after: str | None
    learnt: bool | None


@router.get("")
@open_to(Role.STAFF)
async def figures(request: Request, signed: Teacher, house: TheHouse) -> Response:
    """The pictures of a period; the last 30 days when none is asked for. What cannot be asked is a 422."""
    now = house.clock.now()
    today = shanghai_day(now)
    problem = False
    try:
        days, period = _asked(request.query_params, today)
    except BadInput:
        problem, days, period = True, USUAL, _last(USUAL, today)
    bands = load_bands(house.settings.home / "data" / "knowledge")
    async with house.database.read() as session:
        series = await read_days(session, period)
        changes = await read_changes(session, period)
        versions = list(reversed(await model_registry.versions(session, MOST_VERSIONS)))
        live = await model_registry.live(session)
        before = None if live is None else await model_registry.version_before(session, live)
        cards = await _cards(session, bands, house, live, before)
        corrections = []
        if live is not None and before is not None:
            corrections = _measured(await read_corrections(session, live, before), live)
    topics = sum((day.topics for day in series), Counter[str | None]())
    return await page(
        request,
        "workbench/figures.html",
        signed=signed,
        status=422 if problem else 200,
        problem=problem,
        tried={name: request.query_params.get(name, "") for name in ("start", "end")} if problem else {},
        most_days=MAX_DAYS,
        ranges=RANGES,
        days=days,
        period=period,
        today=today,
        series=series,
        topics=topics.most_common(),
        most_bars=MOST_BARS,
        stacks=_stacks(series, topics),
        labels=[f"{day.day.month}-{day.day.day:02d}" for day in series],
        changes=_signed(changes),
        marks=_marks(changes, period),
        versions=versions,
        live=live,
        before=before,
        cards=cards,
        baseline_days=bands.baseline.days,
        corrections=corrections,
        charts=charts,
    )


def _asked(query: Mapping[str, str], today: date) -> tuple[int | None, Period]:
    """The days back, or None for a period with its own ends; raises BadInput for what there is none of."""
    try:
        if query.get("start") or query.get("end"):
            start, end = date.fromisoformat(query.get("start", "")), date.fromisoformat(query.get("end", ""))
            return None, Period(start, end)
        days = int(query.get("days") or USUAL)
    except ValueError as error:
        raise BadInput("no such period", field="period") from error
    if days not in RANGES:
        raise BadInput("no such period", field="period")
    return days, _last(days, today)


def _last(days: int, today: date) -> Period:
    return Period(today - timedelta(days=days - 1), today)


async def _cards(
    session: AsyncSession,
    bands: Bands,
    house: House,
    live: ModelVersion | None,
    before: ModelVersion | None,
) -> list[SideBySide]:
    """The canary beside the live version over the same time, and the live one beside the one before."""
    now = house.clock.now()
    watched = {one.name: one for one in await model_watch.watched(session, bands, now)}
    canary = await model_registry.canary(session)
    cards = []
    if live is not None and canary is not None and canary.name in watched:
        one = watched[canary.name]
        there = await model_watch.baseline_of(session, one, bands, now, on_canary)
        seen = await model_watch.look(session, one, there, bands, now, on_canary)
        cards.append(_beside(canary, live, seen.figures, there, bands, watched=True))
    if live is not None and live.live_since is not None and before is not None:
        here = await read_figures(session, live.name, live.live_since, now)
        there = await read_figures(session, before.name, live.live_since - bands.baseline, live.live_since)
        cards.append(_beside(live, before, here, there, bands, watched=live.name in watched))
    return cards


def _beside(
    version: ModelVersion,
    beside: ModelVersion,
    here: LiveFigures,
    there: LiveFigures,
    bands: Bands,
    *,
    watched: bool,
) -> SideBySide:
    return SideBySide(version, beside, here, there, compare(here, there, bands), watched)


def _stacks(series: Sequence[Day], topics: Counter[str | None]) -> list[tuple[str | None, list[int]]]:
    """Messages by day of the largest topics, one line each, and last (topic None) of all the others."""
    largest = [topic for topic, _ in topics.most_common() if topic is not None][:LARGEST]
    stacks: list[tuple[str | None, list[int]]] = [
        (topic, [day.topics[topic] for day in series]) for topic in largest
    ]
    rest = [day.messages - sum(day.topics[topic] for topic in largest) for day in series]
    return [*stacks, (None, rest)]


def _signed(changes: Sequence[Change]) -> list[tuple[str, Change]]:
    """The changes with the signs they have in the pictures."""
    signs = [*SIGNS, *(f"({number})" for number in range(len(SIGNS) + 1, len(changes) + 1))]
    return list(zip(signs, changes, strict=False))


def _marks(changes: Sequence[Change], period: Period) -> list[tuple[int, str, str]]:
    """Where in the pictures another version began to answer."""
    return [((one.day - period.start).days, sign, one.name) for sign, one in _signed(changes)]


def _measured(changes: Sequence[SampleChange], version: ModelVersion) -> list[Correction]:
    """The changes with what the gate measured of them when the version was trained."""
    rows: Sequence[Mapping[str, Any]] = (version.gate or {}).get("corrections") or ()
    measured = {(row.get("text"), row.get("intent")): row for row in rows}
    found = []
    for change in changes:
        text = _MARK.sub(r"\1", change.after_text or change.before_text or "")
        row = measured.get((text, change.after_intent), {})
        found.append(Correction(change, text, row.get("before"), row.get("after"), row.get("learnt")))
    return found
