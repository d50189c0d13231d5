"""Train: what the next training would learn, the button, how far it is, and what came of earlier ones."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import RowId, answered, problem
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import fragment, page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_view, model_registry, replay, training_jobs
from casework.errors import NotFound, Refusal
from casework.permissions import Right
from casework.tables import ModelVersion, SampleChange, TrainingJob

router = APIRouter(prefix="/workbench/train", include_in_schema=False)

HOME = "/workbench/train"
SHOWN_LINES = 30
Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]


@router.get("")
@open_to(Role.STAFF)
async def train(
    request: Request, signed: Teacher, house: TheHouse, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What would be learnt, the training under way, and the earlier ones."""
    return await _page(request, signed, house, done=done)


@router.get("/progress")
@open_to(Role.STAFF)
async def progress(request: Request, signed: Teacher, house: TheHouse) -> Response:
    """The training under way, or the last one, as a piece of the page."""
    return await fragment(request, "workbench/progress.html", signed=signed, **await _under_way(house))


@router.post("")
@open_to(Role.STAFF)
async def start(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    why: Annotated[str, Form(max_length=training_jobs.MOST_WHY)] = "",
) -> Response:
    """Ask for a training; it begins within seconds."""
    try:
        async with house.database.transaction() as session:
            await training_jobs.request(session, signed.staff, why, house.clock.now())
    except Refusal as refusal:
        if not wants_page(request):
            raise
        return await _page(request, signed, house, error=problem(house, refusal), status=409)
    return answered(request, HOME, "started")


@router.post("/{job_id}/cancel")
@open_to(Role.STAFF)
async def cancel(request: Request, job_id: RowId, signed: Teacher, house: TheHouse) -> Response:
    """Ask that a training ends; the model that answers stays as it is."""
    try:
        async with house.database.transaction() as session:
            await training_jobs.cancel(session, signed.staff, job_id, house.clock.now())
    except Refusal as refusal:
        if not wants_page(request) or isinstance(refusal, NotFound):
            raise
        return await _page(request, signed, house, error=problem(house, refusal), status=409)
    return answered(request, HOME, "cancelled")


async def _page(
    request: Request, signed: Signed, house: House, *, status: int = 200, **context: Any
) -> Response:
    async with house.database.read() as session:
        jobs = await training_jobs.latest(session)
        versions = {one.job_id: one for one in await model_registry.versions(session)}
        changes = await _to_learn(session)
        ids = {job.staff_id for job in jobs} | {change.staff_id for change in changes}
        people = await desk_view.staff_named(session, {one for one in ids if one is not None})
    return await page(
        request,
        "workbench/train.html",
        signed=signed,
        status=status,
        jobs=jobs,
        versions=versions,
        changes=changes,
        by_intent=Counter(change.after_intent or change.before_intent for change in changes).most_common(),
        by_person=Counter(change.staff_id for change in changes).most_common(),
        people=people,
        labels={name: intent.label for name, intent in house.knowledge.intents.items()},
        elsewhere=house.settings.training != "here",
        **await _under_way(house),
        **{"done": "", "error": None, **context},
    )


async def _under_way(house: House) -> dict[str, Any]:
    """The training under way, else the last one, with its version."""
    async with house.database.read() as session:
        job = await training_jobs.current(session)
        version = None
        if job is None:
            job = next(iter(await training_jobs.latest(session, 1)), None)
            version = None if job is None else await _version_of(session, job)
    return {
        "job": job,
        "version": version,
        "under_way": job is not None and job.state in training_jobs.UNDER_WAY,
        "lines": [] if job is None else (job.log or "").splitlines()[-SHOWN_LINES:],
    }


async def _version_of(session: AsyncSession, job: TrainingJob) -> ModelVersion | None:
    versions = await model_registry.versions(session)
    return next((one for one in versions if one.job_id == job.id), None)


async def _to_learn(session: AsyncSession) -> list[SampleChange]:
    """What the version that answers has not learnt yet."""
    live = await model_registry.live(session)
    return [] if live is None else await replay.unseen(session, live)
