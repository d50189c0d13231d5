"""Knowledge articles: what the union answers on one topic, section by section, each with its sources."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from casework.knowledge_files import Entry, read_knowledge

ASPECTS = (
    "amount", "who", "materials", "how", "when", "where", "phone", "deadline", "evidence", "misunderstanding",
    "steps",
)  # fmt: skip
"""What about a topic can be asked; one section answers one aspect."""
MAX_SHORT = 120
"""Characters of an article's short answer."""

# No local phone number is verified (facts §0.5): national short numbers are all that may be written.
_LOCAL_PHONE = re.compile(
    r"(?<!\d)(?:0\d{2,3}[-－ ]?\d{7,8}|1[3-9]\d{9}|[48]00[-－ ]?\d{3}[-－ ]?\d{4}|[2-9]\d{6,7})(?!\d)"
)
_UNVERIFIED = re.compile(r"V\s?0|【(?:V|C|惯例)", re.IGNORECASE)


class Mark(StrEnum):
    """How far a statement can be trusted (facts §0.1): certain, or to be confirmed officially each year."""

    CERTAIN = "C"
    CONFIRM = "V+"


@dataclass(frozen=True, slots=True)
class Source:
    """Source: the law, rule or notice an answer rests on, and the day its text was checked."""

    title: str
    article: str | None
    as_of: date
    mark: Mark

    def to_json(self) -> dict[str, Any]:
        """As messages store it and the API shows it."""
        return {"title": self.title, "article": self.article, "as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True)
class Section:
    """Section: the part of an article that answers one aspect."""

    aspect: str
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Article:
    """Knowledge article: the dated, sourced answer to one topic."""

    topic: str
    title: str
    label: str
    mark: Mark
    short: str
    sections: tuple[Section, ...]
    related: tuple[str, ...]
    sources: tuple[Source, ...]
    case_type: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day it is served as current."""

    def section(self, aspect: str) -> Section | None:
        """The section that answers this aspect, or None."""
        return next((section for section in self.sections if section.aspect == aspect), None)


def load_articles(folder: Path, topics: Collection[str], case_types: Collection[str]) -> dict[str, Article]:
    """Read every article of a folder, by topic; raises KnowledgeError naming the file and its fault."""
    articles: dict[str, Article] = {}
    for path in sorted(folder.glob("*.yml")):
        entry = Entry(f"{folder.name}/{path.name}", "article", read_knowledge(path))
        article = _read(entry)
        expected = article.topic.replace(".", "_")
        if path.stem != expected:
            raise entry.error(f"the file of topic {article.topic} must be {expected}.yml")
        unknown = [topic for topic in (article.topic, *article.related) if topic not in topics]
        if unknown:
            raise entry.error(f"no intent belongs to the topic {', '.join(unknown)}")
        if article.case_type is not None and article.case_type not in case_types:
            raise entry.error(f"there is no case type {article.case_type}")
        articles[article.topic] = article
    return articles


def _read(entry: Entry) -> Article:
    mark = Mark(entry.choice("mark", tuple(Mark)))
    article = Article(
        topic=entry.text("topic"),
        title=entry.text("title"),
        label=entry.text("label"),
        mark=mark,
        short=entry.text("short"),
        sections=tuple(_read_section(section, mark) for section in entry.entries("sections")),
        related=entry.texts("related"),
        sources=tuple(read_source(source) for source in entry.entries("sources")),
        case_type=entry.optional_text("case_type"),
        valid_from=entry.optional_day("valid_from"),
        valid_to=entry.optional_day("valid_to"),
    )
    entry.done()
    if len(article.short) > MAX_SHORT:
        raise entry.error(f"short has {len(article.short)} characters, more than {MAX_SHORT}")
    if not article.sections:
        raise entry.error("there must be at least one section")
    if not article.sources:
        raise entry.error("there must be at least one source")
    aspects = [section.aspect for section in article.sections]
    if len(set(aspects)) != len(aspects):
        raise entry.error("two sections answer the same aspect")
    if article.topic in article.related or len(set(article.related)) != len(article.related):
        raise entry.error("related names the topic itself, or one twice")
    if article.valid_from and article.valid_to and article.valid_from > article.valid_to:
        raise entry.error("valid_from is after valid_to")
    confirm = mark is Mark.CONFIRM or any(section.mark is Mark.CONFIRM for section in article.sections)
    if confirm and all(source.mark is Mark.CERTAIN for source in article.sources):
        raise entry.error("says something V+ without a source that is V+")
    for text in (article.title, article.label, article.short):
        _check_text(entry, text)
    for section in article.sections:
        _check_text(entry, section.text)
    return article


def _read_section(entry: Entry, mark: Mark) -> Section:
    own = Mark(entry.choice("mark", tuple(Mark))) if entry.has("mark") else mark
    section = Section(aspect=entry.choice("aspect", ASPECTS), text=entry.text("text"), mark=own)
    entry.raw("mark")
    entry.done()
    return section


def read_source(entry: Entry) -> Source:
    """The source an entry of a knowledge file names; raises KnowledgeError."""
    source = Source(
        title=entry.text("title"),
        article=entry.optional_text("article"),
        as_of=entry.day("as_of"),
        mark=Mark(entry.choice("mark", tuple(Mark))),
    )
    entry.done()
    return source


def _check_text(entry: Entry, text: str) -> None:
    if _UNVERIFIED.search(text):
        raise entry.error(f"a mark of the facts file is in the text: {text[:40]}")
    if found := _LOCAL_PHONE.search(text):
        raise entry.error(f"{found[0][:3]}… looks like a local phone number; none is verified")
