"""Case progress: what a member sees of their case, and what anybody sees who was sent its link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_life import Deed
from casework.case_types import CaseTypes
from casework.cases import progress
from casework.clock import SHANGHAI, shanghai_day
from casework.tables import Case, CaseEvent, CaseState
from casework.wording import Wording

_WAY = (
    CaseState.ACCEPTED,
    CaseState.ASSIGNED,
    CaseState.IN_PROGRESS,
    CaseState.RESOLVED,
    CaseState.FOLLOWED_UP,
)
_PLACE = {state: place for place, state in enumerate(_WAY)} | {CaseState.RETURNED: 0, CaseState.ARCHIVED: 4}


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the progress bar: ``place`` is ``done``, ``current`` or ``ahead``."""

    step: str
    label: str
    place: str


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that happened, in a sentence."""

    at: datetime
    deed: str
    text: str

    @property
    def day(self) -> str:
        """When it was, in Shanghai: ``07-20 09:30``."""
        return f"{self.at.astimezone(SHANGHAI):%m-%d %H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Case view: all that a member may know of their own case."""

    number: str
    case_type: str
    label: str
    state: CaseState
    state_label: str
    steps: list[StepView]
    events: list[EventView]
    awaited: str | None
    """What the member was asked for and has not brought yet."""
    due_on: date | None
    """The day in Shanghai by which it shall be dealt with; None: none is promised, or it is over."""
    rating: int | None
    merged_into: str | None
    """The number of the member's own case that goes on instead."""
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicView:
    """Public view: how far a case is, and nothing of what it is about, nor of whom."""

    number: str
    state_label: str
    steps: list[StepView]
    events: list[EventView]
    awaited: bool
    merged: str | None
    """``merged`` (into a case of the same member) or ``merged_elsewhere``."""


async def member_view(session: AsyncSession, case: Case, wording: Wording, case_types: CaseTypes) -> CaseView:
    """What the member themselves may see of a case; the caller has made sure that it is theirs."""
    events = await progress(session, case)
    into = await _merged_into(session, case)
    asked = [event.text for event in events if event.deed == Deed.ASK]
    return CaseView(
        number=case.number,
        case_type=case.case_type,
        label=case_types[case.case_type].label if case.case_type in case_types else case.case_type,
        state=case.state,
        state_label=wording.say(f"case_state.{case.state.value}"),
        steps=_steps(case.state, events, wording),
        events=[
            EventView(
                event.created_at, event.deed, wording.say(f"case_deed.{event.deed}", reason=event.text or "")
            )
            for event in events
        ],
        awaited=asked[-1] if asked and case.waiting_for_member_since is not None else None,
        due_on=None if case.due_at is None or case.closed_at is not None else shanghai_day(case.due_at),
        rating=case.rating,
        merged_into=into.number if into is not None and into.member_id == case.member_id else None,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
    )


async def public_view(session: AsyncSession, case: Case, wording: Wording) -> PublicView:
    """What whoever holds the link may see: no word that anybody wrote, for links are forwarded."""
    events = await progress(session, case)
    into = await _merged_into(session, case)
    merged = None
    if into is not None:
        merged = "merged" if into.member_id == case.member_id else "merged_elsewhere"
    return PublicView(
        number=case.number,
        state_label=wording.say(f"case_state.{case.state.value}"),
        steps=_steps(case.state, events, wording),
        events=[
            EventView(event.created_at, event.deed, wording.say(f"case_page.deed.{event.deed}"))
            for event in events
        ],
        awaited=case.waiting_for_member_since is not None,
        merged=merged,
    )


def _steps(state: CaseState, events: list[CaseEvent], wording: Wording) -> list[StepView]:
    way = list(_WAY)
    if state is CaseState.WITHDRAWN:
        way = [CaseState.ACCEPTED, CaseState.WITHDRAWN]
        here = 1
    else:
        here = _PLACE[state]
        if state is CaseState.ARCHIVED and all(event.deed != Deed.FOLLOW_UP for event in events):
            way, here = way[:-1], here - 1
    over = state in (CaseState.WITHDRAWN, CaseState.ARCHIVED)
    return [
        StepView(
            step.value,
            wording.say(f"case_step.{step.value}"),
            "ahead" if place > here else "current" if place == here and not over else "done",
        )
        for place, step in enumerate(way)
    ]


async def _merged_into(session: AsyncSession, case: Case) -> Case | None:
    if case.merged_into_id is None:
        return None
    return (await session.scalars(select(Case).where(Case.id == case.merged_into_id))).one_or_none()
