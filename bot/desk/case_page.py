"""Case page: everything it shows, read in one consistent moment and masked before it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.deadlines import deadline_of
from bot.desk.turns import SHOWN_INLINE, FileShown, size_label
from bot.house import House
from casework import attachments, cases, desk_view, members
from casework.case_joining import joined
from casework.case_life import Deed, deeds_open_to
from casework.case_links import page_url
from casework.case_types import Question
from casework.claims.shown import sheet_of_case, show
from casework.clock import shanghai_day
from casework.desk_rules import read_desk_rules
from casework.errors import BadCaseNumber, NotFound
from casework.permissions import Right, may
from casework.tables import Audience, Author, Case, CaseEvent, Member, Staff
from casework.visibility import Sight, sight_of

CaseNumber = Annotated[str, Path(max_length=40)]
_IN_SIDE_CARDS = frozenset(
    {Deed.AMEND, Deed.CHECK, Deed.LINK, Deed.UNLINK, Deed.MERGE, Deed.UNMERGE, Deed.NOTE, Deed.SUPPLEMENT}
)
"""Deeds whose button stands beside what they change."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the thread as this member of staff may see it."""

    id: int
    at: datetime
    deed: str
    author: str
    who: str | None
    """The member of staff's name."""
    text: str
    internal: bool
    from_state: str | None
    to_state: str | None


@dataclass(frozen=True, slots=True)
class FactShown:
    """One fact of the case; ``value`` is None where it is hidden, so that no form sends a mask back."""

    name: str
    label: str
    shown: str
    value: str | None
    choices: Sequence[tuple[str, str]] = ()
    """What it can be, with what that is called; anything when there is nothing here."""


async def find_case(session: AsyncSession, number: str) -> Case:
    """The case an address names; raises NotFound for a number that is none as well."""
    try:
        return await cases.case_by_number(session, number)
    except BadCaseNumber as error:
        raise NotFound("no such case") from error


async def read_case(
    session: AsyncSession, house: House, number: str, staff: Staff, now: datetime
) -> dict[str, Any]:
    """What the templates of a case see; raises NotFound."""
    case = await find_case(session, number)
    sight = await sight_of(session, staff, case, now)
    rules = await read_desk_rules(session, house.desk_rules)
    member = await members.get(session, case.member_id)
    events = await cases.thread(session, case)
    people = await desk_view.staff_named(session, [case.staff_id, *(event.staff_id for event in events)])
    teams = await desk_view.teams(session)
    types = house.knowledge.case_types
    deeds = {choice.deed: choice for choice in deeds_open_to(case, staff)}
    others = await desk_view.cases_of_member(session, member.id)
    open_ = case.closed_at is None
    public_url = house.settings.public_url
    claim_sheet = await sheet_of_case(session, case.id)
    return {
        "case": case,
        "seen": events[-1].id if events else 0,
        "sight": sight,
        "member": member,
        "case_type": next((one for one in types if one.name == case.case_type), None),
        "deeds": {deed.value: choice for deed, choice in deeds.items()},
        "bar": [choice for deed, choice in deeds.items() if deed not in _IN_SIDE_CARDS],
        "may_unmask": may_unmask(staff, case),
        "deadline": deadline_of(
            case.due_at, case.priority, now, rules, standing=case.waiting_for_member_since is not None
        )
        if open_
        else None,
        "worker": people.get(case.staff_id or 0),
        "team": next((team for team in teams if team.id == case.team_id), None),
        "events": _thread(events, people, sight),
        "facts": _facts(case, house, sight),
        "contact": _contact(case, member, sight),
        "files": [
            FileShown(one.id, sight.text(one.filename), size_label(one.size), one.media_type in SHOWN_INLINE)
            for one in await attachments.of_case(session, case)
        ],
        "claims": None if claim_sheet is None else show(claim_sheet, shanghai_day(now)),
        "joined": await joined(session, case),
        "others": [one for one in others if one.id != case.id],
        "colleagues": [one for one in await desk_view.colleagues(session, now) if one.id != case.staff_id],
        "teams": teams,
        "tomorrow": shanghai_day(now) + timedelta(days=1),
        "case_types": types,
        "public_page": None if public_url is None else page_url(public_url, case.id),
    }


def may_unmask(staff: Staff, case: Case) -> bool:
    """Whether to offer the unmasking of a case; ``casework.visibility.unmask`` decides."""
    return may(staff, Right.UNMASK) and (case.staff_id == staff.id or may(staff, Right.DIRECT))


def _thread(events: Sequence[CaseEvent], people: Mapping[int, Staff], sight: Sight) -> list[Happened]:
    return [
        Happened(
            id=event.id,
            at=event.created_at,
            deed=event.deed,
            author=event.author.value,
            who=_name_of(event, people),
            text=sight.text(event.text),
            internal=event.audience is Audience.INTERNAL,
            from_state=event.from_state,
            to_state=event.to_state,
        )
        for event in events
    ]


def _name_of(event: CaseEvent, people: Mapping[int, Staff]) -> str | None:
    person = people.get(event.staff_id or 0)
    return person.display_name if person is not None and event.author is Author.STAFF else None


def _facts(case: Case, house: House, sight: Sight) -> list[FactShown]:
    """The facts in the order they are asked in, then those the case type does not ask for."""
    types = house.knowledge.case_types
    districts = [(name, name) for name in house.knowledge.districts.names]
    asked: Sequence[Question] = types.questions(case.case_type, case.topic) if case.case_type in types else ()
    questions = {question.slot: question for question in asked}
    names = [*questions, *(name for name in case.facts if name not in questions)]
    found = []
    for name in names:
        value = case.facts.get(name)
        visible = "" if value is None else sight.fact(name, value)
        question = questions.get(name)
        found.append(
            FactShown(
                name=name,
                label=types.fact_labels.get(name, name),
                shown=question.shown(visible) if question is not None and visible else visible,
                value="" if value is None else str(value) if visible == str(value) else None,
                choices=districts if name == "district" else question.values if question is not None else (),
            )
        )
    return found


def _contact(case: Case, member: Member, sight: Sight) -> dict[str, str | None]:
    name, phone = case.facts.get("person_name") or member.name, case.facts.get("phone") or member.phone
    return {"name": sight.name(name), "phone": sight.phone(phone)}
