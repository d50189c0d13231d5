"""What the composer can insert or choose from: canned replies, knowledge articles, intents, colleagues."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from bot.api.doorkeeper import TheHouse
from bot.desk.conversation_page import ConversationId, read_talk
from bot.desk.initials import initials
from bot.desk.sessions import Signed, needs
from bot.roles import Role, open_to
from casework import canned, desk_view, members
from casework.answers import compose_answer
from casework.clock import SHANGHAI, shanghai_day
from casework.errors import NotFound
from casework.knowledge import IntentKind
from casework.permissions import Right
from casework.published import current_knowledge

router = APIRouter(include_in_schema=False)

Answerer = Annotated[Signed, Depends(needs(Right.ANSWER))]
Suggester = Annotated[Signed, Depends(needs(Right.SUGGEST))]
Looked = Annotated[str, Query(max_length=40)]


@router.get("/desk/c/{id}/canned")
@open_to(Role.STAFF)
async def canned_replies(
    conversation_id: ConversationId, signed: Answerer, house: TheHouse, q: Looked = ""
) -> JSONResponse:
    """Canned replies that fit what was typed, or the topic; their variables filled in, open ones named."""
    now = house.clock.now()
    async with house.database.read() as session:
        talk = await read_talk(session, conversation_id, signed.staff, now)
        conversation = talk.conversation
        found = (
            await canned.pick(session, q)
            if q.strip()
            else await canned.suggest(session, conversation.last_topic, 8)
        )
        member = await members.get(session, conversation.member_id)
        cases = await desk_view.cases_of_member(session, member.id)
    name = member.name if talk.sight.open else None
    today = shanghai_day(now)
    values = {
        "称呼": f"{name[:1]}师傅" if name else "您",
        "坐席": signed.staff.display_name,
        "工号": signed.staff.badge or "",
        "工单号": next((case.number for case in cases if case.closed_at is None), ""),
        "区县": conversation.district or "",
        "今天": f"{today.month}月{today.day}日",
    }
    replies = []
    for one in found:
        filled = canned.fill(one.text, values)
        replies.append(
            {"keyword": one.keyword, "title": one.title, "text": filled.text, "missing": list(filled.missing)}
        )
    return JSONResponse({"canned": replies})


@router.get("/desk/articles")
@open_to(Role.STAFF)
async def articles(signed: Answerer, house: TheHouse) -> JSONResponse:
    """Every knowledge article by topic, with the letters it may be found by."""
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
    listed = [
        {
            "topic": article.topic,
            "title": article.title,
            "label": article.label,
            "letters": initials(f"{article.label}{article.title}"),
        }
        for article in knowledge.articles.values()
    ]
    return JSONResponse({"articles": listed})


@router.get("/desk/articles/{topic}")
@open_to(Role.STAFF)
async def article(topic: str, signed: Answerer, house: TheHouse) -> JSONResponse:
    """What an article says today, with its source line; the sources go with the reply that quotes it."""
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
    found = knowledge.article(topic)
    if found is None:
        raise NotFound("no such article")
    today = house.clock.now().astimezone(SHANGHAI).date()
    answer = compose_answer(knowledge, found, None, today)
    return JSONResponse({"topic": topic, "text": answer.text, "current": answer.current})


@router.get("/desk/intents")
@open_to(Role.STAFF)
async def intents(signed: Suggester, house: TheHouse) -> JSONResponse:
    """Every intent a sentence can be taken for, small talk last, with the letters it may be found by."""
    known = [one for one in house.knowledge.intents.values() if one.trained]
    listed = [
        {"intent": one.name, "label": one.label, "topic": one.topic, "letters": initials(one.label)}
        for one in sorted(known, key=lambda one: one.kind is IntentKind.TALK)
    ]
    return JSONResponse({"intents": listed})


@router.get("/desk/colleagues")
@open_to(Role.STAFF)
async def colleagues(signed: Answerer, house: TheHouse) -> JSONResponse:
    """Whom a note can mention: login, name, whether they are there, and how much they have in hand."""
    async with house.database.read() as session:
        found = await desk_view.colleagues(session, house.clock.now())
    listed = [
        {
            "login": one.login,
            "name": one.name,
            "badge": one.badge,
            "presence": one.presence.value,
            "load": one.load,
            "letters": initials(one.name),
        }
        for one in found
        if one.id != signed.staff.id
    ]
    return JSONResponse({"colleagues": listed})
