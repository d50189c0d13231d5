"""When to act on a guess: costs, thresholds chosen on held-out sentences, topics of a message. No Rasa.

A wrong answer costs 3, asking back costs 1, a right answer nothing. With calibrated confidences the
best threshold lies near 2/3; the one used is the cheapest on the held-out folds of each training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nlu.topics import OUT_OF_SCOPE, IntentTable

WRONG_ANSWER_COST = 3.0
ASKING_BACK_COST = 1.0
MAX_TOPICS = 4
Ranking = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Thresholds:
    """What a guess must reach: at least ``confidence``, and less than ``out_of_scope`` of that probability.

    ``clause`` is what a clause needs to add a topic; the rest is how the thresholds did when chosen:
    cost per sentence, share accepted, share of those right.
    """

    confidence: float
    out_of_scope: float
    clause: float
    cost: float = 0.0
    accepted_share: float = 0.0
    accepted_right: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the thresholds as plain values for the model's folder."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def topic_probabilities(ranking: Ranking, intents: IntentTable) -> dict[str, float]:
    """Return the probability of every topic in a ranking (its intents' probabilities added up)."""
    probabilities: dict[str, float] = {}
    for name, probability in ranking:
        topic = intents.topic(name)
        if topic is not None:
            probabilities[topic] = probabilities.get(topic, 0.0) + probability
    return probabilities


def evidence(ranking: Ranking, intents: IntentTable) -> float:
    """Return how sure a ranking is of its first guess.

    A question is as sure as its topic (asking about tuition aid and applying for it get the same
    first answer); a deed, a crisis or small talk only as sure as its own intent.
    """
    name, probability = ranking[0]
    if intents.kind(name) != "ask":
        return probability
    return topic_probabilities(ranking, intents).get(intents.topic(name) or "", probability)


def accepts(ranking: Ranking, intents: IntentTable, thresholds: Thresholds) -> bool:
    """Say whether the assistant should act on the first guess of ``ranking``."""
    if not ranking or evidence(ranking, intents) < thresholds.confidence:
        return False
    if ranking[0][0] == OUT_OF_SCOPE:
        return True
    return dict(ranking).get(OUT_OF_SCOPE, 0.0) < thresholds.out_of_scope


def choose_thresholds(rankings: Sequence[Ranking], labels: Sequence[str], intents: IntentTable) -> Thresholds:
    """Return the cheapest thresholds on held-out rankings (ties: the lower, which answers more)."""
    judged = [
        (
            evidence(ranking, intents),
            0.0 if ranking[0][0] == OUT_OF_SCOPE else dict(ranking).get(OUT_OF_SCOPE, 0.0),
            _same_topic(ranking[0][0], label, intents),
        )
        for ranking, label in zip(rankings, labels, strict=True)
    ]
    best: Thresholds | None = None
    for out_of_scope in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4):
        for step in range(20, 96):
            candidate = _tried(judged, step / 100, out_of_scope)
            if best is None or candidate.cost < best.cost - 1e-9:
                best = candidate
    if best is None:  # pragma: no cover - the grids above are never empty
        raise ValueError("no thresholds to choose from")
    return best


def _tried(judged: list[tuple[float, float, bool]], confidence: float, out_of_scope: float) -> Thresholds:
    accepted = [right for sure, outside, right in judged if sure >= confidence and outside < out_of_scope]
    wrong = sum(not right for right in accepted)
    cost = WRONG_ANSWER_COST * wrong + ASKING_BACK_COST * (len(judged) - len(accepted))
    return Thresholds(
        confidence,
        out_of_scope,
        max(confidence, 0.6),
        cost / max(1, len(judged)),
        len(accepted) / max(1, len(judged)),
        (len(accepted) - wrong) / max(1, len(accepted)),
    )


def _same_topic(guess: str, label: str, intents: IntentTable) -> bool:
    topic = intents.topic(guess)
    return guess == label or (topic is not None and topic == intents.topic(label))


def topics_of(
    ranking: Ranking, clauses: Sequence[Ranking], intents: IntentTable, thresholds: Thresholds
) -> list[dict[str, Any]]:
    """Return the topics of a message, surest first, at most 4: ``[{"topic", "confidence"}]``.

    The whole text's topics that reach the threshold, and those that one of its clauses reaches by
    itself (small talk in a clause is no topic). Empty where nothing is sure.
    """
    found = {
        topic: probability
        for topic, probability in topic_probabilities(ranking, intents).items()
        if probability >= thresholds.confidence
    }
    for clause in clauses:
        if not clause or intents.kind(clause[0][0]) not in {"ask", "deed", "crisis"}:
            continue
        topic = intents.topic(clause[0][0])
        sure = evidence(clause, intents)
        if topic is not None and sure >= thresholds.clause:
            found[topic] = max(found.get(topic, 0.0), sure)
    first = intents.topic(ranking[0][0]) if ranking else None
    ordered = sorted(found.items(), key=lambda item: (item[0] != first, -item[1], item[0]))
    return [{"topic": topic, "confidence": round(min(sure, 1.0), 4)} for topic, sure in ordered[:MAX_TOPICS]]
