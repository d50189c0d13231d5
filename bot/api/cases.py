"""Routes: the member's own cases, for whoever holds their conversation's token."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheConversation, TheHouse
from bot.api.routes import READING, errors
from bot.house import House
from bot.roles import Role, open_to
from casework import cases
from casework.case_links import page_url
from casework.case_numbers import MAX_INPUT
from casework.case_progress import member_view
from casework.errors import BadCaseNumber, NotFound
from casework.tables import Case

router = APIRouter(prefix="/api/v1", tags=["cases"])


class CaseStepOut(BaseModel):
    """One step of the progress bar."""

    model_config = ConfigDict(title="Case step")
    step: str
    label: str
    place: Literal["done", "current", "ahead"]


class CaseEventOut(BaseModel):
    """One thing that happened to a case."""

    model_config = ConfigDict(title="Case event")
    at: datetime
    deed: str
    text: str


class CaseOut(BaseModel):
    """A case as its member may see it."""

    model_config = ConfigDict(
        title="Case",
        json_schema_extra={
            "examples": [
                {
                    "number": "JN-20261122-0031-9",
                    "case_type": "labour_dispute",
                    "label": "劳动争议",
                    "state": "in_progress",
                    "state_label": "办理中",
                    "steps": [
                        {"step": "accepted", "label": "受理", "place": "done"},
                        {"step": "assigned", "label": "派单", "place": "done"},
                        {"step": "in_progress", "label": "办理", "place": "current"},
                        {"step": "resolved", "label": "办结", "place": "ahead"},
                        {"step": "followed_up", "label": "回访", "place": "ahead"},
                    ],
                    "events": [{"at": "2026-11-22T03:04:05Z", "deed": "accept", "text": "工单已受理"}],
                    "awaited": None,
                    "due_on": None,
                    "rating": None,
                    "merged_into": None,
                    "page": None,
                    "opened_at": "2026-11-22T03:04:05Z",
                    "closed_at": None,
                }
            ]
        },
    )
    number: str
    case_type: str
    label: str
    state: str
    state_label: str
    steps: list[CaseStepOut]
    events: list[CaseEventOut]
    awaited: Annotated[str | None, Field(description="What the member was asked for and still owes.")]
    due_on: Annotated[date | None, Field(description="The day in Shanghai by which it shall be dealt with.")]
    rating: int | None
    merged_into: Annotated[str | None, Field(description="The member's own case that goes on instead.")]
    page: Annotated[
        str | None,
        Field(description="A page that shows the progress and nothing else; it may be forwarded."),
    ]
    opened_at: datetime
    closed_at: datetime | None


class CasesOut(BaseModel):
    """The member's cases, the newest first."""

    model_config = ConfigDict(title="Cases")
    cases: list[CaseOut]


@router.get("/conversations/{conversation_id}/cases", summary="List my cases", responses=errors(*READING))
@open_to(Role.CONVERSATION)
async def list_my_cases(conversation: TheConversation, house: TheHouse) -> CasesOut:
    """Every case of the member whose conversation this is, with its progress."""
    async with house.database.read() as session:
        own = await cases.cases_of(session, conversation.member_id)
        return CasesOut(cases=[await _shown(house, session, case) for case in own])


@router.get(
    "/conversations/{conversation_id}/cases/{number}",
    summary="Follow one of my cases",
    responses=errors(*READING),
)
@open_to(Role.CONVERSATION)
async def read_my_case(
    conversation: TheConversation,
    house: TheHouse,
    number: Annotated[str, Path(max_length=MAX_INPUT, description="Hyphens, blanks and case do not matter.")],
) -> CaseOut:
    """One case by its number. Another member's case, and a number that is none, are both 404."""
    async with house.database.read() as session:
        try:
            case = await cases.case_for_member(session, conversation.member_id, number)
        except BadCaseNumber as error:
            raise NotFound("no such case") from error
        return await _shown(house, session, case)


async def _shown(house: House, session: AsyncSession, case: Case) -> CaseOut:
    view = await member_view(session, case, house.wording, house.knowledge.case_types)
    address = house.settings.public_url
    return CaseOut(
        number=view.number,
        case_type=view.case_type,
        label=view.label,
        state=view.state.value,
        state_label=view.state_label,
        steps=[CaseStepOut.model_validate(step, from_attributes=True) for step in view.steps],
        events=[CaseEventOut.model_validate(event, from_attributes=True) for event in view.events],
        awaited=view.awaited,
        due_on=view.due_on,
        rating=view.rating,
        merged_into=view.merged_into,
        page=None if address is None else page_url(address, case.id),
        opened_at=view.opened_at,
        closed_at=view.closed_at,
    )
