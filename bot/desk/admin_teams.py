"""Teams: who takes the conversations of which topics; for who edits the desk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import HOME, RowId, answered, problem
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page, topic_labels
from bot.house import House
from bot.roles import Role, open_to
from casework import teams
from casework.errors import Refusal
from casework.permissions import Right
from casework.tables import Team

router = APIRouter(prefix="/desk/admin/teams", include_in_schema=False)

TEAMS = f"{HOME}/teams"
SMALL_TALK = "talk."
"""Topics nobody takes a conversation for."""
Editor = Annotated[Signed, Depends(needs(Right.EDIT_DESK))]
Name = Annotated[str, Form(max_length=200)]
Topics = Annotated[list[str], Form()]


@router.get("")
@open_to(Role.STAFF)
async def list_teams(
    request: Request, signed: Editor, house: TheHouse, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The teams, what each takes, how many are in it, and the form for a new one."""
    return await _list(request, signed, house, done=done)


@router.post("")
@open_to(Role.STAFF)
async def add(
    request: Request,
    signed: Editor,
    house: TheHouse,
    name: Name = "",
    topic: Topics = [],  # noqa: B006  # FastAPI makes a new one for every request
) -> Response:
    """A new team."""
    try:
        async with house.database.transaction() as session:
            await teams.add_team(session, signed.staff, name, topic, house.knowledge, house.clock.now())
    except Refusal as refusal:
        typed = {"name": name, "topics": topic}
        return await _list(request, signed, house, typed=typed, error=problem(house, refusal))
    return answered(request, TEAMS, "added")


@router.get("/{team_id}")
@open_to(Role.STAFF)
async def edit(request: Request, team_id: RowId, signed: Editor, house: TheHouse) -> Response:
    """One team's name and topics, to be changed."""
    async with house.database.read() as session:
        team = await teams.get(session, team_id)
    return await _form(request, signed, house, team, {"name": team.name, "topics": team.topics})


@router.post("/{team_id}")
@open_to(Role.STAFF)
async def change(
    request: Request,
    team_id: RowId,
    signed: Editor,
    house: TheHouse,
    name: Name = "",
    topic: Topics = [],  # noqa: B006
) -> Response:
    """Another name and other topics."""
    now = house.clock.now()
    try:
        async with house.database.transaction() as session:
            team = await teams.get(session, team_id)
            await teams.change_team(session, signed.staff, team_id, name, topic, house.knowledge, now)
    except Refusal as refusal:
        async with house.database.read() as session:
            team = await teams.get(session, team_id)
        typed = {"name": name, "topics": topic}
        return await _form(request, signed, house, team, typed, problem(house, refusal))
    return answered(request, TEAMS, "changed")


@router.post("/{team_id}/close")
@open_to(Role.STAFF)
async def close(request: Request, team_id: RowId, signed: Editor, house: TheHouse) -> Response:
    """Close a team; who waits for it waits for everybody."""
    async with house.database.transaction() as session:
        await teams.close_team(session, signed.staff, team_id, house.clock.now())
    return answered(request, TEAMS, "closed")


@router.post("/{team_id}/reopen")
@open_to(Role.STAFF)
async def reopen(request: Request, team_id: RowId, signed: Editor, house: TheHouse) -> Response:
    """Open a closed team again, with the topics that are still free."""
    async with house.database.transaction() as session:
        await teams.reopen_team(session, signed.staff, team_id, house.clock.now())
    return answered(request, TEAMS, "reopened")


async def _list(
    request: Request,
    signed: Signed,
    house: House,
    *,
    done: str = "",
    typed: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> Response:
    async with house.database.read() as session:
        listed = await teams.list_teams(session, closed=True)
        counts = await teams.member_counts(session)
    return await page(
        request,
        "admin/teams.html",
        signed=signed,
        status=422 if error else 200,
        listed=listed,
        counts=counts,
        groups=_groups(house, listed, None),
        typed=typed or {"name": "", "topics": []},
        error=error,
        done=done,
    )


async def _form(
    request: Request,
    signed: Signed,
    house: House,
    team: Team,
    typed: dict[str, Any],
    error: dict[str, Any] | None = None,
) -> Response:
    async with house.database.read() as session:
        listed = await teams.list_teams(session)
    return await page(
        request,
        "admin/team.html",
        signed=signed,
        status=422 if error else 200,
        team=team,
        groups=_groups(house, listed, team.id),
        typed=typed,
        error=error,
    )


def _groups(house: House, listed: list[Team], own_id: int | None) -> dict[str, list[dict[str, Any]]]:
    """The topics one may choose from, by the part before the dot, each with the team that has it already."""
    owners = {topic: one.name for one in listed if one.active and one.id != own_id for topic in one.topics}
    labels = topic_labels(house)
    groups: dict[str, list[dict[str, Any]]] = {}
    for topic in sorted(house.knowledge.topics):
        if topic.startswith(SMALL_TALK):
            continue
        row = {"topic": topic, "label": labels.get(topic, topic), "owner": owners.get(topic)}
        groups.setdefault(topic.partition(".")[0], []).append(row)
    return groups
