"""Told: what is known of a story so far, each thing with the words it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from casework.claims.circumstances import EVIDENCE
from casework.claims.model import Quote


@dataclass(frozen=True, slots=True)
class Said:
    """One value and the member's words it was taken from (None: a button said it)."""

    value: str
    quote: Quote

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {"value": self.value, "quote": self.quote.text, "message_id": self.quote.message_id}


@dataclass
class Told:
    """What a story tells: facts (normalised), circumstances, topics, and what the member does not know."""

    facts: dict[str, Said] = field(default_factory=dict)
    circumstances: dict[str, Said] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """What was asked and the member cannot say: not asked again."""
    taken_back: set[str] = field(default_factory=set)
    """Circumstances the member said were misunderstood: not read out of the same words again."""
    confirmed: bool = False

    def has(self, *codes: str) -> bool:
        """Whether any of these circumstances was told."""
        return any(code in self.circumstances for code in codes)

    def fact(self, name: str) -> str | None:
        """A fact's value, or None."""
        said = self.facts.get(name)
        return None if said is None else said.value

    def day(self, name: str) -> date | None:
        """A fact that is a day, or None."""
        value = self.fact(name)
        return None if value is None else date.fromisoformat(value)

    def number(self, name: str) -> Decimal | None:
        """A fact that is a number, or None."""
        value = self.fact(name)
        return None if value is None else Decimal(value)

    @property
    def held(self) -> frozenset[str]:
        """The codes of the proof the member holds."""
        return frozenset(code for code in self.circumstances if code.startswith(EVIDENCE))

    def note(self, facts: Mapping[str, str], quote: Quote, names: Iterable[str]) -> None:
        """Take in facts a message states, the latest word counting; only those of ``names``."""
        for name in names:
            if facts.get(name):
                self.facts[name] = Said(str(facts[name]), quote)
                self.unknown.discard(name)

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {
            "facts": {name: said.to_json() for name, said in self.facts.items()},
            "circumstances": {code: said.to_json() for code, said in self.circumstances.items()},
            "topics": list(self.topics),
            "unknown": sorted(self.unknown),
            "taken_back": sorted(self.taken_back),
            "confirmed": self.confirmed,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Told:
        """As it was kept."""

        def said(kept: Mapping[str, Any]) -> Said:
            return Said(str(kept["value"]), Quote(kept.get("quote"), kept.get("message_id")))

        return cls(
            facts={name: said(kept) for name, kept in stored.get("facts", {}).items()},
            circumstances={code: said(kept) for code, kept in stored.get("circumstances", {}).items()},
            topics=list(stored.get("topics", ())),
            unknown=set(stored.get("unknown", ())),
            taken_back=set(stored.get("taken_back", ())),
            confirmed=bool(stored.get("confirmed")),
        )
