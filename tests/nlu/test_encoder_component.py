"""The sentence encoder as a component of Rasa's graph: trained, loaded, served, the same every time."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.encoders.component import CLAUSE_VECTORS, LocalEncoderFeaturizer
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import read_folder
from nlu.normaliser import TextNormaliser
from nlu.tokeniser import UnionJiebaTokenizer
from nlu.understanding import Interpreter, ModelUnreadable
from tests.nlu.encoder_folders import (
    DIMENSION,
    TEXTS,
    tiny_tensors,
    write_hugging_face,
    write_onnx,
)
from tests.nlu.pipeline import ROOT, SENTENCES, SmallPipeline, context, settings

FloatArray = NDArray[np.float32]


def prepared(texts: list[str], small: SmallPipeline, *, serving: bool) -> list[Message]:
    """Messages as the components before ours leave them."""
    messages = TextNormaliser().process([Message({TEXT: text, "intent": "x"}) for text in texts])
    tokeniser = small.load(UnionJiebaTokenizer)
    if serving:
        found: list[Message] = tokeniser.process(messages)
        return found
    tokeniser.process_training_data(TrainingData(messages))
    return messages


def sentence_rows(messages: list[Message]) -> FloatArray:
    rows = [message.get_dense_features(TEXT)[1] for message in messages]
    assert all(row is not None for row in rows)
    return np.vstack([row.features for row in rows if row is not None])


def test_it_trains_loads_and_gives_the_same_features_when_serving(
    tmp_path: Path, small: SmallPipeline
) -> None:
    config = settings(LocalEncoderFeaturizer, folder=str(write_hugging_face(tmp_path / "tiny")), batch_size=2)
    storage, resource = LocalModelStorage(tmp_path), Resource("train_encoder")
    component = LocalEncoderFeaturizer.create(config, storage, resource, context(LocalEncoderFeaturizer))
    training = prepared(TEXTS, small, serving=False)
    assert component.train(TrainingData(training)) == resource
    component.process_training_data(TrainingData(training))
    loaded = [
        LocalEncoderFeaturizer.load(config, storage, resource, context(LocalEncoderFeaturizer))
        for _ in range(2)
    ]
    served = [sentence_rows(each.process(prepared(TEXTS, small, serving=True))) for each in loaded]
    np.testing.assert_array_equal(served[0], served[1])
    np.testing.assert_allclose(sentence_rows(training), served[0], atol=2e-6)
    assert served[0].shape == (len(TEXTS), DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(served[0], axis=1), 1, atol=1e-5)


def test_clauses_get_rows_of_their_own_and_payloads_none(tmp_path: Path, small: SmallPipeline) -> None:
    config = settings(LocalEncoderFeaturizer, folder=str(write_hugging_face(tmp_path / "tiny")))
    component = LocalEncoderFeaturizer.create(
        config, LocalModelStorage(tmp_path), Resource("encoder"), context(LocalEncoderFeaturizer)
    )
    two = "老板拖欠三个月工资。高温费怎么申请。"
    messages = prepared([two, "法律援助", "/show_menu"], small, serving=True)
    component.process([*messages, Message({"intent": "x"})])
    clauses = messages[0].get(CLAUSE_VECTORS)
    alone = sentence_rows(
        component.process(prepared(["老板拖欠三个月工资。", "高温费怎么申请。"], small, serving=True))
    )
    np.testing.assert_allclose(clauses, alone, atol=2e-6)
    assert messages[1].get(CLAUSE_VECTORS) is None
    assert messages[2].get_dense_features(TEXT)[1] is None


def test_words_of_another_tokeniser_do_as_well(tmp_path: Path, small: SmallPipeline) -> None:
    config = settings(LocalEncoderFeaturizer, folder=str(write_hugging_face(tmp_path / "tiny")))
    component = LocalEncoderFeaturizer.create(
        config, LocalModelStorage(tmp_path), Resource("encoder"), context(LocalEncoderFeaturizer)
    )
    bare = component.process([Message({TEXT: "HR拖欠工资"})])
    ours = component.process(prepared(["HR拖欠工资"], small, serving=True))
    np.testing.assert_array_equal(sentence_rows(bare), sentence_rows(ours))


def test_a_model_refuses_another_encoder_than_it_was_trained_with(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "tiny")
    config = settings(LocalEncoderFeaturizer, folder=str(folder))
    storage, resource = LocalModelStorage(tmp_path), Resource("train_encoder")
    component = LocalEncoderFeaturizer.create(config, storage, resource, context(LocalEncoderFeaturizer))
    component.train(TrainingData([]))
    before = LocalEncoderFeaturizer.fingerprint_addon(config)
    write_hugging_face(folder, tiny_tensors(seed=21))
    with pytest.raises(EncoderUnreadable, match="train again"):
        LocalEncoderFeaturizer.load(config, storage, resource, context(LocalEncoderFeaturizer))
    assert LocalEncoderFeaturizer.fingerprint_addon(config) != before
    write_hugging_face(folder)
    LocalEncoderFeaturizer.load(config, storage, resource, context(LocalEncoderFeaturizer))
    assert LocalEncoderFeaturizer.fingerprint_addon(config) == before


def test_weights_beside_an_onnx_graph_count_as_its_own(tmp_path: Path) -> None:
    write_onnx(tmp_path)
    before = read_folder(tmp_path).digest
    (tmp_path / "model.onnx_data").write_bytes(b"1")
    assert read_folder(tmp_path).digest != before


def test_a_relative_folder_counts_from_the_assistants_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hugging_face(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("NIANGJIA_HOME", str(tmp_path))
    config = settings(LocalEncoderFeaturizer, folder="encoders/tiny")
    LocalEncoderFeaturizer.identity(config)
    with pytest.raises(EncoderUnreadable, match=str(tmp_path / "encoders" / "bge-small-zh-v1.5")):
        LocalEncoderFeaturizer.identity(settings(LocalEncoderFeaturizer))


def test_reading_an_encoder_loads_neither_tensorflow_nor_torch(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    code = (
        "import sys\n"
        "from nlu.encoders.component import LocalEncoderFeaturizer as F\n"
        f"F.open({{**F.get_default_config(), 'folder': {str(folder)!r}}})\n"
        "print([name for name in ('tensorflow', 'torch', 'onnxruntime') if name in sys.modules])"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_rasa_trains_the_shipped_configuration_with_a_folder_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    write_hugging_face(home / "encoders" / "bge-small-zh-v1.5")
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in SENTENCES.items()
    ]
    content = yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True)
    (tmp_path / "nlu.yml").write_text(content, "utf-8")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "rasa",
        "train",
        "nlu",
        "--config",
        "configs/encoder.yml",
    ]
    command += [
        "--nlu",
        str(tmp_path / "nlu.yml"),
        "--domain",
        "domain.yml",
        "--out",
        str(tmp_path / "models"),
    ]
    environment = {"PATH": "/usr/bin:/bin", "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["NIANGJIA_HOME"] = str(home)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    model = next((tmp_path / "models").glob("*.tar.gz"))
    monkeypatch.setenv("NIANGJIA_HOME", str(home))
    assert Interpreter.load(model).parse("老板拖欠工资", date(2026, 11, 22))["topic"] == "labour.wage_arrears"
    (home / "encoders").rename(tmp_path / "gone")
    with pytest.raises(ModelUnreadable, match=r"encoders/bge-small-zh-v1\.5: there is no such folder"):
        Interpreter.load(model)


@pytest.mark.parametrize("name", ["encoder", "spacy"])
def test_the_shipped_configurations_put_their_featuriser_before_the_classifier(name: str) -> None:
    own = {"encoder": "LocalEncoderFeaturizer", "spacy": "SpacyVectorFeaturizer"}[name]
    config = yaml.safe_load((ROOT / "configs" / f"{name}.yml").read_text("utf-8"))
    shipped = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    names = [entry["name"] for entry in config["pipeline"]]
    assert names.index(f"nlu.pipeline.{own}") == names.index("nlu.pipeline.LinearIntentClassifier") - 1
    names.remove(f"nlu.pipeline.{own}")
    assert names == [entry["name"] for entry in shipped["pipeline"]]
    classifier = next(
        entry for entry in config["pipeline"] if entry["name"].endswith("LinearIntentClassifier")
    )
    assert classifier["dense_weight"] > 0
