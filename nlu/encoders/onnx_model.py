"""An exported encoder run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nlu.encoders.bert import FloatArray, IntArray
from nlu.encoders.errors import EncoderUnreadable

POOLED_OUTPUT = "sentence_embedding"
"""What exporters of sentence-transformers call the finished vector."""
_TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class OnnxModel:
    """ONNX model: turns word pieces into hidden states, or straight into a sentence's vector.

    ``pooled`` asks for the vector the export itself calls ``sentence_embedding``, where it has one.
    """

    def __init__(self, session: Any, source: str, pooled: bool) -> None:
        self._session = session
        self._inputs = {entry.name: _TYPES.get(entry.type) for entry in session.get_inputs()}
        unknown = [name for name, kind in self._inputs.items() if name not in _INPUTS or kind is None]
        if unknown:
            raise EncoderUnreadable(
                f"{source} wants the inputs {', '.join(unknown)}; an encoder's are whole numbers named "
                f"{', '.join(_INPUTS)} (export it for the task feature-extraction)"
            )
        ranks = {entry.name: len(entry.shape) for entry in session.get_outputs()}
        tokens = [name for name in _TOKEN_OUTPUTS if name in ranks]
        tokens += [name for name, rank in ranks.items() if rank == 3]
        if POOLED_OUTPUT in ranks and (pooled or not tokens):
            self._output = POOLED_OUTPUT
        elif tokens:
            self._output = tokens[0]
        else:
            raise EncoderUnreadable(
                f"{source} gives {', '.join(ranks)}; expected hidden states of every word piece "
                f"({', '.join(_TOKEN_OUTPUTS)}) or {POOLED_OUTPUT} (export for the task feature-extraction)"
            )

    @classmethod
    def read(cls, weights: Path, pooled: bool) -> OnnxModel:
        """Open a ``.onnx`` file; raises ``EncoderUnreadable``, also when onnxruntime is not installed."""
        try:
            import onnxruntime  # noqa: PLC0415  (a second to load, and only for those who have such an encoder)
        except ImportError as error:
            raise EncoderUnreadable(
                f"{weights} needs onnxruntime, which is not installed: run `uv sync --frozen` (its group "
                "`encoder` has it, except for Macs with Intel processors), or set `file: model.safetensors`"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait busily would take the processor from the other processes of a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(
                str(weights), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base class of their own
            raise EncoderUnreadable(f"onnxruntime cannot open {weights}: {error}") from error
        return cls(session, str(weights), pooled)

    def __call__(self, ids: IntArray, mask: IntArray, types: IntArray) -> FloatArray:
        """Return hidden states (batch × length × dimension) or finished vectors (batch × dimension)."""
        given = dict(zip(_INPUTS, (ids, mask, types), strict=True))
        feed = {name: given[name].astype(kind, copy=False) for name, kind in self._inputs.items()}
        states: FloatArray = np.asarray(self._session.run([self._output], feed)[0], dtype=np.float32)
        return states
