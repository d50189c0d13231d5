"""Answers: an article's text for what was asked, with its sources and its reservations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from casework.articles import Article, Mark, Section, Source
from casework.knowledge import Knowledge
from casework.wording import Wording

DEFAULT_SECTIONS = 1
"""Sections said when no aspect was asked, after the short answer: a phone's screen holds no more."""
NAMED_SOURCES = 3
"""Sources named in the text; all of them go with the message (the web page shows them on request)."""
_NEIGHBOURS = {"how": "steps", "steps": "how"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer: what is said on a topic, what it rests on, and how far it can be trusted."""

    text: str
    topic: str
    sources: tuple[Source, ...]
    mark: Mark
    current: bool = True
    """False when the article has expired or does not apply yet, and only that is said."""

    def sources_json(self) -> list[dict[str, Any]]:
        """The sources as messages store them and the API shows them."""
        return [source.to_json() for source in self.sources]


def compose_answer(knowledge: Knowledge, article: Article, aspect: str | None, today: date) -> Answer:
    """The answer to what was asked about a topic: short answer, section, source line, reservation.

    ``today`` is the day in Shanghai. An article that has expired or does not apply yet is not served as
    current: the answer says so and where to ask. Outside its season the answer says that first, and still
    gives what stays true. An aspect nothing verified is known about is named as such.
    """
    wording = knowledge.wording
    outdated = _outdated(article, today, wording)
    if outdated is not None:
        return Answer(outdated, article.topic, (), article.mark, current=False)
    sections, missing = _choose(article, aspect)
    paragraphs = [*_out_of_season(article, sections, today), article.short]
    if missing is not None:
        key = f"answer.missing_{missing}"
        paragraphs.append(wording.say(key if wording.has(key) else "answer.missing_other"))
    paragraphs += [section.text for section in sections]
    mark = article.mark
    if any(section.mark is Mark.CONFIRM for section in sections):
        mark = Mark.CONFIRM
    sources = _sources(article, mark)
    tail = [_source_line(sources, wording)]
    if mark is Mark.CONFIRM:
        year = max(source.as_of.year for source in sources if source.mark is Mark.CONFIRM)
        tail.append(wording.say("answer.verify", year=year))
    return Answer("\n".join([*paragraphs, *tail]), article.topic, sources, mark)


def _outdated(article: Article, today: date, wording: Wording) -> str | None:
    if article.valid_to is not None and today > article.valid_to:
        return wording.say("answer.expired", label=article.label, day=article.valid_to.isoformat())
    if article.valid_from is not None and today < article.valid_from:
        return wording.say("answer.not_yet", label=article.label, day=article.valid_from.isoformat())
    return None


def _out_of_season(article: Article, sections: list[Section], today: date) -> list[str]:
    """What is said first outside the season, when what is said is seasonal."""
    season = article.season
    if season is None or season.open_on(today):
        return []
    said = {section.aspect for section in sections}
    return [season.closed_note] if not season.aspects or said & set(season.aspects) else []


def _choose(article: Article, aspect: str | None) -> tuple[list[Section], str | None]:
    """The sections to say, and the aspect that was asked but that no section answers."""
    if aspect is not None:
        asked = article.section(aspect) or article.section(_NEIGHBOURS.get(aspect, aspect))
        if asked is not None:
            return [asked], None
    return list(article.sections[:DEFAULT_SECTIONS]), aspect


def _sources(article: Article, mark: Mark) -> tuple[Source, ...]:
    """What was said rests on: an answer that is certain throughout does not cite what is not; in one that
    is not, what needs confirming comes first.
    """
    if mark is Mark.CONFIRM:
        return tuple(sorted(article.sources, key=lambda source: source.mark is not Mark.CONFIRM))
    certain = tuple(source for source in article.sources if source.mark is Mark.CERTAIN)
    return certain or article.sources


def _source_line(sources: tuple[Source, ...], wording: Wording) -> str:
    said = [
        wording.say("answer.source_one", title=_quoted(source.title), article=source.article or "")
        for source in sources[:NAMED_SOURCES]
    ]
    # The oldest check is the honest one: from that day on, something may have changed.
    as_of = min(source.as_of for source in sources)
    listed = wording.say("answer.separator").join(said)
    if len(sources) > NAMED_SOURCES:
        listed += wording.say("answer.more_sources", count=len(sources))
    return wording.say("answer.source", sources=listed, as_of=as_of.isoformat())


def _quoted(title: str) -> str:
    return title if "《" in title else f"《{title}》"
