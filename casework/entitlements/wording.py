"""What a calculator says: ``data/knowledge/entitlements/<name>.yml``, and the laws cited (``laws.yml``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from casework.articles import Mark
from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge

FOLDER = "entitlements"
LAWS = "laws.yml"
_UNVERIFIED = re.compile(r"V\s?0|【", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Citation:
    """Citation: the article a step of a calculation follows, and the day its text was checked."""

    title: str
    article: str | None
    as_of: date
    mark: Mark

    @property
    def text(self) -> str:
        """As it is said: 《title》article."""
        title = self.title if "《" in self.title else f"《{self.title}》"
        return f"{title}{self.article or ''}"

    def to_json(self) -> dict[str, Any]:
        """As messages store a source and the API shows it."""
        return {"title": self.title, "article": self.article, "as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True)
class InputWords:
    """What one input of a calculator is called, and how it is asked for."""

    label: str
    question: str
    hint: str | None
    unit: str | None
    choices: Mapping[str, str]
    """What a choice is called, by its value."""


@dataclass(frozen=True, slots=True)
class StepWords:
    """The sentence of one step, and the articles it follows."""

    text: str
    cites: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class CalculatorWords:
    """Everything a calculator says to members, and what its page in the documentation says."""

    name: str
    label: str
    topic: str
    what: str
    formula: tuple[str, ...]
    refuses: tuple[str, ...]
    inputs: Mapping[str, InputWords]
    steps: Mapping[str, StepWords]
    assumptions: Mapping[str, str]
    warnings: Mapping[str, str]


def fill(template: str, values: Mapping[str, object]) -> str:
    """The template with its values; days as 2026年3月1日, numbers without needless zeros."""
    return template.format(**{name: _said(value) for name, value in values.items()})


def load_words(root: Path, topics: frozenset[str] | None = None) -> dict[str, CalculatorWords]:
    """Every calculator's words by name, in the order of ``laws.yml``'s ``order``; raises KnowledgeError.

    The ``warnings`` of ``laws.yml`` are every calculator's.
    """
    folder = root / FOLDER
    top = Entry(f"{FOLDER}/{LAWS}", "(top)", read_knowledge(folder / LAWS))
    laws = {key: _read_law(entry) for key, entry in top.named_entries("laws").items()}
    order = top.texts("order")
    common = top.texts_by_key("warnings")
    top.done()
    words = {}
    for path in sorted(folder.glob("*.yml")):
        if path.name == LAWS:
            continue
        read = _read(Entry(f"{FOLDER}/{path.name}", path.stem, read_knowledge(path)), path.stem, laws, common)
        if topics is not None and read.topic not in topics:
            raise KnowledgeError(f"{FOLDER}/{path.name}: no intent belongs to the topic {read.topic}")
        words[read.name] = read
    if set(order) != words.keys() or len(set(order)) != len(order):
        odd = ", ".join(sorted(set(order) ^ words.keys()))
        raise top.error(f"order names every calculator once: {odd}")
    return {name: words[name] for name in order}


def load_laws(root: Path) -> dict[str, Citation]:
    """The laws of ``laws.yml`` by their short names; raises KnowledgeError."""
    top = Entry(f"{FOLDER}/{LAWS}", "(top)", read_knowledge(root / FOLDER / LAWS))
    return {key: _read_law(entry) for key, entry in top.named_entries("laws").items()}


def cite(entry: Entry, cited: str, laws: Mapping[str, Citation]) -> Citation:
    """``lch 第四十七条`` as a citation; raises KnowledgeError for a law that is not in ``laws.yml``."""
    key, _, article = cited.partition(" ")
    if key not in laws:
        raise entry.error(f"laws.yml has no {key}")
    law = laws[key]
    return Citation(law.title, article.strip() or None, law.as_of, law.mark)


def _read_law(entry: Entry) -> Citation:
    law = Citation(
        title=entry.text("title"),
        article=None,
        as_of=entry.day("as_of"),
        mark=Mark(entry.choice("mark", tuple(Mark))),
    )
    entry.done()
    return law


def _read(
    entry: Entry, name: str, laws: Mapping[str, Citation], common: Mapping[str, str]
) -> CalculatorWords:
    words = CalculatorWords(
        name=name,
        label=entry.text("label"),
        topic=entry.text("topic"),
        what=entry.text("what"),
        formula=entry.texts("formula"),
        refuses=entry.texts("refuses"),
        inputs={key: _read_input(item) for key, item in entry.named_entries("inputs").items()},
        steps={key: _read_step(item, laws) for key, item in entry.named_entries("steps").items()},
        assumptions=entry.texts_by_key("assumptions"),
        warnings={**common, **entry.texts_by_key("warnings")},
    )
    entry.done()
    if not words.formula or not words.refuses:
        raise entry.error("says neither its formula nor what it refuses")
    said = [
        words.label,
        words.what,
        *words.assumptions.values(),
        *words.warnings.values(),
        *(step.text for step in words.steps.values()),
    ]
    if any(_UNVERIFIED.search(text) for text in said):
        raise entry.error("a mark of the facts file is in the text")
    return words


def _read_input(entry: Entry) -> InputWords:
    choices = entry.texts_by_key("choices")
    words = InputWords(
        label=entry.text("label"),
        question=entry.text("question"),
        hint=entry.optional_text("hint"),
        unit=entry.optional_text("unit"),
        choices=choices,
    )
    entry.done()
    return words


def _read_step(entry: Entry, laws: Mapping[str, Citation]) -> StepWords:
    cites = tuple(cite(entry, cited, laws) for cited in entry.texts("cites"))
    words = StepWords(entry.text("text"), cites)
    entry.done()
    return words


def _said(value: object) -> object:
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.0001")) if value.as_tuple().exponent < -4 else value  # type: ignore[operator]
        plain = f"{rounded:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return value
