"""Crisis rules: noticing that somebody is in danger before anything else is said (facts §8).

Pure and deterministic: the same text always gives the same finding. The patterns, the harmless
look-alikes and the advice are data (``data/knowledge/crisis.yml``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from casework.knowledge_files import Entry, read_knowledge

MAX_ADVICE = 120
"""Characters an advice may have: it is read by somebody in distress, on a phone."""

REPEAT_WITHIN = timedelta(hours=12)
"""The same kind of crisis again within this time gets the short text: the lecture comes once."""

_SENTENCE_MARKS = re.compile(r"[,，。.!！?？;；:：\n\r…]+")
_SPELT_OUT = re.compile(r"(?<=\w)[.。,，·\-_*/](?=\w(?:[.。,，·\-_*/]|$))")
_NOISE = re.compile(r"[^\w，\U0001F000-\U0001FAFF\u2600-\u27BF\u26B0]+|_+")
_NUMBER = re.compile(r"(?<!\d)\d{3,}(?!\d)")
_TERM = re.compile(r"(?<!\?P)<(?P<name>[a-z][a-z0-9_]*)>")


class CrisisLevel(StrEnum):
    """How a finding is answered: urgent with the advice alone, care with the advice before the answer."""

    URGENT = "urgent"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class CrisisFinding:
    """Crisis finding: what kind of danger a text shows and what to say at once, and on a repeat."""

    kind: str
    label: str
    level: CrisisLevel
    rule: str
    """The rule that matched, for the log; never the member's words."""
    advice: str
    again: str


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    level: CrisisLevel
    name: str
    any: re.Pattern[str]
    with_: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def matches(self, folded: str) -> bool:
        return bool(
            self.any.search(folded)
            and (self.with_ is None or self.with_.search(folded))
            and not (self.unless and self.unless.search(folded))
        )


@dataclass(frozen=True, slots=True)
class _Kind:
    label: str
    advice: dict[CrisisLevel, str]
    again: str


def remembered_as(kind: str, level: CrisisLevel) -> str:
    """How a conversation remembers its latest crisis: ``self_harm``, or ``self_harm.care``."""
    return kind if level is CrisisLevel.URGENT else f"{kind}.{level}"


class CrisisRules:
    """The crisis rules of one knowledge file, ready to be asked."""

    def __init__(
        self,
        rules: list[_Rule],
        kinds: dict[str, _Kind],
        harmless: re.Pattern[str],
        fold: dict[int, str],
    ) -> None:
        # Urgent rules before care rules; within a level kinds keep the file's order of severity.
        self._rules = sorted(rules, key=lambda rule: rule.level is not CrisisLevel.URGENT)
        self._kinds = kinds
        self._harmless = harmless
        self._fold = fold

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of crisis known, most severe first."""
        return tuple(self._kinds)

    @classmethod
    def load(cls, path: Path, hotlines: frozenset[str] | None = None) -> CrisisRules:
        """Read ``crisis.yml``; raises KnowledgeError naming the entry for a bad pattern or an advice that is
        too long, or that names a number not among the hotlines (read from beside the file when not given).
        """
        top = Entry(path.name, "(top)", read_knowledge(path))
        if hotlines is None:
            numbers = read_knowledge(path.with_name("hotlines.yml")).get("hotlines") or {}
            hotlines = frozenset(str(number) for number in numbers)
        fold = _fold_table(top.entry("fold"))
        terms = _terms(top)
        harmless = _alternation(top, "harmless", terms)
        rules: list[_Rule] = []
        kinds: dict[str, _Kind] = {}
        for kind, entry in top.named_entries("kinds").items():
            kinds[kind] = _read_kind(entry, hotlines)
            rules += [_read_rule(kind, rule, terms) for rule in entry.entries("rules")]
            entry.done()
        top.done()
        return cls(rules, kinds, harmless, fold)

    def detect(self, text: str) -> CrisisFinding | None:
        """The gravest danger a text shows, or None; an urgent one of any kind comes before a care one."""
        folded = self._harmless.sub("〇", self.fold(text))
        for rule in self._rules:
            if rule.matches(folded):
                kind = self._kinds[rule.kind]
                return CrisisFinding(
                    rule.kind, kind.label, rule.level, rule.name, kind.advice[rule.level], kind.again
                )
        return None

    def advice(
        self,
        kind: str,
        *,
        last_kind: str | None,
        last_at: datetime | None,
        now: datetime,
        level: CrisisLevel = CrisisLevel.URGENT,
    ) -> str:
        """What to say about a crisis of this kind: in full, or in short when it was said a while ago already.

        ``last_kind`` and ``last_at`` are the conversation's latest crisis, as ``remembered_as`` names it: one
        that has become urgent is answered in full although care was taken before. Raises KeyError for no
        such kind.
        """
        known = self._kinds[kind]
        same = last_kind in {remembered_as(kind, CrisisLevel.URGENT), remembered_as(kind, level)}
        repeated = same and last_at is not None and now - last_at < REPEAT_WITHIN
        return known.again if repeated else known.advice[level]

    def fold(self, text: str) -> str:
        """The text as patterns see it: one line without blanks and noise, then the line with them.

        Both are needed: 不 想 活 only shows without blanks, and ``zs`` is a word of its own only with them.
        """
        plain = unicodedata.normalize("NFKC", text).lower().translate(self._fold)
        marked = _SENTENCE_MARKS.sub("，", _SPELT_OUT.sub("", plain))
        close = _NOISE.sub("", marked)
        spaced = _NOISE.sub(" ", marked)
        return close if spaced == close else f"{close}\n{spaced}"


def _fold_table(entry: Entry) -> dict[int, str]:
    traditional, simplified = entry.text("traditional"), entry.text("simplified")
    if len(traditional) != len(simplified):
        raise entry.error("traditional and simplified must have the same length")
    if len(set(traditional)) != len(traditional):
        raise entry.error("a traditional character is listed twice")
    entry.done()
    return {ord(old): new for old, new in zip(traditional, simplified, strict=True)}


def _terms(top: Entry) -> dict[str, str]:
    entry = top.entry("terms")
    return {name: entry.text(name) for name in entry.names()}


def _expand(entry: Entry, pattern: str, terms: dict[str, str]) -> str:
    def insert(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in terms:
            raise entry.error(f"the term <{name}> is not defined")
        return terms[name]

    # (?<name> is no term: look-behinds start with (?<! or (?<=, which the pattern of a term does not match.
    return _TERM.sub(insert, pattern)


def _compile(entry: Entry, pattern: str, terms: dict[str, str]) -> re.Pattern[str]:
    try:
        compiled = re.compile(_expand(entry, pattern, terms))
    except re.error as error:
        raise entry.error(f"not a pattern: {error}: {pattern[:60]}") from error
    if compiled.search(""):
        raise entry.error(f"the pattern matches everything: {pattern[:60]}")
    return compiled


def _alternation(entry: Entry, field: str, terms: dict[str, str]) -> re.Pattern[str]:
    patterns = entry.texts(field)
    if not patterns:
        raise entry.error(f"{field} must have patterns")
    for pattern in patterns:
        _compile(entry, pattern, terms)
    return _compile(entry, "|".join(f"(?:{pattern})" for pattern in patterns), terms)


def _read_rule(kind: str, entry: Entry, terms: dict[str, str]) -> _Rule:
    def optional(field: str) -> re.Pattern[str] | None:
        pattern = entry.optional_text(field)
        return None if pattern is None else _compile(entry, pattern, terms)

    rule = _Rule(
        kind=kind,
        level=CrisisLevel(entry.choice("level", tuple(CrisisLevel))),
        name=entry.text("name"),
        any=_alternation(entry, "any", terms),
        with_=optional("with"),
        unless=optional("unless"),
    )
    entry.done()
    return rule


def _read_kind(entry: Entry, hotlines: frozenset[str]) -> _Kind:
    advice = entry.entry("advice")
    kind = _Kind(
        label=entry.text("label"),
        advice={level: _advice(advice, level, hotlines) for level in CrisisLevel},
        again=_advice(advice, "again", hotlines),
    )
    advice.done()
    return kind


def _advice(entry: Entry, field: str, hotlines: frozenset[str]) -> str:
    text = entry.text(field)
    if len(text) > MAX_ADVICE:
        raise entry.error(f"{field} has {len(text)} characters, more than {MAX_ADVICE}")
    unknown = set(_NUMBER.findall(text)) - hotlines
    if unknown:
        raise entry.error(f"{field} names {', '.join(sorted(unknown))}, which is not in hotlines.yml")
    if "12351" not in text:
        raise entry.error(f"{field} must say how the union goes on helping (12351)")
    return text
