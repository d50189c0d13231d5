"""Circumstances: what may have happened to a worker, read by rules from how they tell it.

Pure and deterministic. The patterns are data (``data/knowledge/claims/circumstances.yml``); what is found is
shown to the member with their own words before it counts for anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casework.knowledge_files import Entry, read_knowledge

FILE = "claims/circumstances.yml"
EVIDENCE = "ev_"
"""How the codes begin that say what the member holds."""
MAX_QUOTE = 60
"""Characters of the member's words shown beside what was read out of them."""

_SENTENCES = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]*")
_ITEMS = re.compile(r"[、，,。；;！!\n]|还有|以及|和|跟|加上")
_MISSING = re.compile(r"没|无|不给|丢|不敢|不愿|不肯|删")
_BLANKS = re.compile(r"\s+")
_TERM = re.compile(r"<(?P<name>[a-z][a-z0-9_]*)>")


@dataclass(frozen=True, slots=True)
class Found:
    """One circumstance a text tells, and the sentence that tells it."""

    code: str
    quote: str


@dataclass(frozen=True, slots=True)
class _Rule:
    label: str
    any: re.Pattern[str]
    unless: re.Pattern[str] | None
    named: re.Pattern[str] | None
    """What names this kind of proof in an answer that lists what the member holds."""


class Circumstances:
    """The circumstances of one knowledge file, ready to be looked for."""

    def __init__(self, rules: Mapping[str, _Rule], doubt: re.Pattern[str], fold: dict[int, str]) -> None:
        self._rules = dict(rules)
        self._doubt = doubt
        self._fold = fold

    @classmethod
    def load(cls, root: Path) -> Circumstances:
        """Read ``circumstances.yml`` of data/knowledge; raises KnowledgeError for a bad pattern."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        terms = {name: str(pattern) for name, pattern in (top.raw("terms") or {}).items()}
        rules = {}
        for code, entry in top.named_entries("circumstances").items():
            unless = entry.optional_text("unless")
            rules[code] = _Rule(
                label=entry.text("label"),
                any=_compiled(entry, "|".join(f"(?:{one})" for one in entry.texts("any")), terms),
                unless=None if unless is None else _compiled(entry, unless, terms),
                named=_compiled(entry, entry.text("named"), terms) if code.startswith(EVIDENCE) else None,
            )
            entry.done()
        doubt = _compiled(top, top.text("doubt"), terms)
        top.done()
        return cls(rules, doubt, _fold_table(root))

    @property
    def codes(self) -> tuple[str, ...]:
        """Every circumstance there is."""
        return tuple(self._rules)

    def label(self, code: str) -> str:
        """What a circumstance is called; raises KeyError for an unknown code."""
        return self._rules[code].label

    def find(self, text: str) -> tuple[Found, ...]:
        """What a text tells, each circumstance once, with the first sentence that tells it."""
        found: dict[str, Found] = {}
        for sentence in _sentences(text):
            folded = self._folded(sentence)
            if not folded or self._doubt.search(folded):
                continue
            for code, rule in self._rules.items():
                if code in found or not rule.any.search(folded):
                    continue
                if rule.unless is None or not rule.unless.search(folded):
                    found[code] = Found(code, _shortened(sentence))
        return tuple(found.values())

    def held(self, answer: str) -> tuple[Found, ...]:
        """The kinds of proof an answer to 手里有什么 names; what it says is missing is not held."""
        found: dict[str, Found] = {}
        for item in _ITEMS.split(answer):
            folded = self._folded(item)
            if not folded or _MISSING.search(folded):
                continue
            for code, rule in self._rules.items():
                if rule.named is not None and rule.named.search(folded):
                    found.setdefault(code, Found(code, _shortened(item.strip())))
        return tuple(found.values())

    def _folded(self, sentence: str) -> str:
        folded = unicodedata.normalize("NFKC", sentence).lower().translate(self._fold)
        return _BLANKS.sub("", folded)


def _sentences(text: str) -> list[str]:
    return [match[0].strip() for match in _SENTENCES.finditer(text) if match[0].strip()]


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_QUOTE else sentence[: MAX_QUOTE - 1] + "…"


def _compiled(entry: Entry, pattern: str, terms: Mapping[str, str]) -> re.Pattern[str]:
    def term(match: re.Match[str]) -> str:
        if match["name"] not in terms:
            raise entry.error(f"there is no term {match['name']}")
        return terms[match["name"]]

    if not pattern:
        raise entry.error("has no pattern")
    # A term may hold terms.
    for _ in range(3):
        pattern = _TERM.sub(term, pattern)
    try:
        return re.compile(pattern)
    except re.error as wrong:
        raise entry.error(f"bad pattern: {wrong}") from wrong


def _fold_table(root: Path) -> dict[int, str]:
    """Traditional characters to simplified ones, as the crisis rules fold them."""
    fold = read_knowledge(root / "crisis.yml")["fold"]
    pairs = zip(str(fold["traditional"]), str(fold["simplified"]), strict=True)
    return {ord(traditional): simplified for traditional, simplified in pairs}
