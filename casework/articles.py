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
    "what", "amount", "who", "materials", "how", "when", "where", "phone", "deadline", "evidence",
    "misunderstanding", "steps",
)  # fmt: skip
"""What about a topic can be asked; one section answers one aspect."""
MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
"""A day of every year, as seasons have it: ``06-01``."""


class Mark(StrEnum):
    """How far a statement can be trusted (facts §0.1): certain, or to be confirmed officially each year."""

    CERTAIN = "C"
    CONFIRM = "V+"


@dataclass(frozen=True, slots=True)
class Source:
    """Source: the law, rule or notice an answer rests on, who issued it, and the day its text was checked."""

    title: str
    article: str | None
    as_of: date
    mark: Mark
    issuer: str
    """发布机关, or what stands in its place when the source is a report."""

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
class Season:
    """Season: the days of every year on which something is usually open; it may wrap the year."""

    opens: str
    """The first day, ``MM-DD``."""
    closes: str
    """The last day, ``MM-DD``."""
    closed_note: str
    """Said first outside the season."""
    aspects: tuple[str, ...] = ()
    """The sections that are seasonal; the whole article when empty."""

    def open_on(self, day: date) -> bool:
        """Whether the season is open on a day (in Shanghai)."""
        today = f"{day:%m-%d}"
        if self.opens <= self.closes:
            return self.opens <= today <= self.closes
        return today >= self.opens or today <= self.closes

    def next_opening(self, day: date) -> date:
        """The next first day after a day."""
        this_year = date.fromisoformat(f"{day.year}-{self.opens}")
        return this_year if this_year > day else date.fromisoformat(f"{day.year + 1}-{self.opens}")


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
    district: str
    """Where it holds, e.g. 济南市."""
    reviewer: str
    """Who checked the content."""
    reviewed_on: date
    questions: tuple[str, ...] = ()
    """What people also ask about the topic (常问)."""
    season: Season | None = None
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
        if path.name != file_name(entry.text("topic")):
            raise entry.error(
                f"the file of topic {entry.text('topic')} must be {file_name(entry.text('topic'))}"
            )
        article = read_article(entry, topics, case_types)
        articles[article.topic] = article
    return articles


def file_name(topic: str) -> str:
    """The name of the file that holds a topic's article."""
    return f"{topic.replace('.', '_')}.yml"


def read_article(entry: Entry, topics: Collection[str], case_types: Collection[str]) -> Article:
    """The article an entry describes, by the same rules wherever it comes from; raises KnowledgeError."""
    from casework.article_rules import first_fault  # noqa: PLC0415  (the rules are about what is read here)

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
        district=entry.text("district"),
        reviewer=entry.text("reviewer"),
        reviewed_on=entry.day("reviewed_on"),
        questions=entry.texts("questions"),
        season=_read_season(entry.entry("season")) if entry.has("season") else None,
        case_type=entry.optional_text("case_type"),
        valid_from=entry.optional_day("valid_from"),
        valid_to=entry.optional_day("valid_to"),
    )
    entry.raw("season")
    entry.done()
    fault = first_fault(article, topics, case_types)
    if fault is not None:
        raise entry.error(fault.complaint)
    return article


def read_source(entry: Entry) -> Source:
    """The source an entry of a knowledge file names; raises KnowledgeError."""
    source = Source(
        title=entry.text("title"),
        article=entry.optional_text("article"),
        as_of=entry.day("as_of"),
        mark=Mark(entry.choice("mark", tuple(Mark))),
        issuer=entry.text("issuer"),
    )
    entry.done()
    return source


def _read_section(entry: Entry, mark: Mark) -> Section:
    own = Mark(entry.choice("mark", tuple(Mark))) if entry.has("mark") else mark
    section = Section(aspect=entry.choice("aspect", ASPECTS), text=entry.text("text"), mark=own)
    entry.raw("mark")
    entry.done()
    return section


def _read_season(entry: Entry) -> Season:
    season = Season(
        opens=entry.text("opens"),
        closes=entry.text("closes"),
        closed_note=entry.text("closed_note"),
        aspects=entry.texts("aspects"),
    )
    entry.done()
    return season
