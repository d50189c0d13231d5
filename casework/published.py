"""The knowledge as it is served now: the articles that ship with what staff published over them."""

from __future__ import annotations

import logging
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.article_versions import examine_for
from casework.articles import Article
from casework.knowledge import Knowledge
from casework.tables import ArticleVersion, VersionState

log = logging.getLogger(__name__)

_Marker = tuple[str, ...]
_served: WeakKeyDictionary[Knowledge, tuple[_Marker, Knowledge]] = WeakKeyDictionary()
"""By the knowledge that ships: which versions were published, and what was made of them."""


async def current_knowledge(session: AsyncSession, base: Knowledge) -> Knowledge:
    """The knowledge with every published version in its article's place; ``base`` is what ships.

    Costs one small query; the same object comes back until something is published or retired. A stored
    article that breaks a rule by now is logged and the one that ships is served: never silence.
    """
    ids = await session.scalars(
        select(ArticleVersion.id).where(ArticleVersion.state == VersionState.PUBLISHED)
    )
    marker = tuple(sorted(ids))
    if not marker:
        return base
    known = _served.get(base)
    if known is not None and known[0] == marker:
        return known[1]
    found = await session.scalars(select(ArticleVersion).where(ArticleVersion.id.in_(marker)))
    articles = {version.topic: read for version in found if (read := _read(version, base)) is not None}
    made = base.with_articles(articles)
    _served[base] = (marker, made)
    return made


def _read(version: ArticleVersion, base: Knowledge) -> Article | None:
    examined = examine_for(base, version.content)
    if examined.article is None or examined.article.topic != version.topic:
        said = "; ".join(f"{one.field}: {one.rule}" for one in examined.faults)
        log.error("article %s, version %s is not served: %s", version.topic, version.number, said)
        return None
    return examined.article
