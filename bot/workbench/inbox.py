"""The inbox's page: one group of misunderstood messages after the other, decided by a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import RowId, answered, problem
from bot.desk.sessions import Signed, needs, wants_page
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import desk_view, inbox, inbox_labels, samples
from casework.errors import BadInput, NotFound, Refusal
from casework.inbox import Shelf
from casework.inbox_rules import InboxRules
from casework.knowledge import Intent
from casework.permissions import Right
from casework.tables import Decision, GroupState, InboxGroup, InboxLabel, InboxReason, Staff

router = APIRouter(prefix="/workbench", include_in_schema=False)

HOME = "/workbench"
MOST_LISTED = 100
CHOICES = 3
Teacher = Annotated[Signed, Depends(needs(Right.TEACH))]
Code = Annotated[str, Query(max_length=60)]
GroupId = Annotated[int | None, Query(ge=1, le=2**53)]
Field = Annotated[str, Form(max_length=60)]


@dataclass(frozen=True, slots=True)
class Where:
    """Which list is open, and what of it is shown."""

    shelf: Shelf = Shelf.OPEN
    reason: InboxReason | None = None
    topic: str = ""

    @classmethod
    def of(cls, shelf: str, reason: str, topic: str, house: House) -> Where:
        """As an address says it; what it says wrong counts as not said."""
        return cls(
            Shelf(shelf) if shelf in set(Shelf) else Shelf.OPEN,
            InboxReason(reason) if reason in set(InboxReason) else None,
            topic if topic in house.knowledge.topics else "",
        )

    def address(self, **more: int | str | None) -> str:
        """The page's address here; what is None or empty is left out."""
        said: dict[str, int | str | None] = {
            "list": None if self.shelf is Shelf.OPEN else self.shelf.value,
            "reason": None if self.reason is None else self.reason.value,
            "topic": self.topic,
            **more,
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{HOME}?{query}" if query else HOME


@router.get("")
@open_to(Role.STAFF)
async def show(
    request: Request,
    signed: Teacher,
    house: TheHouse,
    shelf: Annotated[str, Query(alias="list", max_length=20)] = "",
    reason: Code = "",
    topic: Code = "",
    group: GroupId = None,
    last: GroupId = None,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The lists with their counts, one list, and one group of it open: the asked one, else the first."""
    where = Where.of(shelf, reason, topic, house)
    return await _page(request, signed, house, where, group, last=last, done=done)


@router.post("/inbox/{group_id}/decide")
@open_to(Role.STAFF)
async def decide(
    request: Request,
    group_id: RowId,
    signed: Teacher,
    house: TheHouse,
    choice: Field = "",
    other: Field = "",
    text: Annotated[str, Form(max_length=2000)] = "",
    note: Annotated[str, Form(max_length=inbox_labels.MOST_NOTE)] = "",
    shelf: Annotated[str, Form(alias="list", max_length=20)] = "",
    reason: Field = "",
    topic: Field = "",
    following: Annotated[int | None, Form(alias="next", ge=1, le=2**53)] = None,
) -> Response:
    """What a group is: one of the guesses, another intent by its label, or none of them."""
    where = Where.of(shelf, reason, topic, house)
    try:
        decision, intent = _chosen(house, choice, other)
        async with house.database.transaction() as session:
            await inbox_labels.decide(
                session,
                signed.staff,
                group_id,
                decision,
                intent,
                text,
                house.knowledge,
                house.settings.home / "data" / "nlu",
                house.clock.now(),
                rules=rules_of(request, house),
                note=note,
            )
    except Refusal as refusal:
        if not wants_page(request) or isinstance(refusal, NotFound):
            raise
        again = {"text": text, "other": other, "note": note}
        error = problem(house, refusal)
        return await _page(request, signed, house, where, group_id, error=error, typed=again, status=422)
    return answered(request, where.address(group=following, last=group_id), "decided")


@router.post("/inbox/{group_id}/undo")
@open_to(Role.STAFF)
async def undo(
    request: Request,
    group_id: RowId,
    signed: Teacher,
    house: TheHouse,
    shelf: Annotated[str, Form(alias="list", max_length=20)] = "",
    reason: Field = "",
    topic: Field = "",
) -> Response:
    """Take one's own decision back; its group is open again."""
    where = Where.of(shelf, reason, topic, house)
    try:
        async with house.database.transaction() as session:
            group = await inbox_labels.undo(
                session, signed.staff, group_id, house.settings.home / "data" / "nlu", house.clock.now()
            )
    except Refusal as refusal:
        if not wants_page(request) or isinstance(refusal, NotFound):
            raise
        return await _page(request, signed, house, where, group_id, error=problem(house, refusal), status=409)
    back = Where(Shelf(group.state.value), where.reason, where.topic)
    return answered(request, back.address(group=group_id), "undone")


def rules_of(request: Request, house: House) -> InboxRules:
    """The inbox's rules; read once for the application."""
    state = request.app.state
    made: InboxRules | None = getattr(state, "inbox_rules", None)
    if made is None:
        made = InboxRules.load(house.settings.home / "data" / "knowledge", house.knowledge)
        state.inbox_rules = made
    return made


def _chosen(house: House, choice: str, other: str) -> tuple[Decision, str | None]:
    """What a form says; without a button pressed it is what the picker holds. Raises BadInput."""
    if choice.startswith("intent:"):
        return Decision.INTENT, choice.removeprefix("intent:")
    if choice in (Decision.OUT_OF_SCOPE, Decision.NEW_TOPIC, Decision.SKIP):
        return Decision(choice), None
    if not other.strip():
        raise BadInput("nothing was chosen", field="inbox_choice")
    return Decision.INTENT, _named(house, other.strip())


def _named(house: House, said: str) -> str:
    """The intent with this label or name, or the only one whose label holds these words; raises BadInput."""
    trained = [one for one in house.knowledge.intents.values() if one.trained]
    exact = [one.name for one in trained if said in (one.label, one.name)]
    like = exact or [one.name for one in trained if said in one.label]
    if len(like) != 1:
        raise BadInput("not one intent", field="inbox_other")
    return like[0]


async def _page(
    request: Request,
    signed: Signed,
    house: House,
    where: Where,
    group_id: int | None,
    *,
    status: int = 200,
    **context: Any,
) -> Response:
    rules = rules_of(request, house)
    async with house.database.read() as session:
        groups = await inbox.listed(
            session,
            signed.staff,
            where.shelf,
            reason=where.reason,
            topic=where.topic or None,
            knowledge=house.knowledge,
            limit=MOST_LISTED,
        )
        group = await _open(session, groups, group_id)
        labels = [] if group is None else visible_labels(group, signed.staff)
        values = {
            "counts": await inbox.counts(session, signed.staff),
            "group": group,
            "labels": labels,
            "mine": group is not None and _may_undo(group, signed.staff),
            "said": [] if group is None else await inbox.said_in(session, group),
            "people": await desk_view.staff_named(session, {one.staff_id for one in labels}),
            "agreement": await inbox_labels.agreement_now(session),
            "stands_under": await _stands_under(session, house, group),
            "last": await _last(session, signed.staff, context.pop("last", None)),
        }
    place = next((number for number, one in enumerate(groups) if group and one.id == group.id), None)
    after = groups[place + 1 :] if place is not None else list(groups)
    return await page(
        request,
        "workbench/inbox.html",
        signed=signed,
        status=status,
        where=where,
        groups=groups,
        before=groups[place - 1] if place else None,
        after=after[0] if after else None,
        choices=_choices(house, group),
        reasons={} if group is None else inbox.reasons_of(group),
        safety={one.id for one in groups if rules.is_safety(guessed(one))},
        intents=_pickable(house.knowledge.intents),
        names={name: intent.label for name, intent in house.knowledge.intents.items()},
        topics=sorted({one.topic for one in house.knowledge.intents.values() if one.trained}),
        most=MOST_LISTED,
        **values,
        **{"done": "", "error": None, "typed": None, **context},
    )


async def _open(
    session: AsyncSession, groups: Sequence[InboxGroup], group_id: int | None
) -> InboxGroup | None:
    if group_id is not None:
        try:
            return await inbox.opened(session, group_id)
        except NotFound:
            # Its time is over (retention), or the address is old.
            pass
    return await inbox.opened(session, groups[0].id) if groups else None


async def _stands_under(session: AsyncSession, house: House, group: InboxGroup | None) -> str | None:
    """The intent these very words are a sentence of already: deciding otherwise moves them."""
    if group is None:
        return None
    return (await samples.current(session, house.settings.home / "data" / "nlu")).intent_of(group.text)


async def _last(session: AsyncSession, staff: Staff, group_id: int | None) -> InboxGroup | None:
    """The group that was decided a moment ago, where one may still take that back."""
    if group_id is None:
        return None
    try:
        found = await inbox.opened(session, group_id)
    except NotFound:
        return None
    return found if _may_undo(found, staff) else None


def visible_labels(group: InboxGroup, staff: Staff) -> list[InboxLabel]:
    """Who said what, as far as this person may know: a second one never sees what the first one said."""
    if group.state is GroupState.SECOND:
        return [one for one in group.labels if one.staff_id == staff.id]
    return list(group.labels)


def _may_undo(group: InboxGroup, staff: Staff) -> bool:
    if not group.labels or group.state is GroupState.DISPUTED:
        return False
    resolver = next((one for one in group.labels if one.resolves), None)
    return (resolver or group.labels[-1]).staff_id == staff.id


def guessed(group: InboxGroup) -> list[str]:
    """The intents a model thought likeliest, the likeliest first."""
    return [str(name) for name, _ in group.guesses]


def _choices(house: House, group: InboxGroup | None) -> list[tuple[Intent, float | None]]:
    """What has a key of its own: what the hotline said, then the guesses with their probabilities."""
    if group is None:
        return []
    shares: dict[str, float | None] = {
        one.should_intent: None for one in group.messages if one.should_intent is not None
    }
    for name, share in group.guesses:
        shares[str(name)] = float(share)
    intents = house.knowledge.intents
    named = [(intents[name], share) for name, share in shares.items() if name in intents]
    return [(intent, share) for intent, share in named if intent.trained][:CHOICES]


def _pickable(intents: Mapping[str, Intent]) -> list[Intent]:
    return [intent for intent in intents.values() if intent.trained]
