"""How well search over knowledge finds: ``python -m tests.knowledge_search.measure dev``.

``test`` instead of ``dev`` prints the figures of the questions nothing was tuned on, and not what was missed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from casework.knowledge import Knowledge
from casework.knowledge_search import KnowledgeSearch

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1] / "data" / "knowledge"
TODAY = date(2026, 11, 22)


def read(name: str) -> list[dict[str, str]]:
    """The lines of one question file."""
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line]


@dataclass(frozen=True)
class Measured:
    """How many of the questions found their topic first, and among the first three, and what missed."""

    asked: int
    first: int
    among_three: int
    missed: list[tuple[str, str, list[str]]]

    @property
    def recall(self) -> float:
        """The part of the questions whose topic is among the first three."""
        return self.among_three / self.asked


def measure(search: KnowledgeSearch, questions: list[dict[str, str]]) -> Measured:
    """Ask every question."""
    first = among = 0
    missed = []
    for question in questions:
        found = [one.topic for one in search.find(question["text"], TODAY)]
        first += found[:1] == [question["topic"]]
        if question["topic"] in found:
            among += 1
        else:
            missed.append((question["text"], question["topic"], found))
    return Measured(len(questions), first, among, missed)


def answered(search: KnowledgeSearch, questions: list[dict[str, str]]) -> list[str]:
    """The texts that find anything at all."""
    return [question["text"] for question in questions if search.find(question["text"], TODAY)]


def main() -> None:
    """Print the figures of one set; what it missed only for the development set."""
    which = sys.argv[1]
    search = KnowledgeSearch(Knowledge.load(ROOT), ROOT)
    figures = measure(search, read(f"questions_{which}.jsonl"))
    outside = answered(search, read("outside.jsonl"))
    print(f"{which}: {figures.asked} questions, first {figures.first}, among three {figures.recall:.3f}")
    print(f"outside: {len(outside)} of {len(read('outside.jsonl'))} find something")
    if which == "dev":
        print(*figures.missed, *outside, sep="\n")


if __name__ == "__main__":
    main()
