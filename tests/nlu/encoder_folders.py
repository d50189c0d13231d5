"""Folders with tiny encoders of random weights, in the layouts real ones are published in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers.implementations import BertWordPieceTokenizer

from nlu.encoders.folder import read_folder
from nlu.encoders.sentence_encoder import EncoderSettings, SentenceEncoder

FloatArray = NDArray[np.float32]

TEXTS = ["老板拖欠工资", "高温费多少钱", "三个月没发工资,怎么申请法律援助", "法"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [*SPECIAL, *"老板拖欠工资高温费多少钱法律援助怎么申请三个月没发,。", "hr", "app"]
DIMENSION, INNER, LAYERS, HEADS, POSITIONS = 16, 32, 2, 4, 24
CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "vocab_size": len(PIECES),
    "hidden_size": DIMENSION,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def tiny_tensors(seed: int = 20) -> dict[str, FloatArray]:
    """BERT weights under Hugging Face's names; the same seed gives the same weights everywhere."""
    source = np.random.default_rng(seed)
    tensors: dict[str, FloatArray] = {}

    def add(name: str, *shape: int, around: float = 0.0) -> None:
        tensors[name] = (around + source.standard_normal(shape) * 0.3).astype(np.float32)

    def add_linear(name: str, inputs: int, outputs: int) -> None:
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name: str) -> None:
        add(f"{name}.weight", DIMENSION, around=1.0)
        add(f"{name}.bias", DIMENSION)

    add("embeddings.word_embeddings.weight", len(PIECES), DIMENSION)
    add("embeddings.position_embeddings.weight", POSITIONS, DIMENSION)
    add("embeddings.token_type_embeddings.weight", 2, DIMENSION)
    add_norm("embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            add_linear(f"{layer}.attention.self.{part}", DIMENSION, DIMENSION)
        add_linear(f"{layer}.attention.output.dense", DIMENSION, DIMENSION)
        add_norm(f"{layer}.attention.output.LayerNorm")
        add_linear(f"{layer}.intermediate.dense", DIMENSION, INNER)
        add_linear(f"{layer}.output.dense", INNER, DIMENSION)
        add_norm(f"{layer}.output.LayerNorm")
    return tensors


def write_tokenizer(folder: Path) -> None:
    """``tokenizer.json`` as Hugging Face's fast tokenizers save it."""
    tokenizer = BertWordPieceTokenizer(vocab={piece: number for number, piece in enumerate(PIECES)})
    tokenizer.save(str(folder / "tokenizer.json"))


def write_hugging_face(
    folder: Path, tensors: dict[str, FloatArray] | None = None, prefix: str = "", **config: Any
) -> Path:
    """A folder in Hugging Face's layout: config, tokenizer, safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}), "utf-8")
    write_tokenizer(folder)
    named = {f"{prefix}{name}": tensor for name, tensor in (tensors or tiny_tensors()).items()}
    save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_sentence_transformers(folder: Path, pooling: dict[str, Any], *more: str) -> Path:
    """The same encoder in the layout of sentence-transformers, with its pooling and further modules."""
    write_hugging_face(folder)
    kinds = {"": "Transformer", "1_Pooling": "Pooling"} | {
        f"{i}_{kind}": kind for i, kind in enumerate(more, 2)
    }
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(kinds.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), "utf-8")
    return folder


def write_onnx(
    folder: Path, file: str = "model.onnx", output: str = "last_hidden_state", seed: int = 7
) -> FloatArray:
    """A folder with an ONNX graph that looks every piece up in a table; returns the table (pieces × 16)."""
    table = np.random.default_rng(seed).standard_normal((len(PIECES), DIMENSION)).astype(np.float32)
    node = helper.make_node("Gather", ["table", "input_ids"], [output])
    write_graph(folder / file, [node], {"table": table}, {output: 3})
    write_tokenizer(folder)
    return table


def write_graph(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    outputs: dict[str, int],
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
) -> None:
    """An ONNX file of these nodes; ``outputs`` maps each output's name to its rank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes: dict[int, list[str | int | None]] = {2: ["batch", DIMENSION], 3: ["batch", "length", DIMENSION]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[rank])
            for name, rank in outputs.items()
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def encoder(folder: Path, file: str | None = None, **settings: Any) -> SentenceEncoder:
    """The encoder of a folder, opened with these settings."""
    return SentenceEncoder.open(read_folder(folder, file), EncoderSettings(**settings))
