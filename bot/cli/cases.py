"""cases: listing, showing and exporting cases, masked; and ``staff cases|case|deed`` to work them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Awaitable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cli.house import settings, with_database
from bot.cli.staff import Login, as_staff
from bot.cli.staff import app as staff_app
from casework import accounts, case_lists, case_work, cases
from casework.case_lists import EXPORT_COLUMNS, OPERATOR, CaseQuery, CaseRow, Order, Reader
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.errors import BadInput
from casework.spreadsheet import csv_safe
from casework.tables import Case, CaseEvent, CaseState, Priority, Staff
from casework.visibility import MASKED
from casework.wording import Wording

app = typer.Typer(help="Cases: list, show, export; names and phones are masked.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="Case number, e.g. JN-20261122-0031-9")]
Reading = Annotated[str | None, typer.Option("--as", help="Login of who reads; the operator by default")]
State = Annotated[CaseState | None, typer.Option(help="Only cases in this state (closed ones included)")]
Everything = Annotated[bool, typer.Option("--all", help="Closed cases too")]
Mine = Annotated[bool, typer.Option("--mine", help="Only those of --as")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only those whose deadline is over")]
Topic = Annotated[str | None, typer.Option(help="Only this topic, e.g. labour.wage_arrears")]
Type = Annotated[str | None, typer.Option("--type", help="Only this case type")]
District = Annotated[str | None, typer.Option(help="Only this district, by its official name")]
Tail = Annotated[str | None, typer.Option("--number", help="Only numbers that end so, e.g. 0031-9")]
Since = Annotated[str | None, typer.Option("--from", help="Opened on or after this day (2026-11-22)")]
Until = Annotated[str | None, typer.Option("--to", help="Opened on or before this day")]


class Level(StrEnum):
    """A priority by its name."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"


Pressing = Annotated[Level | None, typer.Option("--priority", help="Only this priority")]


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON = "json"


class StaffDeed(StrEnum):
    """What staff may do to a case from here."""

    ASSIGN = "assign"
    START = "start"
    RETURN = "return"
    RESOLVE = "resolve"
    FOLLOW_UP = "follow_up"
    ARCHIVE = "archive"
    REOPEN = "reopen"
    INFORM = "inform"
    ASK = "ask"
    PRESS = "press"
    SUPERVISE = "supervise"
    NOTE = "note"


@app.command("list")
@staff_app.command("cases")
def list_cases(
    login: Reading = None,
    state: State = None,
    everything: Everything = False,
    mine: Mine = False,
    overdue: Overdue = False,
    topic: Topic = None,
    case_type: Type = None,
    district: District = None,
    priority: Pressing = None,
    number: Tail = None,
    since: Since = None,
    until: Until = None,
    order: Annotated[Order, typer.Option(help="In which order")] = Order.PRESSING,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many")] = 200,
) -> None:
    """List the open cases, the most pressing first."""
    query = _query(
        state, everything, mine, overdue, topic, case_type, district, priority, number, since, until, order
    )

    async def find(database: Database) -> list[CaseRow]:
        async with database.read() as session:
            reader = await _reader(session, login, mine=mine)
            return await _pages(session, query, reader, limit)

    wording = _wording()
    for row in with_database(find):
        typer.echo(
            f"{row.number}\t{'URGENT ' if row.urgent else ''}"
            f"{wording.say(f'case_state.{row.state.value}')}\t"
            f"{row.topic}\t{row.district or ''}\t{row.opened_at.astimezone(SHANGHAI):%m-%d %H:%M}\t"
            f"{row.priority.name.lower()}\t{_day_and_time(row.due_at)}\t{row.staff_name or ''}"
        )


@app.command("show")
@staff_app.command("case")
def show_case(number: Number) -> None:
    """Show a case: what it says, masked, and everything that happened to it."""

    async def find(database: Database) -> tuple[Case, list[CaseEvent]]:
        async with database.read() as session:
            case = await cases.case_by_number(session, number)
            return case, await cases.thread(session, case)

    case, events = with_database(find)
    typer.echo(f"{case.number}  {_wording().say(f'case_state.{case.state.value}')}")
    for name, value in MASKED.facts(case.facts).items():
        typer.echo(f"{name}: {value}")
    for event in events:
        when = f"{event.created_at.astimezone(SHANGHAI):%m-%d %H:%M}"
        said = MASKED.text(event.text)
        typer.echo(f"{when} [{event.author.value}/{event.audience.value}] {event.deed} {said}")


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", help="The file to write")],
    form: Annotated[Format, typer.Option("--format", help="What to write it as")] = Format.CSV,
    login: Reading = None,
    state: State = None,
    everything: Everything = False,
    mine: Mine = False,
    overdue: Overdue = False,
    topic: Topic = None,
    case_type: Type = None,
    district: District = None,
    priority: Pressing = None,
    number: Tail = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write cases to a file, masked; the audit trail says who took how many."""
    query = _query(
        state, everything, mine, overdue, topic, case_type, district, priority, number, since, until
    )

    async def read(database: Database) -> list[dict[str, str]]:
        now = SystemClock().now()
        async with database.transaction() as session:
            reader = await _reader(session, login, mine=mine)
            return [row async for row in case_lists.export_rows(session, query, reader, now)]

    rows = with_database(read)
    # Masked or not, it is about people: nobody else on this machine may read it.
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(
        descriptor, "w", encoding="utf-8-sig" if form is Format.CSV else "utf-8", newline=""
    ) as file:
        if form is Format.JSON:
            json.dump(rows, file, ensure_ascii=False, indent=1)
        else:
            writer = csv.writer(file)
            writer.writerow(EXPORT_COLUMNS)
            writer.writerows([csv_safe(cell) for cell in row.values()] for row in rows)
    typer.echo(f"wrote {len(rows)} cases to {out}")


@staff_app.command("deed")
def deed(
    number: Number,
    what: Annotated[StaffDeed, typer.Argument(help="What to do")],
    login: Login,
    reason: Annotated[str, typer.Option(help="Reason, result or text, where one is owed")] = "",
    to: Annotated[
        str | None, typer.Option(help="assign: login of who shall work it; yourself by default")
    ] = None,
) -> None:
    """Do something to a case; the member is told of what concerns them."""
    wording = _wording()
    public_url = settings().public_url

    async def do(session: AsyncSession, person: Staff) -> None:
        case = await cases.case_by_number(session, number)
        common: dict[str, Any] = {"now": SystemClock().now(), "wording": wording}
        if what is StaffDeed.ASSIGN:
            worker = await accounts.find_staff(session, to) if to else person
            await case_work.assign(
                session, case, person, to=worker, reason=reason or None, public_url=public_url, **common
            )
            return
        if what is StaffDeed.START:
            await case_work.start(session, case, person, **common)
            return
        if not reason:
            raise BadInput(f"{what.value} needs --reason", field="reason")
        if what is StaffDeed.RESOLVE:
            await case_work.resolve(session, case, person, reason=reason, public_url=public_url, **common)
            return
        await _with_reason(what, session, case, person, reason, common)

    as_staff(login, do)
    typer.echo("done")


def _with_reason(
    what: StaffDeed, session: AsyncSession, case: Case, person: Staff, reason: str, common: dict[str, Any]
) -> Awaitable[CaseEvent]:
    saying = {
        StaffDeed.INFORM: case_work.inform_member,
        StaffDeed.ASK: case_work.ask_member,
        StaffDeed.NOTE: case_work.note,
    }
    if what in saying:
        return saying[what](session, case, person, text=reason, **common)
    doing = {
        StaffDeed.RETURN: case_work.send_back,
        StaffDeed.FOLLOW_UP: case_work.follow_up,
        StaffDeed.ARCHIVE: case_work.archive,
        StaffDeed.REOPEN: case_work.reopen,
        StaffDeed.PRESS: case_work.press,
        StaffDeed.SUPERVISE: case_work.supervise,
    }
    return doing[what](session, case, person, reason=reason, **common)


async def _reader(session: AsyncSession, login: str | None, *, mine: bool) -> Reader:
    if login is None and mine:
        raise BadInput("--mine needs --as LOGIN", field="login")
    return OPERATOR if login is None else await accounts.find_staff(session, login)


async def _pages(session: AsyncSession, query: CaseQuery, reader: Reader, limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = []
    now = SystemClock().now()
    async for row in case_lists.every_row(session, query, reader, now):
        rows.append(row)
        if len(rows) == limit:
            break
    return rows


def _query(
    state: CaseState | None,
    everything: bool,
    mine: bool,
    overdue: bool,
    topic: str | None,
    case_type: str | None,
    district: str | None,
    priority: Level | None,
    number: str | None,
    since: str | None,
    until: str | None,
    order: Order = Order.PRESSING,
) -> CaseQuery:
    return CaseQuery(
        state=state,
        open_only=not everything and state is None,
        mine=mine,
        overdue=overdue,
        topic=topic,
        case_type=case_type,
        district=district,
        priority=None if priority is None else Priority[priority.name],
        number_tail=number,
        opened_from=_midnight("--from", since),
        opened_to=_midnight("--to", until, later=1),
        order=order,
    )


def _midnight(option: str, day: str | None, *, later: int = 0) -> datetime | None:
    """When a day (or the one so many days later) begins in Shanghai; raises BadInput."""
    if day is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time.min, tzinfo=SHANGHAI)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{option} must be a day like 2026-11-22, not {day!r}") from error


def _day_and_time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}"


def _wording() -> Wording:
    return Wording.load(settings().home / "data" / "knowledge")
