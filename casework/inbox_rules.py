"""Inbox rules: what is worth a look and what comes first, as ``inbox.yml`` says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from casework.errors import KnowledgeError
from casework.knowledge import Intent, IntentKind, Knowledge
from casework.knowledge_files import Entry, read_knowledge
from casework.tables import InboxReason

FILE = "inbox.yml"
DOUBTED = (InboxReason.SUGGESTED, InboxReason.THUMBS_DOWN, InboxReason.HANDED_OFF)
"""Reasons that come from people, who may be right where the model was sure."""
_ROOM = ".*"


@dataclass(frozen=True, slots=True)
class InboxRules:
    """Inbox rules: everything of ``inbox.yml``; asked about intents, it answers by their topics."""

    sure: float
    close: float
    doubt: Mapping[InboxReason, float]
    weights: Mapping[str, float]
    """Topic or ``room.*`` → harm, in the order in which they are tried."""
    deeds: float
    rest: float
    safety: tuple[str, ...]
    second_person: tuple[str, ...]
    intents: Mapping[str, Intent]

    @classmethod
    def load(cls, root: Path, knowledge: Knowledge) -> InboxRules:
        """Read ``inbox.yml`` of a knowledge folder; raises KnowledgeError naming the entry at fault."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        doubt, harm = top.entry("doubt"), top.entry("harm")
        rules = cls(
            sure=_share(top, "sure"),
            close=_share(top, "close"),
            doubt={reason: _share(doubt, reason.value) for reason in DOUBTED},
            weights={topic: _weight(harm, topic) for topic in harm.names()},
            deeds=_weight(top, "deeds"),
            rest=_weight(top, "rest"),
            safety=top.texts("safety"),
            second_person=top.texts("second_person"),
            intents=knowledge.intents,
        )
        for entry in (doubt, harm, top):
            entry.done()
        for pattern in (*rules.weights, *rules.safety, *rules.second_person):
            if not any(_fits(topic, pattern) for topic in knowledge.topics):
                raise KnowledgeError(f"{FILE}: no intent has the topic {pattern}")
        return rules

    def uncertainty(
        self, confidence: float | None, accepted: bool | None, reasons: Collection[InboxReason]
    ) -> float:
        """How uncertain a reading was, 0 to 1: 1 − confidence, 1 where it was not acted on or not read."""
        said = 1.0 if not accepted or confidence is None else 1.0 - confidence
        return min(1.0, max([said, *(self.doubt[reason] for reason in reasons if reason in self.doubt)]))

    def harm(self, intents: Iterable[str | None]) -> float:
        """The harm of misunderstanding the worst of these intents; as of any other where there is none."""
        return max((self._harm(intent) for intent in self._known(intents)), default=self.rest)

    def is_safety(self, intents: Iterable[str | None]) -> bool:
        """Whether one of these intents is about somebody's safety."""
        return self._any(intents, self.safety)

    def needs_second(self, intents: Iterable[str | None]) -> bool:
        """Whether two people must decide where one of these intents is in play."""
        return self._any(intents, self.second_person)

    def _any(self, intents: Iterable[str | None], patterns: Collection[str]) -> bool:
        topics = [intent.topic for intent in self._known(intents)]
        return any(_fits(topic, pattern) for topic in topics for pattern in patterns)

    def _known(self, intents: Iterable[str | None]) -> list[Intent]:
        return [self.intents[name] for name in intents if name is not None and name in self.intents]

    def _harm(self, intent: Intent) -> float:
        for pattern, weight in self.weights.items():
            if _fits(intent.topic, pattern):
                return weight
        return self.deeds if intent.kind is IntentKind.DEED else self.rest


def _fits(topic: str, pattern: str) -> bool:
    if pattern.endswith(_ROOM):
        return topic.startswith(pattern.removesuffix("*"))
    return topic == pattern


def _weight(entry: Entry, field: str) -> float:
    value = entry.number(field)
    if value <= 0:
        raise entry.error(f"{field} must be more than 0")
    return value


def _share(entry: Entry, field: str) -> float:
    value = entry.number(field)
    if not 0 <= value <= 1:
        raise entry.error(f"{field} must be a share, 0 to 1")
    return value
