"""Wording: what the switchboard, channels, refusals, notices and case states say, by key."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path

from casework.errors import KnowledgeError, Refusal
from casework.knowledge_files import read_knowledge

FILE = "wording.yml"


class Wording:
    """Every sentence of ``wording.yml``, by its dotted key."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = dict(sentences)

    @classmethod
    def load(cls, root: Path) -> Wording:
        """Read ``wording.yml`` in a knowledge folder; raises KnowledgeError naming a key at fault."""
        sentences: dict[str, str] = {}
        _flatten("", read_knowledge(root / FILE), sentences)
        for key, sentence in sentences.items():
            _placeholders(key, sentence)
        return cls(sentences)

    @property
    def keys(self) -> frozenset[str]:
        """Every key there is."""
        return frozenset(self._sentences)

    def has(self, key: str) -> bool:
        """Whether there is a sentence under this key."""
        return key in self._sentences

    def placeholders(self, key: str) -> frozenset[str]:
        """The names a sentence has to be given; raises KnowledgeError for an unknown key."""
        return _placeholders(key, self._sentence(key))

    def say(self, key: str, **values: object) -> str:
        """The sentence with its values filled in; raises KnowledgeError for an unknown key or missing value.

        A guard test looks for every key used in the code, so neither happens in front of a member.
        """
        sentence = self._sentence(key)
        missing = _placeholders(key, sentence) - values.keys()
        if missing:
            raise KnowledgeError(f"{FILE}: {key}: needs {', '.join(sorted(missing))}")
        return sentence.format(**values)

    def refuse(self, refusal: Refusal) -> str:
        """The friendly sentence for a refusal: for its reason or field if there is one, else for its code."""
        detail = refusal.values.get("reason") or refusal.values.get("field")
        for key in (f"refusal.{refusal.code}_{detail}", f"refusal.{refusal.code}", "refusal.refused"):
            if key in self._sentences and _placeholders(key, self._sentences[key]) <= refusal.values.keys():
                return self.say(key, **refusal.values)
        raise KnowledgeError(f"{FILE}: refusal.refused: is missing or wants values")

    def _sentence(self, key: str) -> str:
        try:
            return self._sentences[key]
        except KeyError:
            raise KnowledgeError(f"{FILE}: {key}: there is no such wording") from None


def _flatten(prefix: str, content: object, into: dict[str, str]) -> None:
    if isinstance(content, dict):
        for name, inner in content.items():
            _flatten(f"{prefix}.{name}" if prefix else str(name), inner, into)
    elif isinstance(content, str) and content.strip():
        into[prefix] = content
    else:
        raise KnowledgeError(f"{FILE}: {prefix}: must be a sentence")


def _placeholders(key: str, sentence: str) -> frozenset[str]:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
    except ValueError as error:
        raise KnowledgeError(f"{FILE}: {key}: {error}") from error
    if any(not name.isidentifier() for name in names):
        raise KnowledgeError(f"{FILE}: {key}: a placeholder must be a plain name")
    return frozenset(names)
