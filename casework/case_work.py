"""Working a case: what staff do with it, from taking it on to filing it away.

Every deed goes through ``casework.case_life.move`` and leaves one event in the case's thread. What the
member may see is also said in the case's conversation; ``public_url`` (where members reach us, or None) adds
the link to the case's page. Every function raises NotAllowed for whoever may not do it, and TransitionRefused
where the case's state does not allow it. What joins two cases is in ``casework.case_joining``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_facts import check_facts
from casework.case_life import Actor, Deed, move, words_changed
from casework.case_links import page_url
from casework.case_types import CaseTypes
from casework.cases import NewCase, alert, is_anonymous, open_case
from casework.clock import shanghai_day
from casework.errors import BadInput, NotFound
from casework.messages import Reply, record_replies
from casework.permissions import Right, may
from casework.tables import AlertKind, Audience, Author, Case, CaseEvent, Priority, Staff, Team
from casework.wording import Wording

_MENTION = re.compile(r"@([a-z][a-z0-9._-]{1,39})")


async def open_for_member(
    session: AsyncSession,
    new: NewCase,
    staff: Staff,
    *,
    now: datetime,
    wording: Wording,
    public_url: str | None = None,
) -> Case:
    """Open a case for a member (受理); they are told its number. Raises as ``cases.open_case`` does."""
    case = await open_case(session, new, now, actor=Actor.of_staff(staff))
    await tell_member(session, case, Deed.ACCEPT, wording, now, public_url=public_url)
    return case


async def assign(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    to: Staff | None = None,
    team: Team | None = None,
    now: datetime,
    wording: Wording,
    reason: str | None = None,
    public_url: str | None = None,
) -> CaseEvent:
    """Give a case to a member of staff, a team, or both (派单); taking it from another is a supervisor's,
    with a reason. Whoever gets it is alerted.

    Raises BadInput for neither, and for a team that was closed; NotAllowed for somebody who works no cases.
    """
    if to is None and team is None:
        raise BadInput("somebody must get the case", field="to")
    if to is not None:
        Actor.of_staff(to)
    if team is not None and not team.active:
        raise BadInput("this team was closed", field="team")
    event = await staff_deed(
        session, case, Deed.ASSIGN, staff, reason=reason, now=now, wording=wording, public_url=public_url
    )
    case.staff_id = None if to is None else to.id
    case.team_id = None if team is None else team.id
    getters = [to] if to is not None else await _members_of(session, team)
    for getter in getters:
        if getter.id != staff.id:
            alert(session, case, AlertKind.ASSIGNED, getter.id, now)
    return event


async def start(
    session: AsyncSession, case: Case, staff: Staff, *, now: datetime, wording: Wording
) -> CaseEvent:
    """Begin to work on an assigned case; one that only a team had becomes the caller's own."""
    event = await staff_deed(session, case, Deed.START, staff, reason=None, now=now, wording=wording)
    if case.staff_id is None:
        case.staff_id = staff.id
    return event


async def send_back(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Return a case to be assigned again (退回); the reason stays internal."""
    return await staff_deed(session, case, Deed.RETURN, staff, reason=reason, now=now, wording=wording)


async def extend(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    reason: str,
    due_at: datetime,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Give a case more time, until ``due_at`` (延期); the member is told the reason.

    Raises BadInput for a date that is past.
    """
    if due_at <= now:
        raise BadInput("the new date must lie ahead", field="due_at")
    event = await staff_deed(session, case, Deed.EXTEND, staff, reason=reason, now=now, wording=wording)
    case.due_at = due_at
    return event


async def resolve(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    reason: str,
    now: datetime,
    wording: Wording,
    public_url: str | None = None,
) -> CaseEvent:
    """Close a case with what came of it (办结); the member is told and asked to rate it."""
    return await staff_deed(
        session, case, Deed.RESOLVE, staff, reason=reason, now=now, wording=wording, public_url=public_url
    )


async def follow_up(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Record that the member was asked afterwards how it went (回访)."""
    return await staff_deed(session, case, Deed.FOLLOW_UP, staff, reason=reason, now=now, wording=wording)


async def archive(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str | None, now: datetime, wording: Wording
) -> CaseEvent:
    """File a case away for good (归档); before the follow-up it takes a supervisor and a reason."""
    return await staff_deed(session, case, Deed.ARCHIVE, staff, reason=reason, now=now, wording=wording)


async def reopen(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Open a resolved case again (重开); a supervisor's deed."""
    return await staff_deed(session, case, Deed.REOPEN, staff, reason=reason, now=now, wording=wording)


async def inform_member(
    session: AsyncSession, case: Case, staff: Staff, *, text: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Add something to a case that the member shall read. Raises BadInput for an empty text."""
    if not text.strip():
        raise BadInput("a supplement needs a text", field="text")
    return await staff_deed(session, case, Deed.SUPPLEMENT, staff, reason=text, now=now, wording=wording)


async def ask_member(
    session: AsyncSession, case: Case, staff: Staff, *, text: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Ask the member for something; until they supplement the case, its deadline stands still."""
    return await staff_deed(session, case, Deed.ASK, staff, reason=text, now=now, wording=wording)


async def note(
    session: AsyncSession, case: Case, staff: Staff, *, text: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Add an internal note, which the member never sees; a colleague named as ``@login`` is alerted."""
    event = await staff_deed(session, case, Deed.NOTE, staff, reason=text, now=now, wording=wording)
    for colleague in await _mentioned(session, text):
        if colleague.id != staff.id:
            alert(session, case, AlertKind.MENTION, colleague.id, now)
    return event


async def press(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    *,
    reason: str | None = None,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Press for a case to be dealt with (催办): alerts whoever works it, or the supervisors; internal."""
    event = await staff_deed(session, case, Deed.PRESS, staff, reason=reason, now=now, wording=wording)
    alert(session, case, AlertKind.WARNING, case.staff_id, now, detail=Deed.PRESS)
    return event


async def supervise(
    session: AsyncSession, case: Case, staff: Staff, *, reason: str, now: datetime, wording: Wording
) -> CaseEvent:
    """Watch over a case as a supervisor (督办); whoever works it is alerted; internal."""
    event = await staff_deed(session, case, Deed.SUPERVISE, staff, reason=reason, now=now, wording=wording)
    if case.staff_id is not None:
        alert(session, case, AlertKind.WARNING, case.staff_id, now, detail=Deed.SUPERVISE)
    return event


async def set_priority(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    priority: Priority,
    *,
    reason: str,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Change how soon a case must be looked at; the reason stays internal.

    Raises BadInput for the priority it has already.
    """
    if priority == case.priority:
        raise BadInput("it has this priority already", field="priority")
    label = wording.say(f"case_priority.{priority.name.lower()}")
    text = wording.say("desk.priority_set", label=label, why=reason.strip()) if reason.strip() else ""
    event = await staff_deed(session, case, Deed.PRIORITISE, staff, reason=text, now=now, wording=wording)
    case.priority = priority.value
    return event


async def amend_facts(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    changes: Mapping[str, Any],
    *,
    case_types: CaseTypes,
    now: datetime,
    wording: Wording,
) -> CaseEvent:
    """Correct what a case says (slot → new value, None or blank to take it out); the summary follows.

    The event names which were changed, not their values. Raises BadInput for an impossible fact and when
    nothing would change.
    """
    facts = check_facts({**case.facts, **changes}, shanghai_day(now))
    changed = [name for name in changes if facts.get(name) != case.facts.get(name)]
    if not changed:
        raise BadInput("nothing would change", field="fact", fact="")
    names = "、".join(case_types.fact_labels[name] for name in changed)
    event = await staff_deed(session, case, Deed.AMEND, staff, reason=names, now=now, wording=wording)
    case.facts = facts
    case.anonymous = is_anonymous(facts)
    if "district" in changed:
        case.district = facts.get("district")
    if case.case_type in case_types:
        case.summary = "\n".join(case_types.summary_lines(case.case_type, facts))
    await words_changed(session, case)
    return event


async def check_material(
    session: AsyncSession,
    case: Case,
    staff: Staff,
    index: int,
    on: bool,
    *,
    case_types: CaseTypes,
    now: datetime,
    wording: Wording,
) -> CaseEvent | None:
    """Say that a material of the checklist (its place, from 0) is at hand or is not; None: it was so already.

    Raises BadInput for a place the checklist of its case type does not have.
    """
    checklist = case_types[case.case_type].checklist if case.case_type in case_types else ()
    if not 0 <= index < len(checklist):
        raise BadInput("the checklist has no such place", field="material")
    if (index in case.checked) is on:
        return None
    material = checklist[index]
    text = wording.say("desk.material_here" if on else "desk.material_missing", material=material)
    event = await staff_deed(session, case, Deed.CHECK, staff, reason=text, now=now, wording=wording)
    others = [place for place in case.checked if place != index]
    case.checked = sorted([*others, index] if on else others)
    return event


async def staff_deed(
    session: AsyncSession,
    case: Case,
    deed: Deed,
    staff: Staff,
    *,
    reason: str | None,
    now: datetime,
    wording: Wording,
    public_url: str | None = None,
) -> CaseEvent:
    """Do a deed as staff; an event the member may see is also said in the case's conversation."""
    event = await move(session, case, deed, Actor.of_staff(staff), reason=reason, now=now)
    if event.audience is Audience.MEMBER:
        await tell_member(session, case, deed, wording, now, reason=event.text or "", public_url=public_url)
    return event


async def tell_member(
    session: AsyncSession,
    case: Case,
    notice: str,
    wording: Wording,
    now: datetime,
    *,
    public_url: str | None = None,
    **values: str,
) -> None:
    """Say ``case_notice.<notice>`` in the case's conversation, with the link to its page given an address.

    A case that was opened by phone has no conversation, and nothing is said.
    """
    if case.conversation_id is None:
        return
    text = wording.say(f"case_notice.{notice}", number=case.number, **values)
    if public_url is not None:
        text += "\n" + wording.say("case_notice.link", url=page_url(public_url, case.id))
    await record_replies(
        session,
        case.conversation_id,
        [Reply(text, buttons=_rating_buttons(case, notice, wording), topic=case.topic)],
        in_reply_to=None,
        author=Author.SYSTEM,
        staff_id=None,
        epoch_seen=None,
        now=now,
    )


def _rating_buttons(case: Case, notice: str, wording: Wording) -> list[tuple[str, str]]:
    if notice != Deed.RESOLVE:
        return []
    return [
        (
            wording.say("case_notice.rate_button", rating=rating),
            f'/rate_case{{"case_no":"{case.number}","rating":{rating}}}',
        )
        for rating in range(5, 0, -1)
    ]


async def _members_of(session: AsyncSession, team: Team | None) -> list[Staff]:
    if team is None:
        return []
    found = await session.scalars(select(Staff).where(Staff.team_id == team.id).order_by(Staff.id))
    return [person for person in found if may(person, Right.WORK_CASES)]


async def _mentioned(session: AsyncSession, text: str) -> list[Staff]:
    """The colleagues a note names; a full stop that ends the sentence is not part of a login."""
    names = {name for found in _MENTION.findall(text) for name in (found, found.rstrip("._-"))}
    if not names:
        return []
    return list(await session.scalars(select(Staff).where(Staff.login.in_(names), Staff.active)))


async def find_team(session: AsyncSession, team_id: int) -> Team:
    """The team with this id, if it is not closed; raises NotFound."""
    team = await session.get(Team, team_id)
    if team is None or not team.active:
        raise NotFound("no such team")
    return team
