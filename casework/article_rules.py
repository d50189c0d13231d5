"""What every article must keep, in a file as in the desk: one set of rules, fault by fault."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from casework.articles import MONTH_DAY, Article, Mark, Season

MAX_SHORT = 120
"""Characters of an article's short answer."""
MAX_TITLE = 30
MAX_LABEL = 20
"""Characters of a button's label."""
MAX_SECTION = 600
"""Characters of a section: a phone's screen holds no more."""
MAX_QUESTION = 40
QUESTIONS = (3, 8)
"""How many questions people also ask (常问) every article names: the fewest and the most."""

# No local phone number is verified (facts §0.5): national short numbers are all that may be written.
_LOCAL_PHONE = re.compile(
    r"(?<!\d)(?:0\d{2,3}[-－ ]?\d{7,8}|1[3-9]\d{9}|[48]00[-－ ]?\d{3}[-－ ]?\d{4}|[2-9]\d{6,7})(?!\d)"
)
_UNVERIFIED = re.compile(r"V\s?0|【(?:V|C|惯例)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """Fault: what an article must not be; ``rule`` is a code, ``field`` where it is (``sections.1.text``)."""

    field: str
    rule: str
    complaint: str
    """For who keeps the files, in English."""
    limits: dict[str, object] = dataclasses.field(default_factory=dict)


def first_fault(article: Article, topics: Collection[str], case_types: Collection[str]) -> Fault | None:
    """The first fault of an article, or None when it may be served."""
    return next(faults(article, topics, case_types), None)


def faults(article: Article, topics: Collection[str], case_types: Collection[str]) -> Iterator[Fault]:
    """Every fault of an article; ``topics`` are those an intent belongs to."""
    yield from _lengths(article)
    yield from _parts(article)
    yield from _places(article, topics, case_types)
    if article.valid_from and article.valid_to and article.valid_from > article.valid_to:
        yield Fault("valid_to", "dates_reversed", "valid_from is after valid_to")
    if article.season is not None:
        yield from _season(article.season, article)
    for name, text in _texts(article):
        if _UNVERIFIED.search(text):
            yield Fault(name, "unverified_mark", f"a mark of the facts file is in the text: {text[:40]}")
        if found := _LOCAL_PHONE.search(text):
            complaint = f"{found[0][:3]}… looks like a local phone number; none is verified"
            yield Fault(name, "local_phone", complaint)


def _lengths(article: Article) -> Iterator[Fault]:
    for name, most in (("title", MAX_TITLE), ("label", MAX_LABEL), ("short", MAX_SHORT)):
        length = len(getattr(article, name))
        if length > most:
            yield Fault(name, "too_long", f"{name} has {length} characters, more than {most}", {"most": most})
    if article.season is not None and len(article.season.closed_note) > MAX_SHORT:
        complaint = f"season.closed_note has more than {MAX_SHORT} characters"
        yield Fault("season.closed_note", "too_long", complaint, {"most": MAX_SHORT})
    for index, section in enumerate(article.sections):
        if len(section.text) > MAX_SECTION:
            complaint = f"the section {section.aspect} has more than {MAX_SECTION} characters"
            yield Fault(f"sections.{index}.text", "too_long", complaint, {"most": MAX_SECTION})
    for index, question in enumerate(article.questions):
        if len(question) > MAX_QUESTION:
            complaint = f"the question {question[:10]}… has more than {MAX_QUESTION} characters"
            yield Fault(f"questions.{index}", "too_long", complaint, {"most": MAX_QUESTION})


def _parts(article: Article) -> Iterator[Fault]:
    if not article.sections:
        yield Fault("sections", "no_section", "there must be at least one section")
    if not article.sources:
        yield Fault("sources", "no_source", "there must be at least one source")
    aspects = [section.aspect for section in article.sections]
    for index, aspect in enumerate(aspects):
        if aspect in aspects[:index]:
            yield Fault(f"sections.{index}.aspect", "aspect_twice", "two sections answer the same aspect")
    fewest, most = QUESTIONS
    if not fewest <= len(article.questions) <= most:
        yield Fault("questions", "how_many_questions", f"there must be {fewest} to {most} questions")
    for index, question in enumerate(article.questions):
        if question in article.questions[:index]:
            yield Fault(f"questions.{index}", "question_twice", "a question stands there twice")
    confirm = article.mark is Mark.CONFIRM or any(one.mark is Mark.CONFIRM for one in article.sections)
    if confirm and article.sources and all(source.mark is Mark.CERTAIN for source in article.sources):
        yield Fault("sources", "nothing_to_confirm", "says something V+ without a source that is V+")


def _places(article: Article, topics: Collection[str], case_types: Collection[str]) -> Iterator[Fault]:
    if article.topic in article.related or len(set(article.related)) != len(article.related):
        yield Fault("related", "related_twice", "related names the topic itself, or one twice")
    if article.topic not in topics:
        yield Fault("topic", "unknown_topic", f"no intent belongs to the topic {article.topic}")
    unknown = [topic for topic in article.related if topic not in topics]
    if unknown:
        yield Fault("related", "unknown_topic", f"no intent belongs to the topic {', '.join(unknown)}")
    if article.case_type is not None and article.case_type not in case_types:
        yield Fault("case_type", "unknown_case_type", f"there is no case type {article.case_type}")


def _season(season: Season, article: Article) -> Iterator[Fault]:
    for name in ("opens", "closes"):
        if not MONTH_DAY.fullmatch(getattr(season, name)):
            yield Fault(f"season.{name}", "not_month_day", f"season.{name} must be MM-DD")
    answered = {section.aspect for section in article.sections}
    if missing := [aspect for aspect in season.aspects if aspect not in answered]:
        complaint = f"season.aspects names {', '.join(missing)}, which no section answers"
        yield Fault("season.aspects", "no_such_section", complaint)


def _texts(article: Article) -> Iterator[tuple[str, str]]:
    """Every text a member may read, by field."""
    for name in ("title", "label", "short", "district", "reviewer"):
        yield name, getattr(article, name)
    for index, section in enumerate(article.sections):
        yield f"sections.{index}.text", section.text
    for index, question in enumerate(article.questions):
        yield f"questions.{index}", question
    for index, source in enumerate(article.sources):
        yield f"sources.{index}.title", source.title
        yield f"sources.{index}.issuer", source.issuer
        yield f"sources.{index}.article", source.article or ""
    if article.season is not None:
        yield "season.closed_note", article.season.closed_note
