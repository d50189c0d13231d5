"""Features are sparse and of length one; the model is seeded, calibrated, and stored without pickles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from nlu.calibration import Calibration
from nlu.features import read_vectoriser, write_vectoriser
from nlu.linear import LinearModel, assign_folds, fit, fit_with_folds
from nlu.ngrams import NgramVectoriser, Sample, grams_of, shape

WEIGHTS = {"char": 1.0, "word": 1.0, "pinyin": 0.7, "tail": 0.6}


def make_sample(text: str, *words: str, concepts: tuple[str, ...] = ()) -> Sample:
    return Sample(text, words or tuple(text), concepts)


def make_rows(seed: int = 1, per_class: int = 40) -> tuple[csr_matrix, list[str]]:
    """Three classes of noisy rows, each with a few columns of its own."""
    random = np.random.default_rng(seed)
    rows, labels = [], []
    for number, name in enumerate(("甲", "乙", "丙")):
        for _ in range(per_class):
            row = random.random(30) * (random.random(30) < 0.3)
            row[number * 5 : number * 5 + 5] += random.random(5) * (random.random(5) < 0.5)
            rows.append(row / max(float(np.linalg.norm(row)), 1e-9))
            labels.append(name)
    return csr_matrix(np.asarray(rows, dtype=np.float32)), labels


def test_rows_have_length_one_and_unknown_text_has_an_empty_row() -> None:
    vectoriser = NgramVectoriser(WEIGHTS, min_count=1).fit(
        [make_sample("拖欠工资"), make_sample("高温费多少")]
    )
    rows = vectoriser.transform([make_sample("拖欠工资"), make_sample("工资"), make_sample("ξψω")])
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    assert lengths[:2] == pytest.approx([1, 1], abs=1e-5)
    # Only its shape (a short text) is known.
    assert rows[2].nnz <= 1
    assert rows.dtype == np.float32


def test_an_ngram_needs_as_many_sentences_as_asked_for() -> None:
    samples = [make_sample("拖欠工资"), make_sample("拖欠薪水")]
    assert "拖欠" in NgramVectoriser(WEIGHTS, min_count=2).fit(samples).vocabulary["char"]
    assert "工资" not in NgramVectoriser(WEIGHTS, min_count=2).fit(samples).vocabulary["char"]


def test_what_sounds_alike_shares_features_and_digits_are_all_alike() -> None:
    right, misheard = grams_of(make_sample("经济补偿")), grams_of(make_sample("经济不长"))
    assert len(set(right["pinyin"]) & set(misheard["pinyin"])) >= 3
    assert grams_of(make_sample("39度"))["char"] == grams_of(make_sample("41度"))["char"]


def test_the_shape_of_a_text_says_whether_it_asks_and_what_it_holds() -> None:
    assert {"?asks", "?digits", "?phone"} <= set(shape("我电话13800001234能转人工吗"))
    assert "?asks" not in shape("我叫王某")


def test_a_stored_vectoriser_gives_the_same_rows(tmp_path: Path) -> None:
    vectoriser = NgramVectoriser(WEIGHTS, min_count=1).fit(
        [make_sample("拖欠工资"), make_sample("高温费多少")]
    )
    write_vectoriser(vectoriser, tmp_path)
    sample = [make_sample("高温工资多少", concepts=("heat", "~wage"))]
    difference = vectoriser.transform(sample) - read_vectoriser(tmp_path).transform(sample)
    assert abs(difference).max() == 0


@pytest.mark.parametrize("kind", ["svm", "logistic"])
def test_training_twice_gives_the_same_weights(kind: str) -> None:
    rows, labels = make_rows()
    one, two = fit(rows, labels, kind), fit(rows, labels, kind)  # type: ignore[arg-type]  # both are Kinds
    assert np.array_equal(one.weights, two.weights)


def test_two_classes_are_enough_and_probabilities_add_up() -> None:
    rows, labels = make_rows()
    model = fit(rows[:80], labels[:80])
    probabilities = model.calibration.probabilities(model.scores(rows[:80]), [20] * 80)
    assert probabilities.shape == (80, 2)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(80), abs=1e-5)
    best = [model.classes[i] for i in probabilities.argmax(axis=1)]
    assert np.mean([guess == label for guess, label in zip(best, labels[:80], strict=True)]) > 0.8


def test_a_stored_model_scores_the_same_and_holds_no_pickle(tmp_path: Path) -> None:
    rows, labels = make_rows()
    model = fit(rows, labels)
    bias = np.asarray([0.5, -0.25, 0.0], dtype=np.float32)
    model.calibration = Calibration(2.5, 0.25, bias, -bias)
    model.write(tmp_path)
    again = LinearModel.read(tmp_path)
    # The weights are stored in half precision: three decimal digits, which is less than a seed changes.
    assert np.allclose(again.scores(rows), model.scores(rows), atol=3e-3)
    scores, lengths = model.scores(rows), list(range(rows.shape[0]))
    assert np.array_equal(
        again.calibration.probabilities(scores, lengths), model.calibration.probabilities(scores, lengths)
    )
    assert json.loads((tmp_path / "linear.json").read_text("utf-8"))["classes"] == ["丙", "乙", "甲"]
    assert all(file.suffix in {".json", ".npy"} for file in tmp_path.iterdir())


def test_every_sentence_is_held_out_once_and_every_class_is_spread_over_the_folds() -> None:
    _, labels = make_rows(per_class=10)
    folds = assign_folds(labels, 5, seed=20)
    for name in set(labels):
        counted = [int(fold) for fold, label in zip(folds, labels, strict=True) if label == name]
        assert sorted(counted) == sorted([0, 1, 2, 3, 4] * 2)


def test_held_out_scores_come_from_models_that_have_not_seen_the_sentence() -> None:
    random = np.random.default_rng(3)
    labels = [str(label) for label in random.integers(0, 2, 60)]
    # One column per sentence: only a model that has seen the sentence could tell its label.
    rows = csr_matrix(np.eye(60, dtype=np.float32))
    model, scores = fit_with_folds(rows, labels, min_count=1)
    right = np.asarray([model.classes.index(label) for label in labels])
    assert (model.scores(rows).argmax(axis=1) == right).all()
    assert 0.2 < (scores.argmax(axis=1) == right).mean() < 0.8


def test_folds_trained_side_by_side_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = make_rows(per_class=30)
    alone = fit_with_folds(rows.copy(), labels)
    monkeypatch.setattr("nlu.linear._WORTH_PROCESSES", 1)
    together = fit_with_folds(rows.copy(), labels)
    assert np.array_equal(alone[0].weights, together[0].weights)
    assert np.array_equal(alone[1], together[1])


def test_a_class_of_one_sentence_is_survived() -> None:
    rows, labels = make_rows(per_class=10)
    model, scores = fit_with_folds(rows, [*labels[:-1], "丁"])
    assert "丁" in model.classes
    assert np.isfinite(scores).all()
