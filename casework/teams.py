"""Teams: who takes the conversations of which topics; a topic belongs to one team at most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotFound
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.tables import Conversation, Owner, Staff, Team

MAX_NAME = 40


async def list_teams(session: AsyncSession, *, closed: bool = False) -> list[Team]:
    """The teams there are by name, or with ``closed`` those that were closed as well (after the others)."""
    query = select(Team).order_by(Team.active.desc(), Team.name)
    return list(await session.scalars(query if closed else query.where(Team.active)))


async def member_counts(session: AsyncSession) -> dict[int, int]:
    """How many people with an open account are in each team, by its id; a team without anybody is absent."""
    rows = await session.execute(
        select(Staff.team_id, func.count())
        .where(Staff.active, Staff.team_id.is_not(None))
        .group_by(Staff.team_id)
    )
    return {team_id: number for team_id, number in rows if team_id is not None}


async def get(session: AsyncSession, team_id: int) -> Team:
    """The team with this id, closed ones too; raises NotFound."""
    found = await session.get(Team, team_id)
    if found is None:
        raise NotFound("no such team")
    return found


async def add_team(
    session: AsyncSession,
    staff: Staff,
    name: str,
    topics: Collection[str],
    knowledge: Knowledge,
    now: datetime,
) -> Team:
    """A new team that takes these topics (those of none are everybody's). Audited.

    Raises NotAllowed without the right EDIT_DESK, and BadInput: field ``team_name`` (not 1 to 40 characters),
    ``team_name_taken`` (by a closed team too), ``team_topic`` (unknown) or ``team_topic_taken``
    (``values["topic"]`` and ``values["team"]`` say which topic another team has).
    """
    require(staff, Right.EDIT_DESK)
    team = Team(name="", topics=[], created_at=now)
    await _write(session, team, name, topics, knowledge)
    _record(session, staff, "team.added", team, now)
    return team


async def change_team(
    session: AsyncSession,
    staff: Staff,
    team_id: int,
    name: str,
    topics: Collection[str],
    knowledge: Knowledge,
    now: datetime,
) -> Team:
    """Give a team another name and other topics, for what comes from now on. Audited.

    Raises as ``add_team``, NotFound, and BadInput (field ``team``) for one that is closed.
    """
    require(staff, Right.EDIT_DESK)
    team = await _locked(session, team_id)
    if not team.active:
        raise BadInput("this team is closed", field="team")
    await _write(session, team, name, topics, knowledge)
    _record(session, staff, "team.changed", team, now)
    return team


async def close_team(session: AsyncSession, staff: Staff, team_id: int, now: datetime) -> Team:
    """Close a team: its people are in none, and who waits for it waits for everybody. Audited.

    Its name and topics stay with it. Raises NotAllowed without the right EDIT_DESK, NotFound.
    """
    require(staff, Right.EDIT_DESK)
    team = await _locked(session, team_id)
    if not team.active:
        return team
    team.active = False
    await session.execute(update(Staff).where(Staff.team_id == team.id).values(team_id=None))
    await session.execute(
        update(Conversation)
        .where(Conversation.team_id == team.id, Conversation.owner == Owner.QUEUED)
        .values(team_id=None)
    )
    _record(session, staff, "team.closed", team, now)
    return team


async def reopen_team(session: AsyncSession, staff: Staff, team_id: int, now: datetime) -> Team:
    """Open a closed team again, with the topics nobody has taken since. Audited.

    Raises NotAllowed without the right EDIT_DESK, NotFound.
    """
    require(staff, Right.EDIT_DESK)
    team = await _locked(session, team_id)
    if team.active:
        return team
    taken = {topic for other in await _others(session, team) for topic in other.topics}
    team.active, team.topics = True, [topic for topic in team.topics if topic not in taken]
    _record(session, staff, "team.reopened", team, now)
    return team


async def _write(
    session: AsyncSession, team: Team, name: str, topics: Collection[str], knowledge: Knowledge
) -> None:
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise BadInput("a team's name is 1 to 40 characters", field="team_name", limit=MAX_NAME)
    wanted = sorted(set(topics))
    if any(topic not in knowledge.topics for topic in wanted):
        raise BadInput("no such topic", field="team_topic")
    for other in await _others(session, team):
        if both := sorted(set(wanted) & set(other.topics)):
            raise BadInput(
                "another team has this topic", field="team_topic_taken", topic=both[0], team=other.name
            )
    same = await session.scalar(select(Team.id).where(Team.name == name))
    if same is not None and same != team.id:
        raise BadInput("this name is taken", field="team_name_taken")
    try:
        async with session.begin_nested():
            team.name, team.topics = name, wanted
            session.add(team)
    except IntegrityError as error:
        raise BadInput("this name is taken", field="team_name_taken") from error


async def _others(session: AsyncSession, team: Team) -> Sequence[Team]:
    """The other active teams, locked, so that two who change teams at once see each other's topics."""
    found = await session.scalars(select(Team).where(Team.active).order_by(Team.id).with_for_update())
    return [other for other in found if other.id != team.id]


async def _locked(session: AsyncSession, team_id: int) -> Team:
    team = await session.get(Team, team_id, with_for_update=True, populate_existing=True)
    if team is None:
        raise NotFound("no such team")
    return team


def _record(session: AsyncSession, staff: Staff, deed: str, team: Team, now: datetime) -> None:
    topics = list(team.topics)
    audit.record(session, audit.staff_actor(staff), deed, "team", team.id, now=now, topics=topics)
