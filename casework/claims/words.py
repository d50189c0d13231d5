"""What is said of claims: ``data/knowledge/claims/rights.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casework.entitlements.wording import Citation, cite, load_laws
from casework.knowledge_files import Entry, read_knowledge

FILE = "claims/rights.yml"
KINDS = ("day", "money", "number", "choice", "district", "text")
DEADLINES = ("wages", "general", "injury", "inspection", "lawsuit", "leave")


@dataclass(frozen=True, slots=True)
class RightWords:
    """A right as members read it."""

    code: str
    label: str
    topic: str
    deadline: str
    cites: tuple[Citation, ...]
    proof: tuple[tuple[str, ...], ...]
    """Groups of kinds of proof: one of each group proves the claim well."""
    why: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouteWords:
    """A step of the way as members read it."""

    code: str
    label: str
    text: str
    cites: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """A question as members read it."""

    name: str
    label: str
    question: str
    hint: str | None
    unit: str | None
    kind: str
    choices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClaimWords:
    """Everything ``rights.yml`` says."""

    rights: Mapping[str, RightWords]
    against: Mapping[str, str]
    warnings: Mapping[str, str]
    deadlines: Mapping[str, str]
    deadline_cites: Mapping[str, tuple[Citation, ...]]
    route: Mapping[str, RouteWords]
    questions: Mapping[str, QuestionWords]

    @classmethod
    def load(cls, root: Path) -> ClaimWords:
        """Read the file; raises KnowledgeError naming the entry at fault."""
        laws = load_laws(root)
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        words = cls(
            rights={code: _right(code, entry, laws) for code, entry in top.named_entries("rights").items()},
            against=top.texts_by_key("against"),
            warnings=top.texts_by_key("warnings"),
            deadlines=top.texts_by_key("deadlines"),
            deadline_cites={
                kind: tuple(cite(top, one, laws) for one in found.split("；"))
                for kind, found in top.texts_by_key("deadline_cites").items()
            },
            route={code: _step(code, entry, laws) for code, entry in top.named_entries("route").items()},
            questions={name: _question(name, one) for name, one in top.named_entries("questions").items()},
        )
        top.done()
        return words


def _right(code: str, entry: Entry, laws: Mapping[str, Citation]) -> RightWords:
    groups = entry.raw("proof") or ()
    right = RightWords(
        code=code,
        label=entry.text("label"),
        topic=entry.text("topic"),
        deadline=entry.choice("deadline", DEADLINES),
        cites=_cites(entry, laws),
        proof=tuple(tuple(str(one) for one in group) for group in groups),
        why=entry.text("why"),
        notes=entry.texts("notes"),
    )
    entry.done()
    if not right.cites or not right.proof:
        raise entry.error("names no article, or no proof")
    return right


def _step(code: str, entry: Entry, laws: Mapping[str, Citation]) -> RouteWords:
    step = RouteWords(code, entry.text("label"), entry.text("text"), _cites(entry, laws))
    entry.done()
    return step


def _question(name: str, entry: Entry) -> QuestionWords:
    question = QuestionWords(
        name=name,
        label=entry.text("label"),
        question=entry.text("question"),
        hint=entry.optional_text("hint"),
        unit=entry.optional_text("unit"),
        kind=entry.choice("kind", KINDS),
        choices=entry.texts_by_key("choices") if entry.has("choices") else {},
    )
    entry.raw("choices")
    entry.done()
    if (question.kind == "choice") != bool(question.choices):
        raise entry.error("choices belong to a question of the kind choice, and to no other")
    return question


def _cites(entry: Entry, laws: Mapping[str, Citation]) -> tuple[Citation, ...]:
    return tuple(cite(entry, one, laws) for one in entry.texts("cites"))
