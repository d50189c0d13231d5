"""Knowledge at the desk: every article as members see it, its history, and the second person's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.api.doorkeeper import TheHouse
from bot.desk.admin import answered, problem
from bot.desk.sessions import Signed, needs
from bot.desk.shell import page
from bot.house import House
from bot.roles import Role, open_to
from casework import article_versions as versions
from casework import desk_view
from casework.answers import compose_answer
from casework.article_changes import Change, changes
from casework.article_data import as_data, as_yaml
from casework.articles import Article, Mark, file_name
from casework.clock import shanghai_day
from casework.errors import NotFound, Refusal
from casework.knowledge import Knowledge
from casework.permissions import Right
from casework.published import current_knowledge
from casework.tables import ArticleVersion, VersionState

router = APIRouter(prefix="/desk/knowledge", include_in_schema=False)

HOME = "/desk/knowledge"
EXPIRES_WITHIN = timedelta(days=60)
CHECK_AGAIN_AFTER = timedelta(days=365)
SHOWS = ("waiting", "mine", "changed", "expiring", "seasonal", "confirm")
"""What the list can be narrowed to."""
Looker = Annotated[Signed, Depends(needs(Right.LOOK))]
Editor = Annotated[Signed, Depends(needs(Right.EDIT_KNOWLEDGE))]
Approver = Annotated[Signed, Depends(needs(Right.APPROVE_KNOWLEDGE))]
Topic = Annotated[str, Path(max_length=60)]
VersionId = Annotated[str, Path(max_length=32)]
Done = Annotated[str, Query(max_length=20)]
Short = Annotated[str, Form(max_length=1000)]


@dataclass(frozen=True, slots=True)
class Row:
    """One topic on the list: what is served of it, and what is under way."""

    article: Article
    published: ArticleVersion | None
    waiting: tuple[ArticleVersion, ...]
    draft: ArticleVersion | None
    oldest: date
    """The day its oldest source was checked."""
    expires_on: date | None
    """When it stops being served, if that is soon or over."""
    overdue: bool
    """Whether its last check is more than a year ago."""
    season_open: bool | None

    def fits(self, show: str) -> bool:
        """Whether it belongs on a narrowed list."""
        return {
            "waiting": bool(self.waiting),
            "mine": self.draft is not None,
            "changed": self.published is not None,
            "expiring": self.expires_on is not None or self.overdue,
            "seasonal": self.season_open is not None,
            "confirm": self.article.mark is Mark.CONFIRM,
        }.get(show, True)


@router.get("")
@open_to(Role.STAFF)
async def list_articles(
    request: Request,
    signed: Looker,
    house: TheHouse,
    q: Annotated[str, Query(max_length=60)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
    done: Done = "",
) -> Response:
    """Every topic's article with its state, its checks, and what expires soon."""
    today = shanghai_day(house.clock.now())
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
        under_way = await versions.states(session, signed.staff)
    rows = [_row(article, under_way.get(topic, []), today) for topic, article in knowledge.articles.items()]
    typed = q.strip().lower()
    found = [row for row in rows if row.fits(show) and (not typed or typed in _words(row.article))]
    return await page(
        request,
        "knowledge/list.html",
        signed=signed,
        found=found,
        total=len(rows),
        counts={name: sum(row.fits(name) for row in rows) for name in SHOWS},
        waiting=sum(len(row.waiting) for row in rows),
        q=q,
        show=show if show in SHOWS else "",
        today=today,
        done=done,
    )


@router.get("/proposals")
@open_to(Role.STAFF)
async def list_proposals(request: Request, signed: Looker, house: TheHouse, done: Done = "") -> Response:
    """Proposals that wait for a second person, the oldest first."""
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
        found = await versions.waiting(session)
        people = await desk_view.staff_named(session, {one.author_id for one in found})
    return await page(
        request,
        "knowledge/proposals.html",
        signed=signed,
        found=found,
        waiting=len(found),
        people=people,
        articles=knowledge.articles,
        done=done,
    )


@router.get("/versions/{version_id}")
@open_to(Role.STAFF)
async def show_version(
    request: Request, version_id: VersionId, signed: Looker, house: TheHouse, done: Done = ""
) -> Response:
    """One version: what it changes, how it reads, and what may be done with it."""
    return await _version(request, signed, house, version_id, done=done)


@router.post("/versions/{version_id}/approve")
@open_to(Role.STAFF)
async def approve(
    request: Request, version_id: VersionId, signed: Approver, house: TheHouse, seen: Short = ""
) -> Response:
    """Let another's proposal be served."""
    try:
        async with house.database.transaction() as session:
            one = await versions.approve(
                session, signed.staff, version_id, house.knowledge, house.clock.now(), seen=seen or None
            )
    except versions.ArticleFaulty as refusal:
        return await _version(request, signed, house, version_id, error=problem(house, refusal))
    return answered(request, f"{HOME}/{one.topic}", "approved")


@router.post("/versions/{version_id}/refuse")
@open_to(Role.STAFF)
async def refuse(
    request: Request, version_id: VersionId, signed: Approver, house: TheHouse, reason: Short = ""
) -> Response:
    """Send another's proposal back, with the reason."""
    try:
        async with house.database.transaction() as session:
            await versions.refuse(session, signed.staff, version_id, reason, house.clock.now())
    except Refusal as refusal:
        if refusal.values.get("field") != "reason":
            raise
        return await _version(request, signed, house, version_id, error=problem(house, refusal))
    return answered(request, f"{HOME}/proposals", "refused")


@router.post("/versions/{version_id}/withdraw")
@open_to(Role.STAFF)
async def withdraw(request: Request, version_id: VersionId, signed: Editor, house: TheHouse) -> Response:
    """Take one's own proposal back to go on writing."""
    async with house.database.transaction() as session:
        one = await versions.withdraw(session, signed.staff, version_id, house.clock.now())
    return answered(request, f"{HOME}/{one.topic}/edit", "withdrawn")


@router.post("/versions/{version_id}/retire")
@open_to(Role.STAFF)
async def retire(
    request: Request, version_id: VersionId, signed: Approver, house: TheHouse, reason: Short = ""
) -> Response:
    """Take a published version out of use: the article that ships is served again."""
    try:
        async with house.database.transaction() as session:
            one = await versions.retire(session, signed.staff, version_id, reason, house.clock.now())
    except Refusal as refusal:
        if refusal.values.get("field") != "reason":
            raise
        return await _version(request, signed, house, version_id, error=problem(house, refusal))
    return answered(request, f"{HOME}/{one.topic}", "retired")


@router.post("/versions/{version_id}/restore")
@open_to(Role.STAFF)
async def restore(
    request: Request, version_id: VersionId, signed: Editor, house: TheHouse, note: Short = ""
) -> Response:
    """Propose an older version again."""
    try:
        async with house.database.transaction() as session:
            knowledge = await current_knowledge(session, house.knowledge)
            one = await versions.restore(
                session, signed.staff, version_id, knowledge, house.clock.now(), note=note
            )
    except Refusal as refusal:
        if not str(refusal.values.get("field") or refusal.code).startswith(("version_", "article_")):
            raise
        return await _version(request, signed, house, version_id, error=problem(house, refusal))
    return answered(request, f"{HOME}/versions/{one.id}", "proposed")


@router.get("/{topic}")
@open_to(Role.STAFF)
async def show_article(
    request: Request, topic: Topic, signed: Looker, house: TheHouse, done: Done = ""
) -> Response:
    """An article as members see it, its data and its history."""
    today = shanghai_day(house.clock.now())
    async with house.database.read() as session:
        knowledge = await current_knowledge(session, house.knowledge)
        article = article_of(knowledge, topic)
        past = await versions.history(session, topic)
        draft = await versions.own_draft(session, signed.staff, topic)
        people = await desk_view.staff_named(
            session, {one.author_id for one in past} | {one.reviewer_id for one in past}
        )
    return await page(
        request,
        "knowledge/article.html",
        signed=signed,
        article=article,
        row=_row(article, [*past, *([draft] if draft else [])], today),
        said=said(knowledge, article, today),
        past=past,
        draft=draft,
        people=people,
        today=today,
        done=done,
    )


@router.get("/{topic}/export.yml")
@open_to(Role.STAFF)
async def export(topic: Topic, signed: Looker, house: TheHouse) -> Response:
    """What is served of a topic as a file of ``data/knowledge/articles/``."""
    async with house.database.read() as session:
        article = article_of(await current_knowledge(session, house.knowledge), topic)
    name = file_name(topic)
    return Response(
        as_yaml(article),
        media_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def article_of(knowledge: Knowledge, topic: str) -> Article:
    """The article of a topic; raises NotFound."""
    article = knowledge.article(topic)
    if article is None:
        raise NotFound("no article on this topic")
    return article


def said(knowledge: Knowledge, article: Article, today: date) -> list[tuple[str | None, str]]:
    """What a member is answered: without an aspect, then for every aspect there is a section for."""
    aspects = [None, *(section.aspect for section in article.sections)]
    return [(aspect, compose_answer(knowledge, article, aspect, today).text) for aspect in aspects]


async def _version(
    request: Request,
    signed: Signed,
    house: House,
    version_id: str,
    *,
    done: str = "",
    error: dict[str, Any] | None = None,
) -> Response:
    today = shanghai_day(house.clock.now())
    async with house.database.read() as session:
        version = await versions.get(session, version_id)
        if version.state is VersionState.DRAFT and version.author_id != signed.staff.id:
            raise NotFound("another's draft")
        current = await versions.published(session, version.topic)
        base, compared = await _compared_with(session, house.knowledge, version, current)
        people = await desk_view.staff_named(session, {version.author_id, version.reviewer_id})
    examined = versions.examine_for(house.knowledge, version.content)
    article = examined.article
    return await page(
        request,
        "knowledge/version.html",
        signed=signed,
        status=422 if error else 200,
        version=version,
        title=str(version.content.get("title") or version.topic),
        current=current,
        changed=_changes(base, version),
        compared=compared,
        said=[] if article is None else said(house.knowledge, article, today),
        faults=examined.faults,
        not_yet=article is not None and article.valid_from is not None and article.valid_from > today,
        people=people,
        case_types={one.name: one.label for one in house.knowledge.case_types},
        own=version.author_id == signed.staff.id,
        done=done,
        error=error,
    )


async def _compared_with(
    session: AsyncSession, knowledge: Knowledge, version: ArticleVersion, current: ArticleVersion | None
) -> tuple[dict[str, Any], ArticleVersion | None]:
    """What a version is shown beside: what is served now while it waits, what it was begun from later."""
    other = current
    if version.state not in (VersionState.DRAFT, VersionState.PROPOSED):
        other = None if version.based_on_id is None else await versions.get(session, version.based_on_id)
    if other is not None:
        return other.content, other
    shipped = knowledge.article(version.topic)
    return ({} if shipped is None else as_data(shipped)), None


def _changes(base: dict[str, Any], version: ArticleVersion) -> list[Change]:
    return changes(base, version.content)


def _row(article: Article, under_way: list[ArticleVersion], today: date) -> Row:
    by_state = {one.state: one for one in under_way}
    ends = article.valid_to
    return Row(
        article=article,
        published=by_state.get(VersionState.PUBLISHED),
        waiting=tuple(one for one in under_way if one.state is VersionState.PROPOSED),
        draft=by_state.get(VersionState.DRAFT),
        oldest=min(source.as_of for source in article.sources),
        expires_on=ends if ends is not None and ends <= today + EXPIRES_WITHIN else None,
        overdue=article.reviewed_on < today - CHECK_AGAIN_AFTER,
        season_open=None if article.season is None else article.season.open_on(today),
    )


def _words(article: Article) -> str:
    return " ".join((article.topic, article.title, article.label, article.short)).lower()
