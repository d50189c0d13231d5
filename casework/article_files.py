"""Articles as a folder of files: what is served goes out, and what comes in waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from casework import article_versions
from casework.article_data import as_data, as_yaml
from casework.articles import file_name, load_articles
from casework.errors import NotFound, TransitionRefused
from casework.knowledge import Knowledge
from casework.tables import Staff


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import led to: topics that were proposed, that say what is served, and that wait already."""

    proposed: tuple[str, ...]
    unchanged: tuple[str, ...]
    waiting: tuple[str, ...]


def export_articles(knowledge: Knowledge, folder: Path) -> int:
    """Write every article into a folder, one file a topic, over what is there; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for topic, article in knowledge.articles.items():
        (folder / file_name(topic)).write_text(as_yaml(article), encoding="utf-8")
    return len(knowledge.articles)


async def import_articles(
    session: AsyncSession, staff: Staff, folder: Path, knowledge: Knowledge, now: datetime, *, note: str
) -> Imported:
    """Propose every article of a folder that differs from what is served; nothing is published. Audited.

    ``knowledge`` is what is served now. All or nothing: raises KnowledgeError naming the file that breaks a
    rule, NotFound for an empty folder or a topic without an article, TransitionRefused where the author has
    a draft that would be lost, and what ``article_versions.propose`` raises.
    """
    read = load_articles(folder, knowledge.topics, knowledge.case_types.names)
    if not read:
        raise NotFound(f"there is no article in {folder}")
    waiting = await article_versions.waiting(session)
    there = {(one.topic, article_versions.examine_for(knowledge, one.content).article) for one in waiting}
    proposed, unchanged, known = [], [], []
    for topic, article in read.items():
        if article == knowledge.article(topic):
            unchanged.append(topic)
        elif (topic, article) in there:
            known.append(topic)
        elif await article_versions.own_draft(session, staff, topic) is not None:
            raise TransitionRefused(
                f"{staff.login} has a draft of {topic}: propose it or throw it away first",
                reason="version_draft_there",
            )
        else:
            await article_versions.propose(session, staff, topic, as_data(article), knowledge, now, note=note)
            proposed.append(topic)
    return Imported(tuple(proposed), tuple(unchanged), tuple(known))
