"""Case types: what the union opens a case about, what it asks, and what papers help (``case_types.yml``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.knowledge_files import Entry, read_knowledge

SLOTS = (
    "story", "district", "employer", "hired_on", "left_on", "monthly_wage", "amount_owed", "months_owed",
    "temperature", "worksite", "school_stage", "hardship_registered", "station_name", "preferred_time",
    "wish", "person_name", "phone",
)  # fmt: skip
"""Every slot an intake may fill; the same names as the facts of the dialogue (docs/architecture.md)."""


@dataclass(frozen=True, slots=True)
class Question:
    """Question: one thing an intake asks; its words are the dialogue's, its label is the summary's."""

    slot: str
    required: bool
    label: str
    only_for: tuple[str, ...] = ()
    also_called: tuple[str, ...] = ()
    unit: str = ""
    values: tuple[tuple[str, str], ...] = ()
    """How stored values are shown (``yes`` → 办过)."""

    def shown(self, value: object) -> str:
        """A value as the summary shows it, with its unit."""
        text = str(value).strip()
        return dict(self.values).get(text, f"{text}{self.unit}")


@dataclass(frozen=True, slots=True)
class CaseType:
    """Case type: a kind of matter with its topics, its questions in order and its checklist of materials."""

    name: str
    label: str
    offer: str
    """Key of the sentence that offers to open such a case (``wording.yml``)."""
    default_topic: str
    topics: tuple[str, ...]
    questions: tuple[Question, ...]
    checklist: tuple[str, ...]


def questions_for(case_type: CaseType, topic: str) -> list[Question]:
    """Every question an intake about this topic asks, in order."""
    return [
        question for question in case_type.questions if not question.only_for or topic in question.only_for
    ]


def next_questions(case_type: CaseType, topic: str, facts: Mapping[str, Any]) -> list[Question]:
    """The questions still to be asked: those the facts do not answer yet, in order."""
    return [question for question in questions_for(case_type, topic) if not _answered(facts, question.slot)]


def summary_lines(case_type: CaseType, facts: Mapping[str, Any]) -> list[str]:
    """The answered questions as lines ``label：value``, in the order of the questions."""
    return [
        f"{question.label}：{question.shown(facts[question.slot])}"
        for question in case_type.questions
        if _answered(facts, question.slot)
    ]


class CaseTypes:
    """The case types of one knowledge file."""

    def __init__(self, types: Mapping[str, CaseType], labels: Mapping[str, str]) -> None:
        self._types = dict(types)
        self.fact_labels: Mapping[str, str] = dict(labels)
        """What each slot is called in front of a member."""

    @classmethod
    def load(cls, path: Path) -> CaseTypes:
        """Read ``case_types.yml``; raises KnowledgeError naming the entry that breaks a rule."""
        top = Entry(path.name, "(top)", read_knowledge(path))
        slots = {name: _read_slot(name, entry) for name, entry in top.named_entries("slots").items()}
        missing = set(SLOTS) - slots.keys()
        if missing:
            raise top.error(f"slots has no label for {', '.join(sorted(missing))}")
        entries = top.named_entries("case_types")
        types = {name: _read_type(name, entry, slots) for name, entry in entries.items()}
        top.done()
        if "general" not in types:
            raise top.error("there must be a case type general, for everything no other one takes")
        taken: dict[str, str] = {}
        for case_type in types.values():
            for topic in case_type.topics:
                if taken.setdefault(topic, case_type.name) != case_type.name:
                    raise top.error(f"the topic {topic} leads to both {taken[topic]} and {case_type.name}")
        return cls(types, {name: slot.label for name, slot in slots.items()})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all case types, in the file's order."""
        return tuple(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __getitem__(self, name: str) -> CaseType:
        """The case type with this name; raises KeyError."""
        return self._types[name]

    def __iter__(self) -> Iterator[CaseType]:
        return iter(self._types.values())

    def for_topic(self, topic: str) -> CaseType:
        """The case type a topic leads to; ``general`` when no other takes it."""
        return next((found for found in self if topic in found.topics), self._types["general"])

    def questions(self, case_type: str, topic: str) -> list[Question]:
        """Every question an intake of this type about this topic asks, in order; raises KeyError."""
        return questions_for(self._types[case_type], topic)

    def next_questions(self, case_type: str, topic: str, facts: Mapping[str, Any]) -> list[Question]:
        """The questions still to be asked, in order; raises KeyError for an unknown type."""
        return next_questions(self._types[case_type], topic, facts)

    def summary_lines(self, case_type: str, facts: Mapping[str, Any]) -> list[str]:
        """The answered questions as lines, in order; raises KeyError for an unknown type."""
        return summary_lines(self._types[case_type], facts)


def _answered(facts: Mapping[str, Any], slot: str) -> bool:
    value = facts.get(slot)
    return value is not None and bool(str(value).strip())


def _read_slot(name: str, entry: Entry) -> Question:
    if name not in SLOTS:
        raise entry.error(f"not a slot; slots are {', '.join(SLOTS)}")
    values: tuple[tuple[str, str], ...] = ()
    if entry.has("values"):
        shown = entry.entry("values")
        values = tuple((value, shown.text(value)) for value in shown.names())
    slot = Question(
        slot=name,
        required=False,
        label=entry.text("label"),
        also_called=entry.texts("also_called"),
        unit=entry.optional_text("unit") or "",
        values=values,
    )
    entry.done()
    return slot


def _read_type(name: str, entry: Entry, slots: Mapping[str, Question]) -> CaseType:
    topics = entry.texts("topics")
    questions = tuple(_read_question(question, topics, slots) for question in entry.entries("questions"))
    asked = [question.slot for question in questions]
    if len(set(asked)) != len(asked):
        raise entry.error("asks for the same slot twice")
    if not questions:
        raise entry.error("asks nothing")
    case_type = CaseType(
        name=name,
        label=entry.text("label"),
        offer=entry.text("offer"),
        default_topic=entry.text("default_topic"),
        topics=topics,
        questions=questions,
        checklist=entry.texts("checklist"),
    )
    entry.done()
    return case_type


def _read_question(entry: Entry, topics: tuple[str, ...], slots: Mapping[str, Question]) -> Question:
    slot = slots[entry.choice("slot", SLOTS)]
    if entry.raw("required") is None:
        raise entry.error("required must be true or false")
    only_for = entry.texts("only_for")
    strange = [topic for topic in only_for if topic not in topics]
    if strange:
        raise entry.error(f"only_for names {', '.join(strange)}, which does not lead to this case type")
    question = Question(
        slot=slot.slot,
        required=entry.flag("required", default=False),
        label=slot.label,
        only_for=only_for,
        also_called=slot.also_called,
        unit=slot.unit,
        values=slot.values,
    )
    entry.done()
    return question
