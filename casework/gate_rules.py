"""What the gate demands (``gate.yml``): safety floors, limits, and the words for every finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge

FILE = "gate.yml"
_OVERALL = "total gained lost before after"
VALUES: Mapping[str, str] = {
    "better": _OVERALL,
    "same": _OVERALL,
    "worse": _OVERALL,
    "too_few": "total least",
    "crisis_lost": "count",
    "crisis_recall": "recall least",
    "crisis_lost_in_replay": "count",
    "crisis_alarms": "before after most",
    "safety_lost": "topic lost gained",
    "safety_recall": "topic recall least",
    "topic_worse": "topic total lost gained",
    "held_out_worse": "total lost gained",
    "touched_contradict": "count share",
    "outside_acted_on": "share most",
    "turned_away": "share before most",
    "calibration": "before after",
    "latency": "before after",
    "dialogue": "detail",
    "dialogue_missing": "",
    "replay_worse": "total before after",
    "replay_changed": "total count",
    "no_replay": "",
    "corrections": "total learnt",
    "corrections_unlearned": "total learnt",
    "passed": "",
    "refused": "",
}
"""Everything the gate may say, and what it fills into the words."""


@dataclass(frozen=True, slots=True)
class SafetyTopic:
    """What a topic where a misread message may cost health must keep."""

    most_net_lost: int
    least_recall: float


@dataclass(frozen=True, slots=True)
class Floors:
    """What nobody may override."""

    most_crisis_lost: int
    least_crisis_recall: float
    most_crisis_lost_in_replay: int
    topics: Mapping[str, SafetyTopic]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a candidate must keep unless a supervisor writes why not; ``gate.yml`` says what each means."""

    least_sentences: float
    most_points_lost: float
    chance: float
    topic_most_net_lost: float
    topic_chance: float
    held_out_most_points_lost: float
    held_out_chance: float
    touched_least: float
    touched_least_right: float
    most_outside_acted_on: float
    most_turned_away: float
    most_turned_away_points: float
    most_calibration_error: float
    most_calibration_error_more: float
    most_crisis_alarms: float
    fast_enough_ms: float
    most_latency_ratio: float
    most_replay_points_lost: float


@dataclass(frozen=True, slots=True)
class GateRules:
    """Gate rules: everything of ``gate.yml``."""

    floors: Floors
    limits: Limits
    words: Mapping[str, str]

    @classmethod
    def load(cls, root: Path) -> GateRules:
        """Read ``gate.yml`` of a knowledge folder; raises KnowledgeError naming the entry at fault."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        floors, limits = top.entry("floors"), top.entry("limits")
        safety = floors.named_entries("topics")
        topics = {
            topic: SafetyTopic(_whole(entry, "most_net_lost"), _share(entry, "least_recall"))
            for topic, entry in safety.items()
        }
        rules = cls(
            Floors(
                _whole(floors, "most_crisis_lost"),
                _share(floors, "least_crisis_recall"),
                _whole(floors, "most_crisis_lost_in_replay"),
                topics,
            ),
            Limits(**{name: _positive(limits, name) for name in Limits.__slots__}),
            top.texts_by_key("words"),
        )
        for entry in (*safety.values(), floors, limits, top):
            entry.done()
        if rules.words.keys() != VALUES.keys():
            odd = ", ".join(sorted(rules.words.keys() ^ VALUES.keys()))
            raise KnowledgeError(f"{FILE}: words: one for every finding and none beside: {odd}")
        for code, words in rules.words.items():
            unknown = {name for _, name, _, _ in Formatter().parse(words) if name} - set(VALUES[code].split())
            if unknown:
                raise KnowledgeError(f"{FILE}: words: {code}: nothing fills {', '.join(sorted(unknown))}")
        return rules


def _positive(entry: Entry, field: str) -> float:
    value = entry.number(field)
    if value <= 0:
        raise entry.error(f"{field} must be more than 0")
    return value


def _share(entry: Entry, field: str) -> float:
    value = _positive(entry, field)
    if value > 1:
        raise entry.error(f"{field} must be a share, at most 1")
    return value


def _whole(entry: Entry, field: str) -> int:
    value = entry.raw(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise entry.error(f"{field} must be a whole number from 0")
    return value
