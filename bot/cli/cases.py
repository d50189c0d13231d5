"""staff cases, case, deed: working the cases from the command line, until the desk takes over."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cli.house import settings, with_database
from bot.cli.staff import Login, app, as_staff
from casework import cases, staff
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.errors import BadInput
from casework.tables import Case, CaseEvent, Staff
from casework.wording import Wording

__all__ = ["app"]

Number = Annotated[str, typer.Argument(help="Case number, e.g. JN-20261122-0031-9")]


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
    NOTE = "note"


@app.command("cases")
def list_cases() -> None:
    """List the open cases, urgent ones first."""

    async def find(database: Database) -> list[Case]:
        async with database.read() as session:
            return await cases.open_cases(session)

    wording = Wording.load(settings().home / "data" / "knowledge")
    for case in with_database(find):
        typer.echo(
            f"{case.number}\t{'URGENT ' if case.urgent else ''}"
            f"{wording.say(f'case_state.{case.state.value}')}\t"
            f"{case.topic}\t{case.district or ''}\t{case.opened_at.astimezone(SHANGHAI):%m-%d %H:%M}"
        )


@app.command("case")
def show_case(number: Number) -> None:
    """Show a case: its summary and everything that happened to it."""

    async def find(database: Database) -> tuple[Case, list[CaseEvent]]:
        async with database.read() as session:
            case = await cases.case_by_number(session, number)
            return case, await cases.thread(session, case)

    case, events = with_database(find)
    wording = Wording.load(settings().home / "data" / "knowledge")
    typer.echo(f"{case.number}  {wording.say(f'case_state.{case.state.value}')}\n{case.summary or ''}")
    for event in events:
        when = f"{event.created_at.astimezone(SHANGHAI):%m-%d %H:%M}"
        typer.echo(f"{when} [{event.author.value}/{event.audience.value}] {event.deed} {event.text or ''}")


@app.command("deed")
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
    wording = Wording.load(settings().home / "data" / "knowledge")

    async def do(session: AsyncSession, person: Staff) -> None:
        case = await cases.case_by_number(session, number)
        common: dict[str, Any] = {"now": SystemClock().now(), "wording": wording}
        if what is StaffDeed.ASSIGN:
            worker = await staff.find_staff(session, to) if to else person
            await cases.assign(session, case, person, to=worker, reason=reason or None, **common)
            return
        if what is StaffDeed.START:
            await cases.start(session, case, person, **common)
            return
        if not reason:
            raise BadInput(f"{what.value} needs --reason", field="reason")
        await _with_reason(what, session, case, person, reason, common)

    as_staff(login, do)
    typer.echo("done")


def _with_reason(
    what: StaffDeed, session: AsyncSession, case: Case, person: Staff, reason: str, common: dict[str, Any]
) -> Awaitable[CaseEvent]:
    if what is StaffDeed.INFORM:
        return cases.inform_member(session, case, person, text=reason, **common)
    if what is StaffDeed.NOTE:
        return cases.note(session, case, person, text=reason, **common)
    act = {
        StaffDeed.RETURN: cases.send_back,
        StaffDeed.RESOLVE: cases.resolve,
        StaffDeed.FOLLOW_UP: cases.follow_up,
        StaffDeed.ARCHIVE: cases.archive,
        StaffDeed.REOPEN: cases.reopen,
    }[what]
    return act(session, case, person, reason=reason, **common)
