"""When to act on a guess: costs, thresholds chosen on held-out sentences, topics of a message. No Rasa.

Asking back costs 1, a right answer nothing. A wrong answer to a question costs 1.5: it names its topic
and stands beside buttons for its neighbours, so the member sees at once what was misheard. A wrong deed, a
question turned away as none of our business, or an answer to what is none costs 3. Sentences out of
scope count as a fifth of what is written, however many of them were trained on. The thresholds used are
the cheapest on the held-out folds of each training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nlu.topics import OUT_OF_SCOPE, IntentTable

WRONG_ANSWER_COST = 1.5
WRONG_DEED_COST = 3.0
ASKING_BACK_COST = 1.0
OUT_OF_SCOPE_SHARE = 0.2
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


UNCHECKED = Thresholds(
    confidence=1 - ASKING_BACK_COST / WRONG_ANSWER_COST,
    out_of_scope=0.25,
    clause=1 - ASKING_BACK_COST / WRONG_ANSWER_COST,
)
"""What the costs alone demand of a calibrated classifier: act when it is right two times in three."""


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
    outside = sum(label == OUT_OF_SCOPE for label in labels)
    inside = len(labels) - outside
    weight_outside = OUT_OF_SCOPE_SHARE / (1 - OUT_OF_SCOPE_SHARE) * inside / outside if outside else 1.0
    judged = [
        _Judged(
            sure=evidence(ranking, intents),
            outside=0.0 if ranking[0][0] == OUT_OF_SCOPE else dict(ranking).get(OUT_OF_SCOPE, 0.0),
            right=_same_topic(ranking[0][0], label, intents),
            cost_if_wrong=_cost_if_wrong(ranking[0][0], label, intents),
            weight=weight_outside if label == OUT_OF_SCOPE else 1.0,
        )
        for ranking, label in zip(rankings, labels, strict=True)
    ]
    best: Thresholds | None = None
    for out_of_scope in (0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4):
        for step in range(5, 96):
            candidate = _tried(judged, step / 100, out_of_scope)
            if best is None or candidate.cost < best.cost - 1e-9:
                best = candidate
    if best is None:  # pragma: no cover - the grids above are never empty
        raise ValueError("no thresholds to choose from")
    return best


@dataclass(frozen=True)
class _Judged:
    """One held-out sentence: how sure its guess is, whether it is right, what acting on it would cost."""

    sure: float
    outside: float
    right: bool
    cost_if_wrong: float
    weight: float


def _cost_if_wrong(guess: str, label: str, intents: IntentTable) -> float:
    if OUT_OF_SCOPE in (guess, label) or intents.kind(guess) != "ask":
        return WRONG_DEED_COST
    return WRONG_ANSWER_COST


def _tried(judged: list[_Judged], confidence: float, out_of_scope: float) -> Thresholds:
    cost = total = accepted = right = 0.0
    for one in judged:
        total += one.weight
        if one.sure < confidence or one.outside >= out_of_scope:
            cost += one.weight * ASKING_BACK_COST
            continue
        accepted += one.weight
        right += one.weight * one.right
        cost += 0.0 if one.right else one.weight * one.cost_if_wrong
    total = total or 1.0
    return Thresholds(
        confidence,
        out_of_scope,
        max(confidence, 0.6),
        cost / total,
        accepted / total,
        right / accepted if accepted else 0.0,
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
