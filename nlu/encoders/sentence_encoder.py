"""From texts to vectors: word pieces, a model, pooling, unit length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nlu.encoders.bert import BertModel, FloatArray, IntArray
from nlu.encoders.errors import EncoderUnreadable
from nlu.encoders.folder import EncoderFolder
from nlu.encoders.onnx_model import OnnxModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer

AUTO = "auto"
_LONGEST = 512
_PADDING = ("[PAD]", "<pad>")


class PieceModel(Protocol):
    """Piece model: anything that turns word pieces into hidden states or finished vectors."""

    def __call__(self, ids: IntArray, mask: IntArray, types: IntArray) -> FloatArray:
        """Return batch × length × dimension, or batch × dimension."""


@dataclass(frozen=True)
class EncoderSettings:
    """How an encoder is used.

    ``pooling`` is mean, cls, max or auto (as its folder says, else mean); ``max_length`` counts word
    pieces; ``batch_size`` texts; ``normalize`` gives rows of length 1; ``prefix`` goes before each text.
    """

    pooling: str = AUTO
    max_length: int = 256
    batch_size: int = 16
    normalize: bool = True
    prefix: str = ""


class SentenceEncoder:
    """Sentence encoder: turns each text into one vector; the same text always into the same."""

    def __init__(
        self, tokenizer: Tokenizer, model: PieceModel, pooling: str, settings: EncoderSettings
    ) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._pooling = pooling
        self._settings = settings
        padding = (tokenizer.token_to_id(piece) for piece in _PADDING)
        self._padding = next((number for number in padding if number is not None), 0)
        self.dimension = int(self._run([tokenizer.encode("")]).shape[-1])

    @classmethod
    def open(cls, folder: EncoderFolder, settings: EncoderSettings) -> SentenceEncoder:
        """Load tokenizer and weights; raises ``EncoderUnreadable``."""
        pooling = settings.pooling
        model: PieceModel
        if folder.weights.suffix == ".onnx":
            model = OnnxModel.read(folder.weights, pooled=pooling == AUTO)
        else:
            model = BertModel.read(folder.weights, folder.config)
        if pooling == AUTO:
            pooling = folder.pooling or "mean"
        longest = min(settings.max_length, folder.max_length or _LONGEST)
        return cls(_tokenizer(folder, longest), model, pooling, settings)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return one row per text (texts × dimension), computed in batches of texts of similar length."""
        encodings = self._tokenizer.encode_batch([self._settings.prefix + text for text in texts])
        rows: FloatArray = np.zeros((len(encodings), self.dimension), dtype=np.float32)
        order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
        for start in range(0, len(order), self._settings.batch_size):
            chosen = order[start : start + self._settings.batch_size]
            rows[chosen] = self._run([encodings[index] for index in chosen])
        return unit_rows(rows) if self._settings.normalize else rows

    def _run(self, encodings: list[Any]) -> FloatArray:
        width = max(len(encoding.ids) for encoding in encodings)
        ids = np.full((len(encodings), width), self._padding, dtype=np.int64)
        mask = np.zeros_like(ids)
        types = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length] = encoding.ids
            mask[row, :length] = 1
            types[row, :length] = encoding.type_ids
        states = self._model(ids, mask, types)
        return states if states.ndim == 2 else pooled(states, mask, self._pooling)


def pooled(states: FloatArray, mask: IntArray, pooling: str) -> FloatArray:
    """Return one vector per text from the hidden states of its pieces; padding never counts."""
    if pooling == "cls":
        return states[:, 0]
    present = mask[:, :, None].astype(np.float32)
    if pooling == "max":
        highest: FloatArray = np.where(present > 0, states, np.float32(-np.inf)).max(axis=1)
        return highest
    mean: FloatArray = (states * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return mean


def unit_rows(rows: FloatArray) -> FloatArray:
    """Return the rows at length 1; rows of zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: FloatArray = rows / np.where(lengths == 0, 1, lengths)
    return scaled.astype(np.float32, copy=False)


def _tokenizer(folder: EncoderFolder, longest: int) -> Tokenizer:
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415  (only for those who have an encoder)
        from tokenizers.implementations import BertWordPieceTokenizer  # noqa: PLC0415  (as above)
    except ImportError as error:
        raise EncoderUnreadable(
            f"{folder.tokenizer} needs the package tokenizers, which is not installed: "
            "run `uv sync --frozen` (its group `encoder` has it)"
        ) from error
    try:
        if folder.tokenizer.suffix == ".json":
            tokenizer = Tokenizer.from_file(str(folder.tokenizer))
        else:
            tokenizer = _from_vocabulary(BertWordPieceTokenizer, folder.tokenizer, folder.config)
    except Exception as error:  # the library raises plain Exception
        raise EncoderUnreadable(f"{folder.tokenizer} is no readable tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def _from_vocabulary(kind: Any, vocabulary: Path, config: dict[str, Any]) -> Any:
    """BERT's own tokenizer, from the list of pieces that older folders have instead of tokenizer.json."""
    lowercase = bool(config.get("do_lower_case", True))
    return kind(
        str(vocabulary),
        lowercase=lowercase,
        strip_accents=config.get("strip_accents"),
        handle_chinese_chars=bool(config.get("tokenize_chinese_chars", True)),
    )
