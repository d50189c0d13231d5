"""Model versions: what each was judged to be, which one answers, and going back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import FileResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import answered, problem
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_view, model_registry
from casework.errors import NotFound, Refusal
from casework.model_registry import SHARES
from casework.permissions import Right
from casework.tables import ModelEvent, ModelState, ModelVersion

router = APIRouter(prefix="/workbench/models", include_in_schema=False)

HOME = "/workbench/models"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""The report is one page of our own making with its styles inside; it may run and load nothing."""
Releaser = Annotated[Signed, Depends(needs(Right.RELEASE))]
Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]
Name = Annotated[str, Path(pattern=r"^\d{4}-\d{2}-\d{2}-\d{1,4}$")]
Reason = Annotated[str, Form(max_length=model_registry.MOST_REASON)]


@router.get("")
@open_to(Role.STAFF)
async def models(
    request: Request, signed: Teacher, house: TheHouse, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Every version, the newest first, and which one answers."""
    return await _list(request, signed, house, done=done)


@router.get("/{name}")
@open_to(Role.STAFF)
async def model(
    request: Request,
    name: Name,
    signed: Teacher,
    house: TheHouse,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """One version: the gate's verdict, every sentence that changed, what it was made of, what was done."""
    return await _show(request, signed, house, name, done=done)


@router.get("/{name}/report")
@open_to(Role.STAFF)
async def report(name: Name, signed: Teacher, house: TheHouse) -> Response:
    """The evaluation report of a version, as it was written when it was trained."""
    async with house.database.read() as session:
        version = await model_registry.named(session, name)
    file = house.settings.models_dir / f"{version.name}.report.html"
    if not file.is_file():
        raise NotFound("this version has no report")
    return FileResponse(
        file,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"},
    )


@router.post("/{name}/promote")
@open_to(Role.STAFF)
async def promote(request: Request, name: Name, signed: Releaser, house: TheHouse) -> Response:
    """Let a version that passed the gate answer all members."""
    return await _deed(request, signed, house, name, "promoted")


@router.post("/{name}/override")
@open_to(Role.STAFF)
async def override(
    request: Request,
    name: Name,
    signed: Annotated[Signed, Depends(needs(Right.OVERRIDE_GATE))],
    house: TheHouse,
    reason: Reason = "",
) -> Response:
    """Let a version answer that the gate refused, for a written reason."""
    return await _deed(request, signed, house, name, "promoted", override=reason)


@router.post("/{name}/canary")
@open_to(Role.STAFF)
async def begin_canary(
    request: Request,
    name: Name,
    signed: Releaser,
    house: TheHouse,
    share: Annotated[int, Form(ge=1, le=50)],
) -> Response:
    """Let a version answer a share of the conversations first."""
    return await _deed(request, signed, house, name, "canary", share=share)


@router.post("/canary/end")
@open_to(Role.STAFF)
async def end_canary(request: Request, signed: Releaser, house: TheHouse) -> Response:
    """Take the canary's conversations back to the version that answers the others."""
    async with house.database.transaction() as session:
        await model_registry.end_canary(session, signed.staff, house.clock.now())
    return answered(request, HOME, "canary_ended")


@router.post("/rollback")
@open_to(Role.STAFF)
async def roll_back(request: Request, signed: Releaser, house: TheHouse, reason: Reason = "") -> Response:
    """Let the version that answered before answer again."""
    try:
        async with house.database.transaction() as session:
            back = await model_registry.roll_back(
                session, signed.staff, house.clock.now(), reason=reason.strip() or "—"
            )
    except Refusal as refusal:
        if not wants_page(request):
            raise
        return await _list(request, signed, house, error=problem(house, refusal), status=409)
    return answered(request, f"{HOME}/{back.name}", "rolled_back")


async def _deed(
    request: Request,
    signed: Signed,
    house: House,
    name: str,
    done: str,
    *,
    override: str | None = None,
    share: int | None = None,
) -> Response:
    now, staff = house.clock.now(), signed.staff
    try:
        async with house.database.transaction() as session:
            version = await model_registry.named(session, name)
            if share is None:
                await model_registry.promote(session, version.id, staff, now, override=override)
            else:
                await model_registry.begin_canary(session, version.id, staff, share, now)
    except Refusal as refusal:
        if not wants_page(request) or isinstance(refusal, NotFound):
            raise
        error = problem(house, refusal)
        return await _show(request, signed, house, name, error=error, reason=override or "", status=409)
    return answered(request, f"{HOME}/{name}", done)


async def _list(
    request: Request, signed: Signed, house: House, *, status: int = 200, **context: Any
) -> Response:
    async with house.database.read() as session:
        versions = await model_registry.versions(session)
        live = await model_registry.live(session)
        before = None if live is None else await model_registry.version_before(session, live)
        events = await model_registry.events(session, limit=30)
        people = await desk_view.staff_named(session, _staff_ids(versions, events))
    return await page(
        request,
        "workbench/models.html",
        signed=signed,
        status=status,
        versions=versions,
        named={version.id: version.name for version in versions},
        live=live,
        before=before,
        canary=next((one for one in versions if one.state is ModelState.CANARY), None),
        events=events,
        people=people,
        **{"done": "", "error": None, **context},
    )


async def _show(
    request: Request, signed: Signed, house: House, name: str, *, status: int = 200, **context: Any
) -> Response:
    async with house.database.read() as session:
        version = await model_registry.named(session, name)
        against = (
            None if version.against_id is None else await model_registry.get(session, version.against_id)
        )
        live = await model_registry.live(session)
        before = None
        if live is not None and live.id == version.id:
            before = await model_registry.version_before(session, live)
        events = await model_registry.events(session, version.id)
        people = await desk_view.staff_named(session, _staff_ids([version], events))
    return await page(
        request,
        "workbench/model.html",
        signed=signed,
        status=status,
        version=version,
        against=against,
        live=live,
        before=before,
        events=events,
        people=people,
        shares=SHARES,
        labels={intent: one.label for intent, one in house.knowledge.intents.items()},
        has_report=(house.settings.models_dir / f"{version.name}.report.html").is_file(),
        has_file=(house.settings.models_dir / f"{version.name}.tar.gz").is_file(),
        **{"done": "", "error": None, "reason": "", **context},
    )


def _staff_ids(versions: Any, events: Any) -> set[int]:
    found: list[ModelVersion | ModelEvent] = [*versions, *events]
    return {one.staff_id for one in found if one.staff_id is not None}
