"""Canned replies: what staff say often, with variables, found by keyword and suggested by topic.

The set that ships is ``data/knowledge/canned.yml``; from the first start on the table counts, and supervisors
edit it in the desk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotFound
from casework.knowledge import Knowledge
from casework.knowledge_files import Entry, read_knowledge
from casework.permissions import Right, require
from casework.tables import CannedReply, Staff

FILE = "canned.yml"
VARIABLES = ("称呼", "坐席", "工号", "工单号", "区县", "今天")
"""What stands in braces in a text, and is filled in when the reply is chosen."""
UNFILLED = "【待填】"
"""What stands where a value was missing; a text that holds it must not be sent."""
MAX_TITLE = 60
MAX_TEXT = 1000
_KEYWORD = re.compile(r"[a-z0-9]{1,30}")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a canned reply is to be; ``topic`` None is for every topic."""

    keyword: str
    """Letters and digits by which it is found, usually pinyin initials: ``gz`` for 工资."""
    title: str
    text: str
    topic: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Filled:
    """A canned reply with its variables filled in, and the names of those that had no value, in order."""

    text: str
    missing: tuple[str, ...]


def fill(text: str, values: Mapping[str, str | None]) -> Filled:
    """Put values where the text has ``{name}``; one without a value becomes 【待填】 and is reported."""
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        given = (values.get(match[1]) or "").strip()
        if not given and match[1] not in missing:
            missing.append(match[1])
        return given or UNFILLED

    return Filled(_VARIABLE.sub(value, text), tuple(missing))


def read_shipped(root: Path) -> list[Draft]:
    """The replies of ``canned.yml`` in a knowledge folder; raises KnowledgeError naming one at fault."""
    top = Entry(FILE, "(top)", read_knowledge(root / FILE))
    drafts = []
    for keyword, entry in top.named_entries("canned").items():
        draft = Draft(keyword, entry.text("title"), entry.text("text"), entry.optional_text("topic"))
        entry.done()
        try:
            _check(draft)
        except BadInput as error:
            raise entry.error(str(error)) from error
        drafts.append(draft)
    top.done()
    return drafts


async def install_shipped(session: AsyncSession, root: Path, now: datetime) -> int:
    """Put the shipped replies into a table that is still empty; returns how many were put there.

    Raises KnowledgeError for a file that breaks a rule.
    """
    drafts = read_shipped(root)
    if await session.scalar(select(CannedReply.id).limit(1)) is not None:
        return 0
    try:
        async with session.begin_nested():
            session.add_all(
                CannedReply(
                    keyword=draft.keyword,
                    title=draft.title,
                    text=draft.text,
                    topic=draft.topic,
                    updated_at=now,
                )
                for draft in drafts
            )
    except IntegrityError:
        # Another process of the same first start was quicker.
        return 0
    return len(drafts)


async def list_canned(session: AsyncSession, *, removed: bool = False) -> list[CannedReply]:
    """Every canned reply in use by keyword, or with ``removed`` those taken out of use as well."""
    query = select(CannedReply).order_by(CannedReply.keyword)
    return list(await session.scalars(query if removed else query.where(CannedReply.active)))


async def get(session: AsyncSession, canned_id: int) -> CannedReply:
    """The canned reply with this id; raises NotFound."""
    found = await session.get(CannedReply, canned_id)
    if found is None:
        raise NotFound("no such canned reply")
    return found


async def save_canned(
    session: AsyncSession,
    staff: Staff,
    draft: Draft,
    knowledge: Knowledge,
    now: datetime,
    *,
    canned_id: int | None = None,
) -> CannedReply:
    """Write a new canned reply, or over the one with this id. Audited.

    Raises NotAllowed without the right EDIT_CANNED, NotFound, and BadInput: field ``canned_keyword`` (not 1
    to 30 small letters and digits), ``canned_keyword_taken``, ``canned_title``, ``canned_text``,
    ``canned_variable`` (``values["variable"]`` is no variable) or ``canned_topic``.
    """
    require(staff, Right.EDIT_CANNED)
    draft = Draft(
        draft.keyword.strip().lower(),
        " ".join(draft.title.split()),
        draft.text.strip(),
        draft.topic or None,
        draft.active,
    )
    _check(draft)
    if draft.topic is not None and draft.topic not in knowledge.topics:
        raise BadInput("no such topic", field="canned_topic")
    other = await session.scalar(select(CannedReply.id).where(CannedReply.keyword == draft.keyword))
    if other is not None and other != canned_id:
        raise BadInput("this keyword is taken", field="canned_keyword_taken")
    reply = CannedReply() if canned_id is None else await get(session, canned_id)
    try:
        async with session.begin_nested():
            reply.keyword, reply.title, reply.text = draft.keyword, draft.title, draft.text
            reply.topic, reply.active = draft.topic, draft.active
            reply.updated_at, reply.updated_by_id = now, staff.id
            session.add(reply)
    except IntegrityError as error:
        raise BadInput("this keyword is taken", field="canned_keyword_taken") from error
    deed = "canned.written" if canned_id is None else "canned.changed"
    audit.record(
        session, audit.staff_actor(staff), deed, "canned_reply", reply.id, now=now, keyword=reply.keyword
    )
    return reply


async def remove(session: AsyncSession, staff: Staff, canned_id: int, now: datetime) -> CannedReply:
    """Take a canned reply out of use; saving it again puts it back. Audited.

    Raises NotAllowed without the right EDIT_CANNED, NotFound.
    """
    require(staff, Right.EDIT_CANNED)
    reply = await get(session, canned_id)
    reply.active, reply.updated_at, reply.updated_by_id = False, now, staff.id
    audit.record(
        session,
        audit.staff_actor(staff),
        "canned.removed",
        "canned_reply",
        reply.id,
        now=now,
        keyword=reply.keyword,
    )
    return reply


async def suggest(session: AsyncSession, topic: str | None, limit: int = 5) -> list[CannedReply]:
    """The canned replies that fit a topic best: its own, then those for every topic."""
    found = await list_canned(session)
    own = [reply for reply in found if topic is not None and reply.topic == topic]
    return (own + [reply for reply in found if reply.topic is None])[:limit]


async def pick(session: AsyncSession, query: str, limit: int = 20) -> list[CannedReply]:
    """The canned replies whose keyword begins with what was typed, then those whose title or text holds it.

    The exact keyword comes first. Nothing typed gives all of them.
    """
    typed = query.strip().lower()

    def place(reply: CannedReply) -> int | None:
        if reply.keyword == typed:
            return 0
        if reply.keyword.startswith(typed):
            return 1
        if typed in reply.title.lower():
            return 2
        return 3 if typed in reply.text.lower() else None

    placed = [(place(reply), reply.keyword, reply) for reply in await list_canned(session)]
    found = sorted((at, keyword, reply) for at, keyword, reply in placed if at is not None)
    return [reply for _, _, reply in found][:limit]


def _check(draft: Draft) -> None:
    if not _KEYWORD.fullmatch(draft.keyword):
        raise BadInput("a keyword is 1 to 30 small letters and digits", field="canned_keyword")
    if not 1 <= len(draft.title) <= MAX_TITLE:
        raise BadInput("a title is 1 to 60 characters", field="canned_title", limit=MAX_TITLE)
    if not 1 <= len(draft.text) <= MAX_TEXT:
        raise BadInput("a text is 1 to 1000 characters", field="canned_text", limit=MAX_TEXT)
    for name in _VARIABLE.findall(draft.text):
        if name not in VARIABLES:
            raise BadInput(f"there is no variable {name}", field="canned_variable", variable=name)
    if "{" in (bare := _VARIABLE.sub("", draft.text)) or "}" in bare:
        raise BadInput("a brace stands alone", field="canned_variable", variable="{}")
