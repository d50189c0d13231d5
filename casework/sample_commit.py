"""Sample commit: writing what people changed into ``data/nlu`` by single lines: a diff shows only that."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import KnowledgeError, Refusal
from casework.knowledge import Knowledge
from casework.sample_files import plain, read_blocks
from casework.tables import SampleChange

_INTENT = re.compile(r"(?P<indent>\s*)- intent:\s*(?P<name>[a-z_]+)\s*$")
_EXAMPLE = re.compile(r"(?P<indent>\s+)- (?P<text>.*)$")
_HEAD = 'version: "3.1"\nnlu:\n'


@dataclass(frozen=True, slots=True)
class Conflict:
    """One change that does not fit the files any more; ``file`` is where its intent stands."""

    change_id: int
    file: str
    intent: str


class CommitRefused(Refusal):
    """Files say something else than what was changed; ``conflicts`` lists where."""

    code = "commit_refused"

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__("the files were changed underneath")
        self.conflicts = tuple(conflicts)


@dataclass(eq=False)
class _Line:
    """One line of a file; ``intent`` and ``text`` only where it is a sentence or an intent's first line."""

    raw: str
    intent: str | None = None
    text: str | None = None


@dataclass
class SampleLines:
    """The files of ``data/nlu`` as lines, with everything in them that is no sentence kept as it is."""

    files: dict[str, list[_Line]] = field(default_factory=dict)
    _places: dict[str, tuple[str, _Line]] = field(default_factory=dict, repr=False)
    """Plain words → the file and line they stand in."""

    @classmethod
    def read(cls, data_nlu: Path) -> SampleLines:
        """The lines of every file of a folder; raises KnowledgeError where one cannot be followed."""
        made = cls()
        for path in sorted(data_nlu.glob("*.yml")):
            made.files[path.name] = _lines(path.read_bytes().decode("utf-8"))
            for line in made.files[path.name]:
                if line.text is not None:
                    made._places.setdefault(plain(line.text), (path.name, line))
        made.check(data_nlu)
        return made

    def text(self, name: str) -> str:
        """A file as it would be written."""
        return "\n".join(line.raw for line in self.files[name])

    def check(self, data_nlu: Path) -> None:
        """Raise KnowledgeError when YAML reads other sentences in a file than its lines have."""
        for name, lines in self.files.items():
            found: dict[str, list[str]] = {}
            for line in lines:
                if line.intent is not None:
                    found.setdefault(line.intent, []).extend([] if line.text is None else [line.text])
            if read_blocks(name, self.text(name).encode()) != found:
                raise KnowledgeError(f"{data_nlu.name}/{name}: its lines cannot be told apart")

    def stands(self, key: str | None) -> tuple[str, str] | None:
        """The text and intent of the sentence with these plain words, or None."""
        found = self._places.get(key) if key is not None else None
        return None if found is None else (found[1].text or "", found[1].intent or "")

    def put(self, change: SampleChange, new_file: str) -> None:
        """Make a change; an intent that has no lines yet begins at the end of ``new_file``."""
        before, after = _key(change.before_text), _key(change.after_text)
        text, intent = change.after_text, change.after_intent
        old = self._places.pop(before, None) if before is not None else None
        if old is not None and text is not None and old[1].intent == intent:
            old[1].raw, old[1].text = old[1].raw[: old[1].raw.index("- ")] + f"- {text}", text
            self._places[plain(text)] = old
            return
        if old is not None:
            self.files[old[0]].remove(old[1])
        if text is None or intent is None or after is None:
            return
        name, place, indent = self._end(intent, new_file)
        line = _Line(f"{indent}- {text}", intent, text)
        self.files[name].insert(place, line)
        self._places[after] = (name, line)

    def file_of(self, intent: str) -> str | None:
        """The file in which an intent stands (the first, should it stand in two), or None."""
        places = self.files.items()
        return next((name for name, lines in places if any(x.intent == intent for x in lines)), None)

    def _end(self, intent: str, new_file: str) -> tuple[str, int, str]:
        name = self.file_of(intent)
        if name is None:
            lines = self.files.setdefault(new_file, _lines(_HEAD))
            at = len(lines) - (1 if lines and not lines[-1].raw else 0)
            lines[at:at] = [_Line(f"  - intent: {intent}", intent), _Line("    examples: |")]
            return new_file, at + 2, "      "
        lines = self.files[name]
        last = max(place for place, line in enumerate(lines) if line.intent == intent)
        if lines[last].text is None:
            # Its sentences are all gone.
            says = next(
                at for at in range(last, len(lines)) if lines[at].raw.lstrip().startswith("examples:")
            )
            return name, says + 1, "      "
        return name, last + 1, lines[last].raw[: lines[last].raw.index("- ")]


def _lines(text: str) -> list[_Line]:
    made: list[_Line] = []
    intent: str | None = None
    depth = 0
    for raw in text.split("\n"):
        opened = _INTENT.match(raw)
        example = _EXAMPLE.match(raw)
        if opened and (intent is None or len(opened["indent"]) <= depth):
            intent, depth = opened["name"], len(opened["indent"])
            made.append(_Line(raw, intent))
        elif example and intent is not None and len(example["indent"]) > depth:
            made.append(_Line(raw, intent, example["text"].strip()))
        else:
            made.append(_Line(raw))
    return made


def _key(text: str | None) -> str | None:
    return None if text is None else plain(text)


def commit_changes(changes: Sequence[SampleChange], data_nlu: Path, knowledge: Knowledge) -> dict[str, str]:
    """File name → new text, for the files in which changes, in their order, make a difference.

    Raises CommitRefused where a sentence stands neither as it was before a change nor as it is after it, and
    KnowledgeError for a file whose lines cannot be followed.
    """
    lines = SampleLines.read(data_nlu)
    before = {name: lines.text(name) for name in lines.files}
    conflicts: list[Conflict] = []
    for change in changes:
        intent = change.after_intent or change.before_intent or ""
        topic = knowledge.intents[intent].topic if intent in knowledge.intents else intent
        new_file = f"{topic.replace('.', '_')}.yml"
        old = (change.before_text, change.before_intent)
        new = (change.after_text, change.after_intent)
        if _is(lines, new, old):
            continue
        if _is(lines, old, new):
            lines.put(change, new_file)
        else:
            conflicts.append(Conflict(change.id, lines.file_of(intent) or new_file, intent))
    if conflicts:
        raise CommitRefused(conflicts)
    lines.check(data_nlu)
    after = {name: lines.text(name) for name in lines.files}
    return {name: text for name, text in after.items() if before.get(name) != text}


def _is(
    lines: SampleLines, wanted: tuple[str | None, str | None], instead: tuple[str | None, str | None]
) -> bool:
    """Whether a sentence stands as wanted (nowhere: None), and what it stands instead of does not."""
    key, other = _key(wanted[0]), _key(instead[0])
    if key is not None and lines.stands(key) != wanted:
        return False
    return other is None or other == key or lines.stands(other) is None


async def uncommitted(session: AsyncSession) -> Sequence[SampleChange]:
    """The changes that are neither undone nor written into the files, in order."""
    found = await session.scalars(
        select(SampleChange)
        .where(SampleChange.undone_at.is_(None), SampleChange.committed_at.is_(None))
        .order_by(SampleChange.id)
    )
    return found.all()


async def commit(
    session: AsyncSession, data_nlu: Path, knowledge: Knowledge, now: datetime
) -> tuple[int, list[str]]:
    """Write what is not in the files yet into them; gives how many changes that were and the files written.

    All files or none. Doing it again after a failure finishes it. Raises as ``commit_changes`` does, and
    KnowledgeError where a file cannot be written.
    """
    waiting = await uncommitted(session)
    texts = commit_changes(waiting, data_nlu, knowledge)
    try:
        for name, text in texts.items():
            draft = data_nlu / f".{name}.new"
            draft.write_bytes(text.encode("utf-8"))
        for name in texts:
            os.replace(data_nlu / f".{name}.new", data_nlu / name)
    except OSError as error:
        raise KnowledgeError(f"{data_nlu.name}: cannot be written: {error.strerror}") from error
    for change in waiting:
        change.committed_at = now
    return len(waiting), sorted(texts)
