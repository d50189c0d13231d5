"""When to act on a guess: costs, thresholds chosen on held-out sentences, topics of a message. No Rasa.

Asking back costs 1: a desperate member writes once more, or gives up. A right answer costs nothing. A wrong
answer to a question costs 1.3: it names its topic and stands beside buttons for its neighbours, so the
member sees at once what was misheard. A wrong deed costs 1.5: it asks before it writes anything down. A
question turned away as none of our business, or an answer to what is none, costs 3. A crisis that was
noticed is always acted on: kind words to somebody who did not need them cost little, silence may cost a life.
Sentences out of scope count as a fifth of what is written, however many of them were trained on. The
thresholds used are the cheapest on the held-out folds of each training; how likely a text is none of our
business is the rejector's word (``nlu.rejector``), or the classifier's own where there is no rejector (DIET).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nlu.rejector import OUT_OF_SCOPE_SHARE
from nlu.topics import OUT_OF_SCOPE, IntentTable

WRONG_ANSWER_COST = 1.3
WRONG_DEED_COST = 1.5
OUT_OF_SCOPE_COST = 3.0
ASKING_BACK_COST = 1.0
MAX_TOPICS = 4
CRISIS = "crisis"
_OUT_OF_SCOPE_STEPS = (0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)
# Chosen on the gold sentences that name several topics: these find two thirds of them, 4 in 5 rightly.
_LEAST_FOR_A_TOPIC = 0.2
_LEAST_FOR_A_CRISIS = 0.2
"""For all crises together. Kind words in front of an answer cost 1 where nobody needed them; a crisis
nobody noticed costs more than 4. On held-out folds this notices 4 of 5 (the best guess alone 3 of 5) and
is wrong on 2.4 % of all other training sentences, which were written to be hard."""
_LEAST_FOR_A_CLAUSE = 0.75
_LEAST_IN_THE_WHOLE = 0.02
Ranking = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Thresholds:
    """What a guess must reach: ``confidence`` for a question, ``deed`` for anything that is done or felt.

    And the text must be out of scope with less than ``out_of_scope`` probability; it is turned away as none
    of our business from ``turn_away`` on. The rest is how the thresholds did when chosen: cost per sentence,
    share accepted, share of those right.
    """

    confidence: float
    deed: float
    out_of_scope: float
    turn_away: float = 0.7
    cost: float = 0.0
    accepted_share: float = 0.0
    accepted_right: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the thresholds as plain values for the model's folder."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


UNCHECKED = Thresholds(
    confidence=1 - ASKING_BACK_COST / WRONG_ANSWER_COST,
    deed=1 - ASKING_BACK_COST / WRONG_DEED_COST,
    out_of_scope=0.25,
    turn_away=1 - ASKING_BACK_COST / OUT_OF_SCOPE_COST,
)
"""What the costs alone demand of a calibrated classifier: where acting is cheaper than asking back."""


def topic_probabilities(ranking: Ranking, intents: IntentTable) -> dict[str, float]:
    """Return the probability of every topic in a ranking (its intents' probabilities added up)."""
    probabilities: dict[str, float] = {}
    for name, probability in ranking:
        topic = intents.topic(name)
        if topic is not None:
            probabilities[topic] = probabilities.get(topic, 0.0) + probability
    return probabilities


def most_likely_topic_first(ranking: Ranking, intents: IntentTable) -> list[tuple[str, float]]:
    """Return the ranking with the best intent of the most probable topic in front.

    Two intents of one topic may share a probability that beats any single one.
    """
    ordered = list(ranking)
    probabilities = topic_probabilities(ranking, intents)
    if not probabilities:
        return ordered
    best = max(probabilities, key=lambda topic: probabilities[topic])
    if intents.topic(ordered[0][0]) not in {best, None}:
        first = next(one for one in ordered if intents.topic(one[0]) == best)
        ordered.remove(first)
        ordered.insert(0, first)
    return ordered


def evidence(ranking: Ranking, intents: IntentTable) -> float:
    """Return how sure a ranking is of its first guess.

    A question is as sure as its topic (asking about tuition aid and applying for it get the same
    first answer); a deed, a crisis or small talk only as sure as its own intent.
    """
    name, probability = ranking[0]
    if intents.kind(name) != "ask":
        return probability
    return topic_probabilities(ranking, intents).get(intents.topic(name) or "", probability)


def accepts(
    ranking: Ranking, intents: IntentTable, thresholds: Thresholds, outside: float | None = None
) -> bool:
    """Say whether the assistant should act on the first guess of ``ranking``.

    ``outside`` is the probability that the text is out of scope; the ranking's own where it is None.
    """
    if not ranking:
        return False
    name = ranking[0][0]
    if outside is None:
        outside = dict(ranking).get(OUT_OF_SCOPE, 0.0)
    if name == OUT_OF_SCOPE:
        return outside >= thresholds.turn_away
    if intents.kind(name) == CRISIS:
        return True
    least = thresholds.confidence if intents.kind(name) == "ask" else thresholds.deed
    return evidence(ranking, intents) >= least and outside < thresholds.out_of_scope


def choose_thresholds(
    rankings: Sequence[Ranking],
    labels: Sequence[str],
    intents: IntentTable,
    outside: Sequence[float] | None = None,
) -> Thresholds:
    """Return the cheapest thresholds on held-out rankings (ties: the lower, which answers more)."""
    if outside is None:
        outside = [dict(ranking).get(OUT_OF_SCOPE, 0.0) for ranking in rankings]
    judged = _judged(rankings, labels, intents, outside)
    turned_away = [one for one in judged if one.guess == OUT_OF_SCOPE]
    inside = [one for one in judged if one.guess != OUT_OF_SCOPE]
    questions = [one for one in inside if one.is_question]
    deeds = [one for one in inside if not one.is_question and intents.kind(one.guess) != CRISIS]
    turn_away, away = _cheapest(turned_away, 2.0)
    best: Thresholds | None = None
    for out_of_scope in _OUT_OF_SCOPE_STEPS:
        confidence, asked = _cheapest(questions, out_of_scope)
        deed, done = _cheapest(deeds, out_of_scope)
        total = _Tally.of(asked, done, away)
        if best is None or total.cost_each < best.cost - 1e-9:
            figures = (total.cost_each, total.accepted_share, total.right_of_accepted)
            best = Thresholds(confidence, deed, out_of_scope, turn_away, *figures)
    if best is None:  # pragma: no cover - the list above is never empty
        raise ValueError("no thresholds to choose from")
    return best


@dataclass(frozen=True)
class _Judged:
    """One held-out sentence: how sure its guess is, whether it is right, what acting on it would cost."""

    guess: str
    sure: float
    outside: float
    right: bool
    is_question: bool
    cost_if_wrong: float
    weight: float


@dataclass(frozen=True)
class _Tally:
    """What thresholds cost on a set of sentences (sums of weights)."""

    cost: float = 0.0
    total: float = 0.0
    accepted: float = 0.0
    right: float = 0.0

    @classmethod
    def of(cls, *parts: _Tally) -> _Tally:
        """Add tallies up."""
        sums = (sum(getattr(part, name) for part in parts) for name in ("cost", "total", "accepted", "right"))
        return cls(*sums)

    @property
    def cost_each(self) -> float:
        """Cost per sentence."""
        return self.cost / (self.total or 1.0)

    @property
    def accepted_share(self) -> float:
        """Share of sentences acted on."""
        return self.accepted / (self.total or 1.0)

    @property
    def right_of_accepted(self) -> float:
        """Share of right ones among those acted on."""
        return self.right / self.accepted if self.accepted else 0.0


def _judged(
    rankings: Sequence[Ranking], labels: Sequence[str], intents: IntentTable, outside: Sequence[float]
) -> list[_Judged]:
    strangers = sum(label == OUT_OF_SCOPE for label in labels)
    ours = len(labels) - strangers
    weight_outside = OUT_OF_SCOPE_SHARE / (1 - OUT_OF_SCOPE_SHARE) * ours / strangers if strangers else 1.0
    return [
        _Judged(
            guess=ranking[0][0],
            sure=far if ranking[0][0] == OUT_OF_SCOPE else evidence(ranking, intents),
            outside=far,
            right=_same_topic(ranking[0][0], label, intents),
            is_question=intents.kind(ranking[0][0]) == "ask",
            cost_if_wrong=_cost_if_wrong(ranking[0][0], label, intents),
            weight=weight_outside if label == OUT_OF_SCOPE else 1.0,
        )
        for ranking, label, far in zip(rankings, labels, outside, strict=True)
    ]


def _cheapest(judged: Sequence[_Judged], out_of_scope: float) -> tuple[float, _Tally]:
    sure, outside, right, cost, weight = (
        np.asarray([(one.sure, one.outside, one.right, one.cost_if_wrong, one.weight) for one in judged])
        .reshape(-1, 5)
        .T
    )
    inside = outside < out_of_scope
    if_wrong = weight * cost * (1 - right)
    tried = []
    for step in range(5, 96):
        confidence = step / 100
        acted = inside & (sure >= confidence)
        asked_back = weight[~acted].sum() * ASKING_BACK_COST
        sums = (
            asked_back + if_wrong[acted].sum(),
            weight.sum(),
            weight[acted].sum(),
            (weight * right)[acted].sum(),
        )
        tried.append((confidence, _Tally(*map(float, sums))))
    return min(tried, key=lambda one: (round(one[1].cost, 6), one[0]))


def _cost_if_wrong(guess: str, label: str, intents: IntentTable) -> float:
    if OUT_OF_SCOPE in (guess, label):
        return OUT_OF_SCOPE_COST
    return WRONG_ANSWER_COST if intents.kind(guess) == "ask" else WRONG_DEED_COST


def _same_topic(guess: str, label: str, intents: IntentTable) -> bool:
    topic = intents.topic(guess)
    return guess == label or (topic is not None and topic == intents.topic(label))


def topics_of(ranking: Ranking, clauses: Sequence[Ranking], intents: IntentTable) -> list[dict[str, Any]]:
    """Return the topics of a message, the best guess's first, at most 4: ``[{"topic", "confidence"}]``.

    Those that have a fifth of the whole text's probability (crises all together), and those that one of its
    clauses is sure of while the whole does not rule them out (small talk in a clause is no topic).
    """
    whole = topic_probabilities(ranking, intents)
    found = {topic: sure for topic, sure in whole.items() if sure >= _LEAST_FOR_A_TOPIC}
    for clause in clauses:
        topic = intents.topic(clause[0][0]) if clause else None
        if topic is None or intents.kind(clause[0][0]) not in {"ask", "deed", "crisis"}:
            continue
        sure = evidence(clause, intents)
        if sure >= _LEAST_FOR_A_CLAUSE and whole.get(topic, 0.0) >= _LEAST_IN_THE_WHOLE:
            found[topic] = max(found.get(topic, 0.0), sure)
    crises = {topic: sure for topic, sure in whole.items() if topic.startswith(f"{CRISIS}.")}
    if sum(crises.values()) >= _LEAST_FOR_A_CRISIS:
        likeliest = max(crises, key=lambda topic: crises[topic])
        found[likeliest] = max(found.get(likeliest, 0.0), sum(crises.values()))
    first = intents.topic(ranking[0][0]) if ranking else None
    ordered = sorted(found.items(), key=lambda item: (item[0] != first, -item[1], item[0]))
    return [{"topic": topic, "confidence": round(min(sure, 1.0), 4)} for topic, sure in ordered[:MAX_TOPICS]]
