"""The intent model is seeded, calibrated on what it has not seen, and stored without pickles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from nlu.intent_model import IntentModel, Settings, assign_folds, train
from nlu.network import fit_network, keys_of
from tests.nlu.test_linear import make_rows

PLAIN = Settings(min_count=1, network_weight=0.0)
WITH_NETWORK = Settings(min_count=1)


def make_lengths(count: int) -> list[int]:
    return [5 + number % 90 for number in range(count)]


@pytest.mark.parametrize("settings", [PLAIN, WITH_NETWORK], ids=["linear", "with network"])
def test_a_stored_model_judges_the_same_and_holds_no_pickle(tmp_path: Path, settings: Settings) -> None:
    rows, labels = make_rows()
    model, _ = train(rows, labels, make_lengths(len(labels)), settings)
    model.write(tmp_path)
    again = IntentModel.read(tmp_path)
    assert again.classes == ["丙", "乙", "甲"]
    assert np.allclose(again.scores(rows), model.scores(rows), atol=5e-3)
    scores = model.scores(rows)
    assert np.array_equal(
        again.calibration.probabilities(scores, make_lengths(len(labels))),
        model.calibration.probabilities(scores, make_lengths(len(labels))),
    )
    assert (again.network is None) is (settings is PLAIN)
    assert all(file.suffix in {".json", ".npy"} for file in tmp_path.iterdir())


def test_every_sentence_is_held_out_once_and_every_class_is_spread_over_the_folds() -> None:
    _, labels = make_rows(per_class=10)
    folds = assign_folds(labels, 5, seed=20, keys=keys_of([str(place) for place in range(len(labels))]))
    for name in set(labels):
        counted = [int(fold) for fold, label in zip(folds, labels, strict=True) if label == name]
        assert sorted(counted) == sorted([0, 1, 2, 3, 4] * 2)


@pytest.mark.parametrize("settings", [PLAIN, WITH_NETWORK], ids=["linear", "with network"])
def test_held_out_scores_come_from_models_that_have_not_seen_the_sentence(settings: Settings) -> None:
    random = np.random.default_rng(3)
    labels = [str(label) for label in random.integers(0, 2, 60)]
    # One column per sentence: only a model that has seen the sentence could tell its label.
    rows = csr_matrix(np.eye(60, dtype=np.float32))
    model, scores = train(rows, labels, [20] * 60, settings)
    right = np.asarray([model.classes.index(label) for label in labels])
    assert (model.scores(rows).argmax(axis=1) == right).all()
    assert 0.2 < (scores.argmax(axis=1) == right).mean() < 0.8


def test_folds_trained_side_by_side_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = make_rows(per_class=30)
    lengths = make_lengths(len(labels))
    alone = train(rows.copy(), labels, lengths, WITH_NETWORK)
    monkeypatch.setattr("nlu.intent_model._WORTH_PROCESSES", 1)
    together = train(rows.copy(), labels, lengths, WITH_NETWORK)
    assert np.array_equal(alone[1], together[1])
    assert np.array_equal(alone[0].scores(rows), together[0].scores(rows))


def test_a_class_of_one_sentence_is_survived() -> None:
    rows, labels = make_rows(per_class=10)
    model, scores = train(rows, [*labels[:-1], "丁"], make_lengths(30), WITH_NETWORK)
    assert "丁" in model.classes
    assert np.isfinite(scores).all()


def test_the_network_learns_what_no_single_column_tells() -> None:
    """Exclusive or: columns 0 and 1 tell the class only together, so a linear model cannot learn it."""
    random = np.random.default_rng(8)
    bits = random.integers(0, 2, (800, 2))
    # Each bit is a pair of columns, so that every row has length 1 as the featuriser makes it.
    rows = csr_matrix(np.column_stack([bits == 0, bits == 1]).astype(np.float32) / np.float32(np.sqrt(2)))
    right = (bits[:, 0] ^ bits[:, 1]).astype(np.int64)
    network = fit_network(rows, right, 2, keys_of([str(place) for place in range(len(right))]))
    assert (network.scores(rows).argmax(axis=1) == right).mean() > 0.95
    labels = [str(one) for one in right]
    linear, _ = train(rows, labels, [20] * len(labels), replace(PLAIN, kind="logistic"))
    assert (linear.scores(rows).argmax(axis=1) == right).mean() < 0.8


def test_training_a_network_twice_gives_the_same_network() -> None:
    rows, labels = make_rows()
    right = np.asarray([sorted(set(labels)).index(label) for label in labels])
    keys = keys_of([str(place) for place in range(len(labels))])
    one, two = (fit_network(rows, right, 3, keys, seed=5) for _ in range(2))
    assert np.array_equal(one.first, two.first)
    assert np.array_equal(one.second, two.second)


def test_the_order_of_the_sentences_does_not_change_the_network() -> None:
    rows, labels = make_rows()
    right = np.asarray([sorted(set(labels)).index(label) for label in labels])
    keys = keys_of([str(place) for place in range(len(labels))])
    turned = np.arange(len(labels))[::-1]
    one = fit_network(rows, right, 3, keys)
    two = fit_network(rows[turned], right[turned], 3, keys[turned])
    assert np.allclose(one.first, two.first, atol=1e-5)


def test_one_sentence_more_leaves_every_other_one_in_its_fold() -> None:
    labels = [name for name in "甲乙" for _ in range(300)]
    texts = [f"{label}{place}" for place, label in enumerate(labels)]
    before = assign_folds(labels, 3, 20, keys_of(texts))
    after = assign_folds(
        [*labels[:100], "甲", *labels[100:]], 3, 20, keys_of([*texts[:100], "新", *texts[100:]])
    )
    assert np.array_equal(np.delete(after, 100), before)
    assert min(np.bincount(before)) > 150


def test_a_key_is_the_same_on_every_machine() -> None:
    assert keys_of(["拖欠工资", ""]).tolist() == [4316691892449214326, 13020603013274838756]
