"""What lies in an encoder's folder: which weights, which pooling, how long a text may be.

Reads the three layouts encoders are published in: Hugging Face (``config.json`` beside the weights),
sentence-transformers (``modules.json`` naming sub-folders) and ONNX exports of either.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu.encoders.errors import EncoderUnreadable, nothing_in

POOLINGS = ("mean", "cls", "max")
_WEIGHTS = ("model.onnx", "onnx/model.onnx", "model.safetensors")
_FOREIGN_WEIGHTS = ("*.bin", "*.pt", "*.h5", "*.msgpack", "*.safetensors", "*.onnx")
_TOKENIZER = ("tokenizer.json", "vocab.txt")
_NEUTRAL_MODULES = frozenset({"Transformer", "Pooling", "Normalize", "Dropout"})


@dataclass(frozen=True)
class EncoderFolder:
    """Encoder folder: the files of one sentence encoder, and how its authors meant them to be used.

    ``pooling`` is None where the folder does not say; ``max_length`` (in word pieces, special ones
    included) likewise.
    """

    weights: Path
    tokenizer: Path
    config: dict[str, Any]
    pooling: str | None
    max_length: int | None
    files: tuple[Path, ...]

    @property
    def digest(self) -> str:
        """The content of all files that take part (hex SHA-256)."""
        return digest_of(self.files)


def read_folder(folder: Path, file: str | None = None) -> EncoderFolder:
    """Look into ``folder`` and choose its weights: ``file`` (a path inside it), else ONNX before safetensors.

    Raises ``EncoderUnreadable`` naming the folder and what to get when something is missing.
    """
    if not folder.is_dir():
        raise nothing_in(folder, "there is no such folder")
    modules = _modules(folder)
    transformer = folder / _path_of(modules, "Transformer")
    weights = _weights(folder, transformer, file)
    tokenizer = _first(_TOKENIZER, transformer, folder, weights.parent)
    if tokenizer is None:
        raise nothing_in(folder, "neither tokenizer.json nor vocab.txt is there")
    config_file = transformer / "config.json"
    config = _json(config_file)
    pooling_file = folder / _path_of(modules, "Pooling") / "config.json"
    length_file = transformer / "sentence_bert_config.json"
    words_file = transformer / "tokenizer_config.json"
    side_files = (folder / "modules.json", pooling_file, length_file, words_file, config_file, tokenizer)
    # An ONNX graph may keep its weights in files beside it, whose names start with its own.
    used = {*side_files, *weights.parent.glob(f"{weights.name}*")}
    return EncoderFolder(
        weights=weights,
        tokenizer=tokenizer,
        config={**_json(words_file), **config},
        pooling=_pooling(pooling_file) if _has(modules, "Pooling") else None,
        max_length=_length(_json(length_file), config),
        files=tuple(sorted(path for path in used if path.is_file())),
    )


def digest_of(files: tuple[Path, ...]) -> str:
    """Return one digest (hex SHA-256) of the files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as content:
            digest.update(path.name.encode())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Kind and path of each sentence-transformers module; none in other layouts."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    modules = [(str(entry["type"]).rpartition(".")[2], str(entry["path"])) for entry in _json(path)]
    unknown = [kind for kind, _ in modules if kind not in _NEUTRAL_MODULES]
    if unknown:
        raise EncoderUnreadable(
            f"the sentence-transformers folder {folder} has modules that are not read here: "
            f"{', '.join(unknown)}; what is read is Transformer, Pooling and Normalize, which make up "
            "most encoders"
        )
    return modules


def _has(modules: list[tuple[str, str]], kind: str) -> bool:
    return any(name == kind for name, _ in modules)


def _path_of(modules: list[tuple[str, str]], kind: str) -> str:
    return next((path for name, path in modules if name == kind), "")


def _weights(folder: Path, transformer: Path, file: str | None) -> Path:
    if file is not None:
        chosen = folder / file
        if not chosen.is_file():
            raise nothing_in(folder, f"the file {file} that the configuration names is not there")
    else:
        found = _first(_WEIGHTS, transformer, folder)
        if found is None:
            raise _without_readable_weights(folder, transformer)
        chosen = found
    if chosen.suffix not in {".onnx", ".safetensors"}:
        raise EncoderUnreadable(f"{chosen} is neither an .onnx nor a .safetensors file")
    return chosen


def _without_readable_weights(folder: Path, transformer: Path) -> EncoderUnreadable:
    others = sorted({path.name for kind in _FOREIGN_WEIGHTS for path in transformer.glob(kind)})
    if not others:
        return nothing_in(folder, f"none of {', '.join(_WEIGHTS)} is there")
    return EncoderUnreadable(
        f"the folder {folder} holds weights only as {', '.join(others)}, which are not read here (most such "
        "files need PyTorch, which this project does not install). Download model.safetensors or an ONNX "
        f"export of the same encoder into {transformer}, or convert it where PyTorch is installed: "
        "AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True), or "
        "`optimum-cli export onnx --task feature-extraction --model FOLDER FOLDER/onnx` (docs/encoders.md)"
    )


def _first(names: tuple[str, ...], *folders: Path) -> Path | None:
    paths = (folder / name for name in names for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _pooling(path: Path) -> str:
    """The pooling a sentence-transformers folder asks for, in its older or its newer spelling."""
    content = _json(path)
    if isinstance(content.get("pooling_mode"), str):
        modes = {str(content["pooling_mode"])}
    else:
        modes = {key for key, value in content.items() if key.startswith("pooling_mode_") and value is True}
    names = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "cls",
        "pooling_mode_max_tokens": "max",
    }
    found = {names.get(mode, mode) for mode in modes}
    if len(found) != 1 or not found <= set(POOLINGS):
        raise EncoderUnreadable(
            f"{path} asks for the pooling {sorted(found)}; known are {', '.join(POOLINGS)}"
        )
    return found.pop()


def _length(sentence_config: dict[str, Any], config: dict[str, Any]) -> int | None:
    limits = [sentence_config.get("max_seq_length")]
    positions = config.get("max_position_embeddings")
    if positions:
        # RoBERTa counts positions from behind its padding piece.
        reserved = (
            int(config.get("pad_token_id") or 0) + 1 if "roberta" in str(config.get("model_type")) else 0
        )
        limits.append(int(positions) - reserved)
    return min((int(limit) for limit in limits if limit), default=None)


def _json(path: Path) -> Any:
    """The content of a JSON file; an empty object where there is no such file."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise EncoderUnreadable(f"{path} is not readable as JSON: {error}") from error
