"""What is wrong with the training sentences: the last look at all of them, and one as it is typed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import answered, problem
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import fragment, page
from bot.house import House
from bot.roles import Role, open_to
from bot.workbench.lint_checkers import checker
from casework import lint_report, samples
from casework.errors import NotFound, Refusal
from casework.permissions import Right
from casework.sample_files import name_of, pieces
from casework.sample_lint import Finding, LintKind, counts
from casework.samples import TrainingSet
from casework.settings import Settings
from casework.tables import ChangeOrigin

router = APIRouter(prefix="/workbench/lint", include_in_schema=False)

HOME = "/workbench/lint"
SHOWN = 100
"""Findings of one kind on the page."""
COMMAND = (sys.executable, "-m", "bot", "lint-samples", "--most", "0")
Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]
Key = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$")]


@dataclass(frozen=True, slots=True)
class Line:
    """One finding on the page, its sentences in pieces, and where they are edited."""

    finding: Finding
    pieces: list[tuple[str, str | None]]
    other_pieces: list[tuple[str, str | None]]
    edit: str
    other_edit: str


@router.get("")
@open_to(Role.STAFF)
async def lint(
    request: Request, signed: Teacher, house: TheHouse, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Everything that still holds of what the last look found, wrong labels first."""
    return await _show(request, signed, house, done=done)


@router.post("/check")
@open_to(Role.STAFF)
async def check(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    text: Annotated[str, Form(max_length=2000)],
    intent: Annotated[str, Form(max_length=60)],
    was: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """What is wrong with a sentence as it is typed, as a fragment; ``was`` is the one it shall replace.

    A POST, because what is typed may say who somebody is, and addresses are logged.
    """
    found = (await checker(house)).check(text, intent, was)
    return await fragment(
        request, "workbench/lint_check.html", signed=signed, lines=_lines(found), labels=_labels(house)
    )


@router.post("/start")
@open_to(Role.STAFF)
async def start(
    request: Request, signed: Teacher, house: TheHouse, deed: Annotated[Literal["look"], Form()]
) -> Response:
    """Look at all sentences again, in a process of its own; nothing happens while one is at it."""
    if lint_report.running_since(house.settings.var_dir, house.clock.now()) is None:
        await _begin(house.settings)
    return answered(request, HOME, "started")


@router.post("/dismissed/clear")
@open_to(Role.STAFF)
async def clear(
    request: Request, signed: Teacher, house: TheHouse, deed: Annotated[Literal["clear"], Form()]
) -> Response:
    """Show again what somebody said is right."""
    async with house.database.transaction() as session:
        await lint_report.take_back(session, signed.staff, house.clock.now())
    return answered(request, HOME, "cleared")


@router.post("/{key}/move")
@open_to(Role.STAFF)
async def move(request: Request, key: Key, signed: Teacher, house: TheHouse) -> Response:
    """Move the sentence to the intent it seems to mean."""
    return await _deed(request, signed, house, key, "moved")


@router.post("/{key}/remove")
@open_to(Role.STAFF)
async def remove(
    request: Request,
    key: Key,
    signed: Teacher,
    house: TheHouse,
    which: Annotated[Literal["text", "other"], Form()] = "text",
) -> Response:
    """Take the sentence out of the set, or the one it is like."""
    return await _deed(request, signed, house, key, "removed", other=which == "other")


@router.post("/{key}/dismiss")
@open_to(Role.STAFF)
async def dismiss(request: Request, key: Key, signed: Teacher, house: TheHouse) -> Response:
    """Say that it is right as it is; it is not shown again, whoever looks."""
    return await _deed(request, signed, house, key, "dismissed")


async def _deed(
    request: Request, signed: Signed, house: House, key: str, done: str, *, other: bool = False
) -> Response:
    now, data = house.clock.now(), house.settings.home / "data" / "nlu"
    report = await asyncio.to_thread(lint_report.read, house.settings.var_dir)
    finding = next((one for one in report.findings if one.key == key), None) if report else None
    try:
        if finding is None or (other and not finding.other):
            raise NotFound("no such finding")
        text = finding.other if other else finding.text
        async with house.database.transaction() as session:
            if done == "dismissed":
                await lint_report.dismiss(session, signed.staff, [key], now)
            elif done == "removed":
                await samples.remove(session, signed.staff, text, data, now, origin=ChangeOrigin.LINT)
            else:
                await samples.move(
                    session,
                    signed.staff,
                    text,
                    finding.other_intent,
                    house.knowledge,
                    data,
                    now,
                    origin=ChangeOrigin.LINT,
                )
    except Refusal as refusal:
        if not wants_page(request):
            raise
        status = 404 if isinstance(refusal, NotFound) else 409
        return await _show(request, signed, house, error=problem(house, refusal), status=status)
    return answered(request, HOME, done)


async def _show(
    request: Request, signed: Signed, house: House, *, status: int = 200, **context: Any
) -> Response:
    report = await asyncio.to_thread(lint_report.read, house.settings.var_dir)
    async with house.database.read() as session:
        training_set = await samples.current(session, house.settings.home / "data" / "nlu")
        dismissed = await lint_report.dismissed(session)
    standing, current = await asyncio.to_thread(_standing, report, training_set, dismissed)
    numbers = counts(standing)
    shown = {kind: [one for one in standing if one.kind is kind][:SHOWN] for kind in LintKind}
    return await page(
        request,
        "workbench/lint.html",
        signed=signed,
        status=status,
        report=report,
        current=current,
        running=lint_report.running_since(house.settings.var_dir, house.clock.now()),
        groups=[(kind.value, numbers[kind], _lines(found)) for kind, found in shown.items() if found],
        total=len(standing),
        dismissed=len(dismissed),
        labels=_labels(house),
        **{"done": "", "error": None, **context},
    )


def _standing(
    report: lint_report.LintReport | None, training_set: TrainingSet, dismissed: Collection[str]
) -> tuple[list[Finding], bool]:
    if report is None:
        return [], False
    return report.standing(training_set, dismissed), report.about(training_set)


def _lines(found: Collection[Finding]) -> list[Line]:
    return [
        Line(
            one,
            pieces(one.text),
            pieces(one.other),
            f"/workbench/examples/{one.intent}" + (f"/{name_of(one.text)}" if one.text else ""),
            f"/workbench/examples/{one.other_intent}/{name_of(one.other)}",
        )
        for one in found
    ]


def _labels(house: House) -> dict[str, str]:
    return {name: intent.label for name, intent in house.knowledge.intents.items()}


async def _begin(settings: Settings) -> None:
    """Start the command that looks, with this installation's settings; it outlives the request."""
    told = {
        "NIANGJIA_HOME": str(settings.home),
        "NIANGJIA_VAR": str(settings.var_dir),
        "DATABASE_URL": settings.database_url,
    }
    if settings.data_key is not None:
        told["NIANGJIA_DATA_KEY"] = settings.data_key
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        cwd=settings.home,
        env={**os.environ, **told},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    task = asyncio.create_task(process.wait())
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)


_UNDER_WAY: set[asyncio.Task[int]] = set()
"""Kept, or they might be forgotten before the process ends."""
