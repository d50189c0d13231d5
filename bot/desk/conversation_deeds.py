"""What staff do in a conversation: each deed a form, one transaction, an answer for script or page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bot.api.doorkeeper import TheHouse
from bot.desk.conversation_page import ConversationId, others_watching
from bot.desk.sessions import Signed, needs, wants_page
from bot.house import House
from bot.roles import Role, open_to
from casework import (
    aside,
    canned,
    case_from_talk,
    case_work,
    conversation_priority,
    conversations,
    desk_view,
    handoff,
    staff_talk,
    suggestions,
    visibility,
)
from casework.answers import compose_answer
from casework.case_life import Deed
from casework.clock import SHANGHAI, shanghai_day
from casework.desk_rules import DeskRules, read_desk_rules
from casework.errors import BadInput, NotFound
from casework.permissions import Right
from casework.published import current_knowledge
from casework.tables import Conversation, Priority

router = APIRouter(prefix="/desk/c/{id}", include_in_schema=False)

Answerer = Annotated[Signed, Depends(needs(Right.ANSWER))]
Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Suggester = Annotated[Signed, Depends(needs(Right.SUGGEST))]
Blocker = Annotated[Signed, Depends(needs(Right.BLOCK))]
Unmasker = Annotated[Signed, Depends(needs(Right.UNMASK))]
CaseWorker = Annotated[Signed, Depends(needs(Right.WORK_CASES))]
Text = Annotated[str, Form()]
Optional = Annotated[str | None, Form()]
Ids = Annotated[list[str], Form()]


@router.post("/takeover")
@open_to(Role.STAFF)
async def take_over(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse
) -> Response:
    """I speak from now on."""
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        conversation = await handoff.take_over(
            session, conversation, signed.staff, house.clock.now(), wording=house.wording
        )
    return _done(request, house, conversation)


@router.post("/reply")
@open_to(Role.STAFF)
async def reply(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    text: Text = "",
    client_message_id: Optional = None,
    attachment: Ids = [],  # noqa: B006  # FastAPI makes a new one for every request
    article: Ids = [],  # noqa: B006
) -> Response:
    """Say something to the member; ``article`` names the topics of articles the text quotes."""
    now = house.clock.now()
    if canned.UNFILLED in text:
        raise BadInput("a variable of a canned reply was left open", field="unfilled")
    house.attachments.check_message(len(attachment))
    async with house.database.transaction() as session:
        message = await staff_talk.reply(
            session,
            conversation_id,
            signed.staff,
            text,
            now,
            client_message_id=client_message_id,
            attachments=attachment,
            sources=await _sources(session, house, article, now),
            wording=house.wording,
        )
        conversation = await conversations.get(session, conversation_id)
    return _done(request, house, conversation, message_id=message.id)


@router.post("/note")
@open_to(Role.STAFF)
async def note(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse, text: Text
) -> Response:
    """Leave a note among staff."""
    async with house.database.transaction() as session:
        message = await staff_talk.note(session, conversation_id, signed.staff, text, house.clock.now())
        conversation = await conversations.get(session, conversation_id)
    return _done(request, house, conversation, message_id=message.id)


@router.post("/handback")
@open_to(Role.STAFF)
async def hand_back(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    outcome: Optional = None,
    note: Optional = None,
    said: Optional = None,
) -> Response:
    """The bot goes on; the member is told, and asked how it was."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        rules = await _rules(house, session)
        if outcome is not None and outcome not in rules.handoff.outcomes:
            raise BadInput("no such outcome", field="outcome")
        conversation = await handoff.hand_back(
            session,
            await conversations.get(session, conversation_id),
            signed.staff,
            now,
            wording=house.wording,
            outcome=outcome,
            note=note,
            said=said,
        )
    return _done(request, house, conversation)


@router.post("/finish")
@open_to(Role.STAFF)
async def finish(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse
) -> Response:
    """The talk is over, I write down what came of it."""
    async with house.database.transaction() as session:
        conversation = await handoff.finish(
            session, await conversations.get(session, conversation_id), signed.staff, house.clock.now()
        )
    return _done(request, house, conversation)


@router.post("/resume")
@open_to(Role.STAFF)
async def resume(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse
) -> Response:
    """It was not over."""
    async with house.database.transaction() as session:
        conversation = await handoff.resume(
            session, await conversations.get(session, conversation_id), signed.staff, house.clock.now()
        )
    return _done(request, house, conversation)


@router.post("/release")
@open_to(Role.STAFF)
async def release(
    conversation_id: ConversationId, request: Request, signed: Answerer, house: TheHouse
) -> Response:
    """Back to the queue, for anybody."""
    async with house.database.transaction() as session:
        conversation = await handoff.release(
            session,
            await conversations.get(session, conversation_id),
            signed.staff,
            house.clock.now(),
            wording=house.wording,
        )
    return _done(request, house, conversation)


@router.post("/transfer")
@open_to(Role.STAFF)
async def transfer(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    to: Text,
    note: Optional = None,
) -> Response:
    """Pass on: ``to`` is ``staff:<id>`` or ``team:<id>``."""
    now = house.clock.now()
    kind, _, number = to.partition(":")
    if kind not in ("staff", "team") or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise BadInput("transfer to a colleague or to a team", field="to")
    async with house.database.transaction() as session:
        colleague = await desk_view.colleague(session, int(number)) if kind == "staff" else None
        team = await desk_view.team(session, int(number)) if kind == "team" else None
        conversation = await handoff.transfer(
            session,
            await conversations.get(session, conversation_id),
            signed.staff,
            now,
            to=colleague,
            team=team,
            note=note,
            wording=house.wording,
        )
    return _done(request, house, conversation)


@router.post("/hold")
@open_to(Role.STAFF)
async def hold(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    minutes: Annotated[int, Form()],
) -> Response:
    """Ask for so many minutes of patience; 0 goes on."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        if minutes == 0:
            conversation = await aside.unhold(session, conversation, signed.staff, now)
        else:
            rules = await _rules(house, session)
            conversation = await aside.hold(
                session,
                conversation,
                signed.staff,
                minutes,
                now,
                wording=house.wording,
                most=rules.handoff.hold_minutes_max,
            )
    return _done(request, house, conversation)


@router.post("/snooze")
@open_to(Role.STAFF)
async def snooze(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    minutes: Annotated[int | None, Form(ge=0, le=7 * 24 * 60)] = None,
    until: Optional = None,
) -> Response:
    """Out of my sight for so many minutes or until a moment in Shanghai; 0 minutes brings it back."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        if minutes == 0:
            conversation = await aside.unsnooze(session, conversation, signed.staff, now)
        else:
            moment = _moment(until) if minutes is None else now + timedelta(minutes=minutes)
            conversation = await aside.snooze(session, conversation, signed.staff, moment, now)
    return _done(request, house, conversation)


@router.post("/block")
@open_to(Role.STAFF)
async def block(
    conversation_id: ConversationId,
    request: Request,
    signed: Blocker,
    house: TheHouse,
    hours: Annotated[int, Form()],
    reason: Text = "",
) -> Response:
    """Leave the member to the bot for so many hours; 0 lets them through again."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        if hours == 0:
            conversation = await aside.unblock(session, conversation, signed.staff, now)
        else:
            rules = await _rules(house, session)
            conversation = await aside.block(
                session,
                conversation,
                signed.staff,
                hours,
                reason.strip(),
                now,
                wording=house.wording,
                most=rules.handoff.block_hours_max,
            )
    return _done(request, house, conversation)


@router.post("/priority")
@open_to(Role.STAFF)
async def set_priority(
    conversation_id: ConversationId,
    request: Request,
    signed: Answerer,
    house: TheHouse,
    priority: Annotated[int, Form(ge=0, le=2)],
) -> Response:
    """How pressing it is, as a human sees it."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversation_priority.set_priority(
            session, conversation_id, signed.staff, Priority(priority), now
        )
    return _done(request, house, conversation)


@router.post("/should-be")
@open_to(Role.STAFF)
async def should_be(
    conversation_id: ConversationId,
    request: Request,
    signed: Suggester,
    house: TheHouse,
    message_id: Annotated[int, Form(ge=1)],
    intent: Text,
) -> Response:
    """应为…: what a bot turn should have understood."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        if not await desk_view.own_messages(session, conversation_id, [message_id]):
            raise NotFound("no such message")
        await suggestions.suggest(session, signed.staff, message_id, intent, house.knowledge, now)
    return _done(request, house, conversation, label=house.knowledge.intents[intent].label)


@router.post("/unmask")
@open_to(Role.STAFF)
async def unmask(
    conversation_id: ConversationId, request: Request, signed: Unmasker, house: TheHouse, reason: Text
) -> Response:
    """See the member's name and phone for a while; audited with the reason."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        until = await visibility.unmask(session, signed.staff, conversation, reason, now)
    return _done(request, house, conversation, until=until.isoformat())


@router.post("/cases")
@open_to(Role.STAFF)
async def open_case(
    conversation_id: ConversationId, request: Request, signed: CaseWorker, house: TheHouse, case_type: Text
) -> Response:
    """Open a case for the member with what they have told."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await conversations.get(session, conversation_id)
        case = await case_from_talk.open_from_talk(
            session, conversation, signed.staff, case_type, house.knowledge, now
        )
        await case_work.tell_member(
            session, case, Deed.ACCEPT, house.wording, now, public_url=house.settings.public_url
        )
    return _done(request, house, conversation, number=case.number)


@router.post("/watch")
@open_to(Role.STAFF)
async def watch(
    conversation_id: ConversationId,
    signed: Looker,
    house: TheHouse,
    typing: Annotated[bool, Form()] = False,
    leaving: Annotated[bool, Form()] = False,
) -> JSONResponse:
    """I have it open, am typing, or am leaving; answers with who else is there."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        await conversations.get(session, conversation_id)
        if leaving:
            await staff_talk.leave(session, signed.staff, conversation_id)
        else:
            await staff_talk.watch(session, signed.staff, conversation_id, now, typing=typing)
        others = await others_watching(session, conversation_id, signed.staff, now)
    return JSONResponse({"watching": [{"name": one.name, "typing": one.typing} for one in others]})


def _done(request: Request, house: House, conversation: Conversation, **told: Any) -> Response:
    """Wake who watches; a script gets JSON, a form the page again."""
    house.switchboard.feed.wake(conversation.id)
    if wants_page(request):
        return RedirectResponse(f"/desk/c/{conversation.id}", status_code=303)
    return JSONResponse({"ok": True, "owner": conversation.owner.value, "epoch": conversation.epoch, **told})


async def _rules(house: House, session: Any) -> DeskRules:
    return await read_desk_rules(session, house.desk_rules)


async def _sources(session: Any, house: House, topics: list[str], now: datetime) -> list[dict[str, Any]]:
    """The sources of the articles a reply quotes: ours, never what a browser says they are."""
    if not topics:
        return []
    knowledge = await current_knowledge(session, house.knowledge)
    found: dict[str, dict[str, Any]] = {}
    for topic in topics[:5]:
        article = knowledge.article(topic)
        if article is None:
            raise BadInput("no such article", field="article")
        answer = compose_answer(knowledge, article, None, shanghai_day(now))
        found |= {f"{one['title']}{one['article']}": one for one in answer.sources_json()}
    return list(found.values())


def _moment(text: str | None) -> datetime:
    try:
        naive = datetime.strptime(text or "", "%Y-%m-%dT%H:%M")  # noqa: DTZ007  # the screen shows Shanghai
    except ValueError as error:
        raise BadInput("not a moment", field="until") from error
    return naive.replace(tzinfo=SHANGHAI)
