"""Sample import: a Rasa YAML file of training sentences, looked at line by line before it is taken in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from casework import samples
from casework.errors import BadInput
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.sample_files import Sentence, TrainingSet, as_yaml, plain
from casework.sample_rules import (
    check_form,
    check_intent,
    check_new,
    check_personal_data,
    known_facts,
    tidied,
)
from casework.tables import ChangeDeed, ChangeOrigin, SampleChange, Staff

MOST_BYTES = 5_000_000
MOST_TAKEN = 2000
"""Sentences that are taken in at once; all that stand there already do not count."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Fate(StrEnum):
    """What becomes of a line that is imported."""

    NEW = "new"
    MOVED = "moved"
    REMARKED = "remarked"
    """The same words under the same intent, with other facts marked."""
    THERE = "there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One sentence of a file, and the line it stands in."""

    line: int
    text: str
    intent: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What becomes of one sentence of a file: ``old`` is how it stands in the set, ``refusal`` why not."""

    wanted: Wanted
    fate: Fate
    old: Sentence | None = None
    refusal: BadInput | None = None


def exported(training_set: TrainingSet, intent: str | None = None) -> str:
    """The whole set, or one intent's sentences, as one Rasa YAML file."""
    chosen = training_set.sentences.items()
    return as_yaml({name: texts for name, texts in chosen if texts and intent in (None, name)})


def read_upload(content: bytes) -> list[Wanted]:
    """The sentences of a Rasa YAML file in its order.

    Raises BadInput: field ``import_size``, ``import_yaml`` (value line), ``import_block`` (values line, kind:
    synonyms, regexes, lookups, stories and whatever else is not taken) or ``import_examples`` (value line).
    """
    if len(content) > MOST_BYTES:
        raise BadInput("the file is too large", field="import_size", limit=MOST_BYTES // 1_000_000)
    try:
        top = yaml.compose(content.decode("utf-8-sig"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadInput("is no YAML", field="import_yaml", line=mark.line + 1 if mark else 1) from error
    found: list[Wanted] = []
    for name, node in _pairs(top):
        if name == "nlu" and isinstance(node, yaml.SequenceNode):
            for block in node.value:
                found += _of_block(block)
        elif name != "version":
            raise BadInput("not taken", field="import_block", line=_line(node), kind=name)
    return found


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise BadInput("is no mapping", field="import_yaml", line=1 if node is None else _line(node))
    for key, value in node.value:
        yield str(key.value), value


def _of_block(block: yaml.Node) -> Iterator[Wanted]:
    parts = dict(_pairs(block))
    intent, examples = parts.get("intent"), parts.get("examples")
    other = next((name for name in parts if name not in ("intent", "examples")), None)
    if other is not None or not isinstance(intent, yaml.ScalarNode):
        raise BadInput("not taken", field="import_block", line=_line(block), kind=other or "examples")
    if not isinstance(examples, yaml.ScalarNode):
        raise BadInput("no lines", field="import_examples", line=_line(block))
    literal = examples.style == "|"
    for number, line in enumerate(examples.value.split("\n")):
        place = _line(examples) + (number + 1 if literal else 0)
        if line.startswith("- ") or line == "-":
            yield Wanted(place, line[1:].strip(), str(intent.value))
        elif line.strip():
            raise BadInput("a line without a dash", field="import_examples", line=place)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def look(
    wanted: Iterable[Wanted], training_set: TrainingSet, knowledge: Knowledge, facts: Collection[str]
) -> list[Looked]:
    """What would become of every sentence, in order; one that comes twice counts once."""
    seen: dict[str, str] = {}
    return [_look(one, seen, training_set, knowledge, facts) for one in wanted]


def _look(
    one: Wanted,
    seen: dict[str, str],
    training_set: TrainingSet,
    knowledge: Knowledge,
    facts: Collection[str],
) -> Looked:
    old = training_set.find(one.text)
    if old == Sentence(one.text, one.intent):
        seen.setdefault(plain(one.text), one.intent)
        return Looked(one, Fate.THERE, old)
    one = replace(one, text=tidied(one.text))
    try:
        check_intent(one.intent, knowledge)
        check_form(one.text, facts)
        earlier = seen.get(plain(one.text))
        if earlier is not None:
            check_new(one.text, TrainingSet.of({earlier: [one.text]}, {}), knowledge)
        if old is None:
            check_personal_data(one.text)
    except BadInput as refusal:
        return Looked(one, Fate.REFUSED, old, refusal)
    seen[plain(one.text)] = one.intent
    if old is None:
        return Looked(one, Fate.NEW)
    return Looked(one, Fate.REMARKED if old.intent == one.intent else Fate.MOVED, old)


async def take_in(
    session: AsyncSession,
    staff: Staff | None,
    content: bytes,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
    *,
    note: str | None = None,
) -> list[Looked]:
    """Take every sentence of a file in that may be, and say what became of each. Audited.

    ``staff`` None: the command line. Raises NotAllowed without the right TEACH, BadInput as ``read_upload``
    and ``check_number`` do.
    """
    if staff is not None:
        require(staff, Right.TEACH)
    found = look(
        read_upload(content), await samples.current(session, data_nlu), knowledge, known_facts(data_nlu)
    )
    check_number(found)
    made = [change for change in map(_change, found) if change is not None]
    await samples.take(session, staff, made, now, note=note)
    return found


def check_number(found: Sequence[Looked]) -> None:
    """Raise BadInput (field ``import_many``) for more than 2,000 sentences to be taken in."""
    if sum(one.fate in _DEEDS for one in found) > MOST_TAKEN:
        raise BadInput("too many at once", field="import_many", limit=MOST_TAKEN)


_DEEDS = {Fate.NEW: ChangeDeed.ADD, Fate.MOVED: ChangeDeed.MOVE, Fate.REMARKED: ChangeDeed.EDIT}


def _change(one: Looked) -> SampleChange | None:
    if one.fate not in _DEEDS:
        return None
    return SampleChange(
        deed=_DEEDS[one.fate],
        origin=ChangeOrigin.IMPORT,
        before_text=one.old.text if one.old else None,
        before_intent=one.old.intent if one.old else None,
        after_text=one.wanted.text,
        after_intent=one.wanted.intent,
    )


def counted(found: Sequence[Looked]) -> dict[Fate, int]:
    """How many sentences have each fate."""
    return {fate: sum(one.fate is fate for one in found) for fate in Fate}


def to_take(found: Sequence[Looked]) -> str:
    """What would be taken in, as one Rasa YAML file of its own."""
    chosen: dict[str, list[str]] = {}
    for one in found:
        if one.fate in _DEEDS:
            chosen.setdefault(one.wanted.intent, []).append(one.wanted.text)
    return as_yaml(chosen)
