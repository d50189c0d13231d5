"""Versions of articles: written by one person, let through by another, kept for good.

draft 草稿 → proposed 待审 → published 在用 → retired 停用; refused 退回 from proposed. What is served is the
published version of a topic, else the article that ships (``casework.published``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.article_data import Examined, examine
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.tables import ArticleVersion, Staff, VersionState

MAX_NOTE = 300
MAX_CONTENT = 40_000
"""Characters of a version's data: far above what the rules allow, so that a broken draft can be kept."""


class ArticleFaulty(BadInput):
    """An article breaks rules: ``examined.faults`` says which field, by which rule."""

    code = "article_faulty"

    def __init__(self, examined: Examined) -> None:
        super().__init__("; ".join(f"{one.field}: {one.rule}" for one in examined.faults))
        self.examined = examined


def examine_for(knowledge: Knowledge, data: Mapping[str, Any]) -> Examined:
    """The article some data describes, by the rules of this knowledge."""
    return examine(data, knowledge.topics, knowledge.case_types.names)


async def get(session: AsyncSession, version_id: str) -> ArticleVersion:
    """The version with this id; raises NotFound."""
    found = await session.get(ArticleVersion, version_id)
    if found is None:
        raise NotFound("no such version of an article")
    return found


async def published(session: AsyncSession, topic: str) -> ArticleVersion | None:
    """The version of a topic that is served, or None when the one that ships is."""
    found: ArticleVersion | None = await session.scalar(
        select(ArticleVersion).where(
            ArticleVersion.topic == topic, ArticleVersion.state == VersionState.PUBLISHED
        )
    )
    return found


async def own_draft(session: AsyncSession, staff: Staff, topic: str) -> ArticleVersion | None:
    """The draft this member of staff has of a topic, or None."""
    found: ArticleVersion | None = await session.scalar(
        select(ArticleVersion).where(
            ArticleVersion.topic == topic,
            ArticleVersion.state == VersionState.DRAFT,
            ArticleVersion.author_id == staff.id,
        )
    )
    return found


async def history(session: AsyncSession, topic: str) -> list[ArticleVersion]:
    """Every version of a topic that left its author's desk, the newest first."""
    return list(
        await session.scalars(
            select(ArticleVersion)
            .where(ArticleVersion.topic == topic, ArticleVersion.state != VersionState.DRAFT)
            .order_by(ArticleVersion.number.desc())
        )
    )


async def waiting(session: AsyncSession) -> list[ArticleVersion]:
    """Proposals that wait for a second person, the oldest first."""
    return list(
        await session.scalars(
            select(ArticleVersion)
            .where(ArticleVersion.state == VersionState.PROPOSED)
            .order_by(ArticleVersion.updated_at, ArticleVersion.number)
        )
    )


async def states(session: AsyncSession, staff: Staff) -> dict[str, list[ArticleVersion]]:
    """By topic what matters on a list: what is published, what waits, and this person's drafts."""
    found = await session.scalars(
        select(ArticleVersion)
        .where(
            ArticleVersion.state.in_((VersionState.PUBLISHED, VersionState.PROPOSED))
            | ((ArticleVersion.state == VersionState.DRAFT) & (ArticleVersion.author_id == staff.id))
        )
        .order_by(ArticleVersion.topic, ArticleVersion.number)
    )
    by_topic: dict[str, list[ArticleVersion]] = {}
    for one in found:
        by_topic.setdefault(one.topic, []).append(one)
    return by_topic


async def save_draft(
    session: AsyncSession,
    staff: Staff,
    topic: str,
    data: Mapping[str, Any],
    knowledge: Knowledge,
    now: datetime,
    *,
    note: str = "",
) -> ArticleVersion:
    """Keep what somebody wrote as their one draft of the topic; it may still break rules. Audited once.

    Raises NotFound for a topic without an article, NotAllowed without the right EDIT_KNOWLEDGE, BadInput
    (field ``version_note`` or ``version_content``) for what is too long.
    """
    _check_topic(topic, knowledge)
    require(staff, Right.EDIT_KNOWLEDGE)
    content = dict(data) | {"topic": topic}
    if len(str(content)) > MAX_CONTENT:
        raise BadInput("the article is far too long", field="version_content")
    version = await own_draft(session, staff, topic)
    if version is None:
        base = await published(session, topic)
        version = await _begin(session, staff, topic, content, None if base is None else base.id, now)
        _record(session, staff, "knowledge.drafted", version, now)
    version.content, version.note, version.updated_at = content, _note(note), now
    await session.flush()
    return version


async def propose(
    session: AsyncSession,
    staff: Staff,
    topic: str,
    data: Mapping[str, Any],
    knowledge: Knowledge,
    now: datetime,
    *,
    note: str,
) -> ArticleVersion:
    """Hand what somebody wrote to a second person; it is not served before that one agrees. Audited.

    ``knowledge`` is what is served now. Raises as ``save_draft``; ArticleFaulty for an article that breaks a
    rule, BadInput (field ``version_note``) without a word on what changed, (``version_unchanged``) for what
    is served already.
    """
    _check_topic(topic, knowledge)
    require(staff, Right.EDIT_KNOWLEDGE)
    if not note.strip():
        raise BadInput("say what changed", field="version_note", limit=MAX_NOTE)
    examined = examine_for(knowledge, dict(data) | {"topic": topic})
    if examined.article is None:
        raise ArticleFaulty(examined)
    if examined.article == knowledge.article(topic):
        raise BadInput("this is what is served already", field="version_unchanged")
    version = await save_draft(session, staff, topic, data, knowledge, now, note=note)
    version.state = VersionState.PROPOSED
    await session.flush()
    _record(session, staff, "knowledge.proposed", version, now)
    return version


async def withdraw(session: AsyncSession, staff: Staff, version_id: str, now: datetime) -> ArticleVersion:
    """The author takes a proposal back and it is their draft again, in place of an older one. Audited.

    Raises NotFound, NotAllowed for another's, TransitionRefused for what no longer waits.
    """
    version = await _waiting(session, version_id)
    require(staff, Right.EDIT_KNOWLEDGE)
    if version.author_id != staff.id:
        raise NotAllowed("not one's own proposal", reason="others_version")
    older = await own_draft(session, staff, version.topic)
    if older is not None:
        await session.delete(older)
        await session.flush()
    version.state, version.updated_at = VersionState.DRAFT, now
    _record(session, staff, "knowledge.withdrawn", version, now)
    await session.flush()
    return version


async def approve(
    session: AsyncSession,
    staff: Staff,
    version_id: str,
    knowledge: Knowledge,
    now: datetime,
    *,
    seen: str | None,
) -> ArticleVersion:
    """A second person lets a proposal be served; what was served until now is retired. Audited.

    ``seen``: the id of the published version the approver compared it with, None for the one that ships.
    Raises NotFound, NotAllowed without the right APPROVE_KNOWLEDGE or (reason ``own_version``) for one's own,
    TransitionRefused when it no longer waits or (reason ``version_moved``) something else was published
    meanwhile, ArticleFaulty when the rules changed since it was proposed.
    """
    version = await _waiting(session, version_id)
    _second_person(staff, version)
    current = await published(session, version.topic)
    if (None if current is None else current.id) != (seen or None):
        raise TransitionRefused("another version was published meanwhile", reason="version_moved")
    examined = examine_for(knowledge, version.content)
    if examined.article is None:
        raise ArticleFaulty(examined)
    if current is not None:
        current.state, current.updated_at = VersionState.RETIRED, now
        await session.flush()
    version.state, version.updated_at = VersionState.PUBLISHED, now
    version.reviewer_id, version.reviewed_at = staff.id, now
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise TransitionRefused("another version was published meanwhile", reason="version_moved") from error
    _record(session, staff, "knowledge.approved", version, now)
    return version


async def refuse(
    session: AsyncSession, staff: Staff, version_id: str, why: str, now: datetime
) -> ArticleVersion:
    """A second person sends a proposal back with the reason. Audited.

    Raises NotFound, NotAllowed as ``approve``, TransitionRefused when it no longer waits, BadInput
    (field ``reason``) without a reason.
    """
    version = await _waiting(session, version_id)
    _second_person(staff, version)
    version.verdict = _reason(why)
    version.state, version.updated_at = VersionState.REFUSED, now
    version.reviewer_id, version.reviewed_at = staff.id, now
    _record(session, staff, "knowledge.refused", version, now)
    await session.flush()
    return version


async def retire(
    session: AsyncSession, staff: Staff, version_id: str, why: str, now: datetime
) -> ArticleVersion:
    """Take a published version out of use at once: the article that ships is served again. Audited.

    One person with the right APPROVE_KNOWLEDGE is enough, the author too: it leads back to what was checked.
    Raises NotFound, NotAllowed, TransitionRefused for what is not published, BadInput (field ``reason``).
    """
    version = await get(session, version_id)
    require(staff, Right.APPROVE_KNOWLEDGE)
    if version.state is not VersionState.PUBLISHED:
        raise TransitionRefused("not published", reason="version_settled")
    version.verdict = _reason(why)
    version.state, version.updated_at = VersionState.RETIRED, now
    _record(session, staff, "knowledge.retired", version, now)
    await session.flush()
    return version


async def restore(
    session: AsyncSession, staff: Staff, version_id: str, knowledge: Knowledge, now: datetime, *, note: str
) -> ArticleVersion:
    """Propose an older version again; a second person lets it be served as any other. Audited.

    Raises as ``propose``; TransitionRefused for a version that was never served.
    """
    older = await get(session, version_id)
    require(staff, Right.EDIT_KNOWLEDGE)
    if older.state is not VersionState.RETIRED:
        raise TransitionRefused("never served", reason="version_settled")
    if await own_draft(session, staff, older.topic) is not None:
        raise TransitionRefused("there is a draft", reason="version_draft_there")
    version = await propose(session, staff, older.topic, older.content, knowledge, now, note=note)
    version.based_on_id = older.id
    await session.flush()
    return version


async def discard(session: AsyncSession, staff: Staff, topic: str, now: datetime) -> None:
    """Throw one's own draft of a topic away. Audited. Raises NotFound when there is none."""
    draft = await own_draft(session, staff, topic)
    if draft is None:
        raise NotFound("no draft")
    require(staff, Right.EDIT_KNOWLEDGE)
    _record(session, staff, "knowledge.discarded", draft, now)
    await session.delete(draft)
    await session.flush()


async def _begin(
    session: AsyncSession,
    staff: Staff,
    topic: str,
    content: dict[str, Any],
    based_on: str | None,
    now: datetime,
) -> ArticleVersion:
    last = await session.scalar(select(func.max(ArticleVersion.number)).where(ArticleVersion.topic == topic))
    version = ArticleVersion(
        topic=topic,
        number=(last or 0) + 1,
        content=content,
        state=VersionState.DRAFT,
        author_id=staff.id,
        based_on_id=based_on,
        created_at=now,
        updated_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(version)
            await session.flush()
    except IntegrityError as error:
        # Somebody else began one in the same moment and has the number.
        raise TransitionRefused("another version was begun meanwhile", reason="version_raced") from error
    return version


async def _waiting(session: AsyncSession, version_id: str) -> ArticleVersion:
    # Locked where the database can: two approvers at once must not both find it waiting.
    version = await session.get(ArticleVersion, version_id, with_for_update=True)
    if version is None:
        raise NotFound("no such version of an article")
    if version.state is not VersionState.PROPOSED:
        raise TransitionRefused("not waiting", reason="version_settled")
    return version


def _second_person(staff: Staff, version: ArticleVersion) -> None:
    require(staff, Right.APPROVE_KNOWLEDGE)
    if version.author_id == staff.id:
        raise NotAllowed("one's own proposal", reason="own_version")


def _check_topic(topic: str, knowledge: Knowledge) -> None:
    if knowledge.article(topic) is None:
        raise NotFound("no article on this topic")


def _note(typed: str) -> str | None:
    note = " ".join(typed.split())
    if len(note) > MAX_NOTE:
        raise BadInput("the note is too long", field="version_note", limit=MAX_NOTE)
    return note or None


def _reason(typed: str) -> str:
    reason = " ".join(typed.split())
    if not 1 <= len(reason) <= MAX_NOTE:
        raise BadInput("a reason is needed", field="reason", limit=MAX_NOTE)
    return reason


def _record(session: AsyncSession, staff: Staff, deed: str, version: ArticleVersion, now: datetime) -> None:
    audit.record(
        session,
        audit.staff_actor(staff),
        deed,
        "article_version",
        version.id,
        now=now,
        topic=version.topic,
        number=version.number,
    )
