"""What staff do with a case: each deed a form, one transaction, an answer for script or page.

All go to ``POST /desk/cases/{number}/{deed}``. A form says in ``seen`` which event of the thread was the
newest when it was made; it is refused when somebody did something since (409). Notes and the like stand
beside whatever others do, and are not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.datastructures import FormData
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.case_page import CaseNumber, find_case
from bot.desk.sessions import Signed, needs, wants_page
from bot.house import House
from bot.roles import Role, open_to
from casework import appointments, case_joining, case_work, cases, desk_view, visibility
from casework.case_life import Deed, lock, step_open_to
from casework.case_types import SLOTS
from casework.clock import SHANGHAI
from casework.desk_rules import read_desk_rules
from casework.errors import BadCaseNumber, BadInput, NotFound, TransitionRefused
from casework.permissions import Right
from casework.tables import Case, Priority, Staff

router = APIRouter(prefix="/desk/cases/{number}", include_in_schema=False)

CaseWorker = Annotated[Signed, Depends(needs(Right.WORK_CASES))]
Unmasker = Annotated[Signed, Depends(needs(Right.UNMASK))]
STAND_BESIDE = frozenset({Deed.NOTE, Deed.PRESS, Deed.CHECK, Deed.LINK, Deed.UNLINK, Deed.SUPPLEMENT})
"""Deeds that mean the same whatever others did in the meantime."""
_JOIN_TWO = frozenset({Deed.LINK, Deed.UNLINK, Deed.MERGE, Deed.UNMERGE})
"""They lock both cases themselves, in an order of their own."""


@dataclass(frozen=True, slots=True)
class Doing:
    """Doing: one deed being done: to which case, by whom, when, and what the form says."""

    session: AsyncSession
    house: House
    case: Case
    staff: Staff
    now: datetime
    form: FormData

    def text(self, name: str = "reason") -> str:
        """What the form says in a field; nothing for a missing one or a file."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    @property
    def common(self) -> dict[str, Any]:
        """What nearly every deed takes."""
        return {"now": self.now, "wording": self.house.wording}

    @property
    def told(self) -> dict[str, Any]:
        """As ``common``, for deeds whose notice carries the link to the case's page."""
        return self.common | {"public_url": self.house.settings.public_url}


@router.post("/unmask")
@open_to(Role.STAFF)
async def unmask(
    number: CaseNumber, request: Request, signed: Unmasker, house: TheHouse, reason: Annotated[str, Form()]
) -> Response:
    """See the member's name and phone for a while; audited with the reason."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        case = await find_case(session, number)
        until = await visibility.unmask(session, signed.staff, case, reason, now)
    return _done(request, case, until=until.isoformat())


@router.post("/{deed}")
@open_to(Role.STAFF)
async def do(
    number: CaseNumber, deed: str, request: Request, signed: CaseWorker, house: TheHouse
) -> Response:
    """Do one of the deeds a case's life gives to staff; NotFound for any other."""
    try:
        doer = _DOERS[Deed(deed)]
    except (ValueError, KeyError) as error:
        raise NotFound("no such deed of staff") from error
    form = await request.form()
    async with house.database.transaction() as session:
        case = await find_case(session, number)
        doing = Doing(session, house, case, signed.staff, house.clock.now(), form)
        await _check_unchanged(doing, Deed(deed))
        await doer(doing)
        seen = await cases.last_event_id(session, case)
    if case.conversation_id is not None:
        house.switchboard.feed.wake(case.conversation_id)
    return _done(request, case, seen=seen)


async def _check_unchanged(doing: Doing, deed: Deed) -> None:
    """Hold the case; refuse what was meant for what it was before, or what its state does not allow."""
    if deed not in _JOIN_TWO:
        await lock(doing.session, doing.case)
    seen = doing.text("seen")
    newest = await cases.last_event_id(doing.session, doing.case) if seen else 0
    if seen and deed not in STAND_BESIDE and seen != str(newest):
        raise TransitionRefused(
            "somebody did something to this case", deed=deed.value, state=doing.case.state, reason="stale"
        )
    if step_open_to(doing.case, deed) is None:
        # What the form lacks is not worth saying while the deed is not possible at all.
        raise TransitionRefused(
            f"{deed} is not possible in state {doing.case.state}", deed=deed.value, state=doing.case.state
        )


async def _assign(doing: Doing) -> None:
    kind, _, number = doing.text("to").partition(":")
    if kind not in ("staff", "team") or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise BadInput("assign to a colleague or to a team", field="to")
    session, wanted = doing.session, int(number)
    to = await desk_view.colleague(session, wanted) if kind == "staff" else None
    team = await desk_view.team(session, wanted) if kind == "team" else None
    await case_work.assign(
        session, doing.case, doing.staff, to=to, team=team, reason=doing.text() or None, **doing.told
    )


async def _start(doing: Doing) -> None:
    await case_work.start(doing.session, doing.case, doing.staff, **doing.common)


async def _extend(doing: Doing) -> None:
    await case_work.extend(
        doing.session, doing.case, doing.staff, reason=doing.text(), due_at=await _end_of(doing),
        **doing.common,
    )  # fmt: skip


async def _end_of(doing: Doing) -> datetime:
    """When work ends on the day the form names; raises BadInput for a day that is none or not worked."""
    try:
        day = date.fromisoformat(doing.text("due_on"))
    except ValueError as error:
        raise BadInput("not a day", field="due_on") from error
    rules = await read_desk_rules(doing.session, doing.house.desk_rules)
    shifts = rules.hours.shifts_on(day)
    if not shifts:
        raise BadInput("nobody works on that day", field="due_on", reason="day_off")
    closes = shifts[-1].on(day)[1]
    if closes <= doing.now or day.year > doing.now.year + 2:
        raise BadInput("the new date must lie ahead", field="due_on")
    return closes


async def _supplement(doing: Doing) -> None:
    """Words for the member; with a time they are an appointment, which they are reminded of."""
    given = doing.text("at")
    if not given:
        await case_work.inform_member(
            doing.session, doing.case, doing.staff, text=doing.text(), **doing.common
        )
        return
    try:
        at = datetime.fromisoformat(given).replace(tzinfo=SHANGHAI)
    except ValueError as error:
        raise BadInput("not a time", field="at") from error
    await appointments.arrange(
        doing.session,
        doing.case,
        doing.staff,
        at=at,
        text=doing.text(),
        rules=doing.house.reminder_rules,
        **doing.common,
    )


async def _press(doing: Doing) -> None:
    await case_work.press(doing.session, doing.case, doing.staff, reason=doing.text() or None, **doing.common)


async def _archive(doing: Doing) -> None:
    await case_work.archive(
        doing.session, doing.case, doing.staff, reason=doing.text() or None, **doing.common
    )


async def _resolve(doing: Doing) -> None:
    await case_work.resolve(doing.session, doing.case, doing.staff, reason=doing.text(), **doing.told)


async def _prioritise(doing: Doing) -> None:
    try:
        priority = Priority(int(doing.text("priority")))
    except ValueError as error:
        raise BadInput("no such priority", field="priority") from error
    await case_work.set_priority(
        doing.session, doing.case, doing.staff, priority, reason=doing.text(), **doing.common
    )


async def _amend(doing: Doing) -> None:
    changes = {name: value for name, value in doing.form.items() if name in SLOTS and isinstance(value, str)}
    case_types = doing.house.knowledge.case_types
    try:
        await case_work.amend_facts(
            doing.session, doing.case, doing.staff, changes, case_types=case_types, **doing.common
        )
    except BadInput as error:
        fact = error.values.get("fact")
        if error.values.get("field") != "fact":
            raise
        # The form's fields are called as the facts are.
        reason = "fact" if fact else "unchanged"
        raise BadInput(str(error), field=fact or "fact", reason=reason) from error


async def _check(doing: Doing) -> None:
    place = doing.text("material")
    if not (place.isascii() and place.isdecimal() and len(place) < 4):
        raise BadInput("no place of the checklist", field="material")
    await case_work.check_material(
        doing.session,
        doing.case,
        doing.staff,
        int(place),
        doing.text("on") == "1",
        case_types=doing.house.knowledge.case_types,
        **doing.common,
    )


async def _other(doing: Doing) -> Case:
    try:
        return await cases.case_by_number(doing.session, doing.text("other"))
    except (BadCaseNumber, NotFound) as error:
        raise BadInput("no such case", field="other", reason="case_number") from error


async def _link(doing: Doing) -> None:
    await case_joining.link(doing.session, doing.case, await _other(doing), doing.staff, now=doing.now)


async def _unlink(doing: Doing) -> None:
    await case_joining.unlink(doing.session, doing.case, await _other(doing), doing.staff, now=doing.now)


async def _merge(doing: Doing) -> None:
    await case_joining.merge(doing.session, doing.case, doing.staff, into=await _other(doing), **doing.common)


async def _unmerge(doing: Doing) -> None:
    await case_joining.unmerge(doing.session, doing.case, doing.staff, reason=doing.text(), **doing.common)


Doer = Callable[[Doing], Awaitable[None]]


def _with_reason(work: Callable[..., Awaitable[object]], name: str = "reason") -> Doer:
    """A deed that asks for nothing but words, which ``casework`` takes under this name."""

    async def doer(doing: Doing) -> None:
        await work(doing.session, doing.case, doing.staff, **{name: doing.text()}, **doing.common)

    return doer


_DOERS: Mapping[Deed, Doer] = {
    Deed.ASSIGN: _assign,
    Deed.START: _start,
    Deed.RETURN: _with_reason(case_work.send_back),
    Deed.EXTEND: _extend,
    Deed.RESOLVE: _resolve,
    Deed.FOLLOW_UP: _with_reason(case_work.follow_up),
    Deed.ARCHIVE: _archive,
    Deed.REOPEN: _with_reason(case_work.reopen),
    Deed.SUPPLEMENT: _supplement,
    Deed.ASK: _with_reason(case_work.ask_member, "text"),
    Deed.NOTE: _with_reason(case_work.note, "text"),
    Deed.PRESS: _press,
    Deed.SUPERVISE: _with_reason(case_work.supervise),
    Deed.AMEND: _amend,
    Deed.CHECK: _check,
    Deed.PRIORITISE: _prioritise,
    Deed.LINK: _link,
    Deed.UNLINK: _unlink,
    Deed.MERGE: _merge,
    Deed.UNMERGE: _unmerge,
}


def _done(request: Request, case: Case, **told: Any) -> Response:
    """A script gets JSON, a form the page again."""
    where = f"/desk/cases/{case.number}"
    if wants_page(request):
        return RedirectResponse(where, status_code=303)
    return JSONResponse({"ok": True, "state": case.state.value, **told})
