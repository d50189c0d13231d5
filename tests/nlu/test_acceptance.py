"""The assistant acts on a guess where that is cheaper than asking back, and names a message's topics."""

from __future__ import annotations

import pytest

from nlu.acceptance import (
    MAX_TOPICS,
    UNCHECKED,
    Thresholds,
    accepts,
    choose_thresholds,
    evidence,
    most_likely_topic_first,
    topics_of,
)
from nlu.topics import OUT_OF_SCOPE, IntentTable
from tests.nlu.pipeline import KNOWLEDGE

INTENTS = IntentTable.read(KNOWLEDGE / "intents.yml")
THRESHOLDS = Thresholds(confidence=0.4, deed=0.7, out_of_scope=0.2)


def test_every_intent_has_a_topic_and_a_kind() -> None:
    assert INTENTS.topic("ask_wage_arrears") == "labour.wage_arrears"
    assert INTENTS.kind("request_case") == "deed"
    assert INTENTS.topic("no_such_intent") is None


@pytest.mark.parametrize(
    ("ranking", "accepted"),
    [
        ([("ask_overtime", 0.5), ("ask_leave", 0.3)], True),
        ([("ask_overtime", 0.3), ("ask_leave", 0.3)], False),
        ([("request_case_withdraw", 0.6), ("ask_leave", 0.1)], False),
        ([("request_case_withdraw", 0.8), ("ask_leave", 0.1)], True),
        ([("ask_overtime", 0.6), (OUT_OF_SCOPE, 0.3)], False),
        ([(OUT_OF_SCOPE, 0.8), ("ask_overtime", 0.1)], True),
        ([("ask_tuition_aid", 0.3), ("request_tuition_aid", 0.25)], True),
        ([("crisis_self_harm", 0.2), ("complain", 0.15)], True),
        ([], False),
    ],
)
def test_a_guess_is_acted_on_when_it_is_sure_enough_for_what_it_does(
    ranking: list[tuple[str, float]], accepted: bool
) -> None:
    assert accepts(ranking, INTENTS, THRESHOLDS) is accepted


def test_a_question_is_as_sure_as_its_topic_and_a_deed_as_its_own_intent() -> None:
    assert evidence([("ask_privacy", 0.4), ("request_forget", 0.3)], INTENTS) == pytest.approx(0.7)
    assert evidence([("request_forget", 0.4), ("ask_privacy", 0.3)], INTENTS) == pytest.approx(0.4)


def test_two_intents_of_a_topic_together_beat_a_single_one() -> None:
    split = [("ask_hardship", 0.4), ("ask_tuition_aid", 0.35), ("request_tuition_aid", 0.2)]
    assert [name for name, _ in most_likely_topic_first(split, INTENTS)] == [
        "ask_tuition_aid",
        "ask_hardship",
        "request_tuition_aid",
    ]
    assert most_likely_topic_first(split[:2], INTENTS) == split[:2]
    assert most_likely_topic_first([], INTENTS) == []
    assert most_likely_topic_first([("no_such_intent", 0.9)], INTENTS) == [("no_such_intent", 0.9)]


def held_out(
    intent: str, label: str, probability: float, times: int
) -> list[tuple[list[tuple[str, float]], str]]:
    return [([(intent, probability), ("ask_leave", 0.01)], label)] * times


def test_thresholds_are_the_cheapest_on_held_out_sentences() -> None:
    rows = [
        *held_out("ask_overtime", "ask_overtime", 0.9, 90),
        *held_out("ask_overtime", "ask_contract", 0.3, 30),
        *held_out("ask_overtime", "ask_overtime", 0.3, 5),
        *held_out("request_case_withdraw", "request_case_withdraw", 0.6, 60),
        *held_out("request_case_withdraw", "request_case_urge", 0.5, 80),
        *held_out("request_case_withdraw", "request_case_withdraw", 0.5, 20),
    ]
    chosen = choose_thresholds([ranking for ranking, _ in rows], [label for _, label in rows], INTENTS)
    # Of the questions at 0.3 six in seven are wrong: asking back (1) is cheaper than being wrong (1.3).
    assert 0.3 < chosen.confidence <= 0.9
    # Of the deeds at 0.5 four in five are wrong: 0.8 times 1.5 costs more than asking back.
    assert 0.5 < chosen.deed <= 0.6
    assert chosen.cost == pytest.approx((35 + 100) / 285)
    assert chosen.accepted_right == pytest.approx(1.0)


def test_sentences_out_of_scope_count_as_a_fifth_however_many_were_trained_on() -> None:
    inside = held_out("ask_overtime", "ask_overtime", 0.8, 80)
    outside = held_out("ask_overtime", OUT_OF_SCOPE, 0.5, 20)
    few = choose_thresholds(*map(list, zip(*(inside + outside), strict=True)), INTENTS)
    many = choose_thresholds(*map(list, zip(*(inside + outside * 10), strict=True)), INTENTS)
    assert few.cost == pytest.approx(many.cost)
    assert few.confidence > 0.5


def test_without_held_out_folds_the_costs_alone_decide() -> None:
    assert UNCHECKED.confidence == pytest.approx(0.3 / 1.3)
    assert UNCHECKED.deed == pytest.approx(1 / 3)
    assert UNCHECKED.turn_away == pytest.approx(2 / 3)


def test_the_rejectors_word_counts_more_than_the_rankings() -> None:
    sure = [("ask_overtime", 0.9), (OUT_OF_SCOPE, 0.01)]
    assert accepts(sure, INTENTS, THRESHOLDS, outside=0.1)
    assert not accepts(sure, INTENTS, THRESHOLDS, outside=0.5)
    stranger = [(OUT_OF_SCOPE, 0.9), ("ask_overtime", 0.05)]
    assert accepts(stranger, INTENTS, THRESHOLDS, outside=0.9)
    assert not accepts(stranger, INTENTS, THRESHOLDS, outside=0.4)


def test_a_text_is_turned_away_only_where_asking_back_would_cost_more() -> None:
    rows = [*held_out(OUT_OF_SCOPE, OUT_OF_SCOPE, 0.9, 50), *held_out(OUT_OF_SCOPE, "ask_overtime", 0.6, 50)]
    rankings, labels = [ranking for ranking, _ in rows], [label for _, label in rows]
    chosen = choose_thresholds(rankings, labels, INTENTS, [0.9] * 50 + [0.6] * 50)
    assert 0.6 < chosen.turn_away <= 0.9


def test_the_topics_of_a_message_are_those_of_the_whole_and_of_its_sure_clauses() -> None:
    whole = [("ask_dismissal", 0.6), ("ask_social_insurance", 0.1), ("ask_overtime", 0.05), ("greet", 0.05)]
    clauses = [
        [("ask_social_insurance", 0.9)],
        [("greet", 0.99)],
        [("ask_overtime", 0.5)],
        [("ask_honours", 0.95)],
    ]
    found = topics_of(whole, clauses, INTENTS)
    assert [topic["topic"] for topic in found] == ["labour.dismissal", "labour.social_insurance"]
    assert found[1]["confidence"] == pytest.approx(0.9)


def test_a_message_has_at_most_four_topics_the_best_guess_first() -> None:
    names = ["ask_dismissal", "ask_overtime", "ask_leave", "ask_contract", "ask_retirement", "ask_dispatch"]
    whole = [(name, 0.3) for name in names]
    found = topics_of(whole, [], INTENTS)
    assert len(found) == MAX_TOPICS
    assert found[0]["topic"] == "labour.dismissal"


def test_nothing_likely_is_no_topic() -> None:
    assert topics_of([("ask_dismissal", 0.1), ("greet", 0.1)], [], INTENTS) == []
    assert topics_of([], [], INTENTS) == []


def test_crises_are_heard_together_even_where_none_is_likely_by_itself() -> None:
    whole = [("ask_dismissal", 0.6), ("crisis_self_harm", 0.12), ("crisis_extreme_protest", 0.1)]
    assert [one["topic"] for one in topics_of(whole, [], INTENTS)] == ["labour.dismissal", "crisis.self_harm"]
    assert [one["topic"] for one in topics_of([*whole[:2], ("greet", 0.1)], [], INTENTS)] == [
        "labour.dismissal"
    ]
