"""What is said when an encoder's folder or a vectors package is not what the configuration promises."""

from __future__ import annotations

from pathlib import Path

from rasa.shared.exceptions import InvalidConfigException


class EncoderUnreadable(InvalidConfigException):
    """Something an encoder needs is missing or of an unknown kind; says what, where, and what to do.

    Rasa lets this kind of error through as it is and prints it without a stack trace.
    """


def nothing_in(folder: Path, missing: str) -> EncoderUnreadable:
    """Return the error for a folder that lacks something, with what to download and where to put it."""
    return EncoderUnreadable(
        f"no sentence encoder in the folder {folder}: {missing}. Nothing is downloaded by itself. Get one, "
        "e.g. BAAI/bge-small-zh-v1.5 from Hugging Face (config.json, tokenizer.json, model.safetensors, "
        "modules.json and the folder 1_Pooling) or its ONNX export (onnx/model.onnx beside them), and put "
        f"its files into {folder}, or name another folder in the configuration (docs/encoders.md)"
    )
