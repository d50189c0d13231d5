"""Sentence encoders from local folders: every layout, pooled as the folder says, the same after loading."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from nlu.encoders.bert import BertModel
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import read_folder
from tests.nlu.encoder_folders import (
    DIMENSION,
    PIECES,
    POSITIONS,
    TEXTS,
    encoder,
    tiny_tensors,
    write_graph,
    write_hugging_face,
    write_onnx,
    write_sentence_transformers,
    write_tokenizer,
)

FloatArray = NDArray[np.float32]
CLS, SEP = PIECES.index("[CLS]"), PIECES.index("[SEP]")

# What transformers 4.46.3 (TFBertModel, TFXLMRobertaModel; TensorFlow 2.12) made of the folders that
# `write_hugging_face` writes: four numbers of the first row's first piece and of the second row's last.
REFERENCE_IDS = np.array([[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]])
REFERENCE_MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
REFERENCE_TYPES = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
REFERENCES: dict[str, tuple[dict[str, Any], list[float], list[float]]] = {
    "bert": ({}, [1.51463, 0.48338, 0.67278, 2.14723], [1.07898, 0.39424, 0.86982, 1.14721]),
    "xlm-roberta": (
        {"pad_token_id": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new"},
        [1.27295, 0.22346, 0.44365, 2.53257],
        [1.59376, 0.24174, 1.35401, 1.38192],
    ),
}


def states_of(folder: Path, text: str) -> FloatArray:
    """Hidden states of one text, piece by piece, without batch or padding."""
    found = read_folder(folder)
    ids = np.array([[CLS, *(PIECES.index(char) for char in text), SEP]])
    states = BertModel.read(found.weights, found.config)(ids, np.ones_like(ids), np.zeros_like(ids))
    first: FloatArray = states[0]
    return first


def unit(vector: FloatArray) -> FloatArray:
    length: FloatArray = vector / np.linalg.norm(vector)
    return length


@pytest.mark.parametrize("kind", REFERENCES)
@pytest.mark.parametrize("prefix", ["", "bert."])
def test_hidden_states_are_those_of_transformers(kind: str, prefix: str, tmp_path: Path) -> None:
    config, first, last = REFERENCES[kind]
    found = read_folder(write_hugging_face(tmp_path, prefix=prefix, model_type=kind, **config))
    ids = np.where(REFERENCE_MASK == 1, REFERENCE_IDS, config.get("pad_token_id", 0))
    states = BertModel.read(found.weights, found.config)(ids, REFERENCE_MASK, REFERENCE_TYPES)
    np.testing.assert_allclose(states[0, 0, :4], first, atol=2e-5)
    np.testing.assert_allclose(states[1, 2, :4], last, atol=2e-5)


def test_old_names_of_layer_norms_and_half_precision_are_read(tmp_path: Path) -> None:
    new = tiny_tensors()
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in new.items()
    }
    expected = encoder(write_hugging_face(tmp_path / "new", new)).encode(TEXTS)
    np.testing.assert_array_equal(encoder(write_hugging_face(tmp_path / "old", old)).encode(TEXTS), expected)
    half: Any = {name: tensor.astype(np.float16) for name, tensor in new.items()}
    halved = encoder(write_hugging_face(tmp_path / "half", half)).encode(TEXTS)
    np.testing.assert_allclose(halved, expected, atol=5e-3)


def test_without_a_word_from_the_folder_pieces_are_averaged_and_rows_have_length_one(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    rows = encoder(folder).encode(TEXTS[:2])
    assert rows.shape == (2, DIMENSION)
    assert rows.dtype == np.float32
    for row, text in zip(rows, TEXTS, strict=False):
        np.testing.assert_allclose(row, unit(states_of(folder, text).mean(axis=0)), atol=1e-5)


@pytest.mark.parametrize(
    "content",
    [
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
        {"pooling_mode": "cls", "include_prompt": True},
    ],
)
def test_a_sentence_transformers_folder_says_how_to_pool(content: dict[str, Any], tmp_path: Path) -> None:
    folder = write_sentence_transformers(tmp_path, content, "Normalize")
    row = encoder(folder).encode(["高温费"])[0]
    np.testing.assert_allclose(row, unit(states_of(folder, "高温费")[0]), atol=1e-5)
    mean = encoder(folder, pooling="mean").encode(["高温费"])[0]
    np.testing.assert_allclose(mean, unit(states_of(folder, "高温费").mean(axis=0)), atol=1e-5)
    highest = encoder(folder, pooling="max", normalize=False).encode(["高温费"])[0]
    np.testing.assert_allclose(highest, states_of(folder, "高温费").max(axis=0), atol=1e-5)


def test_a_transformer_in_a_sub_folder_is_found(tmp_path: Path) -> None:
    write_sentence_transformers(tmp_path, {"pooling_mode_mean_tokens": True})
    expected = encoder(tmp_path).encode(TEXTS)
    (tmp_path / "0_Transformer").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).rename(tmp_path / "0_Transformer" / name)
    modules = json.loads((tmp_path / "modules.json").read_text("utf-8"))
    modules[0] |= {
        "path": "0_Transformer",
        "type": "sentence_transformers.base.modules.transformer.Transformer",
    }
    (tmp_path / "modules.json").write_text(json.dumps(modules), "utf-8")
    np.testing.assert_array_equal(encoder(tmp_path).encode(TEXTS), expected)


@pytest.mark.parametrize("file", ["model.onnx", "onnx/model.onnx"])
def test_an_onnx_graph_is_run_and_its_pieces_are_averaged(file: str, tmp_path: Path) -> None:
    table = write_onnx(tmp_path, file)
    rows = encoder(tmp_path).encode(["高温费", "钱"])
    for row, text in zip(rows, ["高温费", "钱"], strict=True):
        pieces = [CLS, *(PIECES.index(char) for char in text), SEP]
        np.testing.assert_allclose(row, unit(table[pieces].mean(axis=0)), atol=1e-6)


def test_an_onnx_export_that_pools_by_itself_is_believed_unless_told_otherwise(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    table = np.random.default_rng(1).standard_normal((len(PIECES), DIMENSION)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["token_embeddings"]),
        helper.make_node("ReduceMax", ["token_embeddings"], ["sentence_embedding"], axes=[1], keepdims=0),
    ]
    ranks = {"token_embeddings": 3, "sentence_embedding": 2}
    write_graph(tmp_path / "model.onnx", nodes, {"table": table}, ranks)
    pieces = table[[CLS, PIECES.index("钱"), SEP]]
    np.testing.assert_allclose(encoder(tmp_path).encode(["钱"])[0], unit(pieces.max(axis=0)), atol=1e-6)
    np.testing.assert_allclose(encoder(tmp_path, pooling="cls").encode(["钱"])[0], unit(pieces[0]), atol=1e-6)


def test_an_onnx_file_goes_before_safetensors_unless_the_configuration_names_one(tmp_path: Path) -> None:
    write_hugging_face(tmp_path)
    expected = encoder(tmp_path).encode(TEXTS)
    write_onnx(tmp_path, "onnx/model.onnx")
    assert read_folder(tmp_path).weights.name == "model.onnx"
    np.testing.assert_array_equal(encoder(tmp_path, "model.safetensors").encode(TEXTS), expected)


def test_a_list_of_pieces_serves_where_there_is_no_tokenizer_file(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    expected = encoder(folder).encode(["HR拖欠工资", *TEXTS])
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(PIECES), "utf-8")
    np.testing.assert_array_equal(encoder(folder).encode(["HR拖欠工资", *TEXTS]), expected)


def test_batches_of_any_size_give_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    alone = np.vstack([encoder(folder).encode([text]) for text in TEXTS])
    for size in (1, 2, 3, 32):
        np.testing.assert_allclose(encoder(folder, batch_size=size).encode(TEXTS), alone, atol=2e-6)
    assert not np.allclose(alone[0], alone[1], atol=0.01)


def test_long_texts_are_cut_at_the_setting_and_at_what_the_encoder_can_read(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    long = "工资" * 40
    cut = encoder(folder).encode([long])
    np.testing.assert_array_equal(cut, encoder(folder).encode([long[: POSITIONS - 2]]))
    shorter = encoder(folder, max_length=6).encode([long])
    np.testing.assert_array_equal(shorter, encoder(folder).encode([long[:4]]))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8}', "utf-8")
    np.testing.assert_array_equal(encoder(folder).encode([long]), encoder(folder).encode([long[:6]]))


def test_a_prefix_is_put_before_every_text(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path)
    given = encoder(folder, prefix="老板,").encode(["没发工资"])
    np.testing.assert_array_equal(given, encoder(folder).encode(["老板,没发工资"]))


def test_no_connection_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an encoder must never look for anything outside its folder")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    write_onnx(tmp_path / "onnx")
    assert encoder(tmp_path / "onnx").encode(TEXTS).shape == (4, DIMENSION)
    assert encoder(write_hugging_face(tmp_path / "plain")).encode(TEXTS).shape == (4, DIMENSION)
    with pytest.raises(EncoderUnreadable):
        encoder(Path("BAAI/bge-small-zh-v1.5"))
