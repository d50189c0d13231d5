"""Knowledge: everything in ``data/knowledge/`` that answers are made of, read and checked once at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from casework.articles import Article, Mark, Section, Source, load_articles
from casework.case_types import CaseTypes
from casework.districts import Districts
from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge
from casework.risks import RiskNote, load_risk_notes
from casework.wording import Wording

_INTENT = re.compile(r"[a-z][a-z_]*")
_TOPIC = re.compile(r"[a-z]+\.[a-z_]+")
_HOTLINE = re.compile(r"\d{3,6}")
MAX_LABEL = 20
"""Characters of a button's label: more does not fit a phone's screen."""


class IntentKind(StrEnum):
    """What an intent leads to: a knowledge answer, a deed, small talk or a form's answer, crisis advice."""

    ASK = "ask"
    DEED = "deed"
    TALK = "talk"
    CRISIS = "crisis"


@dataclass(frozen=True, slots=True)
class Intent:
    """Intent: what a sentence is taken for; ``label`` is what a button for it says."""

    name: str
    topic: str
    label: str
    kind: IntentKind
    trained: bool = True
    """False for intents that only arrive as a payload and have no sentences."""


@dataclass(frozen=True, slots=True)
class Hotline:
    """Hotline: a national short number that may be given as it is."""

    number: str
    name: str
    purpose: str
    urgent: bool


class Knowledge:
    """All knowledge of one folder."""

    def __init__(
        self,
        *,
        articles: Mapping[str, Article],
        intents: Mapping[str, Intent],
        hotlines: Mapping[str, Hotline],
        districts: Districts,
        case_types: CaseTypes,
        wording: Wording,
        risk_notes: Mapping[str, RiskNote],
    ) -> None:
        self.articles = dict(articles)
        """Articles by topic."""
        self.intents = dict(intents)
        """Intents by name."""
        self.hotlines = dict(hotlines)
        """Hotlines by number."""
        self.districts = districts
        self.case_types = case_types
        self.wording = wording
        self.risk_notes = dict(risk_notes)
        """What staff are told about a risk, by its code."""

    @classmethod
    def load(cls, root: Path) -> Knowledge:
        """Read and check a knowledge folder; raises KnowledgeError naming the file and entry at fault."""
        intents = _read_intents(root / "intents.yml")
        topics = {intent.topic for intent in intents.values()}
        wording = Wording.load(root)
        case_types = CaseTypes.load(root / "case_types.yml")
        for case_type in case_types:
            for topic in (case_type.default_topic, *case_type.topics):
                if topic not in topics:
                    raise KnowledgeError(f"case_types.yml: {case_type.name}: no intent has the topic {topic}")
            if not wording.has(case_type.offer):
                raise KnowledgeError(f"case_types.yml: {case_type.name}: no wording {case_type.offer}")
        return cls(
            articles=load_articles(root / "articles", topics, case_types.names),
            intents=intents,
            hotlines=_read_hotlines(root / "hotlines.yml"),
            districts=Districts.load(root / "districts.yml"),
            case_types=case_types,
            wording=wording,
            risk_notes=load_risk_notes(root),
        )

    def with_articles(self, articles: Mapping[str, Article]) -> Knowledge:
        """The same knowledge with these articles, by topic, in the place of its own."""
        made = copy(self)
        made.articles = self.articles | dict(articles)
        return made

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic an intent belongs to, in the order of the intents."""
        return tuple(dict.fromkeys(intent.topic for intent in self.intents.values()))

    def article(self, topic: str) -> Article | None:
        """The article of a topic, or None."""
        return self.articles.get(topic)

    def article_for_intent(self, intent: str) -> Article:
        """The article that answers an intent; raises KnowledgeError when there is none."""
        known = self.intents.get(intent)
        article = None if known is None else self.articles.get(known.topic)
        if article is None:
            raise KnowledgeError(f"articles: no article answers the intent {intent}")
        return article

    def asking_intent(self, topic: str) -> str | None:
        """The intent that asks about a topic, for a button that leads there, or None."""
        return next(
            (
                intent.name
                for intent in self.intents.values()
                if intent.topic == topic and intent.kind is IntentKind.ASK
            ),
            None,
        )

    def leading_intent(self, topic: str) -> Intent | None:
        """The intent a button for a topic leads to: what asks about it, else its deed, or None."""
        asking = self.asking_intent(topic)
        if asking is not None:
            return self.intents[asking]
        return next(
            (
                intent
                for intent in self.intents.values()
                if intent.topic == topic and intent.kind is IntentKind.DEED
            ),
            None,
        )

    def topic_of(self, intent: str, case_type: str | None = None) -> str | None:
        """The topic a case begun with this intent is about, or None when the intent does not say.

        ``case_type`` is what the member chose: a topic that leads to another type is not theirs.
        """
        known = self.intents.get(intent)
        if known is None or known.kind not in (IntentKind.ASK, IntentKind.DEED):
            return None
        if known.topic.startswith("case."):
            return None
        if case_type in self.case_types and self.case_types.for_topic(known.topic).name != case_type:
            return None
        return known.topic


def _read_intents(path: Path) -> dict[str, Intent]:
    top = Entry(path.name, "(top)", read_knowledge(path))
    intents: dict[str, Intent] = {}
    labels: dict[str, str] = {}
    for name, entry in top.named_entries("intents").items():
        intent = Intent(
            name=name,
            topic=entry.text("topic"),
            label=entry.text("label"),
            kind=IntentKind(entry.choice("kind", tuple(IntentKind))),
            trained=entry.flag("trained", default=True),
        )
        entry.done()
        if not _INTENT.fullmatch(name) or not _TOPIC.fullmatch(intent.topic):
            raise entry.error("an intent is a_word_like_this, a topic room.word")
        if len(intent.label) > MAX_LABEL:
            raise entry.error(f"label has more than {MAX_LABEL} characters")
        if labels.setdefault(intent.label, name) != name:
            raise entry.error(f"has the same label as {labels[intent.label]}")
        intents[name] = intent
    top.done()
    return intents


def _read_hotlines(path: Path) -> dict[str, Hotline]:
    top = Entry(path.name, "(top)", read_knowledge(path))
    hotlines: dict[str, Hotline] = {}
    for number, entry in top.named_entries("hotlines").items():
        if not _HOTLINE.fullmatch(number):
            raise entry.error("not a short number")
        hotlines[number] = Hotline(
            number=number,
            name=entry.text("name"),
            purpose=entry.text("for"),
            urgent=entry.flag("urgent", default=False),
        )
        entry.done()
    top.done()
    return hotlines


__all__ = [
    "Article",
    "Hotline",
    "Intent",
    "IntentKind",
    "Knowledge",
    "Mark",
    "Section",
    "Source",
    "Wording",
]
