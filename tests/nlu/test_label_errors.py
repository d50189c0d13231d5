"""Wrong labels: sentences that were moved to another intent are found, whoever moved them."""

from __future__ import annotations

import numpy as np
import pytest

from nlu import label_errors
from tests.nlu.planted_labels import DICTIONARY, Sentences, found, plant, read, unconfirmed

SOME = (
    "ask_leave",
    "ask_legal_aid",
    "ask_heat_stop_work",
    "ask_jobs",
    "crisis_fraud",
    "greet",
    "request_case",
)
"""A few intents, so that looking takes seconds; tests/nlu/planted_labels.py looks at all."""


@pytest.fixture(scope="module")
def some() -> Sentences:
    return read(SOME)


def test_most_planted_labels_are_among_the_first_suggestions(some: Sentences) -> None:
    labels, moved = plant(some.labels, 15, seed=1)
    first = [row for row, _, _ in label_errors.suspects(some.rows, labels, some.texts)]
    assert found(first, moved, 30) >= 12


def test_a_suggestion_names_where_the_sentence_came_from(some: Sentences) -> None:
    labels, moved = plant(some.labels, 15, seed=2)
    suggested = {row: intent for row, intent, _ in label_errors.suspects(some.rows, labels, some.texts)}
    right = sum(suggested.get(row) == some.labels[row] for row in moved)
    assert right >= 11
    assert all(intent != labels[row] for row, intent in suggested.items())


def test_the_same_sentences_give_the_same_suggestions(some: Sentences) -> None:
    once = label_errors.suspects(some.rows, some.labels, some.texts)
    assert once == label_errors.suspects(some.rows, some.labels, some.texts)
    scores = [score for _, _, score in once]
    assert scores == sorted(scores, reverse=True)


def test_a_clean_contradiction_is_more_suspicious_than_a_hard_sentence() -> None:
    given = np.asarray([0, 1] * 200)
    view = np.full((400, 3), 0.02)
    view[np.arange(400), given] = 0.96
    view[0] = (0.01, 0.01, 0.98)  # everything says it is the third
    view[1] = (0.34, 0.33, 0.33)  # nobody can say
    score = label_errors.suspicion([view, view], given)
    assert int(score.argmax()) == 0
    assert score[1] > np.median(score)


def test_there_is_nothing_to_learn_from_a_handful_of_sentences_or_a_single_intent() -> None:
    assert label_errors.scan(["工资没发", "想请假"], ["a", "b"], DICTIONARY) == []
    few = read(("greet",))
    assert label_errors.suspects(few.rows, few.labels, few.texts) == []


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_four_fifths_of_fifty_planted_labels_are_in_the_first_hundred_suggestions() -> None:
    real = read()
    labels, moved = plant(real.labels, 50, seed=501)
    rows = [row for row, _, _ in label_errors.suspects(real.rows, labels, real.texts)]
    assert found(unconfirmed(rows, labels, real.texts), moved) >= 40
