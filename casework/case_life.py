"""A case's life: one table of what may be done in which state, by whom, and ``move``, which does it.

``move`` is the only place where a case's state changes (a guard test looks for others). The states and deeds
are those of a 12345 work order: 受理 → 派单 → 办理 → 办结 → 回访 → 归档, with 退回, 延期, 催办, 督办, 撤销
and 重开.
A case that was merged into another rests: only a note is added to it until it is taken out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.permissions import Right, may, require
from casework.search_index import index_case
from casework.tables import Audience, Author, Case, CaseEvent, CaseState, Staff

MAX_REASON = 2000
"""Characters of a reason or note."""


class Deed(StrEnum):
    """What can be done to a case."""

    ACCEPT = "accept"
    ASSIGN = "assign"
    START = "start"
    RETURN = "return"
    EXTEND = "extend"
    URGE = "urge"
    RESOLVE = "resolve"
    FOLLOW_UP = "follow_up"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    RATE = "rate"
    SUPPLEMENT = "supplement"
    ASK = "ask"
    NOTE = "note"
    PRESS = "press"
    SUPERVISE = "supervise"
    AMEND = "amend"
    CHECK = "check"
    PRIORITISE = "prioritise"
    LINK = "link"
    UNLINK = "unlink"
    MERGE = "merge"
    UNMERGE = "unmerge"


class Role(StrEnum):
    """In what capacity somebody acts on a case; a supervisor may do whatever staff may."""

    MEMBER = "member"
    STAFF = "staff"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Actor: who does a deed, as the rules and the audit trail need to know them."""

    role: Role
    name: str
    member_id: str | None = None
    staff_id: int | None = None

    @classmethod
    def member(cls, member_id: str) -> Actor:
        """The member; may act on their own cases only."""
        return cls(Role.MEMBER, "member", member_id=member_id)

    @classmethod
    def system(cls) -> Actor:
        """Our own rules (a timer, an erasure)."""
        return cls(Role.SYSTEM, "system")

    @classmethod
    def of_staff(cls, staff: Staff) -> Actor:
        """A member of staff in their role; who may direct others acts as a supervisor. Raises NotAllowed
        for whoever may not work cases: a closed account, an auditor, a role nobody knows.
        """
        require(staff, Right.WORK_CASES)
        role = Role.SUPERVISOR if may(staff, Right.DIRECT) else Role.STAFF
        return cls(role, audit.staff_actor(staff), staff_id=staff.id)

    @property
    def author(self) -> Author:
        """How the case's thread shows them."""
        return {Role.MEMBER: Author.MEMBER, Role.SYSTEM: Author.SYSTEM}.get(self.role, Author.STAFF)


@dataclass(frozen=True, slots=True)
class Step:
    """Step: one cell of the table: where a deed leads, who may do it, and what it asks for."""

    to: CaseState
    who: frozenset[Role]
    reason_owed: bool = False
    told: str | None = None
    """Told the member as ``case_deed.<told>`` and ``case_notice.<told>`` (wording.yml); None: internal."""


Table = Mapping[tuple[Deed, CaseState | None], Step]

_MEMBER = frozenset({Role.MEMBER})
_STAFF = frozenset({Role.STAFF, Role.SUPERVISOR})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_SYSTEM = frozenset({Role.SYSTEM})

_WAITING = (CaseState.ACCEPTED, CaseState.RETURNED)
_AT_WORK = (CaseState.ASSIGNED, CaseState.IN_PROGRESS)
_OPEN = (*_WAITING, *_AT_WORK)
_DONE = (CaseState.RESOLVED, CaseState.FOLLOWED_UP)


def _cells(
    deed: Deed,
    states: Iterable[CaseState | None],
    to: CaseState | None,
    who: frozenset[Role],
    *,
    reason_owed: bool = False,
    told: bool = False,
) -> dict[tuple[Deed, CaseState | None], Step]:
    """The cells of one deed; ``to`` None keeps the state."""
    return {
        (deed, state): Step(to or CaseState(str(state)), who, reason_owed, deed.value if told else None)
        for state in states
    }


TRANSITIONS: Table = {
    **_cells(Deed.ACCEPT, (None,), CaseState.ACCEPTED, _MEMBER | _STAFF | _SYSTEM, told=True),
    **_cells(Deed.ASSIGN, _WAITING, CaseState.ASSIGNED, _STAFF | _SYSTEM, told=True),
    **_cells(Deed.ASSIGN, _AT_WORK, CaseState.ASSIGNED, _SUPERVISOR, reason_owed=True),
    **_cells(Deed.START, (CaseState.ASSIGNED,), CaseState.IN_PROGRESS, _STAFF, told=True),
    **_cells(Deed.RETURN, _AT_WORK, CaseState.RETURNED, _STAFF, reason_owed=True),
    **_cells(Deed.EXTEND, _AT_WORK, None, _STAFF, reason_owed=True, told=True),
    **_cells(Deed.URGE, _OPEN, None, _MEMBER, told=True),
    **_cells(Deed.RESOLVE, (CaseState.IN_PROGRESS,), CaseState.RESOLVED, _STAFF, reason_owed=True, told=True),
    **_cells(
        Deed.FOLLOW_UP, (CaseState.RESOLVED,), CaseState.FOLLOWED_UP, _STAFF, reason_owed=True, told=True
    ),
    **_cells(Deed.ARCHIVE, (CaseState.FOLLOWED_UP,), CaseState.ARCHIVED, _STAFF | _SYSTEM),
    **_cells(
        Deed.ARCHIVE, (CaseState.RESOLVED,), CaseState.ARCHIVED, _SUPERVISOR | _SYSTEM, reason_owed=True
    ),
    **_cells(Deed.WITHDRAW, _OPEN, CaseState.WITHDRAWN, _MEMBER, told=True),
    **_cells(Deed.REOPEN, _DONE, CaseState.ACCEPTED, _MEMBER | _SUPERVISOR, reason_owed=True, told=True),
    **_cells(Deed.RATE, _DONE, None, _MEMBER, told=True),
    **_cells(Deed.SUPPLEMENT, (*_OPEN, *_DONE), None, _MEMBER | _STAFF, told=True),
    **_cells(Deed.ASK, _OPEN, None, _STAFF, reason_owed=True, told=True),
    **_cells(Deed.NOTE, CaseState, None, _STAFF | _SYSTEM, reason_owed=True),
    **_cells(Deed.PRESS, _OPEN, None, _STAFF),
    **_cells(Deed.SUPERVISE, _OPEN, None, _SUPERVISOR, reason_owed=True),
    **_cells(Deed.AMEND, _OPEN, None, _STAFF),
    **_cells(Deed.CHECK, _OPEN, None, _STAFF),
    **_cells(Deed.PRIORITISE, _OPEN, None, _STAFF, reason_owed=True),
    **_cells(Deed.LINK, CaseState, None, _STAFF),
    **_cells(Deed.UNLINK, CaseState, None, _STAFF),
    **_cells(Deed.MERGE, _OPEN, None, _STAFF),
    **_cells(Deed.UNMERGE, _OPEN, None, _STAFF, reason_owed=True),
}
"""Deed × state it is done in (None: there is no case yet) → step. What is not here is refused."""

DONE_TO_MERGED = frozenset({Deed.NOTE, Deed.UNMERGE})
"""All that may be done to a case while it is merged into another; UNMERGE is done to such a case only."""


@dataclass(frozen=True, slots=True)
class DeedChoice:
    """Deed choice: something a member of staff may do to a case now, for a button."""

    deed: Deed
    reason_owed: bool
    told: bool
    """The member is told of it."""


async def move(
    session: AsyncSession,
    case: Case,
    deed: Deed,
    actor: Actor,
    *,
    reason: str | None,
    now: datetime,
    message_id: int | None = None,
) -> CaseEvent:
    """Do a deed to a case: change its state as the table says and add the event to its thread.

    ``reason`` is what is said with it (owed for some deeds, up to 2,000 characters); ``message_id`` the
    member's message that did it. The case is read anew and locked first. Raises TransitionRefused when its
    state does not allow the deed, NotAllowed when the actor may not do it, NotFound for another member's
    case, BadInput for a missing or too long reason. The member is told by ``casework.cases``.
    """
    await lock(session, case)
    before: CaseState | None = case.state
    step = _step(case, before, deed, actor)
    text = _checked_reason(step, reason)
    case.state = step.to
    case.updated_at = now
    _keep_count(case, deed, actor, now)
    event = CaseEvent(
        case_id=case.id,
        deed=deed.value,
        audience=Audience.INTERNAL if step.told is None else Audience.MEMBER,
        author=actor.author,
        staff_id=actor.staff_id,
        from_state=None if before is None else before.value,
        to_state=step.to.value,
        text=text,
        message_id=message_id,
        created_at=now,
    )
    session.add(event)
    await session.flush()
    audit.record(
        session,
        actor.name,
        f"case.{deed}",
        "case",
        case.id,
        now=now,
        before=event.from_state,
        after=event.to_state,
    )
    if text or deed is Deed.ACCEPT:
        await words_changed(session, case)
    return event


async def words_changed(session: AsyncSession, case: Case) -> None:
    """What follows when the words of a case change (its facts, its summary, what is said in its thread)."""
    await index_case(session, case)


async def lock(session: AsyncSession, case: Case) -> None:
    """Read the case as it is now and hold it until the transaction ends (one being opened is ours anyway)."""
    if inspect(case).persistent:
        # Reading anew would drop what this session has changed but not written yet.
        await session.flush()
        await session.refresh(case, with_for_update=True)


def step_for(deed: Deed, state: CaseState | None) -> Step | None:
    """What a deed does in a state, or None when the case's life does not allow it there."""
    return TRANSITIONS.get((deed, state))


def step_open_to(case: Case, deed: Deed) -> Step | None:
    """What a deed does to this very case, or None: its state or a merge does not allow it."""
    merged = case.merged_into_id is not None
    if (merged and deed not in DONE_TO_MERGED) or (not merged and deed is Deed.UNMERGE):
        return None
    return step_for(deed, case.state)


def deeds_open_to(case: Case, staff: Staff) -> list[DeedChoice]:
    """Exactly the deeds this member of staff may do to this case now; none for whoever may not work cases."""
    if not may(staff, Right.WORK_CASES):
        return []
    role = Actor.of_staff(staff).role
    steps = ((deed, step_open_to(case, deed)) for deed in Deed)
    return [
        DeedChoice(deed, step.reason_owed, step.told is not None)
        for deed, step in steps
        if step is not None and role in step.who
    ]


def possible_deeds(state: CaseState, role: Role) -> list[Deed]:
    """The deeds somebody may do to a case in this state, for the buttons of a screen."""
    return [deed for (deed, at), step in TRANSITIONS.items() if at is state and role in step.who]


def _step(case: Case, state: CaseState | None, deed: Deed, actor: Actor) -> Step:
    if actor.role is Role.MEMBER and case.member_id != actor.member_id:
        raise NotFound("no such case")
    step = step_open_to(case, deed)
    if step is None:
        why = {"reason": "merged"} if case.merged_into_id is not None else {}
        raise TransitionRefused(
            f"{deed} is not possible in state {state}", deed=deed.value, state=state, **why
        )
    if actor.role not in step.who:
        raise NotAllowed(f"{deed} is not for {actor.role}", deed=deed.value, state=state)
    return step


def _checked_reason(step: Step, reason: str | None) -> str | None:
    text = (reason or "").strip()
    if len(text) > MAX_REASON or (step.reason_owed and not text):
        raise BadInput(f"a reason is 1 to {MAX_REASON} characters", field="reason", limit=MAX_REASON)
    return text or None


def _keep_count(case: Case, deed: Deed, actor: Actor, now: datetime) -> None:
    match deed:
        case Deed.RESOLVE | Deed.WITHDRAW | Deed.MERGE:
            case.closed_at = now
            case.waiting_for_member_since = None
        case Deed.REOPEN:
            case.closed_at = case.staff_id = case.team_id = case.due_at = None
            case.warned_at = case.breached_at = None
            case.reopened_count += 1
        case Deed.UNMERGE:
            case.merged_into_id = case.closed_at = None
        case Deed.URGE:
            case.urged_count += 1
        case Deed.RETURN:
            case.staff_id = case.team_id = None
        case Deed.ASK:
            case.waiting_for_member_since = case.waiting_for_member_since or now
        case Deed.SUPPLEMENT if actor.role is Role.MEMBER:
            _go_on(case, now)
        case Deed.EXTEND:
            case.waiting_for_member_since = case.warned_at = case.breached_at = None
        case Deed.SUPERVISE:
            case.supervised_at = case.supervised_at or now


def _go_on(case: Case, now: datetime) -> None:
    """The member brought what they were asked for: the deadline moves by as long as it stood still."""
    if case.waiting_for_member_since is not None and case.due_at is not None:
        case.due_at += max(now - case.waiting_for_member_since, timedelta(0))
        if case.due_at > now:
            case.warned_at = case.breached_at = None
    case.waiting_for_member_since = None
