"""A case's life: one table of what may be done in which state, by whom, and ``move``, which does it.

``move`` is the only place where a case's state changes (a guard test looks for others). The states and deeds
are those of a 12345 work order: 受理 → 派单 → 办理 → 办结 → 回访 → 归档, with 退回, 延期, 催办, 撤销, 重开.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.tables import Audience, Author, Case, CaseEvent, CaseState, Staff, StaffRole

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
    NOTE = "note"


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
        """A member of staff in their role; admins act as supervisors. Raises NotAllowed for a closed
        account.
        """
        if not staff.active:
            raise NotAllowed("this account is closed")
        role = Role.STAFF if staff.role is StaffRole.AGENT else Role.SUPERVISOR
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
    **_cells(Deed.NOTE, CaseState, None, _STAFF | _SYSTEM, reason_owed=True),
}
"""Deed × state it is done in (None: there is no case yet) → step. What is not here is refused."""


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
    _keep_count(case, deed, now)
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
    return event


async def lock(session: AsyncSession, case: Case) -> None:
    """Read the case as it is now and hold it until the transaction ends (one being opened is ours anyway)."""
    if inspect(case).persistent:
        # Reading anew would drop what this session has changed but not written yet.
        await session.flush()
        await session.refresh(case, with_for_update=True)


def step_for(deed: Deed, state: CaseState | None) -> Step | None:
    """What a deed does in a state, or None when the case's life does not allow it there."""
    return TRANSITIONS.get((deed, state))


def possible_deeds(state: CaseState, role: Role) -> list[Deed]:
    """The deeds somebody may do to a case in this state, for the buttons of a screen."""
    return [deed for (deed, at), step in TRANSITIONS.items() if at is state and role in step.who]


def _step(case: Case, state: CaseState | None, deed: Deed, actor: Actor) -> Step:
    if actor.role is Role.MEMBER and case.member_id != actor.member_id:
        raise NotFound("no such case")
    step = TRANSITIONS.get((deed, state))
    if step is None:
        raise TransitionRefused(f"{deed} is not possible in state {state}", deed=deed.value, state=state)
    if actor.role not in step.who:
        raise NotAllowed(f"{deed} is not for {actor.role}", deed=deed.value, state=state)
    return step


def _checked_reason(step: Step, reason: str | None) -> str | None:
    text = (reason or "").strip()
    if len(text) > MAX_REASON or (step.reason_owed and not text):
        raise BadInput(f"a reason is 1 to {MAX_REASON} characters", field="reason", limit=MAX_REASON)
    return text or None


def _keep_count(case: Case, deed: Deed, now: datetime) -> None:
    match deed:
        case Deed.RESOLVE | Deed.WITHDRAW:
            case.closed_at = now
        case Deed.REOPEN:
            case.closed_at = None
            case.staff_id = None
            case.due_at = None
            case.reopened_count += 1
        case Deed.URGE:
            case.urged_count += 1
        case Deed.RETURN:
            case.staff_id = None
