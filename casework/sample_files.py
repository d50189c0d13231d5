"""Sample files: the training sentences as Rasa YAML, read from ``data/nlu`` and written for a training."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from casework.errors import KnowledgeError

MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")
"""A fact marked in a sentence: ``[value](fact)``."""
_BLANKS = re.compile(r"\s+")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def plain(text: str) -> str:
    """A sentence as it is compared: fact marks and all blanks taken out."""
    return _BLANKS.sub("", MARK.sub(r"\1", text))


def pieces(text: str) -> list[tuple[str, str | None]]:
    """A sentence as pieces of text, each with the fact it is marked as or None, for showing it."""
    found: list[tuple[str, str | None]] = []
    end = 0
    for match in MARK.finditer(text):
        found += [(text[end : match.start()], None), (match[1], match[2])]
        end = match.end()
    return [piece for piece in [*found, (text[end:], None)] if piece[0]]


def name_of(text: str) -> str:
    """A short name for a sentence by its plain words, 16 hex digits: addresses name it without saying it."""
    return hashlib.sha256(plain(text).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Sentence:
    """Training sample: one sentence with its facts marked ``[value](fact)``, and what it means."""

    text: str
    intent: str


class TrainingSet:
    """Training set: every sentence the assistant learns from; never changed once made."""

    def __init__(self, blocks: dict[str, dict[str, str]], files: Mapping[str, str]) -> None:
        """Take intent → plain words → sentence, and intent → the name of the file it stands in."""
        self.blocks = blocks
        """Intent → its sentences by their plain words."""
        self.files = dict(files)
        """Intent → the name of the file its sentences stand in."""
        self.sentences: dict[str, list[str]] = {name: list(texts.values()) for name, texts in blocks.items()}
        """Intent → its sentences, facts marked: as the files have them, then those added, in that order."""
        self.intents: dict[str, str] = {key: name for name in reversed(blocks) for key in blocks[name]}
        """Plain words → the intent they stand under (the first, should they stand under two)."""

    @classmethod
    def of(cls, sentences: Mapping[str, Iterable[str]], files: Mapping[str, str]) -> TrainingSet:
        """A set of these sentences by intent; what an intent has twice it keeps once."""
        blocks: dict[str, dict[str, str]] = {intent: {} for intent in sentences}
        for intent, texts in sentences.items():
            for text in texts:
                blocks[intent].setdefault(plain(text), text)
        return cls(blocks, files)

    @staticmethod
    def plain(text: str) -> str:
        """A sentence as it is compared: fact marks and all blanks taken out."""
        return plain(text)

    def __len__(self) -> int:
        """How many sentences there are."""
        return sum(map(len, self.sentences.values()))

    def intent_of(self, text: str) -> str | None:
        """The intent a sentence, however marked or spaced, stands under; None where it is not there."""
        return self.intents.get(plain(text))

    def find(self, text: str) -> Sentence | None:
        """A sentence as it stands in the set, however marked or spaced it is asked for, or None."""
        key = plain(text)
        intent = self.intents.get(key)
        return None if intent is None else Sentence(self.blocks[intent][key], intent)


def read_files(data_nlu: Path) -> TrainingSet:
    """What the YAML files of a folder say; read anew only when one of them has changed.

    Raises KnowledgeError naming a file that cannot be read or has more than intents in it.
    """
    try:
        files = [(path, path.stat()) for path in sorted(data_nlu.glob("*.yml"))]
    except OSError as error:
        raise KnowledgeError(f"{data_nlu.name}: cannot be read: {error}") from error
    stamp = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in files)
    known = _READ.get(data_nlu)
    if known is not None and known[0] == stamp:
        return known[1]
    sentences: dict[str, list[str]] = {}
    homes: dict[str, str] = {}
    for path, _ in files:
        for intent, texts in read_blocks(path.name, path.read_bytes()).items():
            homes.setdefault(intent, path.name)
            sentences.setdefault(intent, []).extend(texts)
    made = TrainingSet.of(sentences, homes)
    _READ[data_nlu] = (stamp, made)
    return made


_READ: dict[Path, tuple[tuple[tuple[str, int, int], ...], TrainingSet]] = {}


def read_blocks(name: str, content: bytes) -> dict[str, list[str]]:
    """Intent → sentences of one Rasa YAML file; raises KnowledgeError for anything but intents in it."""
    try:
        found = yaml.load(content.decode("utf-8-sig"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise KnowledgeError(f"{name}: {' '.join(str(error).split())}") from error
    blocks = found.get("nlu") or [] if isinstance(found, dict) else None
    if not isinstance(blocks, list) or set(found) - {"version", "nlu"}:
        raise KnowledgeError(f"{name}: only version and nlu may stand in it")
    sentences: dict[str, list[str]] = {}
    for block in blocks:
        if not isinstance(block, dict) or set(block) != {"intent", "examples"}:
            kinds = ", ".join(map(str, block)) if isinstance(block, dict) else str(block)[:40]
            raise KnowledgeError(f"{name}: only intents with examples may stand in it, not: {kinds}")
        sentences.setdefault(str(block["intent"]), []).extend(_lines(name, block["examples"]))
    return sentences


def _lines(name: str, examples: object) -> Iterable[str]:
    if not isinstance(examples, str):
        raise KnowledgeError(f"{name}: examples must be lines beginning with a dash")
    for line in examples.splitlines():
        if line.startswith("- "):
            yield line[2:].strip()
        elif line.strip():
            raise KnowledgeError(f"{name}: a line of examples does not begin with a dash")


def as_yaml(sentences: Mapping[str, Iterable[str]]) -> str:
    """Sentences by intent as one Rasa YAML file, in the shape the files of ``data/nlu`` have."""
    made = ['version: "3.1"\nnlu:\n']
    for intent, texts in sentences.items():
        lines = "".join(f"      - {text}\n" for text in texts)
        made.append(f"  - intent: {intent}\n    examples: |\n{lines}")
    return "".join(made)


def write(training_set: TrainingSet, folder: Path) -> None:
    """Write the set as Rasa YAML into a folder, one file for each of ``data/nlu``, in the same order."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, list[str]]] = {}
    for intent, texts in training_set.sentences.items():
        if texts:
            home = training_set.files.get(intent, f"{intent}.yml")
            files.setdefault(home, {})[intent] = texts
    for name, sentences in files.items():
        (folder / name).write_text(as_yaml(sentences), encoding="utf-8")
