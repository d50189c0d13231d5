"""The BERT family in numpy: the one architecture nearly all Chinese sentence encoders have.

Reads Hugging Face weights (``model.safetensors``) of BERT, RoBERTa and XLM-RoBERTa without PyTorch or
TensorFlow. Other architectures run from an ONNX export. docs/decisions/0007 says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import erf

from nlu.encoders.errors import EncoderUnreadable

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Tensors = dict[str, FloatArray]

_BERT = "bert"
_READABLE = frozenset({"float16", "float32", "float64", "int32", "int64", "bool"})
"""Kinds of numbers numpy knows by itself; the whole ones are buffers such as position ids."""
_ROBERTA = frozenset({"roberta", "xlm-roberta"})
_ANCHOR = "embeddings.word_embeddings.weight"
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


@dataclass(frozen=True)
class _Linear:
    weight: FloatArray
    """Inputs × outputs."""
    bias: FloatArray

    def __call__(self, rows: FloatArray) -> FloatArray:
        return rows @ self.weight + self.bias


@dataclass(frozen=True)
class _Norm:
    weight: FloatArray
    bias: FloatArray
    epsilon: np.float32

    def __call__(self, rows: FloatArray) -> FloatArray:
        centred = rows - rows.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        normed: FloatArray = centred / np.sqrt(variance + self.epsilon) * self.weight + self.bias
        return normed


@dataclass(frozen=True)
class _Layer:
    attention_in: _Linear
    """Queries, keys and values side by side."""
    attention_out: _Linear
    attention_norm: _Norm
    wide: _Linear
    narrow: _Linear
    norm: _Norm


class BertModel:
    """BERT model: turns word pieces into one hidden state each (batch × length × dimension)."""

    def __init__(self, config: dict[str, Any], tensors: Tensors, source: str) -> None:
        self._source = source
        self._tensors = tensors
        kind = str(config.get("model_type", _BERT))
        if kind != _BERT and kind not in _ROBERTA:
            raise EncoderUnreadable(
                f"{source} is a {kind!r} model; safetensors are read for bert, roberta and xlm-roberta. "
                "Export it to ONNX (docs/encoders.md), which any architecture can be run from"
            )
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise EncoderUnreadable(f"{source} uses relative positions; export it to ONNX (docs/encoders.md)")
        self._activation = _activation(str(config.get("hidden_act", "gelu")), source)
        self._heads = int(config["num_attention_heads"])
        self._epsilon = np.float32(config.get("layer_norm_eps", 1e-12))
        self._padding = int(config.get("pad_token_id") or 0) if kind in _ROBERTA else None
        self._words = self._tensor(_ANCHOR)
        self._positions = self._tensor("embeddings.position_embeddings.weight")
        self._types = self._tensor("embeddings.token_type_embeddings.weight")
        self._norm = self._norm_named("embeddings.LayerNorm")
        self._layers = [self._layer(number) for number in range(int(config["num_hidden_layers"]))]
        self._tensors = {}

    @classmethod
    def read(cls, weights: Path, config: dict[str, Any]) -> BertModel:
        """Read ``model.safetensors`` and its configuration; raises ``EncoderUnreadable``."""
        if not config.get("num_hidden_layers"):
            raise EncoderUnreadable(f"beside {weights} there is no config.json that describes the model")
        try:
            tensors = load_file(weights)
        except Exception as error:  # its own class is not in its stubs; numpy, too, objects to bfloat16
            raise EncoderUnreadable(
                f"{weights} is not readable ({error}); float32 and float16 weights are"
            ) from error
        unknown = {str(tensor.dtype) for tensor in tensors.values()} - _READABLE
        if unknown:  # bfloat16, where some other library has taught numpy about it
            raise EncoderUnreadable(
                f"{weights} holds {', '.join(sorted(unknown))}; float32 and float16 weights are readable"
            )
        return cls(config, _plain_names(tensors, str(weights)), str(weights))

    def __call__(self, ids: IntArray, mask: IntArray, types: IntArray) -> FloatArray:
        """Return the last hidden states; ``mask`` is 0 for padding."""
        batch, length = ids.shape
        if self._padding is None:
            positions = np.broadcast_to(np.arange(length), ids.shape)
        else:
            positions = np.cumsum(mask, axis=1) * mask + self._padding
        types = np.minimum(types, len(self._types) - 1)
        states = self._norm(self._words[ids] + self._positions[positions] + self._types[types])
        ignored: FloatArray = (np.float32(-1e9) * (1 - mask).astype(np.float32))[:, None, None, :]
        for layer in self._layers:
            attended = self._attend(layer, states, ignored).reshape(batch, length, -1)
            states = layer.attention_norm(states + layer.attention_out(attended))
            states = layer.norm(states + layer.narrow(self._activation(layer.wide(states))))
        return states

    def _attend(self, layer: _Layer, states: FloatArray, ignored: FloatArray) -> FloatArray:
        batch, length, dimension = states.shape
        size = dimension // self._heads
        parts = layer.attention_in(states).reshape(batch, length, 3, self._heads, size)
        queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
        scores = queries @ keys.swapaxes(-1, -2) / np.float32(size**0.5) + ignored
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = scores / scores.sum(axis=-1, keepdims=True)
        attended: FloatArray = (shares @ values).transpose(0, 2, 1, 3)
        return attended

    def _layer(self, number: int) -> _Layer:
        name = f"encoder.layer.{number}"
        inputs = [self._linear(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        return _Layer(
            attention_in=_Linear(
                np.concatenate([part.weight for part in inputs], axis=1),
                np.concatenate([part.bias for part in inputs]),
            ),
            attention_out=self._linear(f"{name}.attention.output.dense"),
            attention_norm=self._norm_named(f"{name}.attention.output.LayerNorm"),
            wide=self._linear(f"{name}.intermediate.dense"),
            narrow=self._linear(f"{name}.output.dense"),
            norm=self._norm_named(f"{name}.output.LayerNorm"),
        )

    def _linear(self, name: str) -> _Linear:
        weight = np.ascontiguousarray(self._tensor(f"{name}.weight").T)
        return _Linear(weight, self._tensor(f"{name}.bias"))

    def _norm_named(self, name: str) -> _Norm:
        return _Norm(self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias"), self._epsilon)

    def _tensor(self, name: str) -> FloatArray:
        if name not in self._tensors:
            raise EncoderUnreadable(
                f"{self._source} has no tensor {name!r}: its weights and config.json differ"
            )
        return self._tensors[name].astype(np.float32, copy=False)


def _plain_names(tensors: dict[str, NDArray[Any]], source: str) -> Tensors:
    """Drop the model's name before each tensor's, and use today's names for layer norms."""
    prefix = next((name.removesuffix(_ANCHOR) for name in tensors if name.endswith(_ANCHOR)), None)
    if prefix is None:
        raise EncoderUnreadable(f"{source} has no tensor {_ANCHOR!r}: it is no BERT model")
    plain: Tensors = {}
    for name, tensor in tensors.items():
        short = name.removeprefix(prefix)
        for old, new in _OLD_NAMES.items():
            short = short.replace(old, new)
        plain[short] = tensor
    return plain


def _activation(name: str, source: str) -> Callable[[FloatArray], FloatArray]:
    known: dict[str, Callable[[FloatArray], FloatArray]] = {
        "gelu": _gelu,
        "gelu_new": _gelu_tanh,
        "gelu_pytorch_tanh": _gelu_tanh,
        "relu": lambda rows: np.maximum(rows, 0),
    }
    if name not in known:
        raise EncoderUnreadable(
            f"{source} uses the activation {name!r}; export it to ONNX (docs/encoders.md)"
        )
    return known[name]


def _gelu(rows: FloatArray) -> FloatArray:
    gated: FloatArray = rows * np.float32(0.5) * (1 + erf(rows * np.float32(0.5**0.5)))
    return gated


def _gelu_tanh(rows: FloatArray) -> FloatArray:
    inner = np.float32((2 / np.pi) ** 0.5) * (rows + np.float32(0.044715) * rows * rows * rows)
    gated: FloatArray = rows * np.float32(0.5) * (1 + np.tanh(inner))
    return gated
