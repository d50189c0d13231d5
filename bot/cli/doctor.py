"""doctor: is this installation well, and what to do where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

import httpx
import typer

from bot.cli.house import opened, settings
from bot.cli.model import fits, newest_model
from casework import reminders
from casework.clock import SystemClock, shanghai_day
from casework.desk_rules import load_desk_rules
from casework.errors import CaseworkError
from casework.knowledge import Knowledge
from casework.rate_files import STATUTORY_DAYS
from casework.rates import Ending, Rates
from casework.settings import Settings
from casework.work_calendar import FILE as CALENDAR_FILE
from casework.work_calendar import WorkCalendar

LOOK_AHEAD_DAYS = 60


def doctor() -> None:
    """Check settings, keys, database, knowledge, model and the running processes."""
    chosen = settings()
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("database", _database),
        ("knowledge", _knowledge),
        ("calendar", _calendar),
        ("rates", _rates),
        ("reminders", _reminders),
        ("model", _model),
        ("rasa", lambda s: _answers(f"http://127.0.0.1:{s.rasa_port}/webhooks/switchboard/")),
        ("actions", lambda s: _answers(f"http://127.0.0.1:{s.actions_port}/health")),
        ("bot", lambda s: _answers(f"http://127.0.0.1:{s.port}/api/v1/health")),
    ]
    ill = 0
    for name, check in checks:
        try:
            typer.echo(f"ok    {name}: {check(chosen)}")
        except (CaseworkError, OSError, httpx.HTTPError) as error:
            ill += 1
            typer.echo(f"ILL   {name}: {error}")
    raise typer.Exit(1 if ill else 0)


def _database(chosen: Settings) -> str:
    async def run() -> bool:
        async with opened(chosen) as database:
            return await database.is_current()

    if not asyncio.run(run()):
        raise CaseworkError("the schema is not current: run `niangjia db upgrade`")
    return "schema is current"


def _knowledge(chosen: Settings) -> str:
    knowledge = Knowledge.load(chosen.home / "data" / "knowledge")
    return f"{len(knowledge.articles)} articles"


def _calendar(chosen: Settings) -> str:
    calendar = load_desk_rules(chosen.home / "data" / "knowledge").hours.calendar
    return known_ahead(calendar, shanghai_day(SystemClock().now()))


def known_ahead(calendar: WorkCalendar, today: date) -> str:
    """Whether the next 60 days are all in the calendar; a year whose notice is not out is no illness."""
    unknown = calendar.unknown_year(today, LOOK_AHEAD_DAYS)
    if unknown is None:
        return f"knows the next {LOOK_AHEAD_DAYS} days"
    return f"the holidays of {unknown} are not in {CALENDAR_FILE} yet: add them when the notice is out"


def _rates(chosen: Settings) -> str:
    rates = Rates.load(chosen.home / "data" / "knowledge")
    return rates_ahead(rates, shanghai_day(SystemClock().now()))


def rates_ahead(rates: Rates, today: date) -> str:
    """What of the rate tables ends or is to be looked at again within 60 days, or is overdue, a line each.

    Like a holiday notice that is not out, no illness: what is not known is said to be so, never made up.
    """
    rows: dict[tuple[date, str, str], list[Ending]] = {}
    for ending in rates.ending(today, LOOK_AHEAD_DAYS):
        rows.setdefault((ending.on, ending.row.table, ending.kind), []).append(ending)
    lines = [_due(*endings) for endings in rows.values()]
    if (unknown := rates.unknown_statutory_year(today, LOOK_AHEAD_DAYS)) is not None:
        lines.append(f"rates/{STATUTORY_DAYS}: {unknown} is not there yet: add it when the notice is out")
    return "\n      ".join([f"{len(lines)} to look after", *lines] if lines else ["all in force"])


def _due(first: Ending, *more: Ending) -> str:
    """One line for the rows of a table that are due on the same day."""
    keys = ", ".join(" ".join(ending.row.key.values()) for ending in (first, *more))
    if first.kind == "valid_to":
        deed = f"{'ended' if first.overdue else 'ends'} on {first.on}: add the row that follows"
    else:
        deed = f"{'was' if first.overdue else 'is'} to be checked again by {first.on}"
    return f"rates/{first.row.table}.yml: {keys}: {deed}"


def _reminders(chosen: Settings) -> str:
    async def run() -> reminders.Counts:
        async with opened(chosen) as database:
            if not await database.is_current():
                raise CaseworkError("not counted: see database")
            async with database.read() as session:
                return await reminders.counts(session, SystemClock().now())

    found = asyncio.run(run())
    return f"{found.waiting} waiting, {found.overdue} overdue"


def _model(chosen: Settings) -> str:
    model = newest_model(chosen)
    if model is None:
        raise CaseworkError("there is no trained model: run `niangjia train`")
    if not fits(chosen, model):
        raise CaseworkError(f"{model.name} was trained by another pipeline or domain: run `niangjia train`")
    return model.name


def _answers(url: str) -> str:
    with httpx.Client(timeout=3, trust_env=False) as client:
        response = client.get(url)
    if response.status_code != httpx.codes.OK:
        raise CaseworkError(
            f"answers {response.status_code}: see its log in var/logs, or restart `niangjia up`"
        )
    return "answers"
