"""Confirmed labels: sentences somebody looked at and said that they stand under the right intent.

They are a file beside ``data/nlu``, since they are about the sentences there. The search for wrong labels
leaves them out; one that is moved since is looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import yaml

from casework.errors import KnowledgeError
from casework.knowledge_files import read_knowledge
from casework.sample_files import plain

FILE = "confirmed_labels.yml"
_HEAD = """\
# Sentences somebody looked at because the lint took their label for wrong: they are right where they stand.
# The search for wrong labels leaves them out, so that it does not show the same hard ones every time.
# One that is moved is looked at again: it counts only under the intent it stands under here.
"""


def read(data: Path) -> frozenset[tuple[str, str]]:
    """(intent, sentence as ``sample_files.plain`` has it) of each; none without the file.

    ``data`` is the folder that holds ``nlu``. Raises KnowledgeError where the file cannot be read.
    """
    path = data / FILE
    if not path.exists():
        return frozenset()
    content = read_knowledge(path)
    if not all(isinstance(texts, list) for texts in content.values()):
        raise KnowledgeError(f"{FILE}: under every intent stands a list of sentences")
    return frozenset((intent, plain(str(text))) for intent, texts in content.items() for text in texts)


def add(data: Path, confirmed: Iterable[tuple[str, str]]) -> int:
    """Write (intent, sentence) into the file beside what is there; gives how many are new."""
    known = read(data)
    wanted = known | {(intent, plain(text)) for intent, text in confirmed}
    if wanted != known:
        texts: dict[str, list[str]] = defaultdict(list)
        for intent, text in sorted(wanted):
            texts[intent].append(text)
        listed = yaml.safe_dump(dict(texts), allow_unicode=True, width=10_000)
        (data / FILE).write_text(_HEAD + listed, encoding="utf-8")
    return len(wanted) - len(known)
