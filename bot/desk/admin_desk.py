"""Desk settings: when the hotline is staffed, what is promised, how a handoff runs; and the work calendar."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import CALENDAR_AHEAD_DAYS, HOME, answered, problem
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_rules
from casework.clock import shanghai_day
from casework.desk_rules import AROUND_THE_CLOCK, KEYS, WORKING_TIME, DeskRules, Key
from casework.errors import BadInput, NotFound
from casework.permissions import Right
from casework.tables import Priority, Staff
from casework.work_calendar import Hours

router = APIRouter(prefix="/desk/admin/desk", include_in_schema=False)

DESK = f"{HOME}/desk"
Editor = Annotated[Signed, Depends(needs(Right.EDIT_DESK))]
MOST_SHIFTS = 12
FIRST_YEAR, LAST_YEAR = 2000, 2100
_TIME = re.compile(r"(\d{1,2})[:：.](\d{2})")
Setter = Callable[[AsyncSession, Staff, dict[str, Any], datetime], Awaitable[None]]


@router.get("")
@open_to(Role.STAFF)
async def settings_page(
    request: Request,
    signed: Editor,
    house: TheHouse,
    done: Annotated[str, Query(max_length=20)] = "",
    year: Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)] = None,
) -> Response:
    """What is in force, what it leads to now, and the calendar of a year."""
    return await _settings(request, signed, house, done=done, year=year)


@router.post("/{key}/reset")
@open_to(Role.STAFF)
async def reset(
    request: Request, key: Annotated[str, Path(max_length=20)], signed: Editor, house: TheHouse
) -> Response:
    """Go back to what ships."""
    async with house.database.transaction() as session:
        await desk_rules.reset_setting(session, signed.staff, _key(key), house.clock.now())
    return answered(request, DESK, "reset")


@router.post("/{key}")
@open_to(Role.STAFF)
async def change(
    request: Request, key: Annotated[str, Path(max_length=20)], signed: Editor, house: TheHouse
) -> Response:
    """Set the shifts, the promises or the handoff times, whole."""
    wanted = _key(key)
    form = await request.form()
    setters: dict[Key, Setter] = {
        "shifts": desk_rules.set_shifts,
        "promises": desk_rules.set_promises,
        "handoff": desk_rules.set_handoff,
    }
    try:
        async with house.database.transaction() as session:
            rules = await desk_rules.read_desk_rules(session, house.desk_rules)
            value = _READERS[wanted](form, rules)
            await setters[wanted](session, signed.staff, value, house.clock.now())
    except BadInput as refusal:
        error = problem(house, refusal) | {"key": wanted}
        return await _settings(request, signed, house, typed=form, error=error)
    return answered(request, DESK, wanted)


async def _settings(
    request: Request,
    signed: Signed,
    house: House,
    *,
    done: str = "",
    year: int | None = None,
    typed: FormData | None = None,
    error: dict[str, Any] | None = None,
) -> Response:
    now = house.clock.now()
    today = shanghai_day(now)
    async with house.database.read() as session:
        rules = await desk_rules.read_desk_rules(session, house.desk_rules)
    shown = {key: rules.as_setting(key) for key in KEYS}
    if typed is not None and error is not None:
        shown[error["key"]] = _as_typed(error["key"], typed, shown[error["key"]])
    return await page(
        request,
        "admin/desk.html",
        signed=signed,
        status=422 if error else 200,
        done=done,
        error=error,
        rules=rules,
        shown=shown,
        shipped={key: house.desk_rules.as_setting(key) == rules.as_setting(key) for key in KEYS},
        priorities=list(Priority),
        around_the_clock=AROUND_THE_CLOCK,
        working_time=WORKING_TIME,
        working=rules.hours.is_working(now),
        closes_at=rules.hours.closes_at(now),
        opens_at=rules.answers_at(now),
        dues={priority: rules.due("first_reply", priority, now) for priority in Priority},
        year=year or today.year,
        today=today,
        months=_months(rules.hours, year or today.year, today),
        holidays=_holidays(rules.hours, year or today.year),
        calendar=rules.hours.calendar,
        unknown_year=rules.hours.calendar.unknown_year(today, CALENDAR_AHEAD_DAYS),
    )


def _key(key: str) -> Key:
    if key not in KEYS:
        raise NotFound("no such setting")
    return key


def _read_shifts(form: FormData, rules: DeskRules) -> dict[str, Any]:
    """Weekday → its shifts as typed; rows left empty are none."""
    shifts: dict[str, Any] = {}
    for day in range(7):
        rows = [row for row in _typed_rows(form, day) if any(row)]
        if rows:
            shifts[str(day)] = [[_time(opens), _time(closes)] for opens, closes in rows]
    return shifts


def _typed_rows(form: FormData, day: int) -> list[tuple[str, str]]:
    opens = [_text(one) for one in form.getlist(f"opens-{day}")]
    closes = [_text(one) for one in form.getlist(f"closes-{day}")]
    return list(zip(opens, closes, strict=False))[:MOST_SHIFTS]


def _time(typed: str) -> str:
    """8:30, 8：30 and 8.30 are 08:30; anything else stays as it is and is refused."""
    found = _TIME.fullmatch(typed)
    return f"{int(found[1]):02d}:{found[2]}" if found else typed


def _read_promises(form: FormData, rules: DeskRules) -> dict[str, Any]:
    promises: dict[str, Any] = {"warn_at": (_whole(form, "warn_percent") or 0) / 100}
    for priority in Priority:
        name = priority.name.lower()
        promises[name] = {
            field: _whole(form, f"{name}-{field}")
            for field in ("first_reply_minutes", "next_reply_minutes", "resolve_days")
        }
        promises[name]["counts"] = _text(form.get(f"{name}-counts"))
    return promises


def _read_handoff(form: FormData, rules: DeskRules) -> dict[str, Any]:
    """The times as typed; the outcomes are the ones that ship."""
    kept = rules.as_setting("handoff")
    return {name: value if name == "outcomes" else _whole(form, name) for name, value in kept.items()}


_READERS: dict[Key, Callable[[FormData, DeskRules], dict[str, Any]]] = {
    "shifts": _read_shifts,
    "promises": _read_promises,
    "handoff": _read_handoff,
}


def _as_typed(key: Key, form: FormData, held: dict[str, Any]) -> dict[str, Any]:
    """What was typed, in the shape of a setting, for the form that is shown again."""
    if key == "shifts":
        return {str(day): [list(row) for row in _typed_rows(form, day) if any(row)] for day in range(7)}
    if key == "handoff":
        return {name: value if name == "outcomes" else _text(form.get(name)) for name, value in held.items()}
    shown: dict[str, Any] = {"warn_at": (_whole(form, "warn_percent") or 0) / 100}
    for priority in Priority:
        name = priority.name.lower()
        shown[name] = {field: _text(form.get(f"{name}-{field}")) for field in held[name]}
    return shown


def _whole(form: FormData, name: str) -> int | None:
    typed = _text(form.get(name))
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 6 else None


def _text(value: object) -> str:
    return value.strip()[:20] if isinstance(value, str) else ""


def _months(hours: Hours, year: int, today: date) -> list[dict[str, Any]]:
    """Twelve months of weeks of days; None where a week belongs to another month."""
    months = []
    for month in range(1, 13):
        first = date(year, month, 1)
        cells: list[dict[str, Any] | None] = [None] * first.weekday()
        day = first
        while day.month == month:
            cells.append(_day(hours, day, today))
            day += timedelta(days=1)
        cells += [None] * (-len(cells) % 7)
        months.append({"month": month, "weeks": [cells[at : at + 7] for at in range(0, len(cells), 7)]})
    return months


def _day(hours: Hours, day: date, today: date) -> dict[str, Any]:
    return {
        "day": day.day,
        "holiday": hours.calendar.holiday(day),
        "moved": hours.calendar.is_moved_workday(day),
        "staffed": bool(hours.shifts_on(day)),
        "today": day == today,
    }


def _holidays(hours: Hours, year: int) -> list[dict[str, Any]]:
    """The stretches of holidays of a year by name, and the weekend days that are worked."""
    stretches: list[dict[str, Any]] = []
    day = date(year, 1, 1)
    while day.year == year:
        name = hours.calendar.holiday(day)
        if name is not None:
            last = stretches[-1] if stretches else None
            if last and last["name"] == name and last["last"] == day - timedelta(days=1):
                last["last"] = day
            else:
                stretches.append({"name": name, "first": day, "last": day})
        if hours.calendar.is_moved_workday(day):
            stretches.append({"name": None, "first": day, "last": day})
        day += timedelta(days=1)
    return stretches
