"""Features are sparse and of length one; the linear model is seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from nlu.features import read_vectoriser, write_vectoriser
from nlu.linear import LinearModel, fit
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


def test_learning_and_making_rows_in_one_go_is_what_both_do_apart() -> None:
    texts = ["拖欠工资三个月", "工资工资工资", "高温费发多少", "", "ξψω", "39度还干活", "拖欠的工资"]
    samples = [make_sample(text) if text else Sample("", ()) for text in texts] * 3
    vectoriser = NgramVectoriser(WEIGHTS, min_count=6)
    rows = vectoriser.fit_transform(samples)
    apart = vectoriser.transform(samples)
    rows.sort_indices()
    apart.sort_indices()
    assert np.array_equal(rows.indptr, apart.indptr)
    assert np.array_equal(rows.indices, apart.indices)
    assert rows.data == pytest.approx(apart.data, rel=1e-5)
    assert rows.dtype == np.float32
    # 拖欠 is in 6 samples, 高温 in 3.
    assert "拖欠" in vectoriser.vocabulary["char"]
    assert "高温" not in vectoriser.vocabulary["char"]


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


def test_two_classes_are_enough() -> None:
    rows, labels = make_rows()
    model = fit(rows[:80], labels[:80])
    best = [model.classes[i] for i in model.scores(rows[:80]).argmax(axis=1)]
    assert np.mean([guess == label for guess, label in zip(best, labels[:80], strict=True)]) > 0.8


def test_a_stored_model_scores_the_same(tmp_path: Path) -> None:
    rows, labels = make_rows()
    model = fit(rows, labels)
    model.write(tmp_path)
    again = LinearModel.read(tmp_path)
    assert again.classes == ["丙", "乙", "甲"]
    # The weights are stored in half precision: three decimal digits, which is less than a seed changes.
    assert np.allclose(again.scores(rows), model.scores(rows), atol=3e-3)
