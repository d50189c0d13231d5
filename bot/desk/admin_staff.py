"""Accounts: who is on the staff, what they may do, and whether they may come in; for administrators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import HOME, RowId, answered, problem
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import accounts, desk_view, staff_sessions, teams
from casework.audit import staff_actor
from casework.errors import BadInput, Refusal
from casework.permissions import Right
from casework.tables import Staff, StaffRole

router = APIRouter(prefix="/desk/admin/staff", include_in_schema=False)

STAFF = f"{HOME}/staff"
Administrator = Annotated[Signed, Depends(needs(Right.EDIT_STAFF))]
Text = Annotated[str, Form(max_length=200)]
Deed = Callable[[AsyncSession, Staff, datetime, str], Awaitable[object]]
"""What is done to one account: session, account, now, and who does it as the audit trail names them."""


@router.get("")
@open_to(Role.STAFF)
async def list_accounts(
    request: Request,
    signed: Administrator,
    house: TheHouse,
    closed: Annotated[str, Query(max_length=5)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Everybody on the staff, and the form for a new account."""
    return await _list(request, signed, house, closed=bool(closed), done=done)


@router.post("")
@open_to(Role.STAFF)
async def add(
    request: Request,
    signed: Administrator,
    house: TheHouse,
    login: Text = "",
    display_name: Text = "",
    role: Text = "",
    badge: Text = "",
) -> Response:
    """A new account; its one-time password is on the page that answers, and nowhere else."""
    now, actor = house.clock.now(), staff_actor(signed.staff)
    try:
        async with house.database.transaction() as session:
            person = await accounts.add_staff(
                session,
                login.strip().lower(),
                display_name,
                _role(role),
                now,
                badge=badge.strip().upper() or None,
                actor=actor,
            )
            fresh = await accounts.reset_password(session, person, now, actor=actor)
    except Refusal as refusal:
        typed = {"login": login, "display_name": display_name, "role": role, "badge": badge}
        return await _list(request, signed, house, typed=typed, error=problem(house, refusal))
    return await _show_password(request, signed, person, fresh, added=True)


@router.get("/{staff_id}")
@open_to(Role.STAFF)
async def account(
    request: Request,
    staff_id: RowId,
    signed: Administrator,
    house: TheHouse,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """One account: what it is, where it is signed in, and everything that may be done to it."""
    now = house.clock.now()
    async with house.database.read() as session:
        person = await accounts.get_staff(session, staff_id)
        sessions = await staff_sessions.list_sessions(session, person, now)
        listed = await teams.list_teams(session)
    return await page(
        request,
        "admin/account.html",
        signed=signed,
        person=person,
        own=person.id == signed.staff.id,
        sessions=sessions,
        teams=listed,
        roles=list(StaffRole),
        done=done,
    )


@router.post("/{staff_id}/name")
@open_to(Role.STAFF)
async def rename(
    request: Request,
    staff_id: RowId,
    signed: Administrator,
    house: TheHouse,
    display_name: Text = "",
    badge: Text = "",
) -> Response:
    """Another name or badge; an empty badge stays as it is."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        wanted = badge.strip().upper() or None
        await accounts.rename(session, person, display_name, now, badge=wanted, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "name")


@router.post("/{staff_id}/role")
@open_to(Role.STAFF)
async def change_role(
    request: Request, staff_id: RowId, signed: Administrator, house: TheHouse, role: Text = ""
) -> Response:
    """Another role, from the next request on."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.change_role(session, person, _role(role), now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "role")


@router.post("/{staff_id}/team")
@open_to(Role.STAFF)
async def change_team(
    request: Request, staff_id: RowId, signed: Administrator, house: TheHouse, team: Text = ""
) -> Response:
    """Another team, or none."""
    if team and not (team.isascii() and team.isdecimal() and len(team) <= 15):
        raise BadInput("no such team", field="team")

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        found = await desk_view.team(session, int(team)) if team else None
        await accounts.set_team(session, person, found, now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "team")


@router.post("/{staff_id}/disable")
@open_to(Role.STAFF)
async def disable(request: Request, staff_id: RowId, signed: Administrator, house: TheHouse) -> Response:
    """Close the account; every session ends at once."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.disable(session, person, now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "disabled")


@router.post("/{staff_id}/enable")
@open_to(Role.STAFF)
async def enable(request: Request, staff_id: RowId, signed: Administrator, house: TheHouse) -> Response:
    """Give the account back."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.enable(session, person, now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "enabled")


@router.post("/{staff_id}/password")
@open_to(Role.STAFF)
async def reset_password(
    request: Request, staff_id: RowId, signed: Administrator, house: TheHouse
) -> Response:
    """A new one-time password, on the page that answers and nowhere else; every session ends."""
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, staff_id)
        fresh = await accounts.reset_password(
            session, person, house.clock.now(), actor=staff_actor(signed.staff)
        )
    return await _show_password(request, signed, person, fresh)


@router.post("/{staff_id}/totp")
@open_to(Role.STAFF)
async def reset_second_factor(
    request: Request, staff_id: RowId, signed: Administrator, house: TheHouse
) -> Response:
    """Take away the second factor of somebody who lost it; every session ends."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.reset_second_factor(session, person, now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "totp")


@router.post("/{staff_id}/unlock")
@open_to(Role.STAFF)
async def unlock(request: Request, staff_id: RowId, signed: Administrator, house: TheHouse) -> Response:
    """End a lock-out after wrong passwords."""

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.unlock(session, person, now, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "unlocked")


@router.post("/{staff_id}/sessions")
@open_to(Role.STAFF)
async def end_sessions(request: Request, staff_id: RowId, signed: Administrator, house: TheHouse) -> Response:
    """Sign them out everywhere; one's own session here goes on."""
    own = signed.session.id

    async def deed(session: AsyncSession, person: Staff, now: datetime, actor: str) -> None:
        await accounts.end_sessions(session, person, now, but=own, actor=actor)

    return await _do(request, signed, house, staff_id, deed, "sessions")


async def _do(
    request: Request, signed: Signed, house: House, staff_id: int, deed: Deed, done: str
) -> Response:
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, staff_id)
        await deed(session, person, house.clock.now(), staff_actor(signed.staff))
    return answered(request, f"{STAFF}/{staff_id}", done)


async def _list(
    request: Request,
    signed: Signed,
    house: House,
    *,
    closed: bool = False,
    done: str = "",
    typed: dict[str, str] | None = None,
    error: dict[str, Any] | None = None,
) -> Response:
    async with house.database.read() as session:
        staff = await accounts.list_staff(session, closed=closed)
        names = {one.id: one.name for one in await teams.list_teams(session, closed=True)}
    return await page(
        request,
        "admin/staff.html",
        signed=signed,
        status=422 if error else 200,
        staff=staff,
        team_names=names,
        roles=list(StaffRole),
        closed=closed,
        typed=typed or {"login": "", "display_name": "", "role": StaffRole.AGENT.value, "badge": ""},
        error=error,
        done=done,
    )


async def _show_password(
    request: Request, signed: Signed, person: Staff, fresh: str, *, added: bool = False
) -> Response:
    return await page(
        request, "admin/one_time_password.html", signed=signed, person=person, fresh=fresh, added=added
    )


def _role(role: str) -> StaffRole:
    try:
        return StaffRole(role)
    except ValueError as error:
        raise BadInput("no such role", field="role") from error
