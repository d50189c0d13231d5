"""staff: accounts from the command line, which is how the first admin comes to be."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cli.house import with_database
from casework import accounts, passwords
from casework.clock import SHANGHAI, SystemClock
from casework.database import Database
from casework.tables import Staff, StaffRole

T = TypeVar("T")
ACTOR = "system"
Login = Annotated[str, typer.Argument(help="Login, e.g. zhang")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input")
]


def install(app: typer.Typer) -> None:
    """Give a group of commands those for accounts."""
    app.command("add")(add)
    app.command("list")(list_)
    app.command("disable")(disable)
    app.command("enable")(enable)
    app.command("reset")(reset)


def add(
    login: Login,
    name: Annotated[str, typer.Argument(help="Their name, e.g. 张坐席")],
    role: Annotated[StaffRole, typer.Option(help="What they may do")] = StaffRole.AGENT,
    badge: Annotated[str | None, typer.Option(help="工号; the next free one if left out")] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a member of staff, and print a one-time password unless one is given."""
    chosen = _chosen(login, name) if password_stdin else None

    async def deed(session: AsyncSession, now: datetime) -> tuple[Staff, str | None]:
        person = await accounts.add_staff(session, login, name, role, now, badge=badge, actor=ACTOR)
        if chosen is None:
            return person, await accounts.reset_password(session, person, now, actor=ACTOR)
        await accounts.set_password(session, person, chosen, now, actor=ACTOR)
        return person, None

    person, fresh = _do(deed)
    typer.echo(f"added {login}, {role.value}, badge {person.badge}")
    _tell(fresh)


def list_(
    closed: Annotated[bool, typer.Option("--closed", help="Also the accounts that were closed")] = False,
) -> None:
    """List the staff: login, name, role, badge, and what keeps them out."""

    async def deed(database: Database) -> list[Staff]:
        async with database.read() as session:
            return await accounts.list_staff(session, closed=closed)

    now = SystemClock().now()
    for person in with_database(deed):
        columns = [
            person.login,
            person.display_name,
            person.role.value,
            person.badge or "",
            _state(person, now),
        ]
        typer.echo("\t".join(columns).rstrip("\t"))


def disable(login: Login) -> None:
    """Close an account: every session ends at once."""

    async def deed(session: AsyncSession, now: datetime) -> None:
        await accounts.close_account(session, login, now, actor=ACTOR)

    _do(deed)
    typer.echo(f"closed {login}")


def enable(login: Login) -> None:
    """Give a closed account back."""

    async def deed(session: AsyncSession, now: datetime) -> None:
        person = await accounts.find_staff(session, login, closed=True)
        await accounts.enable(session, person, now, actor=ACTOR)

    _do(deed)
    typer.echo(f"{login} may sign in again")


def reset(
    login: Login,
    totp: Annotated[bool, typer.Option("--totp", help="Take the second factor away as well")] = False,
    password_stdin: PasswordStdin = False,
) -> None:
    """Give a new one-time password, end every session and a lock-out."""

    async def find(database: Database) -> Staff:
        async with database.read() as session:
            return await accounts.find_staff(session, login)

    chosen = _chosen(login, with_database(find).display_name) if password_stdin else None

    async def deed(session: AsyncSession, now: datetime) -> str | None:
        person = await accounts.find_staff(session, login)
        if totp:
            await accounts.reset_second_factor(session, person, now, actor=ACTOR)
        if chosen is None:
            return await accounts.reset_password(session, person, now, actor=ACTOR)
        await accounts.set_password(session, person, chosen, now, actor=ACTOR)
        await accounts.unlock(session, person, now, actor=ACTOR)
        return None

    fresh = _do(deed)
    typer.echo(f"reset {login}")
    _tell(fresh)


def _do(deed: Callable[[AsyncSession, datetime], Awaitable[T]]) -> T:
    """Run a deed in one transaction."""

    async def run(database: Database) -> T:
        async with database.transaction() as session:
            return await deed(session, SystemClock().now())

    return with_database(run)


def _chosen(login: str, name: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    passwords.check_password(password, login, name)
    return passwords.hash_password(password)


def _tell(fresh: str | None) -> None:
    if fresh is not None:
        typer.echo(f"one-time password, to be changed at the first sign-in: {fresh}")


def _state(person: Staff, now: datetime) -> str:
    if not person.active:
        return "closed"
    if person.locked_until is not None and person.locked_until > now:
        return f"locked until {person.locked_until.astimezone(SHANGHAI):%m-%d %H:%M}"
    if person.password_hash is None:
        return "no password"
    return "one-time password" if person.must_change_password else ""
