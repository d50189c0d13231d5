"""spaCy's word vectors for our own words: from a package or a folder, without spaCy's segmenter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
from numpy.typing import NDArray
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.spacy_vectors import SpacyVectorFeaturizer, WordVectors
from nlu.ngrams import Sample
from nlu.tokeniser import UnionJiebaTokenizer
from tests.nlu.pipeline import SmallPipeline, context, settings

WORDS = ("拖欠", "工资", "高温", "金秋", "助学", "费")
DIMENSION = 12


def write_model(
    folder: Path, words: tuple[str, ...] = WORDS, seed: int = 3
) -> dict[str, NDArray[np.float32]]:
    """A blank Chinese spaCy model with a random vector for each word, saved to ``folder``."""
    model = spacy.blank("zh")
    source = np.random.default_rng(seed)
    vectors = {word: source.standard_normal(DIMENSION).astype(np.float32) for word in words}
    for word, vector in vectors.items():
        model.vocab.set_vector(word, vector)
    folder.parent.mkdir(exist_ok=True)
    model.to_disk(folder)
    return vectors


def unit(*vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.mean(vectors, axis=0)
    length: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return length


def test_the_vectors_of_our_own_words_are_averaged(tmp_path: Path) -> None:
    known = write_model(tmp_path)
    vectors = WordVectors(tmp_path / "vocab", normalize=True)
    rows = vectors.vectors([Sample("拖欠工资", ("拖欠", "工资")), Sample("高温啊", ("高温", "啊"))])
    np.testing.assert_allclose(rows, [unit(known["拖欠"], known["工资"]), unit(known["高温"])], atol=1e-6)
    assert rows.dtype == np.float32
    plain = WordVectors(tmp_path / "vocab", normalize=False).vectors([Sample("工资", ("工资",))])
    np.testing.assert_allclose(plain[0], known["工资"], atol=1e-6)


def test_a_word_without_a_vector_is_taken_apart_and_unknown_texts_are_zeros(tmp_path: Path) -> None:
    known = write_model(tmp_path)
    vectors = WordVectors(tmp_path / "vocab", normalize=True)
    rows = vectors.vectors([Sample("", ("金秋助学",)), Sample("", ("防暑高温费",)), Sample("哦", ("哦",))])
    np.testing.assert_allclose(rows[0], unit(known["金秋"], known["助学"]), atol=1e-6)
    np.testing.assert_allclose(rows[1], unit(known["高温"], known["费"]), atol=1e-6)
    assert not rows[2].any()


def test_it_trains_loads_and_gives_the_same_features_when_serving(
    tmp_path: Path, small: SmallPipeline
) -> None:
    known = write_model(tmp_path / "zh")
    config = settings(SpacyVectorFeaturizer, model=str(tmp_path / "zh"))
    storage, resource = LocalModelStorage(tmp_path), Resource("train_spacy")
    component = SpacyVectorFeaturizer.create(config, storage, resource, context(SpacyVectorFeaturizer))
    component.train(TrainingData([]))
    loaded = SpacyVectorFeaturizer.load(config, storage, resource, context(SpacyVectorFeaturizer))
    for each in (component, loaded):
        messages = small.load(UnionJiebaTokenizer).process([Message({TEXT: "拖欠工资"})])
        row = each.process(messages)[0].get_dense_features(TEXT)[1]
        assert row is not None
        np.testing.assert_allclose(row.features, [unit(known["拖欠"], known["工资"])], atol=1e-6)
    write_model(tmp_path / "zh", seed=4)
    with pytest.raises(EncoderUnreadable, match="train again"):
        SpacyVectorFeaturizer.load(config, storage, resource, context(SpacyVectorFeaturizer))


def test_an_installed_package_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "zh_tiny_md"
    write_model(package / "zh_tiny_md-1.0.0")
    (package / "__init__.py").write_text("raise AssertionError('only its folder is needed')\n", "utf-8")
    (package / "meta.json").write_text('{"lang": "zh", "name": "tiny_md", "version": "1.0.0"}', "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = settings(SpacyVectorFeaturizer, model="zh_tiny_md")
    assert SpacyVectorFeaturizer.open(config).dimension == DIMENSION
    assert "zh_tiny_md" not in sys.modules


def test_a_missing_model_is_named_with_the_command_that_brings_it() -> None:
    with pytest.raises(EncoderUnreadable, match=r"zh_core_web_md.*python -m spacy download zh_core_web_md"):
        SpacyVectorFeaturizer.open(settings(SpacyVectorFeaturizer))
    with pytest.raises(EncoderUnreadable, match="no/such/folder"):
        SpacyVectorFeaturizer.open(settings(SpacyVectorFeaturizer, model="no/such/folder"))
    assert "missing" in (SpacyVectorFeaturizer.fingerprint_addon(settings(SpacyVectorFeaturizer)) or "")


def test_models_without_word_vectors_are_refused(tmp_path: Path) -> None:
    spacy.blank("zh").to_disk(tmp_path / "blank")
    with pytest.raises(EncoderUnreadable, match="zh_core_web_md"):
        SpacyVectorFeaturizer.open(settings(SpacyVectorFeaturizer, model=str(tmp_path / "blank")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderUnreadable, match="no spaCy model"):
        SpacyVectorFeaturizer.open(settings(SpacyVectorFeaturizer, model=str(tmp_path / "empty")))
