"""Knowledge search: the articles nearest to a question that no intent is sure of, for members and for staff.

BM25 (bm25s) over what an article is made of, in four fields: words, neighbouring characters, sounds, and
the concepts of the union's dictionary; and how members speak of its topic. It knows articles only, and none
is about a crisis: what members are shown goes through ``offered``, which is silent where one is heard.
Figures: ``docs/decisions/0012``.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from weakref import WeakKeyDictionary

import bm25s
import numpy as np
from numpy.typing import NDArray

from casework.articles import Article
from casework.crisis import CrisisRules
from casework.errors import KnowledgeError
from casework.knowledge import Intent, Knowledge
from casework.knowledge_speech import speech_of
from casework.knowledge_terms import LONGEST_QUERY, Lexicon, Terms

logging.getLogger("bm25s").setLevel(logging.WARNING)  # It sets itself to DEBUG.

FIELD_WEIGHTS = {"words": 1.0, "grams": 0.3, "sounds": 0.4, "concepts": 0.7}
"""How much a field counts; chosen on the development questions alone."""
BEST_PASSAGE = 0.1
"""How much an article's best passage counts beside the whole of it."""
SPEECH = 1.0
"""How much it counts that members speak of a topic so."""
LEAST_SCORE, LEAST_ALONE = 7.0, 3.7
"""A best article further away than this is none: with the speech of members, and with the articles alone."""
LEAST_A_CHARACTER = 2.0
"""What is asked in one word cannot come that near: less is enough, by the characters of its words."""
NEAR_ENOUGH = 0.25
"""The next articles are shown from this part of the best one's score on."""
TITLE_WEIGHT, SHORT_WEIGHT, QUESTION_WEIGHT, NICKNAME_WEIGHT, CONCEPT_WEIGHT = 4, 2, 2, 3, 10
SNIPPET = 60
"""Characters of a snippet."""
_CRISIS, _OUTSIDE = "crisis.", "talk.out_of_scope"
_K1, _B = 2.0, 0.6
_Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """Found: an article near a question, and the passage of it that is nearest."""

    topic: str
    article: Article
    score: float
    """Larger is nearer; comparable within one search only."""
    snippet: str
    """The beginning of the passage, at most ``SNIPPET`` characters."""
    aspect: str | None
    """The section the passage is, or None for the short answer."""


@dataclass(frozen=True, slots=True)
class _Passage:
    article: int
    aspect: str | None
    text: str


@dataclass(frozen=True, slots=True)
class _SoundsLike:
    """How much a text sounds like what members say of each article's topic, and of two other things."""

    of_articles: _Scores
    of_outside: float
    of_crises: float


class KnowledgeSearch:
    """The index over every article of one knowledge; cheap to build anew when an article changes."""

    def __init__(self, knowledge: Knowledge, root: Path) -> None:
        """Build the index; ``root`` is the knowledge folder (dictionary, ``search.yml``).

        Raises KnowledgeError for a bad file, or one that names a topic nobody asks about.
        """
        self.lexicon = Lexicon.load(root)
        strange = set(self.lexicon.nicknames).difference(knowledge.topics)
        if strange:
            raise KnowledgeError(f"search.yml: no intent has the topic {', '.join(sorted(strange))}")
        self._articles = tuple(knowledge.articles.values())
        self._passages = tuple(_passages(self._articles))
        self._passage_of = np.array([passage.article for passage in self._passages])
        intents = tuple(knowledge.intents.values())
        self._speech = speech_of(root, {intent.name: intent.topic for intent in intents})
        self._whole = _Index([self._article_terms(article, intents) for article in self._articles])
        self._parts = _Index([self.lexicon.kept_terms(passage.text) for passage in self._passages])

    def find(self, text: str, today: date, limit: int = 3) -> tuple[Found, ...]:
        """The articles nearest to a text, the best first; none when nothing is near enough.

        ``today`` is the day in Shanghai: what has expired or does not apply yet is never found.
        """
        asked = self.lexicon.terms(text[:LONGEST_QUERY])
        if not asked or not self._articles:
            return ()
        whole, parts = self._whole.scores(asked), self._parts.scores(asked)
        best_part = np.zeros(len(self._articles))
        np.maximum.at(best_part, self._passage_of, parts)
        sounds_like = self._sounds_like(text)
        scores = whole + BEST_PASSAGE * best_part + SPEECH * sounds_like.of_articles
        for place, article in enumerate(self._articles):
            if not _current(article, today):
                scores[place] = 0.0
        order = [int(place) for place in np.argsort(-scores, kind="stable")[:limit]]
        best = float(scores[order[0]])
        least = LEAST_ALONE if self._speech is None else LEAST_SCORE
        if asked.words:
            least = min(least, LEAST_A_CHARACTER * len("".join(set(asked.words))))
        if best < least + SPEECH * sounds_like.of_outside:
            return ()
        return tuple(
            self._found(place, float(scores[place]), parts)
            for place in order
            if scores[place] >= NEAR_ENOUGH * best
        )

    def hears_crisis(self, text: str) -> bool:
        """Whether a text sounds as much like somebody in danger as like any article's topic."""
        sounds_like = self._sounds_like(text)
        return sounds_like.of_crises > 0 and sounds_like.of_crises >= sounds_like.of_articles.max()

    def _sounds_like(self, text: str) -> _SoundsLike:
        if self._speech is None:
            return _SoundsLike(np.zeros(len(self._articles)), 0.0, 0.0)
        by_topic = dict(zip(self._speech.topics, self._speech.scores(text[:LONGEST_QUERY]), strict=True))
        return _SoundsLike(
            of_articles=np.array([by_topic.get(article.topic, 0.0) for article in self._articles]),
            of_outside=float(by_topic.get(_OUTSIDE, 0.0)),
            of_crises=max(
                (float(one) for topic, one in by_topic.items() if topic.startswith(_CRISIS)), default=0.0
            ),
        )

    def _found(self, place: int, score: float, parts: _Scores) -> Found:
        article = self._articles[place]
        own = np.flatnonzero(self._passage_of == place)
        passage = self._passages[int(own[int(np.argmax(parts[own]))])]
        return Found(article.topic, article, round(score, 3), _beginning(passage.text), passage.aspect)

    def _article_terms(self, article: Article, intents: Sequence[Intent]) -> Terms:
        nickname = self.lexicon.nicknames.get(article.topic)
        labels = [intent.label for intent in intents if intent.topic == article.topic]
        weighted = [
            (" ".join((article.title, article.label, *labels)), TITLE_WEIGHT),
            (article.short, SHORT_WEIGHT),
            ("。".join(article.questions), QUESTION_WEIGHT),
            *((section.text, 1) for section in article.sections),
        ]
        if nickname is not None:
            weighted.append(("。".join(nickname.words), NICKNAME_WEIGHT))
        terms = _together([(self.lexicon.kept_terms(text), weight) for text, weight in weighted if text])
        concepts = () if nickname is None else nickname.concepts
        named = [spelt for one in concepts for spelt in (one, f"~{one}")] * CONCEPT_WEIGHT
        return Terms(terms.words, terms.grams, terms.sounds, tuple(named))


class _Index:
    """One BM25 index for each field over the same documents."""

    def __init__(self, documents: Sequence[Terms]) -> None:
        self._size = len(documents)
        self._fields = {
            name: (weight, index)
            for name, weight in FIELD_WEIGHTS.items()
            if (index := _bm25([getattr(document, name) for document in documents])) is not None
        }

    def scores(self, asked: Terms) -> _Scores:
        """How near each document is."""
        total = np.zeros(self._size)
        for name, (weight, index) in self._fields.items():
            known = [term for term in dict.fromkeys(getattr(asked, name)) if term in index.vocab_dict]
            if known:
                total += weight * index.get_scores(known)
        return total


def _bm25(documents: list[tuple[str, ...]]) -> bm25s.BM25 | None:
    if not any(documents):
        return None
    index = bm25s.BM25(k1=_K1, b=_B, csc_backend="numpy")
    index.index([list(terms) for terms in documents], show_progress=False)
    return index


def _passages(articles: Sequence[Article]) -> list[_Passage]:
    made: list[_Passage] = []
    for place, article in enumerate(articles):
        made.append(_Passage(place, None, article.short))
        made += [_Passage(place, section.aspect, section.text) for section in article.sections]
    return made


def _together(weighted: list[tuple[Terms, int]]) -> Terms:
    """Several texts as one, each as often as it weighs."""

    def field(name: str) -> tuple[str, ...]:
        return tuple(term for terms, weight in weighted for term in getattr(terms, name) * weight)

    return Terms(field("words"), field("grams"), field("sounds"), field("concepts"))


def _current(article: Article, today: date) -> bool:
    begun = article.valid_from is None or article.valid_from <= today
    return begun and (article.valid_to is None or today <= article.valid_to)


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"


def offered(
    search: KnowledgeSearch, crisis: CrisisRules, text: str, today: date, heard: Collection[str] = ()
) -> tuple[Found, ...]:
    """What a member may be shown for a text: nothing at all where a crisis is seen in it.

    The rules see it, or the model holds one possible (``heard`` are its topics), or it sounds like one: to
    show too little costs nothing here. ``today`` is the day in Shanghai.
    """
    if any(topic.startswith(_CRISIS) for topic in heard):
        return ()
    if crisis.detect(text) is not None or search.hears_crisis(text):
        return ()
    return search.find(text, today)


_built: WeakKeyDictionary[Knowledge, KnowledgeSearch] = WeakKeyDictionary()


def search_of(knowledge: Knowledge, root: Path) -> KnowledgeSearch:
    """The search over a knowledge, built once for each: what is published comes as a new knowledge."""
    known = _built.get(knowledge)
    if known is None:
        known = _built[knowledge] = KnowledgeSearch(knowledge, root)
    return known
