"""Labelled sentences: where they come from, a stratified sample, and labels as names Rasa can bear."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.shared.nlu.constants import INTENT, TEXT

from nlu.importer import SentenceImporter

LEAST_OF_EACH = 3
_MOST_NAMED = 10


class BadFile(ValueError):
    """A file of labelled sentences cannot be used; names the file, the lines and what is wrong with each."""


@dataclass(frozen=True)
class Sentence:
    """A sentence and the label (intent) it was given by hand."""

    text: str
    label: str


def read_training(folder: Path) -> list[Sentence]:
    """Read every sentence with an intent from a folder of Rasa NLU files, its entity marks left out."""
    importer = SentenceImporter(training_data_paths=[str(folder)])
    return [
        Sentence(str(message.get(TEXT)), str(message.get(INTENT)))
        for message in importer.get_nlu_data().intent_examples
    ]


def read_labelled(file: Path) -> list[Sentence]:
    """Read a file of ``{"text", "label"}`` lines; empty lines are left out. Raises ``BadFile``."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"cannot read {file}: {error}") from error
    sentences: list[Sentence] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            sentences.append(_sentence(json.loads(line)))
        except ValueError as error:
            what = f"not JSON ({error})" if isinstance(error, json.JSONDecodeError) else str(error)
            wrong.append(f"line {number}: {what}")
    if wrong:
        more = f"\n  and {len(wrong) - _MOST_NAMED} more lines" if len(wrong) > _MOST_NAMED else ""
        raise BadFile(f"{file} has bad lines:\n  " + "\n  ".join(wrong[:_MOST_NAMED]) + more)
    if not sentences:
        raise BadFile(f"{file} has no sentences")
    return sentences


def _sentence(row: Any) -> Sentence:
    if not isinstance(row, dict):
        raise ValueError(f'expected an object like {{"text": …, "label": …}}, not {type(row).__name__}')
    for name in ("text", "label"):
        if name not in row:
            raise ValueError(f"{name} is missing")
        if not isinstance(row[name], str) or not row[name].strip():
            raise ValueError(f"{name} must be a text that is not empty, not {row[name]!r}")
    return Sentence(row["text"].strip(), row["label"])


def stratified_sample(
    sentences: Sequence[Sentence], size: int, seed: int, least: int = LEAST_OF_EACH
) -> list[Sentence]:
    """Return ``size`` of the sentences: every label by its share, but ``least`` of each (or all there are).

    Seeded; in the order in which they stood. Raises ``ValueError`` where ``size`` cannot hold all labels.
    """
    if size >= len(sentences):
        return list(sentences)
    places: dict[str, list[int]] = {}
    for place, sentence in enumerate(sentences):
        places.setdefault(sentence.label, []).append(place)
    given = {label: min(least, len(found)) for label, found in places.items()}
    if sum(given.values()) > size:
        needed = sum(given.values())
        raise ValueError(
            f"a sample of {size} is too small for {len(places)} labels: {needed} or more, please"
        )
    quota = {label: size * len(found) / len(sentences) for label, found in places.items()}
    for _ in range(size - sum(given.values())):
        short = [label for label in given if given[label] < len(places[label])]
        neediest = max(short, key=lambda label: (quota[label] - given[label], label))
        given[neediest] += 1
    choose = random.Random(seed)  # noqa: S311  # a reproducible choice, not a secret
    chosen = [place for label in sorted(places) for place in choose.sample(places[label], given[label])]
    return [sentences[place] for place in sorted(chosen)]


class LabelNames:
    """Names for labels: ``label_0001`` …, as Rasa reads ``/``, ``+`` and blanks in an intent its own way."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._names = {label: f"label_{n:04}" for n, label in enumerate(sorted(set(labels)), start=1)}
        self._labels = {name: label for label, name in self._names.items()}

    def name_of(self, label: str) -> str:
        """Return the intent's name for a label; raises ``KeyError`` for one that was not named."""
        return self._names[label]

    def label_of(self, name: str | None) -> str | None:
        """Return the label an intent's name stands for, or None."""
        return self._labels.get(name or "")


def as_rasa_data(sentences: Sequence[Sentence]) -> str:
    """Return training sentences as Rasa's JSON, in which (unlike in its YAML) no character has a meaning."""
    examples = [{"text": one.text, "intent": one.label, "entities": []} for one in sentences]
    return json.dumps({"rasa_nlu_data": {"common_examples": examples}}, ensure_ascii=False, indent=0)
