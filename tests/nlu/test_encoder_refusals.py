"""What is said when an encoder's folder lacks something or holds what is not read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from safetensors.numpy import save_file

from nlu.encoders.component import LocalEncoderFeaturizer
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import read_folder
from tests.nlu.encoder_folders import (
    DIMENSION,
    PIECES,
    encoder,
    write_graph,
    write_hugging_face,
    write_onnx,
    write_sentence_transformers,
    write_tokenizer,
)
from tests.nlu.pipeline import settings


def test_a_missing_folder_is_named_with_what_to_download_and_where_to_put_it(tmp_path: Path) -> None:
    folder = tmp_path / "bge-small-zh-v1.5"
    with pytest.raises(EncoderUnreadable) as raised:
        read_folder(folder)
    said = str(raised.value)
    assert said.count(str(folder)) == 2
    assert "BAAI/bge-small-zh-v1.5" in said
    assert "onnx/model.onnx" in said
    assert "docs/encoders.md" in said


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    (write_hugging_face(tmp_path) / name).unlink()
    with pytest.raises(EncoderUnreadable, match=name):
        read_folder(tmp_path)


def test_a_file_named_in_the_configuration_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnreadable, match=r"onnx/model_quantized\.onnx"):
        read_folder(write_hugging_face(tmp_path), "onnx/model_quantized.onnx")
    with pytest.raises(EncoderUnreadable, match="neither"):
        read_folder(tmp_path, "config.json")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "tf_model.h5", "model-00001-of-00002.safetensors"])
def test_weights_that_would_need_pytorch_are_refused_with_the_way_out(name: str, tmp_path: Path) -> None:
    (write_hugging_face(tmp_path) / "model.safetensors").rename(tmp_path / name)
    with pytest.raises(EncoderUnreadable) as raised:
        read_folder(tmp_path)
    said = str(raised.value)
    assert name in said
    assert str(tmp_path) in said
    assert "PyTorch" in said
    assert "safe_serialization=True" in said
    assert "optimum-cli export onnx" in said


def test_what_the_numpy_model_cannot_run_is_sent_to_onnx(tmp_path: Path) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"model_type": "deberta-v2"},
        {"hidden_act": "swish"},
        {"position_embedding_type": "relative_key"},
    )
    for number, change in enumerate(changes):
        with pytest.raises(EncoderUnreadable, match="to ONNX"):
            encoder(write_hugging_face(tmp_path / str(number), **change))


def test_weights_that_do_not_fit_their_configuration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnreadable, match=r"encoder\.layer\.2"):
        encoder(write_hugging_face(tmp_path / "layers", num_hidden_layers=3))
    folder = write_hugging_face(tmp_path / "other")
    save_file({"weight": np.zeros(3, np.float32)}, folder / "model.safetensors")
    with pytest.raises(EncoderUnreadable, match="no BERT model"):
        encoder(folder)
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EncoderUnreadable, match="not readable"):
        encoder(folder)
    (folder / "config.json").unlink()
    with pytest.raises(EncoderUnreadable, match=r"config\.json"):
        encoder(folder)


def test_bfloat16_weights_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    header = json.dumps({"weight": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    content = len(header).to_bytes(8, "little") + header + b"\x00\x00"
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(EncoderUnreadable, match="float32 and float16"):
        encoder(folder)


def test_modules_and_poolings_that_are_not_known_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnreadable, match="Dense"):
        read_folder(write_sentence_transformers(tmp_path / "dense", {"pooling_mode": "mean"}, "Dense"))
    with pytest.raises(EncoderUnreadable, match="lasttoken"):
        read_folder(write_sentence_transformers(tmp_path / "last", {"pooling_mode_lasttoken": True}))
    both = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}
    with pytest.raises(EncoderUnreadable, match="cls"):
        read_folder(write_sentence_transformers(tmp_path / "both", both))


def test_a_graph_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    table = {"table": np.zeros((len(PIECES), DIMENSION), np.float32)}
    gather = helper.make_node("Gather", ["table", "pixels"], ["last_hidden_state"])
    write_graph(tmp_path / "model.onnx", [gather], table, {"last_hidden_state": 3}, inputs=("pixels",))
    with pytest.raises(EncoderUnreadable, match="pixels"):
        encoder(tmp_path)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["hidden"]),
        helper.make_node("ReduceMax", ["hidden"], ["logits"], axes=[1], keepdims=0),
    ]
    write_graph(tmp_path / "model.onnx", nodes, table, {"logits": 2})
    with pytest.raises(EncoderUnreadable, match="logits"):
        encoder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EncoderUnreadable, match="cannot open"):
        encoder(tmp_path)


@pytest.mark.parametrize(
    ("package", "file", "advice"),
    [
        ("onnxruntime", "model.onnx", "file: model.safetensors"),
        ("tokenizers", "model.safetensors", "uv sync"),
    ],
)
def test_a_package_that_is_not_installed_is_named(
    package: str, file: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hugging_face(tmp_path)
    write_onnx(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EncoderUnreadable, match=f"{package}.*{advice}"):
        encoder(tmp_path, file)


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"pooling": "sum"}, {"max_length": 2}, {"batch_size": 0}):
        with pytest.raises(EncoderUnreadable):
            LocalEncoderFeaturizer.validate_config(settings(LocalEncoderFeaturizer, **wrong))
