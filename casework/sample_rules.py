"""Sample rules: what a training sentence may be, before it is taken in."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from casework.errors import BadInput
from casework.knowledge import Knowledge
from casework.knowledge_files import read_knowledge
from casework.personal_data import holds_personal_data
from casework.sample_files import MARK, TrainingSet, plain

MOST_CHARACTERS = 500
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]"
)
"""What YAML cannot hold in a line of its own, or what ends a line somewhere."""
_HALF_MARK = re.compile(r"\][({\[]")
_TOUCHING = re.compile(r"\](?=\[)")
_PLACEHOLDER = re.compile(
    r"(\[(?:姓名|单位|电话|工单号|证件号|银行卡|邮箱|密码|位置|号码)\])(?=[({\[])(?!\([a-z_]+\))"
)


def tidied(text: str) -> str:
    """A sentence without blanks around it and with single ones inside.

    A placeholder for what was taken out, like [电话], is kept apart from a bracket after it: together they
    would read as a marked fact.
    """
    spaced = re.sub(r"[ \t\u3000\xa0]+", " ", text).strip()
    return _TOUCHING.sub("] ", _PLACEHOLDER.sub(r"\1 ", spaced))


def known_facts(data_nlu: Path) -> frozenset[str]:
    """The facts that may be marked: the entities of the ``domain.yml`` beside ``data``.

    Raises KnowledgeError when that cannot be read.
    """
    return _entities(data_nlu.resolve().parents[1] / "domain.yml")


@cache
def _entities(domain: Path) -> frozenset[str]:
    listed: Any = read_knowledge(domain).get("entities") or []
    return frozenset(next(iter(one)) if isinstance(one, dict) else str(one) for one in listed)


def check_intent(intent: str, knowledge: Knowledge) -> None:
    """Raise BadInput (field ``intent``) for an intent nobody knows or that has no sentences on purpose."""
    known = knowledge.intents.get(intent)
    if known is None or not known.trained:
        raise BadInput("no such intent", field="intent")


def check_form(text: str, facts: Collection[str]) -> None:
    """Raise BadInput for a sentence that could not be learnt from: ``values["field"]`` says why.

    ``sentence`` (nothing, more than 500 characters, more than one line), ``command`` (begins with ``/`` or
    holds a brace), ``marks`` (a mark that is not ``[value](fact)``), ``fact_name`` (no such fact).
    """
    if not plain(text) or len(text) > MOST_CHARACTERS or len(text.splitlines()) != 1:
        raise BadInput("one line of text is wanted", field="sentence", limit=MOST_CHARACTERS)
    if _UNPRINTABLE.search(text):
        raise BadInput("holds a character nobody can read", field="sentence", limit=MOST_CHARACTERS)
    if text.startswith("/") or "{" in text:
        raise BadInput("looks like a command", field="command")
    for _, fact in MARK.findall(text):
        if fact not in facts:
            raise BadInput("no such fact", field="fact_name", fact=fact)
    if _HALF_MARK.search(MARK.sub(r"\1", text)):
        raise BadInput("a mark is not well formed", field="marks")


def check_personal_data(text: str) -> None:
    """Raise BadInput (field ``personal_data``) for a sentence that may say who somebody is."""
    if holds_personal_data(MARK.sub(r"\1", text)):
        raise BadInput("may say who somebody is", field="personal_data")


def check_new(text: str, training_set: TrainingSet, knowledge: Knowledge) -> None:
    """Raise BadInput (field ``duplicate``; values intent, label) for a sentence that is there already."""
    intent = training_set.intent_of(text)
    if intent is not None:
        known = knowledge.intents.get(intent)
        raise BadInput(
            "is there already",
            field="duplicate",
            intent=intent,
            label=intent if known is None else known.label,
        )
